/** What signing needs from outside, each as one small port. @module */
import type { Algorithm } from '#crypto/algorithms'
import type { Signer } from '#crypto/private-key'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import type { EntryDigest, EntryVerifier } from '#formats/rekor-entry/model'
import type { LogEntry } from '#formats/rekor-entry/log-entry'

/** Who the signer is. The token is a secret: it goes to the certificate authority and nowhere else. */
export interface IdentityProvider {
  /** A token that is valid now; called at most once a session unless the certificate has to be renewed. */
  identityToken(signal?: AbortSignal): Promise<string>
}

export interface CertificateAsk {
  readonly identityToken: string
  readonly signer: Signer
  readonly signal?: AbortSignal | undefined
}

/** Certifies a key for an identity. */
export interface CertificateAuthority {
  readonly url: string
  /** X.509 DER, leaf first. Unverified. */
  issue(ask: CertificateAsk): Promise<readonly [Uint8Array, ...Uint8Array[]]>
}

/** What a log is asked to record: one signature, by whom, over what. */
export interface LogSubmission {
  readonly signature: Uint8Array
  readonly verifier: EntryVerifier
  readonly signer: Pick<Signer, 'algorithm'>
  /** Of what was signed: the artifact, or the envelope's pre-authentication encoding. */
  readonly digest: EntryDigest
  /** Where a DSSE envelope was signed. */
  readonly envelope?: DsseEnvelope | undefined
}

export interface RecordedEntry {
  /** Unverified. */
  readonly entry: LogEntry
  /** Where it can be looked at. */
  readonly url: string
}

/** A transparency log that accepts entries. */
export interface TransparencyLog {
  readonly url: string
  readonly majorApiVersion: number
  /**
   * Looks whether the log can record a signature of this algorithm over such content. Asked of every log before anything is signed, so
   * that no other log records what one of them cannot.
   * @throws SignError `SIGN_ENTRY_KIND`
   */
  requireRecordable(algorithm: Algorithm, content: 'message' | 'envelope'): void
  record(submission: LogSubmission, signal?: AbortSignal): Promise<RecordedEntry>
}

/** A witness of the time. */
export interface TimestampAuthority {
  readonly url: string
  /** A DER TimeStampResp over the data. Unverified. */
  stamp(data: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>
}

/** Who witnesses a signature. Each of them is asked, none can be left out. */
export interface Witnesses {
  readonly logs: readonly TransparencyLog[]
  readonly timestampAuthorities: readonly TimestampAuthority[]
}
