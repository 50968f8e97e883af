/** What the names in a policy's expressions stand for, computed when they are asked for and only once a round. @module */
import { CelError, evaluationError } from '../cel/cel-error.js'
import { Evaluation } from '../cel/program.js'
import type { CelProgram } from '../cel/program.js'
import { reviewVariables } from '../cel/review-variables.js'
import { CelMap, EntryMap, Timestamp } from '../cel/values.js'
import type { CelValue, Outcome } from '../cel/values.js'
import type { Circumstances } from '../internal/cluster.js'
import type { ProgramServices } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { SURROUNDINGS, Surroundings } from './contexts.js'
import { contextNamed } from './environment.js'

/** A map whose values are computed when they are looked at; what cannot be computed is an error there and nowhere else. */
export class LazyMap extends CelMap {
  readonly #compute: (name: string) => Outcome
  readonly #names: ReadonlySet<string>
  readonly #known = new Map<string, Outcome | CelError>()

  constructor(names: Iterable<string>, compute: (name: string) => Outcome) {
    super()
    this.#names = new Set(names)
    this.#compute = compute
  }

  override get size(): number {
    return this.#names.size
  }

  override keys(): readonly CelValue[] {
    return [...this.#names]
  }

  override has(key: CelValue): boolean {
    return typeof key === 'string' && this.#names.has(key)
  }

  override get(key: CelValue): Outcome | undefined {
    if (typeof key !== 'string' || !this.#names.has(key)) return undefined
    const known = this.#known.get(key) ?? this.#computed(key)
    this.#known.set(key, known)
    if (known instanceof CelError) throw known
    return known
  }

  /** In the next round the answer may be there. */
  forget(): void {
    this.#known.clear()
  }

  #computed(name: string): Outcome | CelError {
    try {
      return this.#compute(name)
    } catch (error) {
      if (error instanceof CelError && error.code === 'CEL_EVALUATION') return error
      throw error
    }
  }
}

/** One evaluation of a policy's expressions. */
export interface PolicyEvaluation {
  readonly evaluation: Evaluation
  readonly surroundings: Surroundings
  /** To be called before the expressions are evaluated from the start. */
  readonly beginRound: () => void
}

export interface EvaluationParts {
  readonly review: Review
  readonly circumstances: Circumstances
  readonly services: ProgramServices | undefined
  readonly variables: ReadonlyMap<string, CelProgram>
  /** Names that only this policy gives a value: `images`, `attestors`, `attestations`. */
  readonly own: (name: string, evaluation: Evaluation) => Outcome | undefined
}

const MILLI = 1_000_000n

export function policyEvaluation({
  review,
  circumstances,
  services,
  variables,
  own,
}: EvaluationParts): PolicyEvaluation {
  const now = new Timestamp(BigInt(circumstances.clock()) * MILLI)
  const surroundings = new Surroundings(circumstances, services, now)
  const ofReview = reviewVariables(review, circumstances)
  const lazily = new LazyMap(variables.keys(), (name) => {
    const program = variables.get(name)
    if (program === undefined) throw evaluationError(`no such variable: ${name}`)
    return program.evaluate(evaluation)
  })
  const evaluation: Evaluation = new Evaluation((name) => {
    if (name === SURROUNDINGS) return surroundings
    if (name === 'variables') return lazily
    return contextNamed(name) ?? own(name, evaluation) ?? ofReview(name, evaluation)
  }, circumstances)
  return {
    evaluation,
    surroundings,
    beginRound: () => {
      lazily.forget()
      surroundings.beginRound()
    },
  }
}

/** Of expressions that know the review and its surroundings, and nothing of a policy's own. */
export function reviewEvaluation(review: Review, circumstances: Circumstances): Evaluation {
  const nothing = { services: undefined, variables: new Map<string, CelProgram>(), own: () => undefined }
  return policyEvaluation({ review, circumstances, ...nothing }).evaluation
}

/** `images`: names by group. */
export function imagesValue(groups: ReadonlyMap<string, readonly string[]>): CelValue {
  return new EntryMap(groups)
}

/** `attestations`: each name stands for itself. */
export function attestationsValue(names: Iterable<string>): CelValue {
  return new EntryMap(Array.from(names, (name) => [name, name] as const))
}
