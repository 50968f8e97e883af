/** `webhookConfiguration.matchConditions`: CEL that decides which requests a policy is asked about. @module */
import { isCodedError } from '#errors'
import type { CelEnvironment } from '../cel/environment.js'
import { KUBERNETES, REQUEST } from '../cel/kubernetes.js'
import { compileMatchConditions, matchesConditions, wrongNames } from '../cel/match-conditions.js'
import type { CompiledConditions } from '../cel/match-conditions.js'
import { Evaluation, loadCel } from '../cel/program.js'
import { reviewVariables } from '../cel/review-variables.js'
import { DYN } from '../cel/types.js'
import type { Circumstances } from '../internal/cluster.js'
import type { Fields } from '../internal/fields.js'
import type { ResourceMatcher, WebhookSettings } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { invalidValue, required } from './complain.js'

/** Makes a matcher of a rule one of the requests that the policy is asked about. */
export type Narrow = (matcher: ResourceMatcher) => ResourceMatcher

/** What the API server has in the conditions of a webhook; the namespace's labels are its selector's. */
const ENVIRONMENT: CelEnvironment = KUBERNETES.withVariables({ object: DYN, oldObject: DYN, request: REQUEST })

/** Reads the conditions of `webhookConfiguration`. The evaluator is loaded only where there are some. */
export async function readMatchConditions(
  spec: Fields,
  failurePolicy: WebhookSettings['failurePolicy'],
): Promise<Narrow> {
  const entries = spec.object('webhookConfiguration')?.objects('matchConditions') ?? []
  if (entries.length === 0) return (matcher) => matcher
  const conditions = entries.map((entry) => {
    entry.only('name', 'expression')
    const [name, expression] = [entry.text('name'), entry.text('expression')]
    if (name === undefined) required(entry, 'name', '')
    if (expression === undefined) required(entry, 'expression', '')
    return { name: name ?? '', expression: expression ?? '' }
  })
  for (const wrong of wrongNames(conditions))
    spec.complaints.add(`${spec.at('webhookConfiguration')}.matchConditions${wrong}`)
  const compile = await loadCel()
  const compiled = conditions.flatMap((condition, index): readonly CompiledConditions[] => {
    const entry = entries[index]
    if (entry === undefined || condition.expression === '') return []
    try {
      return [compileMatchConditions([condition], ENVIRONMENT, compile)]
    } catch (error) {
      if (!isCodedError(error)) throw error
      const detail = [error.message, error.found, error.hint].filter((text) => text !== undefined).join('; ')
      invalidValue(entry, detail, 'expression')
      return []
    }
  })
  const all = { conditions, programs: compiled.flatMap(({ programs }) => programs) }
  return narrowing(all, failurePolicy)
}

/** The rules of a policy share the answer: it depends on the review alone. */
function narrowing(conditions: CompiledConditions, failurePolicy: WebhookSettings['failurePolicy']): Narrow {
  const narrowing = { conditions, failurePolicy }
  const asked = (review: Review, circumstances: Circumstances): Promise<boolean> => {
    const answer = (): Promise<boolean> =>
      isAskedAbout(narrowing, review, new Evaluation(reviewVariables(review, circumstances), circumstances))
    return circumstances.once === undefined ? answer() : circumstances.once(narrowing, answer)
  }
  const where = conditions.conditions.map(({ name, expression }) => `${name}: ${expression.trim()}`).join(' and ')
  return (matcher) => ({
    explained: matcher.explained.map((subject) => `${subject} where ${where}`),
    matches: async (review, circumstances) =>
      (await matcher.matches(review, circumstances)) && (await asked(review, circumstances)),
  })
}

interface Narrowing {
  readonly conditions: CompiledConditions
  readonly failurePolicy: WebhookSettings['failurePolicy']
}

/** @throws CelError why it cannot be said of a request, under `Fail` */
async function isAskedAbout(
  { conditions, failurePolicy }: Narrowing,
  review: Review,
  evaluation: Evaluation,
): Promise<boolean> {
  if (review.user !== undefined || review.request !== undefined)
    return await matchesConditions(conditions, evaluation, failurePolicy)
  // What already runs, and what is in files, nobody requested: a condition on whoever it was leaves nothing out.
  try {
    return await matchesConditions(conditions, evaluation, 'Fail')
  } catch (error) {
    if (isCodedError(error)) return true
    throw error
  }
}
