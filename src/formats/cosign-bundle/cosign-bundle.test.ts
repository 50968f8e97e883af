import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { encodePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { TestPki } from '#testing/pki/pki'
import { createTestPki } from '#testing/pki/pki'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import { isBlobBundle, parseBlobBundle, serializeBlobBundle } from './blob-bundle.js'
import { parseRekorBundle, rekorBundleToJson } from './rekor-bundle.js'

let pki: TestPki
let message: SignedArtifact

before(async () => {
  pki = await createTestPki()
  message = await signMessage(pki, { logs: [{ shape: 'v1-hashedrekord' }] })
})

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const json = (value: unknown): string => JSON.stringify(value)

test('an old bundle becomes a signed entity and back', () => {
  const text = serializeBlobBundle(message.entity)
  assert.deepEqual(Object.keys(JSON.parse(text) as object), ['base64Signature', 'cert', 'rekorBundle'])
  const { content, key, logEntries } = parseBlobBundle(text)
  assert.deepEqual(key, message.entity.key)
  assert.equal(content.kind, 'message-signature')
  const [entry] = logEntries
  const [original] = message.entity.logEntries
  assert.ok(entry && original)
  const { inclusionProof, ...rest } = original
  assert.ok(inclusionProof)
  assert.deepEqual(entry, rest)
  assert.equal(serializeBlobBundle(parseBlobBundle(text)), text)
})

test('what cosign 2 wrote without log and certificate', () => {
  const source =
    '{"base64Signature":"MEUCIQCocBmd78jfexnMD/CYK0uiWk1iKskarnsTYP1RXKSzHwIgFq3aZQ3ClXUujyGTER3LRUeFpc4VUB6kYBIxOFQrZwo="}'
  const bundle = parseBlobBundle(source)
  assert.deepEqual([bundle.key, bundle.logEntries, bundle.timestamps], [{ kind: 'public-key', hint: '' }, [], []])
  assert.equal(serializeBlobBundle(bundle), source)
})

test('the certificate may be DER, PEM, a chain, or a public key', () => {
  const der =
    message.entity.key.kind === 'certificates' ? (message.entity.key.chain[0] ?? assert.fail()) : assert.fail()
  const read = (cert: string): ReturnType<typeof parseBlobBundle> =>
    parseBlobBundle(json({ base64Signature: 'MAA=', cert }))
  const pem = encodePem('CERTIFICATE', der)
  assert.deepEqual(read(base64(der)).key, { kind: 'certificates', chain: [der] })
  assert.deepEqual(read(base64(pem)).key, { kind: 'certificates', chain: [der] })
  assert.deepEqual(read(base64(pem + pem)).key, { kind: 'certificates', chain: [der, der] })
  const spki = message.signer.key.publicKey.spki
  const withKey = read(base64(encodePem('PUBLIC KEY', spki)))
  assert.deepEqual([withKey.key, withKey.publicKey], [{ kind: 'public-key', hint: '' }, spki])
  assert.deepEqual(parseBlobBundle(serializeBlobBundle(withKey)).publicKey, spki)
  assert.throws(() => read(base64(encodePem('PRIVATE KEY', spki))), { code: 'COSIGN_BUNDLE_CERTIFICATE' })
  assert.throws(() => read(base64('nothing')), { code: 'COSIGN_BUNDLE_MALFORMED' })
})

test('an attestation has its whole envelope for a signature', async () => {
  const { entity } = await signStatement(pki, { logs: [{ shape: 'v1-dsse' }] })
  const { content } = parseBlobBundle(serializeBlobBundle(entity))
  assert.ok(content.kind === 'dsse' && entity.content.kind === 'dsse')
  assert.deepEqual(content.envelope.payload, entity.content.envelope.payload)
  assert.equal(
    parseBlobBundle(json({ base64Signature: base64('{"no":"envelope"}') })).content.kind,
    'message-signature',
  )
})

test('old bundles that are none are refused', () => {
  for (const source of [
    '',
    '[]',
    '{}',
    json({ base64Signature: 1 }),
    json({ base64Signature: '*' }),
    json({ base64Signature: '' }),
    json({ base64Signature: 'MAA=', cert: '*' }),
    json({ base64Signature: 'MAA=', rekorBundle: {} }),
  ]) {
    assert.throws(() => parseBlobBundle(source), { code: 'COSIGN_BUNDLE_MALFORMED' }, source)
  }
  assert.equal(isBlobBundle({ base64Signature: 'x' }), true)
  for (const other of [{}, null, [], 'base64Signature', { mediaType: 'x' }]) assert.equal(isBlobBundle(other), false)
})

test('Rekor bundles', () => {
  const [entry] = message.entity.logEntries
  assert.ok(entry)
  const bundle = json(rekorBundleToJson(entry))
  assert.match(
    bundle,
    /^\{"SignedEntryTimestamp":"[^"]+","Payload":\{"body":"[^"]+","integratedTime":\d+,"logIndex":\d+,"logID":"[0-9a-f]{64}"\}\}$/,
  )
  assert.deepEqual(rekorBundleToJson(parseRekorBundle(bundle)), rekorBundleToJson(entry))
  assert.equal(rekorBundleToJson({ ...entry, inclusionPromise: undefined }), undefined)
  assert.equal(rekorBundleToJson({ ...entry, integratedTime: undefined }), undefined)
  for (const [from, to] of [
    [/"logIndex":\d+/, '"logIndex":-1'],
    [/"integratedTime":\d+/, '"integratedTime":-1'],
    [/"integratedTime":\d+/, '"integratedTime":9007199254740991'],
    [/"logID":"../, '"logID":"zz'],
    [/"body":"[^"]+"/, '"body":"e30="'],
    ['Payload', 'Pay'],
    ['SignedEntryTimestamp', 'Signed'],
  ] as const) {
    assert.throws(() => parseRekorBundle(bundle.replace(from, to)), { code: 'COSIGN_BUNDLE_MALFORMED' }, String(from))
  }
})

test('any JSON is an old bundle or is refused with a code', () => {
  const shaped = fc
    .record(
      {
        base64Signature: fc.base64String(),
        cert: fc.oneof(fc.base64String(), fc.jsonValue()),
        rekorBundle: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map(json)
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped), (source) => {
      for (const parse of [parseBlobBundle, parseRekorBundle]) {
        try {
          parse(source)
        } catch (error) {
          assert.ok(isCodedError(error) && error.code.startsWith('COSIGN_BUNDLE_'), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
