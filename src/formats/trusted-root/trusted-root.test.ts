import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { before, test } from 'node:test'
import { TrustedRoot as PeerTrustedRoot } from '@sigstore/protobuf-specs'
import fc from 'fast-check'
import { ALGORITHMS } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { createTestPki } from '#testing/pki/pki'
import { parseTrustedRoot } from './parse.js'
import { serializeTrustedRoot } from './serialize.js'
import { describeTimeRange, timeRangeContains } from './time-range.js'
import type { TrustedRoot } from './trusted-root.js'

interface Json {
  [name: string]: Json | undefined
}

let trusted: TrustedRoot
let text: string

before(async () => {
  const pki = await createTestPki()
  trusted = pki.trusted
  text = serializeTrustedRoot(trusted)
})

function change(path: string, value: unknown, source = text): string {
  const document = JSON.parse(source) as Json
  const names = path.split('.')
  const last = names.pop() ?? assert.fail()
  const parent = names.reduce<Json>((object, name) => (object[name] ??= {}), document)
  if (value === undefined) Reflect.deleteProperty(parent, last)
  else parent[last] = value as Json
  return JSON.stringify(document)
}

const rejects = (source: string, code: string): void => {
  assert.throws(() => parseTrustedRoot(source), { code }, source.slice(0, 100))
}

test('a trusted root reads back, and the peer reads the same', () => {
  assert.equal(serializeTrustedRoot(parseTrustedRoot(text)), text)
  const written = JSON.stringify(PeerTrustedRoot.toJSON(PeerTrustedRoot.fromJSON(JSON.parse(text))))
  const peer = JSON.parse(written.replaceAll('.000Z', 'Z')) as Json
  assert.deepEqual(peer, JSON.parse(text))
})

test('operators and checkpoint key ids need version 0.2', () => {
  const [log] = trusted.tlogs
  assert.ok(log)
  const extended: TrustedRoot = {
    ...trusted,
    tlogs: [{ ...log, operator: 'sigstore.test', checkpointKeyId: Uint8Array.of(1, 2, 3, 4) }],
  }
  assert.equal(/operator|checkpointKeyId/.test(serializeTrustedRoot(extended)), false)
  const read = parseTrustedRoot(serializeTrustedRoot(extended, '0.2')).tlogs[0]
  assert.deepEqual([read?.operator, read?.checkpointKeyId], ['sigstore.test', Uint8Array.of(1, 2, 3, 4)])
})

test('all spellings of the media type are read', () => {
  for (const mediaType of ['+json;version=0.1', '+json;version=0.2', '.v0.1+json', '.v0.2+json']) {
    assert.equal(
      parseTrustedRoot(change('mediaType', `application/vnd.dev.sigstore.trustedroot${mediaType}`)).tlogs.length,
      trusted.tlogs.length,
    )
  }
  for (const mediaType of [
    '',
    'application/json',
    'application/vnd.dev.sigstore.trustedroot+json;version=0.3',
    'application/vnd.dev.sigstore.trustedroot.v0.1',
  ]) {
    rejects(change('mediaType', mediaType), 'TRUSTED_ROOT_MEDIA_TYPE')
  }
})

test('a log without a start of its validity is refused', () => {
  rejects(change('tlogs.0.publicKey.validFor', undefined), 'TRUSTED_ROOT_VALIDITY')
  rejects(change('tlogs.0.publicKey.validFor.start', undefined), 'TRUSTED_ROOT_VALIDITY')
  rejects(change('ctlogs.0.publicKey.validFor', {}), 'TRUSTED_ROOT_VALIDITY')
  assert.equal(
    parseTrustedRoot(change('certificateAuthorities.0.validFor', undefined)).certificateAuthorities[0]?.validFor.start,
    undefined,
  )
})

test('keys must fit to their details', async () => {
  for (const details of [
    'PKIX_ED25519',
    'PKIX_ECDSA_P384_SHA_384',
    'PKIX_RSA_PKCS1V15_2048_SHA256',
    'LMS_SHA256',
    'PUBLIC_KEY_DETAILS_UNSPECIFIED',
  ]) {
    rejects(change('ctlogs.0.publicKey.keyDetails', details), 'TRUSTED_ROOT_KEY')
  }
  rejects(change('tlogs.0.publicKey.keyDetails', undefined), 'TRUSTED_ROOT_KEY')
  rejects(change('tlogs.0.publicKey.keyDetails', 'MADE_UP'), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('tlogs.0.publicKey.rawBytes', 'AAAA'), 'TRUSTED_ROOT_KEY')
  const rsa = await generatePrivateKey('rsa-sign-pkcs1-3072-sha256')
  const object = createPublicKey({ key: Buffer.from(rsa.publicKey.spki), format: 'der', type: 'spki' })
  const pkcs1 = object.export({ format: 'der', type: 'pkcs1' }).toString('base64')
  const old = change('ctlogs.0.publicKey.rawBytes', pkcs1, change('ctlogs.0.publicKey.keyDetails', 'PKCS1_RSA_PKCS1V5'))
  const [log] = parseTrustedRoot(old).ctlogs
  assert.deepEqual([log?.key.spki, log?.algorithm], [rsa.publicKey.spki, ALGORITHMS['rsa-sign-pkcs1-3072-sha256']])
})

test('what is missing or unknown is refused', () => {
  rejects(change('certificateAuthorities.0.certChain', undefined), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('certificateAuthorities.0.certChain.certificates', []), 'TRUSTED_ROOT_CERTIFICATE')
  rejects(change('timestampAuthorities.0.certChain.certificates.0.rawBytes', 'AAAA'), 'TRUSTED_ROOT_CERTIFICATE')
  rejects(change('tlogs.0.logId', undefined), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('tlogs.0.publicKey', undefined), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('tlogs.0.hashAlgorithm', undefined), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('tlogs.0.hashAlgorithm', 'SHA2_512'), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('tlogs.0.publicKey.validFor.start', 'yesterday'), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('more', 1), 'TRUSTED_ROOT_MALFORMED')
  rejects(change('mediaType', undefined), 'TRUSTED_ROOT_MALFORMED')
  for (const source of ['', '{}', 'null', '[]', '{"mediaType":1}']) rejects(source, 'TRUSTED_ROOT_MALFORMED')
})

test('time ranges include both ends', () => {
  const range = { start: 10, end: 20 }
  assert.deepEqual(
    [9, 10, 15, 20, 21].map((at) => timeRangeContains(range, at)),
    [false, true, true, true, false],
  )
  assert.deepEqual(
    [timeRangeContains({}, 0), timeRangeContains({ start: 1 }, 0), timeRangeContains({ end: 1 }, 2)],
    [true, false, false],
  )
  assert.equal(describeTimeRange({ start: 0 }), '1970-01-01T00:00:00Z to the end of time')
})

test('any JSON is a trusted root or is refused with a code', () => {
  const check = (source: string): void => {
    try {
      parseTrustedRoot(source)
    } catch (error) {
      assert.ok(isCodedError(error) && error.code.startsWith('TRUSTED_ROOT_'), String(error))
    }
  }
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), check), { numRuns: fuzzRuns() })
  const paths = [
    'tlogs',
    'ctlogs.0',
    'tlogs.0.publicKey',
    'tlogs.0.publicKey.rawBytes',
    'tlogs.0.publicKey.validFor',
    'certificateAuthorities.0.certChain',
    'timestampAuthorities.0',
    'certificateAuthorities.0.subject',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
      check(change(path, value))
    }),
    { numRuns: fuzzRuns() },
  )
})
