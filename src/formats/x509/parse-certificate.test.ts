import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { before, test } from 'node:test'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate as PeculiarCertificate } from '@peculiar/asn1-x509'
import fc from 'fast-check'
import { concatBytes } from '#encoding/bytes'
import { TAG, contextTag, readDer } from '#encoding/der'
import {
  der,
  derBitString,
  derBoolean,
  derExplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
} from '#encoding/der-writer'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { TestCertificate } from '#testing/pki/certificate'
import { TEST_TIME, issueCertificate, leafSpec, rootSpec } from '#testing/pki/certificate'
import { encodeExtension } from './extension-writers.js'
import { fulcioIssuer } from './fulcio-extensions.js'
import { EKU, EXTENSION, FULCIO_USERNAME } from './oids.js'
import { certificateToPem, certificatesFromPem, parseCertificate } from './parse-certificate.js'

let root: TestCertificate
let leaf: TestCertificate
before(async () => {
  root = await issueCertificate(rootSpec({ subject: { country: 'DE', organization: 'A, "B" + C', commonName: ' #x' } }))
  leaf = await issueCertificate(leafSpec(), root)
})

/** Rebuilds the certificate from its parts, one of them changed. */
function rebuilt(change: {
  tbs?: (parts: Uint8Array[]) => Uint8Array[]
  outer?: (parts: Uint8Array[]) => Uint8Array[]
}): Uint8Array {
  const split = (bytes: Uint8Array): Uint8Array[] => {
    const reader = readDer(bytes, TAG.SEQUENCE).contents()
    const parts: Uint8Array[] = []
    while (!reader.done) parts.push(reader.next().bytes)
    return parts
  }
  const parts = split(leaf.certificate.der)
  const tbs = derSequence(...(change.tbs?.(split(parts[0]!)) ?? split(parts[0]!)))
  const whole = [tbs, ...parts.slice(1)]
  return derSequence(...(change.outer?.(whole) ?? whole))
}

/** The leaf with one extension alone. */
function withExtension(
  oid: string,
  value: Uint8Array,
  options: { critical: boolean } = { critical: false },
): Uint8Array {
  return rebuilt({
    tbs: (parts) => [...parts.slice(0, 7), derExplicit(3, derSequence(encodeExtension(oid, value, options)))],
  })
}

test('reads what OpenSSL reads', () => {
  const theirs = new X509Certificate(leaf.certificate.der)
  const ours = leaf.certificate
  assert.equal(
    Buffer.from(ours.serialNumber).toString('hex').replace(/^0+/, '').toUpperCase(),
    theirs.serialNumber.replace(/^0+/, ''),
  )
  assert.equal(ours.notBefore, Date.parse(theirs.validFrom))
  assert.equal(ours.notAfter, Date.parse(theirs.validTo))
  assert.deepEqual(Buffer.from(ours.spki), theirs.publicKey.export({ type: 'spki', format: 'der' }))
  assert.equal(theirs.subjectAltName, 'email:alice@example.com')
  assert.deepEqual(theirs.keyUsage, [...(ours.extendedKeyUsage ?? [])])
  assert.ok(theirs.verify(new X509Certificate(root.certificate.der).publicKey))
})

test('reads what another ASN.1 library reads', () => {
  const theirs = AsnConvert.parse(leaf.certificate.der, PeculiarCertificate)
  const { tbsCertificate } = theirs
  assert.deepEqual(Buffer.from(leaf.certificate.tbs), Buffer.from(AsnConvert.serialize(tbsCertificate)))
  assert.deepEqual(
    [...leaf.certificate.extensions.keys()],
    [...(tbsCertificate.extensions ?? [])].map(({ extnID }) => extnID),
  )
  assert.deepEqual(Buffer.from(leaf.certificate.signature), Buffer.from(theirs.signatureValue))
  assert.deepEqual(Buffer.from(leaf.certificate.issuer.der), Buffer.from(AsnConvert.serialize(tbsCertificate.issuer)))
})

test('interprets the extensions of a root and of a leaf', () => {
  assert.deepEqual(root.certificate.basicConstraints, { ca: true, pathLength: 1 })
  assert.deepEqual([...(root.certificate.keyUsage ?? [])], ['keyCertSign', 'cRLSign'])
  assert.equal(root.certificate.extendedKeyUsage, undefined)
  assert.deepEqual([...(leaf.certificate.keyUsage ?? [])], ['digitalSignature'])
  assert.deepEqual(leaf.certificate.extendedKeyUsage, [EKU.codeSigning])
  assert.deepEqual(leaf.certificate.authorityKeyId?.keyId, root.certificate.subjectKeyId)
  assert.equal(leaf.certificate.basicConstraints, undefined)
  assert.equal(fulcioIssuer(leaf.certificate.fulcio), 'https://issuer.example.com')
})

test('shows names as RFC 4514 does', () => {
  assert.equal(root.certificate.subject.text, 'CN=\\ #x,O=A\\, \\"B\\" \\+ C,C=DE')
  assert.equal(leaf.certificate.subject.text, '')
})

test('reads every kind of subject alternative name that Fulcio writes', async () => {
  const user = {
    kind: 'other',
    oid: FULCIO_USERNAME,
    value: derUtf8String('alice!example.com'),
    text: 'alice!example.com',
  } as const
  const names = [
    { kind: 'email', value: 'a@b.c' },
    { kind: 'uri', value: 'https://github.com/o/r' },
    { kind: 'dns', value: 'example.com' },
    { kind: 'ip', value: Uint8Array.of(192, 0, 2, 1) },
    { kind: 'directory', value: root.certificate.subject },
    user,
  ] as const
  const { certificate } = await issueCertificate(leafSpec({ subjectAltNames: names, key: leaf.key }), root)
  assert.deepEqual(certificate.subjectAltNames, names)
  assert.match(
    new X509Certificate(certificate.der).subjectAltName ?? '',
    /email:a@b\.c, URI:.*, DNS:example\.com, IP Address:192\.0\.2\.1/,
  )
})

test('prefers the newer issuer extension, and takes the older one', () => {
  assert.equal(fulcioIssuer({ issuerV1: 'old', issuer: 'new' }), 'new')
  assert.equal(fulcioIssuer({ issuerV1: 'old' }), 'old')
  assert.equal(fulcioIssuer({}), undefined)
})

test('reads claims of .1 to .6 as raw text even where it looks like DER', () => {
  const raw = withExtension('1.3.6.1.4.1.57264.1.1', derUtf8String('x'))
  assert.equal(parseCertificate(raw).fulcio.issuerV1, '\u000c\u0001x')
})

test('PEM there and back', () => {
  const text = `a comment\n${certificateToPem(leaf.certificate)}\n${certificateToPem(root.certificate)}`
  assert.deepEqual(
    certificatesFromPem(text).map(({ der }) => der),
    [leaf.certificate.der, root.certificate.der],
  )
})

test('refuses PEM of something else', () => {
  const key = certificateToPem(leaf.certificate).replaceAll('CERTIFICATE', 'PRIVATE KEY')
  for (const text of ['', 'no pem', key, `${certificateToPem(leaf.certificate)}${key}`]) {
    assert.throws(() => certificatesFromPem(text), { code: 'CERTIFICATE_PEM' })
  }
})

const EMPTY = derSequence()
const REFUSED: readonly (readonly [name: string, oid: string, value: Uint8Array])[] = [
  [
    'basic constraints with a negative path length',
    EXTENSION.basicConstraints,
    derSequence(derBoolean(true), derInteger(-1)),
  ],
  [
    'basic constraints with a huge path length',
    EXTENSION.basicConstraints,
    derSequence(derBoolean(true), derInteger(1n << 64n)),
  ],
  ['basic constraints with a tail', EXTENSION.basicConstraints, derSequence(derBoolean(true), derNull())],
  ['basic constraints that go on', EXTENSION.basicConstraints, concatBytes(EMPTY, EMPTY)],
  ['key usage without any bit', EXTENSION.keyUsage, derBitString(Uint8Array.of(0))],
  ['key usage that is no bit string', EXTENSION.keyUsage, derOctetString(Uint8Array.of(0x80))],
  ['an empty extended key usage', EXTENSION.extendedKeyUsage, EMPTY],
  ['an extended key usage of texts', EXTENSION.extendedKeyUsage, derSequence(derUtf8String('codeSigning'))],
  ['an empty subject alternative name', EXTENSION.subjectAltName, EMPTY],
  ['an e-mail address with a NUL', EXTENSION.subjectAltName, derSequence(der(0x81, encodeUtf8('a@b.c\0.evil')))],
  ['an e-mail address beyond ASCII', EXTENSION.subjectAltName, derSequence(der(0x81, encodeUtf8('ä@b.c')))],
  ['a URI with a line feed', EXTENSION.subjectAltName, derSequence(der(0x86, encodeUtf8('https://a\n.b')))],
  ['a GeneralName of an unknown tag', EXTENSION.subjectAltName, derSequence(der(0x89, encodeUtf8('x')))],
  ['an otherName without value', EXTENSION.subjectAltName, derSequence(der(0xa0, derOid('1.2.3')))],
  [
    'an otherName with two values',
    EXTENSION.subjectAltName,
    derSequence(der(0xa0, derOid('1.2.3'), derExplicit(0, derNull(), derNull()))),
  ],
  ['a subject key id that is no octet string', EXTENSION.subjectKeyId, derNull()],
  ['an authority key id with unknown fields', EXTENSION.authorityKeyId, derSequence(der(contextTag(7)))],
  ['empty name constraints', EXTENSION.nameConstraints, EMPTY],
  ['name constraints with an empty list', EXTENSION.nameConstraints, derSequence(derExplicit(0))],
  [
    'name constraints with a minimum',
    EXTENSION.nameConstraints,
    derSequence(derExplicit(0, derSequence(der(0x82, encodeUtf8('a')), der(0x80, Uint8Array.of(1))))),
  ],
  ['an SCT list without its octet string', EXTENSION.sctList, encodeUtf8('scts')],
  ['an issuer of .8 without DER', '1.3.6.1.4.1.57264.1.8', encodeUtf8('https://issuer')],
  ['an issuer of .8 in another string type', '1.3.6.1.4.1.57264.1.8', der(TAG.IA5_STRING, encodeUtf8('x'))],
  ['an issuer of .8 with a tail', '1.3.6.1.4.1.57264.1.8', concatBytes(derUtf8String('a'), derUtf8String('b'))],
  ['an issuer of .1 that is not UTF-8', '1.3.6.1.4.1.57264.1.1', Uint8Array.of(0xff)],
]
for (const [name, oid, value] of REFUSED) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseCertificate(withExtension(oid, value)), { code: 'CERTIFICATE_MALFORMED' })
  })
}

test('refuses an extension that is there twice', async () => {
  const extra = encodeExtension('1.2.3.4', derNull(), { critical: false })
  await assert.rejects(issueCertificate(leafSpec({ extraExtensions: [extra, extra] }), root), {
    code: 'CERTIFICATE_UNSUPPORTED',
  })
})

test('keeps what it does not know, with its criticality', () => {
  const certificate = parseCertificate(withExtension('1.2.3.4', derNull(), { critical: true }))
  assert.deepEqual(certificate.extensions.get('1.2.3.4'), { oid: '1.2.3.4', critical: true, value: derNull() })
})

test('the rebuilding used below changes nothing by itself', () => {
  assert.deepEqual(rebuilt({}), leaf.certificate.der)
})

const replaced = (index: number, bytes: Uint8Array) => (parts: Uint8Array[]) =>
  parts.map((part, i) => (i === index ? bytes : part))
const without = (index: number) => (parts: Uint8Array[]) => parts.filter((_, i) => i !== index)

const BROKEN: readonly (readonly [name: string, build: () => Uint8Array, code?: string])[] = [
  ['nothing', () => new Uint8Array()],
  ['bytes after the end', () => concatBytes(leaf.certificate.der, Uint8Array.of(0))],
  ['too large a file', () => new Uint8Array(300_000)],
  ['another version', () => rebuilt({ tbs: replaced(0, derExplicit(0, derInteger(3))) }), 'CERTIFICATE_UNSUPPORTED'],
  [
    'version 1 written out',
    () => rebuilt({ tbs: replaced(0, derExplicit(0, derInteger(0))) }),
    'CERTIFICATE_UNSUPPORTED',
  ],
  ['extensions in version 1', () => rebuilt({ tbs: without(0) })],
  ['extensions in version 2', () => rebuilt({ tbs: replaced(0, derExplicit(0, derInteger(1))) })],
  [
    'another algorithm inside',
    () => rebuilt({ tbs: replaced(2, derSequence(derOid('1.2.840.113549.1.1.11'), derNull())) }),
  ],
  [
    'another algorithm outside',
    () => rebuilt({ outer: replaced(1, derSequence(derOid('1.2.840.113549.1.1.11'), derNull())) }),
  ],
  ['no serial number', () => rebuilt({ tbs: without(1) })],
  ['no validity', () => rebuilt({ tbs: without(4) })],
  [
    'a date that does not exist',
    () =>
      rebuilt({
        tbs: replaced(
          4,
          derSequence(der(TAG.UTC_TIME, encodeUtf8('250231000000Z')), der(TAG.UTC_TIME, encodeUtf8('250301000000Z'))),
        ),
      }),
  ],
  [
    'a date with a time zone',
    () =>
      rebuilt({
        tbs: replaced(
          4,
          derSequence(der(TAG.UTC_TIME, encodeUtf8('2502010000+0100')), der(TAG.UTC_TIME, encodeUtf8('250301000000Z'))),
        ),
      }),
  ],
  [
    'an empty list of extensions',
    () => rebuilt({ tbs: (parts) => [...parts.slice(0, 7), derExplicit(3, derSequence())] }),
  ],
  ['something after the extensions', () => rebuilt({ tbs: (parts) => [...parts, derNull()] })],
  ['a signature of odd bits', () => rebuilt({ outer: replaced(2, derBitString(Uint8Array.of(0x10), 4)) })],
  ['something after the signature', () => rebuilt({ outer: (parts) => [...parts, derNull()] })],
]
for (const [name, build, code = 'CERTIFICATE_MALFORMED'] of BROKEN) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseCertificate(build()), { code })
  })
}

test('takes a FALSE written out, which old authorities do', () => {
  const extension = derSequence(derOid('1.2.3.4'), derBoolean(false), derOctetString(derNull()))
  const certificate = parseCertificate(
    rebuilt({ tbs: (parts) => [...parts.slice(0, 7), derExplicit(3, derSequence(extension))] }),
  )
  assert.equal(certificate.extensions.get('1.2.3.4')?.critical, false)
})

test('any bytes give a certificate or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parses(bytes)
    }),
    { numRuns: fuzzRuns() },
  )
})

test('any change of a certificate gives a certificate or a coded error', () => {
  const bytes = leaf.certificate.der
  const edit = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255), cut: fc.option(fc.nat(bytes.length)) })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const changed = Uint8Array.from(bytes)
      for (const { at, byte } of edits) changed[at] = byte
      parses(changed.subarray(0, edits[0]?.cut ?? changed.length))
    }),
    { numRuns: 10 * fuzzRuns() },
  )
})

function parses(bytes: Uint8Array): void {
  try {
    assert.ok(parseCertificate(bytes).notBefore < TEST_TIME * 1000)
  } catch (error) {
    if (error instanceof assert.AssertionError || !isCodedError(error) || !error.code.startsWith('CERTIFICATE_'))
      throw error
  }
}
