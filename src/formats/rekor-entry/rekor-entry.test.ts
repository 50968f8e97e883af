import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { ALGORITHMS } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeHex } from '#encoding/hex'
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { issueCertificate, leafSpec } from '#testing/pki/certificate'
import { entryKindOf, parseEntryBody } from './body.js'
import { encodeDsseV1, encodeHashedRekordV1, encodeIntotoV2 } from './body-v1.js'
import { encodeDsseV2, encodeHashedRekordV2 } from './body-v2.js'
import { createEntryRequestV2, parseCreateEntryRequestV2 } from './create-request-v2.js'
import { formatEntryId, leafHash, parseEntryId } from './entry-id.js'
import { logEntryToV1Json, parseLogEntriesV1 } from './log-entry-json.js'
import type { LogEntry } from './log-entry.js'
import { parseTransparencyLogEntry, transparencyLogEntryToJson } from './log-entry-proto.js'
import type { EntryDigest, EntrySignature, EntryVerifier } from './model.js'
import { signedEntryTimestampPayload } from './promise.js'
import { parseProposedEntryV1 } from './proposed-v1.js'
import { verifierFromPem, verifierToPem } from './verifier-pem.js'

const DIGEST: EntryDigest = { algorithm: 'sha256', value: sha256(encodeUtf8('x')) }
const SIGNATURE = Uint8Array.of(0x30, 1, 2, 3)
const algorithm = ALGORITHMS['ecdsa-sha2-256-nistp256']

let key: EntryVerifier
let certificate: EntryVerifier
let signature: EntrySignature
let bodies: Readonly<Record<string, Uint8Array>>

before(async () => {
  key = { kind: 'public-key', spki: (await generatePrivateKey('ecdsa-sha2-256-nistp256')).publicKey.spki }
  certificate = { kind: 'certificate', certificate: (await issueCertificate(leafSpec())).certificate.der, chain: [] }
  signature = { signature: SIGNATURE, verifier: certificate }
  const v2 = { signature: SIGNATURE, verifier: key, algorithm }
  bodies = {
    'hashedrekord 0.0.1': encodeHashedRekordV1({ digest: DIGEST, signature }),
    'dsse 0.0.1': encodeDsseV1({ envelopeHash: DIGEST, payloadHash: DIGEST, signatures: [signature] }),
    'intoto 0.0.2': encodeIntotoV2({
      payloadType: 'application/vnd.in-toto+json',
      hash: DIGEST,
      payloadHash: DIGEST,
      signatures: [{ ...signature, keyId: '' }],
    }),
    'hashedrekord 0.0.2': encodeHashedRekordV2({ digest: DIGEST, ...v2 }),
    'dsse 0.0.2': encodeDsseV2({ payloadHash: DIGEST, signatures: [v2] }),
  }
})

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')

test('canonical bodies are as Rekor writes them', () => {
  const hex = encodeHex(DIGEST.value)
  const pem = base64(verifierToPem(certificate))
  const sig = base64(SIGNATURE)
  const spki = key.kind === 'public-key' ? base64(key.spki) : assert.fail()
  const hash = `{"algorithm":"sha256","value":"${hex}"}`
  const verifier = `{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${spki}"}}`
  const output = `{"algorithm":"SHA2_256","digest":"${base64(DIGEST.value)}"}`
  const expected: Readonly<Record<string, string>> = {
    'hashedrekord 0.0.1': `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":${hash}},"signature":{"content":"${sig}","publicKey":{"content":"${pem}"}}}}`,
    'dsse 0.0.1': `{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":${hash},"payloadHash":${hash},"signatures":[{"signature":"${sig}","verifier":"${pem}"}]}}`,
    'intoto 0.0.2': `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payloadType":"application/vnd.in-toto+json","signatures":[{"publicKey":"${pem}","sig":"${base64(sig)}"}]},"hash":${hash},"payloadHash":${hash}}}}`,
    'hashedrekord 0.0.2': `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":${output},"signature":{"content":"${sig}","verifier":${verifier}}}}}`,
    'dsse 0.0.2': `{"apiVersion":"0.0.2","kind":"dsse","spec":{"dsseV002":{"payloadHash":${output},"signatures":[{"content":"${sig}","verifier":${verifier}}]}}}`,
  }
  for (const [name, body] of Object.entries(bodies)) assert.equal(decodeUtf8(body), expected[name])
})

test('all kinds are read into one model', () => {
  for (const [name, bytes] of Object.entries(bodies)) {
    const body = parseEntryBody(bytes)
    assert.equal(`${body.kind} ${body.version}`, name)
    assert.deepEqual(entryKindOf(bytes), { kind: body.kind, version: body.version })
    assert.deepEqual(body.kind === 'hashedrekord' ? body.digest : body.payloadHash, DIGEST)
    assert.deepEqual(body.signatures[0].signature, SIGNATURE)
    const v2 = name.endsWith('hashedrekord 0.0.2') || name === 'dsse 0.0.2'
    assert.deepEqual(body.signatures[0].verifier, v2 ? key : certificate)
    assert.equal(body.signatures[0].keyDetails, v2 ? 'PKIX_ECDSA_P256_SHA_256' : undefined)
  }
})

test('signatures of an envelope are sorted: in v1 by their text, in v2 by their bytes', () => {
  const [first, second] = [Uint8Array.of(0xff), Uint8Array.of(0x00, 0x01)]
  const v1 = encodeDsseV1({
    envelopeHash: DIGEST,
    payloadHash: DIGEST,
    signatures: [
      { ...signature, signature: first },
      { ...signature, signature: second },
    ],
  })
  assert.deepEqual(
    parseEntryBody(v1).signatures.map((each) => each.signature),
    ['/w==', 'AAE='].sort().map((text) => new Uint8Array(Buffer.from(text, 'base64'))),
  )
  const v2 = encodeDsseV2({
    payloadHash: DIGEST,
    signatures: [first, second].map((each) => ({ signature: each, verifier: key, algorithm })),
  })
  assert.deepEqual(
    parseEntryBody(v2).signatures.map((each) => each.signature),
    [second, first],
  )
})

test('bodies that say something else are refused', () => {
  const change = (name: string, edit: (text: string) => string): Uint8Array =>
    encodeUtf8(edit(decodeUtf8(bodies[name] ?? assert.fail())))
  const cases: readonly [Uint8Array, string][] = [
    [encodeUtf8(''), 'REKOR_ENTRY_MALFORMED'],
    [encodeUtf8('[]'), 'REKOR_ENTRY_MALFORMED'],
    [encodeUtf8('{}'), 'REKOR_ENTRY_MALFORMED'],
    [encodeUtf8('{"apiVersion":"0.0.1","kind":"hashedrekord"}'), 'REKOR_ENTRY_MALFORMED'],
    [encodeUtf8('{"apiVersion":"0.0.1","kind":"rpm","spec":{}}'), 'REKOR_ENTRY_KIND'],
    [encodeUtf8('{"apiVersion":"0.0.1","kind":"intoto","spec":{}}'), 'REKOR_ENTRY_KIND'],
    [encodeUtf8('{"apiVersion":"0.0.3","kind":"hashedrekord","spec":{}}'), 'REKOR_ENTRY_KIND'],
    [encodeUtf8('{"apiVersion":"","kind":"__proto__","spec":{}}'), 'REKOR_ENTRY_KIND'],
    [change('hashedrekord 0.0.1', (text) => text.replace('sha256', 'md5')), 'REKOR_ENTRY_DIGEST'],
    [change('hashedrekord 0.0.1', (text) => text.replace('sha256', 'sha512')), 'REKOR_ENTRY_DIGEST'],
    [change('hashedrekord 0.0.1', (text) => text.replace(encodeHex(DIGEST.value), 'zz')), 'REKOR_ENTRY_DIGEST'],
    [
      change('hashedrekord 0.0.1', (text) =>
        text.replace(/"publicKey":\{"content":"[^"]+"/, '"publicKey":{"content":"AAAA"'),
      ),
      'REKOR_ENTRY_VERIFIER',
    ],
    [change('dsse 0.0.1', (text) => text.replace(/"signatures":\[.*\]/, '"signatures":[]')), 'REKOR_ENTRY_MALFORMED'],
    [change('dsse 0.0.1', (text) => text.replace('payloadHash', 'payloadHush')), 'REKOR_ENTRY_MALFORMED'],
    [change('intoto 0.0.2', (text) => text.replace(/"sig":"[^"]+"/, '"sig":"/w=="')), 'REKOR_ENTRY_MALFORMED'],
    [
      change('hashedrekord 0.0.2', (text) => text.replace('"spec":{', '"spec":{"dsseV002":{},')),
      'REKOR_ENTRY_MALFORMED',
    ],
    [
      change('hashedrekord 0.0.2', (text) => text.replace('PKIX_ECDSA_P256_SHA_256', 'MADE_UP')),
      'REKOR_ENTRY_MALFORMED',
    ],
    [
      change('hashedrekord 0.0.2', (text) =>
        text.replace('"publicKey"', '"x509Certificate":{"rawBytes":"AAAA"},"publicKey"'),
      ),
      'REKOR_ENTRY_MALFORMED',
    ],
    [
      change('hashedrekord 0.0.2', (text) => text.replace(/"publicKey":\{[^}]*\}/, '"publicKey":null')),
      'REKOR_ENTRY_VERIFIER',
    ],
    [change('hashedrekord 0.0.2', (text) => text.replace('SHA2_256', 'SHA3_256')), 'REKOR_ENTRY_DIGEST'],
    [change('dsse 0.0.2', (text) => text.replace('"kind":"dsse"', '"kind":"hashedrekord"')), 'REKOR_ENTRY_MALFORMED'],
  ]
  for (const [body, code] of cases) assert.throws(() => parseEntryBody(body), { code }, decodeUtf8(body).slice(0, 120))
})

test('verifiers are PEM of one key, or of a chain', () => {
  const der = certificate.kind === 'certificate' ? certificate.certificate : assert.fail()
  const chain: EntryVerifier = { kind: 'certificate', certificate: der, chain: [der, der] }
  assert.deepEqual(verifierFromPem(encodeUtf8(verifierToPem(chain))), chain)
  assert.deepEqual(verifierFromPem(encodeUtf8(verifierToPem(key))), key)
  const [keyPem, certificatePem] = [verifierToPem(key), verifierToPem(certificate)]
  for (const text of [
    '',
    'x',
    keyPem + keyPem,
    keyPem + certificatePem,
    certificatePem + keyPem,
    certificatePem.repeat(11),
    keyPem.replaceAll('PUBLIC', 'PRIVATE'),
  ]) {
    assert.throws(() => verifierFromPem(encodeUtf8(text)), { code: 'REKOR_ENTRY_VERIFIER' })
  }
  assert.throws(() => verifierFromPem(Uint8Array.of(0xff)), { code: 'REKOR_ENTRY_VERIFIER' })
})

test('the promise signs canonical JSON with the index across shards', () => {
  const entry = {
    canonicalizedBody: encodeUtf8('{}'),
    integratedTime: 1_700_000_000_000,
    logId: Uint8Array.of(0xab, 0xcd),
    logIndex: 7n,
  }
  assert.equal(
    decodeUtf8(signedEntryTimestampPayload(entry)),
    '{"body":"e30=","integratedTime":1700000000,"logID":"abcd","logIndex":7}',
  )
  assert.throws(() => signedEntryTimestampPayload({ ...entry, integratedTime: undefined }), {
    code: 'REKOR_ENTRY_MALFORMED',
  })
})

function entry(overrides: Partial<LogEntry> = {}): LogEntry {
  return {
    logIndex: 12_345_678_901_234n,
    logId: sha256(encodeUtf8('log')),
    kind: 'hashedrekord',
    version: '0.0.1',
    integratedTime: 1_700_000_000_000,
    inclusionPromise: SIGNATURE,
    inclusionProof: {
      logIndex: 5n,
      rootHash: DIGEST.value,
      treeSize: 9n,
      hashes: [DIGEST.value, DIGEST.value],
      checkpoint: 'a\n9\nx\n\n— a AAAAAAA=\n',
    },
    canonicalizedBody: bodies['hashedrekord 0.0.1'] ?? assert.fail(),
    ...overrides,
  }
}

test('entries read back from the JSON of either Rekor', () => {
  const first = {
    ...entry().inclusionProof,
    logIndex: 0n,
    treeSize: 1n,
    hashes: [],
    rootHash: DIGEST.value,
    checkpoint: 'c',
  }
  for (const each of [
    entry(),
    entry({ logIndex: 0n, inclusionProof: first }),
    entry({ inclusionPromise: undefined, integratedTime: undefined }),
  ]) {
    for (const emitUnpopulated of [true, false]) {
      assert.deepEqual(parseTransparencyLogEntry(transparencyLogEntryToJson(each, { emitUnpopulated })), each)
    }
  }
  const id = formatEntryId(3n, leafHash(entry().canonicalizedBody))
  const answer = parseJson(JSON.stringify({ [id]: logEntryToV1Json(entry(), encodeUtf8('payload')) }))
  assert.deepEqual(parseLogEntriesV1(answer), [{ uuid: id, entry: entry(), attestation: encodeUtf8('payload') }])
})

test('Rekor v2 answers with everything, also what is not there', () => {
  const json = transparencyLogEntryToJson(entry({ inclusionPromise: undefined, integratedTime: undefined }), {
    emitUnpopulated: true,
  })
  assert.equal(json['integratedTime'], '0')
  assert.equal(json['inclusionPromise'], null)
})

test('answers of Rekor v1 that are none are refused', () => {
  const good = logEntryToV1Json(entry())
  const cases: readonly JsonValue[] = [
    [],
    'x',
    { a: null },
    { a: {} },
    { a: { ...good, logIndex: -1 } },
    { a: { ...good, logID: 'x' } },
    { a: { ...good, body: 'e30=' } },
    { a: { ...good, integratedTime: 'x' } },
    { a: { ...good, verification: [] } },
  ]
  for (const value of cases) assert.throws(() => parseLogEntriesV1(value), isCodedError)
})

test('entry ids', () => {
  const hash = DIGEST.value
  assert.equal(formatEntryId(0x1n, hash), `0000000000000001${encodeHex(hash)}`)
  for (const tree of [1n, 2605736670972794746n, -1n])
    assert.deepEqual(parseEntryId(formatEntryId(tree, hash)), { treeId: tree, leafHash: hash })
  assert.deepEqual(parseEntryId(encodeHex(hash).toUpperCase()), { leafHash: hash })
  for (const text of [
    '',
    'x',
    encodeHex(hash).slice(1),
    `0${encodeHex(hash)}`,
    `${'0'.repeat(16)}${encodeHex(hash)}`,
    ` ${encodeHex(hash)}`,
  ]) {
    assert.throws(() => parseEntryId(text), { code: 'REKOR_ENTRY_ID' }, text)
  }
})

test('proposals for Rekor v1', () => {
  const hashedrekord = parseProposedEntryV1(bodies['hashedrekord 0.0.1'] ?? assert.fail())
  assert.equal(hashedrekord.kind, 'hashedrekord')
  const envelope = '{ "payloadType":"t", "payload":"eA==", "signatures":[{"sig":"AA=="}] }'
  const pem = base64(verifierToPem(certificate))
  const propose = (spec: unknown, kind = 'dsse', apiVersion = '0.0.1'): string =>
    JSON.stringify({ apiVersion, kind, spec })
  const dsse = parseProposedEntryV1(propose({ proposedContent: { envelope, verifiers: [pem] } }))
  assert.equal(dsse.kind === 'dsse' && decodeUtf8(dsse.envelope.source ?? assert.fail()), envelope)
  const intotoEnvelope = {
    payload: base64(base64('x')),
    payloadType: 't',
    signatures: [{ sig: base64(base64(SIGNATURE)), publicKey: pem, keyid: 'k' }],
  }
  const hash = { algorithm: 'sha256', value: encodeHex(DIGEST.value) }
  const intoto = parseProposedEntryV1(propose({ content: { envelope: intotoEnvelope, hash } }, 'intoto', '0.0.2'))
  assert.deepEqual(
    intoto.kind === 'intoto' && [
      decodeUtf8(intoto.payload),
      intoto.signatures[0]?.signature,
      intoto.signatures[0]?.keyId,
    ],
    ['x', SIGNATURE, 'k'],
  )
  const wrong: readonly [string, string][] = [
    [propose({}), 'PROTOJSON_MISSING'],
    [propose({ proposedContent: { envelope, verifiers: [] } }), 'REKOR_ENTRY_VERIFIER'],
    [propose({ proposedContent: { envelope, verifiers: Array<string>(11).fill(pem) } }), 'REKOR_ENTRY_VERIFIER'],
    [propose({ proposedContent: { envelope: '{}', verifiers: [pem] } }), 'DSSE_MALFORMED'],
    [propose({ proposedContent: { envelope, verifiers: [pem] }, payloadHash: hash }), 'REKOR_ENTRY_MALFORMED'],
    [propose({ content: { envelope: intotoEnvelope } }, 'intoto', '0.0.2'), 'PROTOJSON_MISSING'],
    [
      propose({ content: { envelope: { ...intotoEnvelope, signatures: [] }, hash } }, 'intoto', '0.0.2'),
      'REKOR_ENTRY_MALFORMED',
    ],
  ]
  for (const [source, code] of wrong) {
    assert.throws(
      () => parseProposedEntryV1(source),
      (error) =>
        isCodedError(error) && (error.code === code || (isCodedError(error.cause) && error.cause.code === code)),
      source,
    )
    assert.throws(() => parseProposedEntryV1(source), { name: 'RekorEntryError' })
  }
  assert.throws(() => parseProposedEntryV1(propose({}, 'rpm')), { code: 'REKOR_ENTRY_KIND' })
})

test('requests to Rekor v2', () => {
  const request = { digest: DIGEST, signature: SIGNATURE, verifier: certificate, algorithm }
  const text = JSON.stringify(createEntryRequestV2(request))
  assert.deepEqual(parseCreateEntryRequestV2(text), request)
  assert.deepEqual(
    parseCreateEntryRequestV2(
      text.replace('hashedRekordRequestV002', 'hashed_rekord_request_v002').replace('keyDetails', 'key_details'),
    ),
    request,
  )
  const wrong: readonly [string, string][] = [
    ['{}', 'REKOR_ENTRY_KIND'],
    ['{"dsseRequestV002":{}}', 'REKOR_ENTRY_KIND'],
    ['{"somethingElse":{}}', 'REKOR_ENTRY_MALFORMED'],
    [text.replace('"digest"', '"more":1,"digest"'), 'REKOR_ENTRY_MALFORMED'],
    [text.replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ED25519'), 'REKOR_ENTRY_VERIFIER'],
    [text.replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ECDSA_P384_SHA_384'), 'REKOR_ENTRY_DIGEST'],
    [text.replace('"content":', '"content":null,"x":'), 'REKOR_ENTRY_MALFORMED'],
  ]
  for (const [source, code] of wrong)
    assert.throws(() => parseCreateEntryRequestV2(source), { code }, source.slice(0, 80))
})

test('any bytes, and any damage to an entry, give an entry or a code', () => {
  const check = (source: Uint8Array | string): void => {
    const bytes = typeof source === 'string' ? encodeUtf8(source) : source
    for (const parse of [parseEntryBody, parseProposedEntryV1, parseCreateEntryRequestV2, verifierFromPem]) {
      try {
        parse(bytes)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }
  }
  fc.assert(fc.property(fc.uint8Array(), check), { numRuns: fuzzRuns() })
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(bodies)), fc.nat(), fc.nat(255), (body, at, byte) => {
      check(body.with(at % body.length, byte))
    }),
    { numRuns: fuzzRuns() },
  )
  const spec = fc.record({
    apiVersion: fc.constantFrom('0.0.1', '0.0.2'),
    kind: fc.constantFrom('dsse', 'intoto', 'hashedrekord'),
    spec: fc.jsonValue(),
  })
  fc.assert(
    fc.property(spec, (value) => {
      check(JSON.stringify(value))
    }),
    { numRuns: fuzzRuns() },
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const parse of [parseLogEntriesV1, parseTransparencyLogEntry]) {
        try {
          parse(value as JsonValue)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
