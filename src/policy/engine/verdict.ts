/** What the engine says about a resource. @module */
import type { ImageOccurrence, PinnedImage } from '../internal/image.js'
import type { DemandOutcome, SeenSigner } from '../internal/outcome.js'
import type { Action, DigestRules, PolicyLanguage } from '../internal/policy.js'

export type Verdict =
  | 'admitted'
  | 'denied'
  /** It does not satisfy the policy, which asks only for a warning. */
  | 'warned'
  /** It does not satisfy the policy, which asks only for a report. */
  | 'audited'
  /** The policy's own words leave it out. */
  | 'skipped'

/** One rule's word on one image, or on the resource where no image is concerned. */
export interface RuleVerdict {
  readonly language: PolicyLanguage
  readonly policy: string
  /** Of a namespaced policy. */
  readonly namespace?: string | undefined
  readonly rule: string
  readonly action: Action
  readonly digests: DigestRules
  readonly occurrence: ImageOccurrence | undefined
  /** What was looked at, and what runs if it is written into the resource. */
  readonly pinned: PinnedImage | undefined
  readonly verdict: Verdict
  /** Why not, in the words of the original; empty for what is admitted. */
  readonly message: string
  /** Whom the policy expects. */
  readonly expected: readonly string[]
  /** Who signed: verified, whether it counts or not. */
  readonly signers: readonly SeenSigner[]
  readonly warnings: readonly string[]
  readonly outcome: DemandOutcome | undefined
  /** What a report says of it, where that is not the message. */
  readonly reported?: string
  /** What a program has to say for audit logs and reports. */
  readonly auditAnnotations?: ReadonlyMap<string, string>
}

/** A digest to be written into the resource. */
export interface Pin {
  readonly pointer: string
  readonly path: string
  readonly from: string
  readonly to: string
}

export interface ReviewVerdict {
  readonly allowed: boolean
  readonly rules: readonly RuleVerdict[]
  /** Names of images that no policy spoke about. */
  readonly unmatched: readonly ImageOccurrence[]
  /** Why images that no policy spoke about are refused, where they are. */
  readonly refusedUnmatched: readonly string[]
  /** Only of an allowed resource. */
  readonly pins: readonly Pin[]
  /** What whoever asked is told if it is not allowed: everything in the words of the originals. */
  readonly message: string
  readonly warnings: readonly string[]
}
