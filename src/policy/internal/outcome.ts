/** What became of a demand: who was expected, who signed, and why it does not count. @module */
import type { CodedError } from '#errors'
import type { VerifiedSignature } from '#verify/verification'
import type { Attestor } from './attestor.js'
import type { AttestationDemand, CountDemand, SignatureDemand, StaticDemand } from './demand.js'

/** A signature or attestation that counts. Only of what the verifier accepted is there something `verified`. */
export interface AcceptedSignature {
  readonly attestor: Attestor
  readonly verified: VerifiedSignature
  /** `sha256:…` of the blob that holds it; identifies it in policies' inputs. */
  readonly id: string
}

/** Somebody whose signature is genuine but who is not (or not yet) whom the policy expects. Verified, so it may be told. */
export interface SeenSigner {
  readonly subjects: readonly string[]
  readonly issuer: string | undefined
}

/** Why one candidate does not count. */
export interface RejectedSignature {
  readonly error: CodedError
  readonly seen: SeenSigner | undefined
}

interface LeafOutcome<D> {
  readonly demand: D
  readonly met: boolean
  readonly accepted: readonly AcceptedSignature[]
  readonly rejected: readonly RejectedSignature[]
  /** Why it is not met where that is not about one candidate: nothing there, no key, no answer in time, a predicate refused. */
  readonly problem: CodedError | undefined
  /** Predicate types that are there, where another was looked for. */
  readonly otherTypes: readonly string[]
  readonly warnings: readonly string[]
}

export type SignatureOutcome = LeafOutcome<SignatureDemand>
export type AttestationOutcome = LeafOutcome<AttestationDemand>

export interface CountOutcome {
  readonly demand: CountDemand
  readonly met: boolean
  readonly of: readonly DemandOutcome[]
}

export interface StaticOutcome {
  readonly demand: StaticDemand
  readonly met: boolean
}

export type DemandOutcome = SignatureOutcome | AttestationOutcome | CountOutcome | StaticOutcome
