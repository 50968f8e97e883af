/** Writing certificates: the TBS from its fields, and the signature around it (RFC 5280 §4.1). @module */
import { encodeSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { Signer } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { derBitString, derExplicit, derInteger, derSequence, derTime } from '#encoding/der-writer'
import type { UnixMillis } from '#time'
import type { Name } from './name.js'

/** What is put into a certificate. Milliseconds of the times are cut off. */
export interface CertificateFields {
  /** Unsigned, big-endian. */
  readonly serialNumber: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  readonly notBefore: UnixMillis
  readonly notAfter: UnixMillis
  /** The subject's SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** Whole Extensions, in the order in which they are written: see extension-writers. */
  readonly extensions: readonly Uint8Array[]
}

const VERSION_3 = derExplicit(0, derInteger(2))

/** A TBSCertificate that names the given signature algorithm. */
export function encodeTbsCertificate(fields: CertificateFields, signatureAlgorithm: Uint8Array): Uint8Array {
  return derSequence(
    VERSION_3,
    derInteger(fields.serialNumber),
    signatureAlgorithm,
    fields.issuer.der,
    derSequence(derTime(fields.notBefore), derTime(fields.notAfter)),
    fields.subject.der,
    fields.spki,
    ...(fields.extensions.length === 0 ? [] : [derExplicit(3, derSequence(...fields.extensions))]),
  )
}

/** A whole certificate, DER, signed by the issuer. */
export async function buildCertificate(fields: CertificateFields, issuer: Signer): Promise<Uint8Array> {
  const signatureAlgorithm = encodeSignatureAlgorithm(issuer.algorithm)
  const tbs = encodeTbsCertificate(fields, signatureAlgorithm)
  return derSequence(tbs, signatureAlgorithm, derBitString(await issuer.sign(tbs)))
}

const SERIAL_BYTES = 20

/** A random serial number: positive, below 2^159, so that its INTEGER has at most 20 octets (RFC 5280 §4.1.2.2). */
export function randomSerialNumber(random: RandomSource): Uint8Array {
  const serial = Uint8Array.from(random(SERIAL_BYTES))
  serial[0] = (serial[0] ?? 0) & 0x7f
  if (serial.every((byte) => byte === 0)) serial[SERIAL_BYTES - 1] = 1
  return serial
}
