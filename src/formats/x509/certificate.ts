/** The X.509 v3 certificate as a read-only value (RFC 5280 §4.1). @module */
import type { UnixMillis } from '#time'
import type { FulcioExtensions } from './fulcio-extensions.js'
import type { GeneralName } from './general-name.js'
import type { Name } from './name.js'
import type { NameConstraints } from './name-constraints.js'

/** One extension as it stands in the certificate. */
export interface CertificateExtension {
  readonly oid: string
  readonly critical: boolean
  /** The content of extnValue: the extension's own DER (or raw text for Fulcio's .1–.6). */
  readonly value: Uint8Array
}

/** RFC 5280 §4.2.1.9. */
export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength: number | undefined
}

/** The named bits of RFC 5280 §4.2.1.3, in bit order. */
export type KeyUsageName =
  | 'digitalSignature'
  | 'contentCommitment'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly'

/** RFC 5280 §4.2.1.1. */
export interface AuthorityKeyIdentifier {
  readonly keyId: Uint8Array | undefined
  readonly issuer: readonly GeneralName[] | undefined
  readonly serialNumber: Uint8Array | undefined
}

/** The extensions this project understands; undefined = not in the certificate. */
export interface UnderstoodExtensions {
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: ReadonlySet<KeyUsageName> | undefined
  /** OIDs, at least one. */
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly subjectAltNames: readonly GeneralName[] | undefined
  readonly subjectKeyId: Uint8Array | undefined
  readonly authorityKeyId: AuthorityKeyIdentifier | undefined
  readonly nameConstraints: NameConstraints | undefined
  /** The TLS-encoded SignedCertificateTimestampList (RFC 6962 §3.3): give it to `parseSctList` of formats/sct. */
  readonly sctList: Uint8Array | undefined
  /** Claims of the 1.3.6.1.4.1.57264.1 arc; empty if there are none. */
  readonly fulcio: FulcioExtensions
}

/** A parsed certificate. Every byte array is a view into `der`: do not write into it. */
export interface Certificate extends UnderstoodExtensions {
  /** The whole certificate. */
  readonly der: Uint8Array
  /** The signed part, tag and length included. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Content octets of the INTEGER (two's complement, as they stand). */
  readonly serialNumber: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  /** Validity is inclusive at both ends (RFC 5280 §4.1.2.5). */
  readonly notBefore: UnixMillis
  readonly notAfter: UnixMillis
  /** SubjectPublicKeyInfo, whole, DER. */
  readonly spki: Uint8Array
  /** AlgorithmIdentifier, whole, DER; the same inside and outside of the TBS (RFC 5280 §4.1.1.2), which parsing checks. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  /** In the certificate's order; a repeated OID is refused. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>
}
