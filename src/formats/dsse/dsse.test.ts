import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { parseEnvelope, serializeEnvelope } from './envelope.js'
import { preAuthEncode } from './pae.js'

const json = (value: unknown): string => JSON.stringify(value)
const GOOD = { payload: 'aGVsbG8=', payloadType: 'text/plain', signatures: [{ sig: 'AAEC' }] }

test('the example of the DSSE protocol', () => {
  const encoded = preAuthEncode('http://example.com/HelloWorld', encodeUtf8('hello world'))
  assert.equal(decodeUtf8(encoded), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  assert.equal(decodeUtf8(preAuthEncode('ä', encodeUtf8('€'))), 'DSSEv1 2 ä 3 €')
  assert.equal(decodeUtf8(preAuthEncode('', new Uint8Array(0))), 'DSSEv1 0  0 ')
})

test('an envelope keeps its exact bytes', () => {
  const source =
    '{"signatures" : [ {"keyid":"","sig":"AAEC","cert":"x"} ],\n "payloadType":"text/plain","payload":"aGVsbG8=", "more":1}'
  const envelope = parseEnvelope(source)
  assert.deepEqual(
    [decodeUtf8(envelope.payload), envelope.signatures],
    ['hello', [{ keyId: '', signature: Uint8Array.of(0, 1, 2) }]],
  )
  assert.equal(decodeUtf8(serializeEnvelope(envelope)), source)
})

test('an envelope is written as Go writes it', () => {
  const envelope = {
    payloadType: 'text/plain',
    payload: encodeUtf8('hello'),
    signatures: [
      { keyId: '', signature: Uint8Array.of(0, 1, 2) },
      { keyId: 'k', signature: Uint8Array.of(3) },
    ],
  }
  assert.equal(
    decodeUtf8(serializeEnvelope(envelope)),
    '{"payload":"aGVsbG8=","payloadType":"text/plain","signatures":[{"sig":"AAEC"},{"sig":"Aw==","keyid":"k"}]}',
  )
})

test('either alphabet of base64 is read', () => {
  assert.deepEqual(
    parseEnvelope(json({ ...GOOD, signatures: [{ sig: '-_8' }] })).signatures[0]?.signature,
    Uint8Array.of(0xfb, 0xff),
  )
  assert.deepEqual(
    parseEnvelope(json({ ...GOOD, signatures: [{ sig: '+/8=', keyid: null }] })).signatures[0]?.signature,
    Uint8Array.of(0xfb, 0xff),
  )
})

test('envelopes of another form are refused', () => {
  for (const source of [
    '',
    'null',
    '[]',
    '{}',
    json({ ...GOOD, payload: 1 }),
    json({ ...GOOD, payload: '*' }),
    json({ ...GOOD, payloadType: undefined }),
    json({ ...GOOD, signatures: {} }),
    json({ ...GOOD, signatures: [null] }),
    json({ ...GOOD, signatures: [{ sig: 1 }] }),
    json({ ...GOOD, signatures: [{ sig: 'A' }] }),
    json({ ...GOOD, signatures: [{ sig: 'AA==', keyid: 1 }] }),
    json({ ...GOOD, signatures: Array<object>(101).fill({ sig: 'AA==' }) }),
  ]) {
    assert.throws(() => parseEnvelope(source), { code: 'DSSE_MALFORMED' }, source.slice(0, 100))
  }
  assert.throws(() => parseEnvelope(json({ ...GOOD, signatures: [] })), { code: 'DSSE_UNSIGNED' })
  assert.throws(() => parseEnvelope(Uint8Array.of(0xff)), { code: 'DSSE_MALFORMED' })
})

test('any JSON is an envelope or is refused with a code', () => {
  const shaped = fc
    .record({
      payload: fc.oneof(fc.base64String(), fc.jsonValue()),
      payloadType: fc.oneof(fc.string(), fc.jsonValue()),
      signatures: fc.oneof(
        fc.jsonValue(),
        fc.array(fc.record({ sig: fc.base64String(), keyid: fc.string() }, { requiredKeys: [] })),
      ),
    })
    .map(json)
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped), (source) => {
      try {
        parseEnvelope(source)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('DSSE_'), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
