/**
 * What a successful verification establishes.
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import type { Statement, Subject } from '#formats/in-toto/statement'
import type { EntryBody } from '#formats/rekor-entry/model'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import type { UnixMillis } from '#time'
import type { CertificateIdentity } from './identity/certificate-identity.js'
import type { IdentityRequirement } from './identity/identity-policy.js'
import type { Report } from './report.js'
import type { VerifiedTime } from './time/verified-time.js'

/** Somebody with a certificate of a trusted authority. */
export interface VerifiedIdentity {
  readonly kind: 'certificate'
  readonly certificate: Certificate
  /** The leaf first, the trust anchor last. */
  readonly path: readonly Certificate[]
  readonly identity: CertificateIdentity
  /** The allowed identity that it matched; absent if the policy was to take any. */
  readonly matched?: IdentityRequirement
}

/** The holder of the key that the policy names. */
export interface VerifiedKey {
  readonly kind: 'key'
  readonly key: PublicKey
}

/** An entry that a trusted log has, about exactly this signature. */
export interface VerifiedLogEntry {
  readonly entry: LogEntry
  readonly log: TrustedLog
  readonly body: EntryBody
  /** The time of the log's signed promise, where there is one. */
  readonly promisedAt?: UnixMillis
  /** Whether inclusion was proved, or (in old material) only promised. */
  readonly inclusion: 'proved' | 'promised'
}

/** What was signed, as verified. */
export type VerifiedContent =
  | {
      readonly kind: 'message-signature'
      /** The artifact, where its bytes were given and not only a digest. */
      readonly bytes?: Uint8Array
    }
  | {
      readonly kind: 'statement'
      readonly statement: Statement
      /** The subject that is the artifact; absent if any subject was to be taken. */
      readonly subject?: Subject
    }

declare const verified: unique symbol

/** The result of a successful verification. Only `verify` makes one. */
export interface Verification {
  readonly [verified]: true
  readonly signer: VerifiedIdentity | VerifiedKey
  readonly algorithm: Algorithm
  readonly content: VerifiedContent
  readonly times: readonly VerifiedTime[]
  readonly logEntries: readonly VerifiedLogEntry[]
  /** Certificate transparency logs that promised to publish the certificate. */
  readonly certificateLogs: readonly TrustedLog[]
  readonly report: Report
}

/** What is worth remembering of a verification for long: who signed what. Its evidence takes ten times the memory. */
export interface VerifiedSignature {
  readonly [verified]: true
  readonly signer: Pick<VerifiedIdentity, 'kind' | 'identity'> | VerifiedKey
  /** Undefined: what was signed is no statement. */
  readonly statement: Statement | undefined
}

/** Leaves the evidence away. */
export function withoutEvidence({ signer, content }: Verification): VerifiedSignature {
  return {
    signer: signer.kind === 'key' ? signer : { kind: signer.kind, identity: signer.identity },
    statement: content.kind === 'statement' ? content.statement : undefined,
  } as VerifiedSignature
}

/** Not for other layers: what `verify` makes once every check has passed. */
export function verifiedResult(result: Omit<Verification, typeof verified>): Verification {
  return result as Verification
}
