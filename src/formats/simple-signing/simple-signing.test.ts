import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { SIMPLE_SIGNING_TYPE, parseSimpleSigning, serializeSimpleSigning } from './payload.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const CRITICAL = `"critical":{"identity":{"docker-reference":"index.docker.io/library/x"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"}`

test('payloads are the bytes that cosign signs', () => {
  const base = { dockerReference: 'index.docker.io/library/x', manifestDigest: DIGEST }
  assert.equal(decodeUtf8(serializeSimpleSigning(base)), `{${CRITICAL},"optional":null}`)
  const optional = { b: '<&>', a: '1' }
  assert.equal(
    decodeUtf8(serializeSimpleSigning({ ...base, optional })),
    `{${CRITICAL},"optional":{"a":"1","b":"\\u003c\\u0026\\u003e"}}`,
  )
  assert.deepEqual(parseSimpleSigning(serializeSimpleSigning({ ...base, optional })), { ...base, optional })
  assert.deepEqual(parseSimpleSigning(serializeSimpleSigning(base)), { ...base, optional: undefined })
})

test('a claim of another kind is no signature on an image', () => {
  for (const type of [
    '',
    'atomic container signature',
    'https://sigstore.dev/cosign/sign/v1',
    SIMPLE_SIGNING_TYPE.toUpperCase(),
  ]) {
    assert.throws(() => parseSimpleSigning(`{${CRITICAL.replace(SIMPLE_SIGNING_TYPE, type)}}`), {
      code: 'SIMPLE_SIGNING_TYPE',
    })
  }
})

test('payloads of another form are refused', () => {
  const good = `{${CRITICAL},"optional":null}`
  for (const source of [
    '',
    'null',
    '[]',
    '{}',
    '{"critical":[]}',
    good.replace('identity', 'x'),
    good.replace('"image"', '"x"'),
    good.replace('docker-reference', 'x'),
    good.replace('docker-manifest-digest', 'x'),
    good.replace('"type"', '"x"'),
    good.replace(`"${DIGEST}"`, '1'),
    good.replace('null', '[]'),
    good.replace('null', '"x"'),
    good.slice(0, -1),
  ]) {
    assert.throws(() => parseSimpleSigning(source), { code: 'SIMPLE_SIGNING_MALFORMED' }, source)
  }
})

test('any JSON is a payload or is refused with a code', () => {
  const shaped = fc.jsonValue().map((value) => JSON.stringify({ critical: value }))
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped), (source) => {
      try {
        parseSimpleSigning(source)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('SIMPLE_SIGNING_'), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
