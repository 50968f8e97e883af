/**
 * Match conditions as Kubernetes has them: one that is false leaves the request out, whatever is wrong with the others; only if none
 * is does an error count, and then the failure policy decides.
 *
 * @module
 */
import { CelError } from './cel-error.js'
import type { CelEnvironment } from './environment.js'
import { attempt } from './logical.js'
import type { CelProgram, CompileCel, Evaluation } from './program.js'
import { BOOL } from './types.js'
import { PENDING, typeNameOf } from './values.js'
import type { Pending } from './values.js'

export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/** Match conditions that can be evaluated. */
export interface CompiledConditions {
  /** For `policy explain` and for the API server. */
  readonly conditions: readonly MatchCondition[]
  readonly programs: readonly CelProgram[]
}

/** The API server's own limit. */
const MAX_CONDITIONS = 64
const MAX_NAME_PART = 63
const MAX_PREFIX = 253
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/**
 * What is wrong with the names of conditions, in the order of the conditions.
 * Expressions are looked at by {@link compileMatchConditions}.
 */
export function wrongNames(conditions: readonly MatchCondition[]): readonly string[] {
  if (conditions.length > MAX_CONDITIONS) return [`must have at most ${String(MAX_CONDITIONS)} items`]
  const seen = new Set<string>()
  return conditions.flatMap(({ name }, index) => {
    const at = `[${String(index)}].name: `
    if (!isQualifiedName(name)) return [`${at}Invalid value: "${name.slice(0, 100)}": must be a qualified name`]
    if (seen.has(name)) return [`${at}Duplicate value: "${name}"`]
    seen.add(name)
    return []
  })
}

function isQualifiedName(name: string): boolean {
  const parts = name.split('/')
  const last = parts.pop() ?? ''
  const [prefix, ...others] = parts
  if (others.length > 0 || last.length > MAX_NAME_PART || !NAME.test(last)) return false
  return prefix === undefined || (prefix.length <= MAX_PREFIX && PREFIX.test(prefix))
}

/**
 * Compiles conditions, each of which must be of type bool.
 * @throws CelError what compiling throws; `CEL_SYNTAX` for an expression that is empty
 */
export function compileMatchConditions(
  conditions: readonly MatchCondition[],
  environment: CelEnvironment,
  compile: CompileCel,
): CompiledConditions {
  const programs = conditions.map(({ name, expression }) => {
    const source = expression.trim()
    if (source !== '') return compile(source, environment, [BOOL])
    throw new CelError('CEL_SYNTAX', `the match condition ${name} has no expression`)
  })
  return { conditions, programs }
}

export type ConditionsOutcome =
  | { readonly kind: 'matches' }
  /** This one is false. */
  | { readonly kind: 'excluded'; readonly by: string }
  /** None is false, and these could not be evaluated. */
  | { readonly kind: 'failed'; readonly error: CelError }

/**
 * Evaluates all conditions.
 * @throws CelError `CEL_LIMIT`: what takes too much is not looked at any further
 */
export function evaluateConditions(
  { conditions, programs }: CompiledConditions,
  evaluation: Evaluation,
): ConditionsOutcome | Pending {
  const outcomes = programs.map((program) => attempt(() => program.evaluate(evaluation)))
  const excluding = outcomes.indexOf(false)
  if (excluding >= 0) return { kind: 'excluded', by: conditions[excluding]?.name ?? '' }
  if (outcomes.includes(PENDING)) return PENDING
  for (const outcome of outcomes) {
    if (outcome instanceof CelError) return { kind: 'failed', error: outcome }
    if (outcome !== true && outcome !== PENDING) return { kind: 'failed', error: notBool(typeNameOf(outcome)) }
  }
  return { kind: 'matches' }
}

function notBool(type: string): CelError {
  return new CelError('CEL_EVALUATION', `a match condition came to ${type}, not to bool`)
}

/**
 * Whether a request is matched, as the failure policy has it.
 * @throws CelError why it cannot be said, under `Fail`
 */
export async function matchesConditions(
  conditions: CompiledConditions,
  evaluation: Evaluation,
  failurePolicy: 'Fail' | 'Ignore',
): Promise<boolean> {
  if (conditions.programs.length === 0) return true
  let outcome: ConditionsOutcome
  try {
    outcome = await evaluation.asks.settle(() => evaluateConditions(conditions, evaluation))
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    outcome = { kind: 'failed', error }
  }
  if (outcome.kind !== 'failed') return outcome.kind === 'matches'
  if (failurePolicy === 'Ignore') return false
  throw outcome.error
}
