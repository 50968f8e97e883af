import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { bundleFromJSON, bundleToJSON as peerToJSON } from '@sigstore/bundle'
import type { SerializedBundle } from '@sigstore/bundle'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { SignedEntity } from '../signed-entity.js'
import { bundleVersion } from './media-type.js'
import { parseBundle } from './parse.js'
import { bundleToJson, serializeBundle } from './serialize.js'

interface Json {
  [name: string]: Json | undefined
}

let entities: Readonly<Record<'message' | 'statement' | 'key', SignedEntity>>
/** A 0.3 bundle of Rekor v1 with promise, proof and timestamp. */
let text: string

before(async () => {
  const pki = await createTestPki()
  const signer = await pki.issueLeaf()
  const message = await signMessage(pki, {
    signer,
    timestamps: [{}],
    logs: [{ shape: 'v1-hashedrekord' }, { shape: 'v2-hashedrekord' }],
  })
  const statement = await signStatement(pki, { signer, keyId: 'a key', logs: [{ shape: 'v1-dsse' }] })
  const key = await signMessage(pki, { signer: { key: signer.key } })
  entities = { message: message.entity, statement: statement.entity, key: key.entity }
  text = serializeBundle(message.entity)
})

/** The bundle with one value replaced, or removed when it is undefined. The path is written with dots. */
function change(path: string, value: unknown, source = text): string {
  const document = JSON.parse(source) as Json
  const names = path.split('.')
  const last = names.pop() ?? assert.fail()
  const parent = names.reduce<Json>((object, name) => (object[name] ??= {}), document)
  if (value === undefined) Reflect.deleteProperty(parent, last)
  else parent[last] = value as Json
  return JSON.stringify(document)
}

/** Whether the words are some of the others, in the same order. */
function subsequence(words: readonly string[], all: readonly string[]): boolean {
  return words.join(' ') === all.filter((word) => words.includes(word)).join(' ')
}

const rejects = (source: string | Uint8Array, code: string): void => {
  assert.throws(() => parseBundle(source), { code }, typeof source === 'string' ? source.slice(0, 200) : '')
}

test('what is written reads back, and is what the peer writes', () => {
  for (const entity of Object.values(entities)) {
    const written = serializeBundle(entity)
    const { mediaType, version, ...read } = parseBundle(written)
    assert.deepEqual(
      { mediaType, version },
      { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', version: '0.3' },
    )
    assert.equal(serializeBundle(read), written)
    assert.deepEqual(peerToJSON(bundleFromJSON(JSON.parse(written))), JSON.parse(written) as SerializedBundle)
  }
})

test('fields stand in the order of Go', () => {
  const order = (value: object): string => Object.keys(value).join(' ')
  const bundle = JSON.parse(text) as {
    verificationMaterial: { tlogEntries: { inclusionProof: object }[] }
    messageSignature: object
  }
  assert.equal(order(bundle), 'mediaType verificationMaterial messageSignature')
  assert.equal(order(bundle.verificationMaterial), 'certificate tlogEntries timestampVerificationData')
  const fields = 'logIndex logId kindVersion integratedTime inclusionPromise inclusionProof canonicalizedBody'
  // The first index of a log is zero, which protobuf JSON leaves out.
  for (const entry of bundle.verificationMaterial.tlogEntries)
    assert.ok(subsequence(Object.keys(entry), fields.split(' ')))
  assert.equal(order(bundle.messageSignature), 'messageDigest signature')
})

test('both spellings of the media type are known, others are not', () => {
  for (const version of ['0.1', '0.2', '0.3']) {
    assert.equal(bundleVersion(`application/vnd.dev.sigstore.bundle+json;version=${version}`), version)
    assert.equal(bundleVersion(`application/vnd.dev.sigstore.bundle.v${version}+json`), version)
    assert.equal(bundleVersion(`application/vnd.dev.sigstore.bundle.v${version}.1+json`), version)
  }
  for (const mediaType of [
    '',
    'application/json',
    'application/vnd.dev.sigstore.bundle.v0.4+json',
    'application/vnd.dev.sigstore.bundle.v0.30+json',
    'application/vnd.dev.sigstore.bundle+json;version=0.3.1',
    'application/vnd.dev.sigstore.bundle+json; version=0.3',
    'application/vnd.dev.sigstore.bundle+json;version=99.9',
    'application/vnd.dev.sigstore.bundle',
    ' application/vnd.dev.sigstore.bundle.v0.3+json',
    'application/vnd.dev.sigstore.bundle.v0.3+jsonx',
    'constructor',
  ]) {
    assert.equal(bundleVersion(mediaType), undefined)
    rejects(change('mediaType', mediaType), 'BUNDLE_MEDIA_TYPE')
  }
  rejects(change('mediaType', undefined), 'BUNDLE_MALFORMED')
})

test('the rules of each version hold for every entry', () => {
  const v01 = change('mediaType', 'application/vnd.dev.sigstore.bundle+json;version=0.1')
  // The second entry is of Rekor v2 and has no promise.
  rejects(v01, 'BUNDLE_INCLUSION_PROMISE')
  const onlyV1 = change('verificationMaterial.tlogEntries.1', undefined, v01).replace(',null]', ']')
  assert.equal(parseBundle(onlyV1).version, '0.1')
  assert.equal(
    parseBundle(change('verificationMaterial.tlogEntries.0.inclusionProof', undefined, onlyV1)).logEntries.length,
    1,
  )
  rejects(change('verificationMaterial.tlogEntries.0.inclusionPromise', undefined, onlyV1), 'BUNDLE_INCLUSION_PROMISE')
  rejects(
    change('verificationMaterial.tlogEntries.0.inclusionPromise.signedEntryTimestamp', '', onlyV1),
    'BUNDLE_INCLUSION_PROMISE',
  )
  for (const mediaType of [
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle.v0.3+json',
  ]) {
    const bundle = change('mediaType', mediaType)
    assert.equal(parseBundle(bundle).logEntries.length, 2)
    rejects(change('verificationMaterial.tlogEntries.1.inclusionProof', undefined, bundle), 'BUNDLE_INCLUSION_PROOF')
    rejects(
      change('verificationMaterial.tlogEntries.0.inclusionProof.checkpoint', undefined, bundle),
      'BUNDLE_INCLUSION_PROOF',
    )
    rejects(
      change('verificationMaterial.tlogEntries.0.inclusionProof.checkpoint.envelope', '', bundle),
      'BUNDLE_INCLUSION_PROOF',
    )
  }
})

test('a 0.3 bundle has a certificate, older ones may have a chain', () => {
  const certificate = (JSON.parse(text) as { verificationMaterial: { certificate: unknown } }).verificationMaterial
    .certificate
  const chain = (...certificates: unknown[]): string =>
    change(
      'verificationMaterial.x509CertificateChain',
      { certificates },
      change('verificationMaterial.certificate', undefined),
    )
  rejects(chain(certificate), 'BUNDLE_CERTIFICATE_CHAIN')
  const allowed = parseBundle(chain(certificate, certificate), { allowCertificateChain: true })
  assert.equal(allowed.key.kind === 'certificates' && allowed.key.chain.length, 2)
  assert.equal('x509CertificateChain' in (bundleToJson(allowed)['verificationMaterial'] as object), true)
  const old = change('mediaType', 'application/vnd.dev.sigstore.bundle+json;version=0.2', chain(certificate))
  assert.equal(parseBundle(old).key.kind, 'certificates')
  rejects(chain(), 'BUNDLE_KEY_MATERIAL')
  rejects(chain({ rawBytes: '' }), 'BUNDLE_KEY_MATERIAL')
  rejects(change('verificationMaterial.certificate', undefined), 'BUNDLE_KEY_MATERIAL')
  rejects(change('verificationMaterial.publicKey', { hint: 'x' }), 'BUNDLE_MALFORMED')
  rejects(chain(...Array<unknown>(33).fill(certificate)), 'BUNDLE_TOO_MANY')
})

test('there is one content', () => {
  rejects(change('messageSignature', undefined), 'BUNDLE_CONTENT')
  rejects(change('dsseEnvelope', { payload: '', payloadType: 'x', signatures: [{ sig: 'AA==' }] }), 'BUNDLE_MALFORMED')
  rejects(change('messageSignature.signature', ''), 'BUNDLE_CONTENT')
  rejects(change('messageSignature.signature', undefined), 'BUNDLE_MALFORMED')
  const envelope = serializeBundle(entities.statement)
  rejects(change('dsseEnvelope.signatures', [], envelope), 'BUNDLE_CONTENT')
  rejects(change('dsseEnvelope.signatures', [{ sig: 'AA==' }, { sig: 'AA==' }], envelope), 'BUNDLE_CONTENT')
  rejects(change('dsseEnvelope.signatures.0.sig', '', envelope), 'BUNDLE_CONTENT')
  assert.equal(parseBundle(change('messageSignature.messageDigest', undefined)).content.kind, 'message-signature')
  rejects(change('messageSignature.messageDigest.digest', 'AAAA'), 'BUNDLE_MALFORMED')
  rejects(change('messageSignature.messageDigest.algorithm', 'SHA3_256'), 'BUNDLE_MALFORMED')
  rejects(change('messageSignature.messageDigest.algorithm', undefined), 'BUNDLE_MALFORMED')
})

test('protobuf JSON is read as the reference client reads it', () => {
  const snake = text.replaceAll(
    /"([a-z]+[A-Za-z]*)":/g,
    (_, name: string) => `"${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}":`,
  )
  const expected = serializeBundle(parseBundle(text))
  assert.equal(serializeBundle(parseBundle(snake)), expected)
  const signature = (JSON.parse(text) as { messageSignature: { signature: string } }).messageSignature.signature
  const url = signature.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  assert.equal(serializeBundle(parseBundle(change('messageSignature.signature', url))), expected)
  const index = (JSON.parse(text) as { verificationMaterial: { tlogEntries: { integratedTime: string }[] } })
    .verificationMaterial.tlogEntries[0]?.integratedTime
  assert.equal(
    serializeBundle(parseBundle(change('verificationMaterial.tlogEntries.0.integratedTime', Number(index)))),
    expected,
  )
  assert.equal(serializeBundle(parseBundle(change('messageSignature.messageDigest.algorithm', 1))), expected)
  assert.equal(serializeBundle(parseBundle(change('dsseEnvelope', null))), expected)
})

test('what protobuf JSON refuses is refused', () => {
  for (const [path, value] of [
    ['unknown', 1],
    ['media_type', 'application/vnd.dev.sigstore.bundle.v0.3+json'],
    ['verificationMaterial.unknown', null],
    ['verificationMaterial', undefined],
    ['verificationMaterial', []],
    ['verificationMaterial.tlogEntries', {}],
    ['verificationMaterial.tlogEntries.0', null],
    ['verificationMaterial.tlogEntries.0.logIndex', '-1'],
    ['verificationMaterial.tlogEntries.0.logIndex', '1.5'],
    ['verificationMaterial.tlogEntries.0.logIndex', '9223372036854775808'],
    ['verificationMaterial.tlogEntries.0.logIndex', 'x'],
    ['verificationMaterial.tlogEntries.0.logIndex', 1e300],
    ['verificationMaterial.tlogEntries.0.integratedTime', '-5'],
    ['verificationMaterial.tlogEntries.0.integratedTime', '9223372036854775807'],
    ['verificationMaterial.tlogEntries.0.logId', undefined],
    ['verificationMaterial.tlogEntries.0.kindVersion', undefined],
    ['verificationMaterial.tlogEntries.0.kindVersion.kind', undefined],
    ['verificationMaterial.tlogEntries.0.canonicalizedBody', undefined],
    ['verificationMaterial.tlogEntries.0.canonicalizedBody', '*'],
    ['verificationMaterial.tlogEntries.0.inclusionProof.hashes', ['x']],
    ['verificationMaterial.tlogEntries.0.inclusionProof.treeSize', '-1'],
    ['verificationMaterial.timestampVerificationData.rfc3161Timestamps', [{}]],
    ['messageSignature.signature', 'A'],
    ['messageSignature.signature', 1],
  ] as const) {
    rejects(change(path, value), 'BUNDLE_MALFORMED')
  }
})

test('bounds of the reference client hold', () => {
  const { verificationMaterial } = JSON.parse(text) as {
    verificationMaterial: { tlogEntries: unknown[]; timestampVerificationData: { rfc3161Timestamps: unknown[] } }
  }
  const many = (value: unknown): unknown[] => Array<unknown>(33).fill(value)
  rejects(change('verificationMaterial.tlogEntries', many(verificationMaterial.tlogEntries[0])), 'BUNDLE_TOO_MANY')
  rejects(
    change(
      'verificationMaterial.timestampVerificationData.rfc3161Timestamps',
      many(verificationMaterial.timestampVerificationData.rfc3161Timestamps[0]),
    ),
    'BUNDLE_TOO_MANY',
  )
})

test('text that is no JSON object is refused', () => {
  for (const source of ['', '{', '[]', 'null', '1', '"x"', '{}', text.slice(0, -1), `${text}x`])
    rejects(source, 'BUNDLE_MALFORMED')
  rejects(Uint8Array.of(0xff, 0xfe), 'BUNDLE_MALFORMED')
})

test('any bytes, and any damage to a bundle, give a bundle or a code', () => {
  const check = (source: string | Uint8Array): void => {
    try {
      parseBundle(source)
    } catch (error) {
      assert.ok(isCodedError(error) && error.code.startsWith('BUNDLE_'), String(error))
    }
  }
  fc.assert(fc.property(fc.uint8Array(), check), { numRuns: fuzzRuns() })
  fc.assert(fc.property(fc.json(), check), { numRuns: fuzzRuns() })
  fc.assert(
    fc.property(fc.nat(), fc.string({ maxLength: 3 }), (at, insert) => {
      const index = at % text.length
      check(text.slice(0, index) + insert + text.slice(index + 1))
    }),
    { numRuns: fuzzRuns() },
  )
  const paths = [
    'mediaType',
    'verificationMaterial',
    'messageSignature',
    'verificationMaterial.certificate',
    'verificationMaterial.tlogEntries',
    'verificationMaterial.tlogEntries.0.inclusionProof',
    'verificationMaterial.tlogEntries.0.logIndex',
    'verificationMaterial.timestampVerificationData',
    'messageSignature.signature',
    'messageSignature.messageDigest',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
      check(change(path, value))
    }),
    { numRuns: fuzzRuns() },
  )
})
