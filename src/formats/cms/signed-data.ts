/** CMS SignedData as a read-only value (RFC 5652 §5). @module */
import type { DigestName } from '#crypto/digest'
import type { UnixMillis } from '#time'

/** How a SignerInfo names its certificate. */
export type SignerIdentifier =
  | { readonly kind: 'issuer-and-serial'; readonly issuer: Uint8Array; readonly serialNumber: Uint8Array }
  | { readonly kind: 'subject-key-id'; readonly keyId: Uint8Array }

/** ESSCertID (digest sha1) or ESSCertIDv2: binds the signature to one certificate (RFC 5035). */
export interface SigningCertificateId {
  readonly digest: DigestName | 'sha1'
  readonly hash: Uint8Array
  /** DER of the only GeneralName (a directoryName's Name) and the serial number, where given. */
  readonly issuer: Uint8Array | undefined
  readonly serialNumber: Uint8Array | undefined
}

export interface SignedAttributes {
  /** The attributes as they are signed: with the universal SET OF tag (RFC 5652 §5.4). */
  readonly signed: Uint8Array
  readonly contentType: string
  readonly messageDigest: Uint8Array
  readonly signingTime: UnixMillis | undefined
  /** From signingCertificateV2 and signingCertificate, first id of each: both must hold. */
  readonly signingCertificates: readonly SigningCertificateId[]
}

export interface SignerInfo {
  readonly identifier: SignerIdentifier
  readonly digest: DigestName
  readonly attributes: SignedAttributes
  /** AlgorithmIdentifier, whole, DER. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
}

export interface SignedData {
  readonly contentType: string
  readonly content: Uint8Array
  /** DER of every embedded X.509 certificate, in order. */
  readonly certificates: readonly Uint8Array[]
  readonly signer: SignerInfo
}
