/**
 * Signed certificate timestamps of RFC 6962 §3.2–3.3, parsed and encoded.
 * @module
 */
import type { UnixMillis } from '#time'

export interface SignedCertificateTimestamp {
  /** SHA-256 of the log's SubjectPublicKeyInfo. */
  readonly logId: Uint8Array
  readonly timestamp: UnixMillis
  /** CtExtensions, without their length: part of what is signed. Static CT logs put the leaf index here. */
  readonly extensions: Uint8Array
  /** TLS HashAlgorithm and SignatureAlgorithm (RFC 5246 §7.4.1.4.1). */
  readonly hashAlgorithm: number
  readonly signatureAlgorithm: number
  readonly signature: Uint8Array
}
