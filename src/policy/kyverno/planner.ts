/** What a rule asks of one review: whether its conditions hold, and with what its variables are filled in. @module */
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import type { Conditions } from '../jmespath/conditions.js'
import type { CompileExpression } from '../jmespath/expression.js'
import type { PredicatePolicy } from '../internal/demand.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Conclusion, PlanServices, RulePlan, RulePlanner } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import type { ContextEntry } from './context.js'
import { demandOf } from './demand.js'
import type { Asked } from './demand.js'
import { denialConclusion } from './denial.js'
import type { Extract } from './extractors.js'
import { predicateJudge } from './predicate-judge.js'
import { accountVariables, imagesVariable, requestVariable } from './request-data.js'
import { Scope } from './scope.js'
import { readFilled } from './verify-images.js'
import type { ImageVerification, OpenAsk } from './verify-images.js'

/** What the entries of one rule share. */
export interface RuleConditions {
  readonly context: readonly ContextEntry[]
  readonly preconditions: { readonly source: JsonValue; readonly compiled: Conditions } | undefined
  readonly extract: Extract
}

/** Makes planners of one rule, all of which see the same variables in one review. */
export function plannersOf(
  rule: RuleConditions,
  compile: CompileExpression,
): (of: ImageVerification) => RulePlanner | undefined {
  const scopeOf = (review: Review, services: PlanServices): Scope => {
    const make = (): Scope => newScope(rule, review, services)
    return services.once === undefined ? make() : services.once(rule, make)
  }
  return (verification) => {
    if (!dependsOnReview(rule, verification)) return undefined
    return {
      explained: explain(rule, verification),
      outline: outlineOf(verification),
      plan: async (review, services) => {
        const scope = scopeOf(review, services)
        const unmet = await unmetPrecondition(rule, scope, services.clock)
        if (unmet !== undefined) return { applies: false, why: unmet }
        return await planOf(verification, { scope, clock: services.clock, compile })
      },
    }
  }
}

/** A rule without conditions and variables asks the same of everybody, and needs no plan. */
function dependsOnReview({ preconditions }: RuleConditions, { asked, denial }: ImageVerification): boolean {
  if (preconditions !== undefined || denial !== undefined || asked.kind === 'open') return true
  return asked.kind === 'static' && asked.asked.attestations.some(({ conditions }) => conditions !== undefined)
}

function newScope({ context, extract }: RuleConditions, review: Review, services: PlanServices): Scope {
  return Scope.of({
    request: requestVariable(review),
    ...accountVariables(review),
    images: () => imagesVariable(extract(review)),
  }).and(context.map((entry) => entry.bind(services)))
}

async function unmetPrecondition(
  { preconditions }: RuleConditions,
  scope: Scope,
  clock: Clock,
): Promise<string | undefined> {
  if (preconditions === undefined) return undefined
  const { compiled } = preconditions
  const { holds, message } = await during('failed to evaluate preconditions', () =>
    scope.evaluate((data) => compiled.evaluate(data, clock)),
  )
  if (holds) return undefined
  return ['preconditions not met', message].filter((text) => text !== '').join('; ')
}

interface Planning {
  readonly scope: Scope
  readonly clock: Clock
  readonly compile: CompileExpression
}

async function planOf(verification: ImageVerification, planning: Planning): Promise<RulePlan> {
  const { scope, clock, compile } = planning
  const { denial, asked } = verification
  const ask = asked.kind === 'open' ? await filled({ ...verification, asked }, planning) : asked
  const conclusion: Conclusion | undefined = denial && denialConclusion(denial, scope, clock)
  if (ask.kind === 'unsupported') return { applies: true, demand: unsupported(ask.what), conclusion }
  return { applies: true, demand: judgedDemand(ask.asked, { scope, clock, compile }), conclusion }
}

async function filled(
  verification: ImageVerification & { readonly asked: OpenAsk },
  { scope, clock, compile }: Planning,
): Promise<{ readonly kind: 'static'; readonly asked: Asked }> {
  const { template } = verification.asked
  const value = await during('failed to substitute variables', () =>
    scope.evaluate((data) => template.substitute(data, clock)),
  )
  return { kind: 'static', asked: await readFilled(value, verification, compile) }
}

function judgedDemand(asked: Asked, { scope, clock }: Planning): ReturnType<typeof demandOf> {
  return demandOf(asked, (attestation) => {
    const { conditions } = attestation
    return conditions === undefined ? undefined : predicateJudge({ ...attestation, conditions }, scope, clock)
  })
}

/** A demand that nothing meets. */
export function unsupported(what: string): ReturnType<typeof demandOf> {
  const message = `POLICY_UNSUPPORTED: ${what} is not supported, so that nothing can be verified`
  return { kind: 'static', name: '', action: 'fail', message }
}

/** Errors say what was being done, as in the original. */
async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isCodedError(error) || error.code === 'POLICY_DEADLINE') throw error
    const { message, expected, found, hint } = error
    const code = error instanceof PolicyError ? error.code : 'POLICY_CONTEXT'
    throw new PolicyError(code, `${what}: ${message}`, { expected, found, hint, cause: error })
  }
}

/** Judges only in name: there is no review to judge. */
function outlineOf({ asked, denial }: ImageVerification): RulePlanner['outline'] {
  const judge = (): never => {
    throw new PolicyError('POLICY_PREDICATE', 'this is an outline, and judges nothing')
  }
  const ofConditions = (source: JsonValue): PredicatePolicy => ({
    language: 'conditions',
    source: JSON.stringify(source, null, 2),
    judge,
  })
  const demand = asked.kind === 'static' ? outlineDemand(asked.asked, ofConditions) : undefined
  return { demand, conclusion: denial && ofConditions({ deny: denial.source }) }
}

function outlineDemand(asked: Asked, judge: (source: JsonValue) => PredicatePolicy): ReturnType<typeof demandOf> {
  return demandOf(asked, ({ conditions }) => (conditions === undefined ? undefined : judge(conditions.source)))
}

function explain({ context, preconditions }: RuleConditions, { asked }: ImageVerification): readonly string[] {
  return [
    ...(preconditions === undefined
      ? []
      : [
          'only if (conditions):',
          ...JSON.stringify(preconditions.source, null, 2)
            .split('\n')
            .map((line) => `  ${line}`),
        ]),
    ...(context.length === 0 ? [] : ['with variables:', ...context.map(({ explained }) => `  ${explained}`)]),
    ...(asked.kind !== 'open'
      ? []
      : ['asking for what depends on the review:', ...asked.explained.map((line) => `  ${line}`)]),
  ]
}
