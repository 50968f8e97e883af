/** What a log entry's body says: one narrow model for every kind and version that is read. @module */
import type { DigestName } from '#crypto/digest'

/** The certificate that a signature of an entry is to be checked with. */
export interface CertificateVerifier {
  readonly kind: 'certificate'
  /** The leaf, X.509 DER. */
  readonly certificate: Uint8Array
  /** DER of any further certificates in the entry. */
  readonly chain: readonly Uint8Array[]
}

/** The bare key that a signature of an entry is to be checked with. */
export interface KeyVerifier {
  readonly kind: 'public-key'
  /** SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array
}

/** Whose signature it is. */
export type EntryVerifier = CertificateVerifier | KeyVerifier

/** A signature with its verifier, both from the entry. */
export interface EntrySignature {
  readonly signature: Uint8Array
  readonly verifier: EntryVerifier
  /** Rekor v2 states the algorithm (`PublicKeyDetails` name); v1 does not. */
  readonly keyDetails?: string | undefined
}

/** A digest together with its algorithm. */
export interface EntryDigest {
  readonly algorithm: DigestName
  readonly value: Uint8Array
}

/** hashedrekord 0.0.1 and 0.0.2: a signature over an artifact (or, in v2, over a DSSE PAE) known by digest. */
export interface HashedRekordBody {
  readonly kind: 'hashedrekord'
  readonly version: '0.0.1' | '0.0.2'
  readonly digest: EntryDigest
  /** Exactly one. */
  readonly signatures: readonly [EntrySignature]
}

/** dsse 0.0.1 and 0.0.2, and intoto 0.0.2: an envelope, known by the hash of its payload. */
export interface EnvelopeBody {
  readonly kind: 'dsse' | 'intoto'
  readonly version: '0.0.1' | '0.0.2'
  readonly payloadHash: EntryDigest
  /**
   * Hash of the envelope's exact JSON bytes. Not in dsse 0.0.2. In intoto 0.0.2 the client made it up and the log never
   * checked it: not to be relied on there.
   */
  readonly envelopeHash?: EntryDigest | undefined
  /** At least one. */
  readonly signatures: readonly EntrySignature[]
}

/** The meaning of a body. */
export type EntryBody = HashedRekordBody | EnvelopeBody
