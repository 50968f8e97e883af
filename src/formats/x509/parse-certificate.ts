/** Certificate bytes to a {@link Certificate}: strict DER, every known extension interpreted, nothing trusted yet. @module */
import { equalBytes } from '#encoding/bytes'
import type { DerElement, DerReader } from '#encoding/der'
import { TAG, contextTag, readBitStringBytes, readDer, readInteger, readIntegerBytes, readTime } from '#encoding/der'
import { encodePem, parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import type { Certificate, CertificateExtension } from './certificate.js'
import { CertificateError } from './errors.js'
import { readExtension, readUnderstoodExtensions } from './extension-readers.js'
import { readName } from './name.js'

/** A certificate larger than this is not one: the public ones have 1 to 3 kB. */
const MAX_CERTIFICATE_BYTES = 256 * 1024

/**
 * Parses one DER certificate (RFC 5280 §4.1). Says nothing about whom to trust: see verify/.
 * @throws CertificateError CERTIFICATE_MALFORMED, CERTIFICATE_UNSUPPORTED
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateError('CERTIFICATE_MALFORMED', 'the certificate is too large', {
      expected: `at most ${String(MAX_CERTIFICATE_BYTES)} bytes`,
      found: `${String(der.length)} bytes`,
    })
  }
  try {
    return readCertificate(readDer(der, TAG.SEQUENCE))
  } catch (cause) {
    if (cause instanceof CertificateError || !isCodedError(cause)) throw cause
    throw new CertificateError('CERTIFICATE_MALFORMED', `the certificate is not valid DER: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
}

/**
 * Every certificate of a PEM text, in order.
 * @throws CertificateError CERTIFICATE_PEM if there is none or another kind of block is among them, and as {@link parseCertificate}.
 */
export function certificatesFromPem(text: string): readonly Certificate[] {
  return readPem(text).map(({ label, bytes }) => {
    if (label === 'CERTIFICATE') return parseCertificate(bytes)
    throw new CertificateError('CERTIFICATE_PEM', 'the PEM text holds something other than certificates', {
      expected: 'only CERTIFICATE blocks',
      found: `a block ${label.slice(0, 40)}`,
    })
  })
}

/** A certificate as PEM, with a trailing newline. */
export function certificateToPem(certificate: Pick<Certificate, 'der'>): string {
  return encodePem('CERTIFICATE', certificate.der)
}

function readPem(text: string): ReturnType<typeof parsePem> {
  try {
    return parsePem(text)
  } catch (cause) {
    throw new CertificateError('CERTIFICATE_PEM', 'the text is not PEM', {
      expected: '-----BEGIN CERTIFICATE-----',
      hint: 'a DER certificate can be turned into PEM with: openssl x509 -inform der',
      cause,
    })
  }
}

function readCertificate(element: DerElement): Certificate {
  const outer = element.contents()
  const tbs = outer.next(TAG.SEQUENCE)
  const signatureAlgorithm = outer.next(TAG.SEQUENCE).bytes
  const signature = readBitStringBytes(outer.next(TAG.BIT_STRING))
  outer.end()

  const reader = tbs.contents()
  const version = readVersion(reader)
  const serialNumber = readIntegerBytes(reader.next(TAG.INTEGER))
  // RFC 5280 §4.1.1.2: the unsigned copy must say the same, or an attacker could swap the algorithm.
  if (!equalBytes(reader.next(TAG.SEQUENCE).bytes, signatureAlgorithm)) {
    throw new CertificateError(
      'CERTIFICATE_MALFORMED',
      'the signature algorithm inside and outside of the signed part differ',
    )
  }
  const issuer = readName(reader.next(TAG.SEQUENCE))
  const validity = readValidity(reader.next(TAG.SEQUENCE))
  const subject = readName(reader.next(TAG.SEQUENCE))
  const spki = reader.next(TAG.SEQUENCE).bytes
  const extensions = readTail(reader, version)
  return {
    der: element.bytes,
    tbs: tbs.bytes,
    version,
    serialNumber,
    issuer,
    subject,
    ...validity,
    spki,
    signatureAlgorithm,
    signature,
    extensions,
    ...readUnderstoodExtensions(extensions.values()),
  }
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  const explicit = reader.optional(contextTag(0, { constructed: true }))
  if (explicit === undefined) return 1
  const value = readInteger(readDer(explicit.content, TAG.INTEGER))
  if (value === 1n) return 2
  if (value === 2n) return 3
  throw new CertificateError('CERTIFICATE_UNSUPPORTED', 'the certificate has an unknown version', {
    expected: 'version 1, 2 or 3',
    found: value >= 0n && value < 256n ? `version ${String(value + 1n)}` : 'a version out of range',
  })
}

function readValidity(element: DerElement): { readonly notBefore: UnixMillis; readonly notAfter: UnixMillis } {
  const reader = element.contents()
  const notBefore = readTime(reader.next())
  const notAfter = readTime(reader.next())
  reader.end()
  return { notBefore, notAfter }
}

/** The unique identifiers, read over, and the extensions. */
function readTail(reader: DerReader, version: 1 | 2 | 3): ReadonlyMap<string, CertificateExtension> {
  if (version >= 2) {
    reader.optional(contextTag(1))
    reader.optional(contextTag(2))
  }
  const explicit = version === 3 ? reader.optional(contextTag(3, { constructed: true })) : undefined
  reader.end()
  return explicit === undefined ? new Map() : readExtensions(readDer(explicit.content, TAG.SEQUENCE))
}

function readExtensions(element: DerElement): ReadonlyMap<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>()
  const reader = element.contents()
  while (!reader.done) {
    const extension = readExtension(reader.next(TAG.SEQUENCE))
    // RFC 5280 §4.2. Two readers could otherwise each believe another one of the two.
    if (extensions.has(extension.oid)) {
      throw new CertificateError('CERTIFICATE_UNSUPPORTED', 'an extension is there twice', { found: extension.oid })
    }
    extensions.set(extension.oid, extension)
  }
  if (extensions.size === 0) throw new CertificateError('CERTIFICATE_MALFORMED', 'the list of extensions is empty')
  return extensions
}
