/** The trusted root: whom a verifier believes, and when. @module */
import type { Algorithm } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import type { UnixMillis } from '#time'
import type { Certificate } from '../x509/certificate.js'

/** Inclusive at both ends; an absent end is open. */
export interface TimeRange {
  readonly start?: UnixMillis | undefined
  readonly end?: UnixMillis | undefined
}

/** A certificate authority or a timestamping authority. */
export interface TrustedAuthority {
  readonly uri: string
  readonly subject: { readonly organization: string; readonly commonName: string } | undefined
  /** In issuing order; the last one is the trust anchor. Never empty. For a TSA the first is usually its leaf. */
  readonly chain: readonly Certificate[]
  readonly validFor: TimeRange
  /** Two proofs of one operator count once. */
  readonly operator?: string | undefined
}

/** A transparency log: Rekor v1, Rekor v2 or a CT log. */
export interface TrustedLog {
  readonly baseUrl: string
  /** Of the Merkle tree. */
  readonly hashAlgorithm: DigestName
  readonly key: PublicKey
  readonly algorithm: Algorithm
  /** When the log's key signs. It always has a start: a trusted root with a log that has none is refused. */
  readonly validFor: TimeRange
  readonly logId: Uint8Array
  /** The signed-note key id (v0.2 and later). */
  readonly checkpointKeyId?: Uint8Array | undefined
  readonly operator?: string | undefined
}

/** Everything a verifier believes. */
export interface TrustedRoot {
  readonly certificateAuthorities: readonly TrustedAuthority[]
  readonly timestampAuthorities: readonly TrustedAuthority[]
  readonly tlogs: readonly TrustedLog[]
  readonly ctlogs: readonly TrustedLog[]
}
