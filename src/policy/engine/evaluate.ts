/** Policies on a resource: every policy for every image, in parallel, within one deadline. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { ImageOccurrence } from '../internal/image.js'
import type { CompiledException } from '../internal/exception.js'
import { imagesOf } from '../internal/pod-images.js'
import type { ImagePlace } from '../internal/pod-images.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy, PolicyRule } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { asProblem } from './evaluate-demand.js'
import { judgeImages } from './judge-image.js'
import { pinOf, pinsWithoutConflict } from './pins.js'
import type { EnginePorts } from './ports.js'
import { runProgram } from './run-program.js'
import { readImageName, Session } from './session.js'
import type { Pin, ReviewVerdict, RuleVerdict } from './verdict.js'

export interface EvaluationRequest {
  readonly policies: readonly CompiledPolicy[]
  readonly exceptions?: readonly CompiledException[]
  readonly review: Review
  readonly ports: EnginePorts
  /** Ends the evaluation; what has no verdict by then is refused. */
  readonly signal: AbortSignal
  /**
   * Whether digests must be there already (the validating webhook, which comes after the mutating one) or can still be
   * written in.
   */
  readonly digestsMustStand: boolean
  /** What happens to an image that no policy selects. */
  readonly unmatched: 'deny' | 'warn' | 'allow'
}

/** So many images a resource may name; the API server's own limit on size allows some thousands. */
const MAX_IMAGES = 500

/** Evaluates. It does not throw: whatever goes wrong is a refusal with its reason. */
export async function evaluate(request: EvaluationRequest): Promise<ReviewVerdict> {
  const { review, ports, signal, policies } = request
  const session = new Session(ports, signal)
  if (review.operation === 'DELETE' || isBeingDeleted(review) || isMereScaling(review)) return nothingToSay()
  const matched = new Set<string>()
  const rules = await Promise.all(
    policies
      .filter(({ namespace }) => namespace === undefined || namespace === review.namespace)
      .map((policy) => evaluatePolicy({ request, session, policy, matched })),
  )
  const unmatched = request.unmatched === 'allow' ? [] : unmatchedImages(review, matched)
  return conclude(request, rules.flat(), unmatched)
}

export interface RuleContext {
  readonly request: EvaluationRequest
  readonly session: Session
  readonly policy: CompiledPolicy
  readonly rule: PolicyRule
  /** Pointers of images that some policy selected; filled in as rules come across them. */
  readonly matched: Set<string>
}

async function evaluatePolicy(context: Omit<RuleContext, 'rule'>): Promise<readonly RuleVerdict[]> {
  const { rules, applies = 'all' } = context.policy
  const evaluated = async (of: readonly PolicyRule[]): Promise<readonly RuleVerdict[]> =>
    (await Promise.all(of.map((rule) => evaluateRule({ ...context, rule })))).flat()
  if (applies === 'all') return await evaluated(rules)
  const verdicts: RuleVerdict[] = []
  for (const name of new Set(rules.map((rule) => rule.name))) {
    verdicts.push(...(await evaluated(rules.filter((rule) => rule.name === name))))
    if (verdicts.some(({ verdict }) => verdict !== 'skipped')) break
  }
  return verdicts
}

async function evaluateRule(context: RuleContext): Promise<readonly RuleVerdict[]> {
  const { namespace } = context.policy
  const verdicts = await verdictsOf(context)
  return namespace === undefined ? verdicts : verdicts.map((verdict) => ({ ...verdict, namespace }))
}

async function verdictsOf(context: RuleContext): Promise<readonly RuleVerdict[]> {
  const { request, session, rule } = context
  try {
    const applies = await session.waiting.for('the selection of resources', async () =>
      rule.matcher.matches(request.review, session.circumstances),
    )
    if (!applies) return []
    const places = placesOf(rule, request.review)
    const exception = await exceptionFor(context)
    if (exception !== undefined) {
      for (const { pointer } of places) context.matched.add(pointer)
      return [excused(context, exception)]
    }
    if (rule.kind === 'program') return await runProgram({ ...context, rule }, places)
    return await judgeImages({ ...context, rule, session: session.withAccess(rule.access) }, places)
  } catch (error) {
    return [brokenRule(context, error)]
  }
}

async function exceptionFor({ request, session, policy, rule }: RuleContext): Promise<CompiledException | undefined> {
  const { language, name, namespace } = policy
  const { review, exceptions = [] } = request
  for (const exception of exceptions) {
    if (exception.namespace !== undefined && exception.namespace !== review.namespace) continue
    if (!exception.covers({ language, policy: name, namespace, rule: rule.name })) continue
    const applies = await session.waiting.for('the selection of exceptions', async () =>
      exception.matcher.matches(review, session.circumstances),
    )
    if (applies) return exception
  }
  return undefined
}

function excused(context: RuleContext, exception: CompiledException): RuleVerdict {
  const message = `rule is skipped due to policy exception ${exception.name}`
  return { ...withoutImage(context), verdict: 'skipped', message }
}

function placesOf({ extract }: PolicyRule, review: Review): readonly (ImageOccurrence | ImagePlace)[] {
  const places = extract === undefined ? imagesOf(review) : extract(review)
  if (places.length <= MAX_IMAGES) return places
  throw new PolicyError('POLICY_IMAGE', 'the resource names too many images', {
    expected: `at most ${String(MAX_IMAGES)}`,
    found: String(places.length),
  })
}

function brokenRule(context: RuleContext, error: unknown): RuleVerdict {
  return { ...withoutImage(context), verdict: 'denied', message: asProblem(error).message }
}

function withoutImage({ policy, rule, request }: RuleContext): Omit<RuleVerdict, 'verdict' | 'message'> {
  return {
    language: policy.language,
    policy: policy.name,
    rule: rule.name,
    // Whether the rule is about the resource could not be found out, or it broke: there is no milder action to trust.
    action: actionOf(rule, request.review),
    digests: rule.digests,
    occurrence: undefined,
    pinned: undefined,
    expected: [],
    signers: [],
    warnings: [],
    outcome: undefined,
  }
}

function actionOf({ enforcement }: PolicyRule, review: Review): RuleVerdict['action'] {
  try {
    return enforcement.actionFor(review)
  } catch (error) {
    if (isCodedError(error)) return 'deny'
    throw error
  }
}

function unmatchedImages(review: Review, matched: ReadonlySet<string>): readonly ImageOccurrence[] {
  return imagesOf(review)
    .filter(({ pointer }) => !matched.has(pointer))
    .map(({ value, ...place }) => {
      const text = typeof value === 'string' ? value.slice(0, 1024) : JSON.stringify(value)
      return { ...place, image: { text, reference: readNameOrNone(text) } }
    })
}

function readNameOrNone(text: string): ImageOccurrence['image']['reference'] {
  try {
    return readImageName(text).reference
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { kind: 'tag', registry: '', repository: '', tag: '' }
  }
}

function conclude(
  request: EvaluationRequest,
  rules: readonly RuleVerdict[],
  unmatched: readonly ImageOccurrence[],
): ReviewVerdict {
  const pins = pinsWithoutConflict(rules.flatMap(pinOf))
  const denials = rules.filter(({ verdict }) => verdict === 'denied')
  const refusedUnmatched = request.unmatched === 'deny' ? unmatched.map(noMatch) : []
  const allowed = denials.length === 0 && refusedUnmatched.length === 0
  return {
    allowed,
    rules,
    unmatched,
    refusedUnmatched,
    pins: allowed ? pins : [],
    message: allowed ? '' : [...denials.map(({ message }) => message), ...refusedUnmatched].join('\n'),
    warnings: [
      ...rules.filter(({ verdict }) => verdict === 'warned').map(({ message }) => message),
      ...rules.flatMap(({ warnings }) => warnings),
      ...(request.unmatched === 'warn' ? unmatched.map(noMatch) : []),
    ],
  }
}

function noMatch({ path, image }: ImageOccurrence): string {
  return `no matching policies: ${path}\n${image.text}`
}

function nothingToSay(): ReviewVerdict {
  return {
    allowed: true,
    rules: [],
    unmatched: [],
    refusedUnmatched: [],
    pins: [] as readonly Pin[],
    message: '',
    warnings: [],
  }
}

function isBeingDeleted({ object, operation }: Review): boolean {
  const { metadata } = object
  if (operation !== 'UPDATE' || typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return false
  return 'deletionTimestamp' in metadata && typeof metadata['deletionTimestamp'] === 'string'
}

/** Fewer replicas and nothing else: what runs is not to be kept running by a policy that came later. */
function isMereScaling({ operation, object, oldObject }: Review): boolean {
  if (operation !== 'UPDATE' || oldObject === undefined) return false
  const [before, after] = [replicasOf(oldObject), replicasOf(object)]
  if (before === undefined || after === undefined || after >= before) return false
  // The original looks at the replicas alone: an image changed along with them went unseen.
  return JSON.stringify(withoutReplicas(oldObject)) === JSON.stringify(withoutReplicas(object))
}

function withoutReplicas({ spec }: Review['object']): JsonValue {
  return isJsonObject(spec) ? { ...spec, replicas: 0 } : null
}

function replicasOf({ spec }: Review['object']): number | undefined {
  if (!isJsonObject(spec)) return undefined
  const { replicas } = spec
  return typeof replicas === 'number' ? replicas : undefined
}
