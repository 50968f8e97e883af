/** Everything that decides, at one moment. A snapshot never changes: what comes later is another one. @module */
import type { JsonObject } from '#encoding/json'
import type { PolicyIndex } from '#policy/engine/policy-index'
import type { PolicyFamily } from '#policy/front-ends'
import type { CompiledException } from '#policy/internal/exception'
import type { DocumentName } from './documents.js'
import type { ExceptionProblem } from './exception-shelf.js'

export interface Snapshot {
  /** Counts up; a decision says by which one it was made. */
  readonly generation: number
  /** By family, since each has a webhook of its own. */
  readonly policies: ReadonlyMap<PolicyFamily, PolicyIndex>
  readonly exceptions: readonly CompiledException[]
  readonly exceptionProblems: readonly ExceptionProblem[]
  /** What happens to images that no policy of a family is about. */
  readonly unmatched: ReadonlyMap<PolicyFamily, 'deny' | 'warn' | 'allow'>
  /** How it stands with each policy. */
  readonly health: readonly PolicyHealth[]
  namespace(name: string): JsonObject | undefined
}

export type PolicyCondition =
  /** It is in force as it is written. */
  | 'in force'
  /** Its document, or something that it depends on, cannot be used; the last good form of that is in force. */
  | 'last good'
  /** It never could be used, or a key that it names cannot be had; what it is about, or needs that key, is refused. */
  | 'refusing'

/** How it stands with one policy. */
export interface PolicyHealth {
  readonly policy: DocumentName
  readonly condition: PolicyCondition
  /** What the condition is about: the policy with its texts, or keys that it names and that are kept elsewhere. */
  readonly cause: 'policy' | 'key'
  /** What is wrong; empty if nothing is. */
  readonly problem: string
  /** The `metadata.generation` that was looked at. */
  readonly observedGeneration: number | undefined
  /** To be told to whoever applies it. */
  readonly warnings: readonly string[]
}
