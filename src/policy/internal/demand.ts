/** What a policy demands of an image, as a tree. @module */
import type { JsonValue } from '#encoding/json'
import type { Statement } from '#formats/in-toto/statement'
import type { Attestor } from './attestor.js'
import type { ImageOccurrence, PinnedImage } from './image.js'
import type { Review } from './review.js'

/** What a predicate policy is shown: verified, and nothing that was not. */
export interface PredicateInput {
  readonly statement: Statement
  /** The statement as JSON, as policies of cosign and its kin are shown it. */
  readonly json: JsonValue
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage
  readonly review: Review
}

/**
 * A policy on what was verified, compiled. It accepts by returning (with warnings, if it has any)
 * and refuses by throwing a coded error that says why; whatever else it throws is a refusal, too.
 */
export interface JudgePort<Input> {
  readonly language: 'cue' | 'rego' | 'conditions' | 'cel'
  /** For `policy explain`. */
  readonly source: string
  judge(input: Input, signal: AbortSignal): Judgement | Promise<Judgement>
}

export interface Judgement {
  readonly warnings: readonly string[]
}

export type PredicatePolicy = JudgePort<PredicateInput>

/** One signature on the image by this attestor. */
export interface SignatureDemand {
  readonly kind: 'signature'
  readonly attestor: Attestor
}

/** Attestations about the image by this attestor. */
export interface AttestationDemand {
  readonly kind: 'attestation'
  /** What the policy calls it. */
  readonly name: string
  readonly predicateType: string
  readonly attestor: Attestor
  /** `any`: one verified statement must satisfy (policy-controller). `all`: every one, and there is at least one (Kyverno). */
  readonly statements: 'any' | 'all'
  readonly predicate?: PredicatePolicy
}

/** So many of these. Any: 1. All: their number. Never 0: a demand for nothing would admit everything. */
export interface CountDemand {
  readonly kind: 'count'
  /** What the policy calls it, for messages. */
  readonly name: string
  readonly required: number
  readonly of: readonly Demand[]
}

/** Passes or fails whatever the image is, by the policy's own words. */
export interface StaticDemand {
  readonly kind: 'static'
  readonly name: string
  readonly action: 'pass' | 'fail'
  readonly message: string
}

export type Demand = SignatureDemand | AttestationDemand | CountDemand | StaticDemand
