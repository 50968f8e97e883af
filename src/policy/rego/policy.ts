/** Rego policies: read once, asked about many inputs. @module */
import type { JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import { compilePattern, type Pattern } from '#verify/pattern/pattern'
import { isCodedError } from '#errors'
import type { Surroundings } from './builtins/builtin.js'
import { Evaluator } from './evaluator.js'
import { parseModule } from './parser.js'
import { planModules, type Rules } from './planner.js'
import { RegoError } from './rego-error.js'
import { jsonOfValue, valueOfJson } from './value.js'

export interface QueryOptions {
  /** What `time.now_ns` says. */
  readonly clock: Clock
}

/** A policy that was read, all of it. */
export interface RegoPolicy {
  /**
   * The value of a rule by its full name, such as `data.signature.allow`, or undefined if it has none or is not there.
   * @throws {@link RegoError} REGO_CONFLICT, REGO_LIMIT, or REGO_UNSUPPORTED for what only the input could show
   */
  query(path: string, input: JsonValue, options: QueryOptions): JsonValue | undefined
}

/** Steps of one query, a second or so; a hundred for each of twenty thousand packages are among them. */
const MAX_STEPS = 2_000_000

/** What compiling a pattern costs before its size: `(){1000}` is much work that leaves nothing. */
const STEPS_A_PATTERN = 4000

/**
 * Reads a policy of one or more modules, in the syntax of Rego v0.
 * @throws {@link RegoError}
 */
export function compileRego(...sources: readonly string[]): RegoPolicy {
  const rules = withinStack(() => planModules(sources.map(parseModule)))
  return { query: (path, input, { clock }) => withinStack(() => ask(rules, path, input, clock)) }
}

function ask(rules: Rules, path: string, input: JsonValue, clock: Clock): JsonValue | undefined {
  const rule = rules.get(path)
  if (rule === undefined || rule.kind === 'function') return undefined
  const value = new Evaluator(surroundings(clock)).query(rule, valueOfJson(input))
  return value === undefined ? undefined : jsonOfValue(value)
}

function surroundings(clock: Clock): Surroundings {
  let left = MAX_STEPS
  const patterns = new Map<string, Pattern>()
  const spend = (steps: number): void => {
    left -= steps
    if (left < 0) throw new RegoError('REGO_LIMIT', 'the policy takes too many steps')
  }
  return {
    now: BigInt(clock()) * 1_000_000n,
    spend,
    pattern: (source) => {
      const known = patterns.get(source)
      if (known !== undefined) return known
      spend(STEPS_A_PATTERN)
      const pattern = compiled(source)
      spend(pattern.size * 2)
      patterns.set(source, pattern)
      return pattern
    },
  }
}

/** An invalid pattern would be undefined in the original; but so must not be a valid one that is not supported here. */
function compiled(source: string): Pattern {
  try {
    return compilePattern(source)
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new RegoError('REGO_UNSUPPORTED', 'a regular expression is not supported', { cause: error })
  }
}

/** The limits are meant to come first; the stack of a smaller machine may be the first all the same. */
function withinStack<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof RangeError) throw new RegoError('REGO_LIMIT', 'the policy is nested too deeply')
    throw error
  }
}

/** What a policy says about an image, as policy-controller asks it. */
export interface Compliance {
  readonly compliant: boolean
  readonly error?: string
  readonly warning?: string
}

/** Asks `data.sigstore.isCompliant`: a boolean, or an object of `result`, `error` and `warning`. Anything else is not compliant. */
export function isCompliant(policy: RegoPolicy, input: JsonValue, options: QueryOptions): Compliance {
  const value = policy.query('data.sigstore.isCompliant', input, options)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { compliant: value === true }
  const { result, error, warning } = value as { readonly [name: string]: JsonValue }
  return {
    compliant: result === true,
    ...(typeof error === 'string' ? { error } : {}),
    ...(typeof warning === 'string' ? { warning } : {}),
  }
}

/** Asks `data.signature.allow`, as `cosign verify-attestation --policy` does: nothing but true allows. */
export function allows(policy: RegoPolicy, input: JsonValue, options: QueryOptions): boolean {
  return policy.query('data.signature.allow', input, options) === true
}
