/** Rego as ClusterImagePolicy asks it: whether the input is compliant, with warnings and errors if the policy has words for them. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import type { Judgement } from '../internal/demand.js'
import { PolicyError } from '../internal/policy-error.js'
import { compileRego } from '../rego/policy.js'

const PATH = 'data.sigstore.isCompliant'
const QUERY = `isCompliant = ${PATH}`

/**
 * Compiles a policy of the package `sigstore`.
 * @throws RegoError; its judge throws PolicyError `POLICY_NOT_COMPLIANT` in the words of the original
 */
export function compileRegoJudge(source: string, clock: Clock): { readonly judge: (input: JsonValue) => Judgement } {
  const policy = compileRego(source)
  return { judge: (input) => readAnswer(policy.query(PATH, input, { clock })) }
}

/** `true`, or an object that says more. Anything else, and nothing at all, is no. */
function readAnswer(answer: JsonValue | undefined): Judgement {
  if (answer === true) return { warnings: [] }
  const { result, error, warning } = isJsonObject(answer) ? answer : {}
  if (result === true) return { warnings: typeof warning === 'string' && warning !== '' ? [warning] : [] }
  const why = typeof error === 'string' && error !== '' ? ` with errors: ${error.slice(0, 1000)}` : ''
  throw new PolicyError('POLICY_NOT_COMPLIANT', `policy is not compliant for query '${QUERY}'${why}`)
}
