/** The one internal model of "something that was signed", whatever file or layout it came from. @module */
import type { DigestName } from '#crypto/digest'
import type { DsseEnvelope } from './dsse/envelope.js'
import type { LogEntry } from './rekor-entry/log-entry.js'

/** A detached signature over an artifact that is not part of the entity. */
export interface MessageSignature {
  readonly kind: 'message-signature'
  readonly signature: Uint8Array
  /** What the signer says it signed. A hint for finding the artifact; never a substitute for hashing it. */
  readonly digestAlgorithm?: DigestName | undefined
  readonly digest?: Uint8Array | undefined
}

/** A DSSE envelope: the signed payload is inside. */
export interface DsseContent {
  readonly kind: 'dsse'
  readonly envelope: DsseEnvelope
}

/** The signed content. */
export type SignedContent = MessageSignature | DsseContent

/** A certificate for the signing key; any further ones are untrusted helpers for path building. */
export interface CertificateMaterial {
  readonly kind: 'certificates'
  /** X.509 DER, the leaf first; never empty. */
  readonly chain: readonly Uint8Array[]
}

/** A key that the verifier must know already. */
export interface PublicKeyMaterial {
  readonly kind: 'public-key'
  /** Names the key to the verifier; may be empty. Untrusted. */
  readonly hint: string
}

/** How the signer is identified. */
export type KeyMaterial = CertificateMaterial | PublicKeyMaterial

/** Everything a verifier looks at, parsed and bounded, and nothing of it verified yet. */
export interface SignedEntity {
  readonly content: SignedContent
  readonly key: KeyMaterial
  readonly logEntries: readonly LogEntry[]
  /** DER `TimeStampResp` (RFC 3161). */
  readonly timestamps: readonly Uint8Array[]
}
