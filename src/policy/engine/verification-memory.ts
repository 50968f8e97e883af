/** Remembering what verification found, as a port: the engine does without it, a long-lived process has one. @module */
import type { AcceptedSignature, RejectedSignature } from '../internal/outcome.js'
import type { PinnedImage } from '../internal/image.js'
import type { ReadyAttestor } from './candidate.js'

/** What was verified: one attestor, key and trust included, on one image. */
export interface VerificationSubject {
  readonly pinned: PinnedImage
  readonly ready: ReadyAttestor
  /** Undefined: signatures on the image. */
  readonly predicateType: string | undefined
}

/** A signature that counts, and the statement in it, of an attestation. */
export interface AcceptedCandidate {
  readonly signature: AcceptedSignature
  /** The payload whose signature was verified. */
  readonly statement: Uint8Array | undefined
}

/** What became of everything that is attached to an image and could be of that attestor. */
export interface Judged {
  readonly accepted: readonly AcceptedCandidate[]
  readonly rejected: readonly RejectedSignature[]
  /** Why some of it could not be fetched: nothing is known about that part. */
  readonly unfetched: readonly Error[]
  readonly otherTypes: readonly string[]
}

export interface VerificationMemory {
  /**
   * What is remembered, or what `verify` finds; all who ask at the same time get one answer. `verify` is called with a signal of
   * its own, for others may wait for it longer than whoever asked first.
   */
  judged(subject: VerificationSubject, verify: (signal: AbortSignal) => Promise<Judged>): Judged | Promise<Judged>
}
