/** What can be wrong with an admission policy, and with evaluating one. @module */
import { CodedError } from '#errors'

export type PolicyErrorCode =
  /** A policy document is not YAML, or is too large or too deep. */
  | 'POLICY_DOCUMENT'
  /** A policy document is of a kind that is not known here. */
  | 'POLICY_KIND'
  /** A field of a policy is missing, unknown, of the wrong type, or contradicts another. */
  | 'POLICY_FIELD'
  /** A policy asks for something that is understood but deliberately not supported. */
  | 'POLICY_UNSUPPORTED'
  /** An attestor does not say who must have signed. */
  | 'POLICY_ATTESTOR'
  /** A key that a policy refers to cannot be had. */
  | 'POLICY_KEY'
  /** A trust root that a policy refers to cannot be had. */
  | 'POLICY_TRUST_ROOT'
  /** The text of a policy that is kept elsewhere cannot be had. */
  | 'POLICY_TEXT'
  /** What a policy asks of the cluster cannot be had. */
  | 'POLICY_CLUSTER'
  /** A variable that a rule takes from elsewhere cannot be had, or is not what the rule can use. */
  | 'POLICY_CONTEXT'
  /** What an image is called in a resource cannot be read. */
  | 'POLICY_IMAGE'
  /** The time for a verdict ran out. */
  | 'POLICY_DEADLINE'
  /** A predicate does not satisfy the policy on it. */
  | 'POLICY_PREDICATE'
  /** A Rego policy says that its input is not compliant. */
  | 'POLICY_NOT_COMPLIANT'

/** A policy cannot be used, or cannot be evaluated. The message names the path within the policy. */
export class PolicyError extends CodedError<PolicyErrorCode> {
  override readonly name = 'PolicyError'
}
