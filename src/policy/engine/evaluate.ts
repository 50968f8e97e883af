/** Policies on a resource: every policy for every image, in parallel, within one deadline. @module */
import { isCodedError } from '#errors'
import type { Deadline } from '../internal/deadline.js'
import type { ImageOccurrence } from '../internal/image.js'
import type { CompiledException } from '../internal/exception.js'
import type { ImagePlace } from '../internal/pod-images.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy, ImageRule, PolicyRule } from '../internal/policy.js'
import { ReviewImages } from '../internal/review-images.js'
import type { Review } from '../internal/review.js'
import { conclude, nothingToSay, unmatchedImages } from './conclude.js'
import { asProblem } from './evaluate-demand.js'
import { judgeImages } from './judge-image.js'
import type { ImageContext } from './judge-image.js'
import { needsNoVerdict } from './needs-no-verdict.js'
import type { EnginePorts } from './ports.js'
import { programPlaces } from './program-images.js'
import { programsOf, REFUSALS, runPrograms } from './run-programs.js'
import type { ProgramContext, ProgramsVerdict } from './run-programs.js'
import { Session } from './session.js'
import type { ReviewVerdict, RuleVerdict } from './verdict.js'

export interface EvaluationRequest {
  readonly policies: readonly CompiledPolicy[]
  readonly exceptions?: readonly CompiledException[]
  readonly review: Review
  readonly ports: EnginePorts
  /** Ends the evaluation; what has no verdict by then is refused. */
  readonly deadline: Deadline
  /**
   * Whether digests must be there already (the validating webhook, which comes after the mutating one) or can still be
   * written in.
   */
  readonly digestsMustStand: boolean
  /** The review's images, where somebody read them before. */
  readonly images?: ReviewImages
  /** What happens to an image that no policy selects. */
  readonly unmatched: 'deny' | 'warn' | 'allow'
}

/** So many images a resource may name; the API server's own limit on size allows some thousands. */
const MAX_IMAGES = 500

/** Evaluates. It does not throw: whatever goes wrong is a refusal with its reason. */
export async function evaluate(request: EvaluationRequest): Promise<ReviewVerdict> {
  const { review, ports, deadline, policies } = request
  if (needsNoVerdict(review)) return nothingToSay()
  const images = request.images?.review === review ? request.images : new ReviewImages(review)
  const session = Session.of(images, ports, deadline)
  const matched = new Set<string>()
  const asked = policies.filter(
    ({ namespace, admission }) => admission !== false && (namespace === undefined || namespace === review.namespace),
  )
  const pending = asked.flatMap((policy) => evaluateImageRules({ request, session, policy, matched }))
  const programs = await evaluatePrograms({ request, session, matched }, asked)
  const rules = await Promise.all(pending)
  const unmatched = request.unmatched === 'allow' ? [] : unmatchedImages(images, matched)
  return conclude(request, { rules: [...rules.flat(), ...programs.verdicts], pins: programs.pins }, unmatched)
}

export interface RuleContext {
  readonly request: EvaluationRequest
  readonly session: Session
  readonly policy: CompiledPolicy
  readonly rule: PolicyRule
  /** Pointers of images that some policy selected; filled in as rules come across them. */
  readonly matched: Set<string>
}

/** What the image rules of a policy say; none of it fails. */
function evaluateImageRules(context: Omit<RuleContext, 'rule'>): readonly Promise<readonly RuleVerdict[]>[] {
  const { rules, applies = 'all' } = context.policy
  const images = rules.filter((rule) => rule.kind === 'images')
  return applies === 'all'
    ? images.map((rule) => evaluateRule({ rule, ...context }))
    : [evaluateInTurn(context, images)]
}

/** Rule after rule, until one of them has something to say. */
async function evaluateInTurn(
  context: Omit<RuleContext, 'rule'>,
  rules: readonly ImageRule[],
): Promise<readonly RuleVerdict[]> {
  const verdicts: RuleVerdict[] = []
  for (const name of new Set(rules.map((rule) => rule.name))) {
    const named = rules.filter((rule) => rule.name === name)
    verdicts.push(...(await Promise.all(named.map((rule) => evaluateRule({ rule, ...context })))).flat())
    if (verdicts.some(({ verdict }) => verdict !== 'skipped')) break
  }
  return verdicts
}

async function evaluateRule(context: ImageContext): Promise<readonly RuleVerdict[]> {
  const verdicts = await verdictsOf(context)
  return context.policy.namespace === undefined ? verdicts : verdicts.map((verdict) => withNamespace(verdict, context))
}

async function verdictsOf(context: ImageContext): Promise<readonly RuleVerdict[]> {
  const { request, session, policy, rule, matched } = context
  try {
    const about = await isAbout(context)
    if (about === 'not about') return []
    const places = placesOf(rule, session.images)
    if (about !== 'about') {
      for (const { pointer } of places) matched.add(pointer)
      return [excused(context, about)]
    }
    return await judgeImages({ request, session: session.withAccess(rule.access), policy, rule, matched }, places)
  } catch (error) {
    return [brokenRule(context, error)]
  }
}

async function evaluatePrograms(
  { request, session, matched }: Pick<RuleContext, 'request' | 'session' | 'matched'>,
  policies: readonly CompiledPolicy[],
): Promise<ProgramsVerdict> {
  const found = programsOf(policies)
  if (found.length === 0) return { verdicts: [], pins: [] }
  const programs = found.map(({ policy, rule }) => ({
    request,
    session: session.withAccess(rule.access),
    matched,
    policy,
    rule,
  }))
  const all = await Promise.all(
    programs.map(async (context) => {
      try {
        return { context, about: await isAbout(context) }
      } catch (error) {
        return { context, about: brokenProgram(context, error) }
      }
    }),
  )
  const settled: RuleVerdict[] = []
  const running = all.flatMap(({ context, about }) => {
    if (about === 'about') return [context]
    if (about === 'not about') return []
    settled.push(withNamespace('covers' in about ? excused(context, about) : about, context))
    return []
  })
  const { verdicts, pins } = await runPrograms(running, request)
  return { verdicts: [...settled, ...verdicts], pins }
}

function withNamespace(verdict: RuleVerdict, { policy: { namespace } }: RuleContext): RuleVerdict {
  return namespace === undefined ? verdict : { namespace, ...verdict }
}

/** Whether a rule is about the resource, and if an exception excuses it, which. */
async function isAbout(context: RuleContext): Promise<'about' | 'not about' | CompiledException> {
  const { request, session, rule } = context
  const matches = rule.matcher.matches(request.review, session.circumstances)
  const applies =
    typeof matches === 'boolean' ? matches : await session.waiting.for('the selection of resources', () => matches)
  return applies ? ((await exceptionFor(context)) ?? 'about') : 'not about'
}

async function exceptionFor(context: RuleContext): Promise<CompiledException | undefined> {
  const { request, session, policy, rule } = context
  const { language, name, namespace } = policy
  const { review, exceptions = [] } = request
  for (const exception of exceptions) {
    if (exception.namespace !== undefined && exception.namespace !== review.namespace) continue
    if (!exception.covers({ language, policy: name, namespace, rule: rule.name })) continue
    const applies = await session.waiting.for('the selection of exceptions', async () =>
      exception.matcher.matches(review, session.circumstances),
    )
    if (applies && (await areImagesExcused(exception, context))) return exception
  }
  return undefined
}

/** All images that the rule would look at, also those that it finds itself. */
async function areImagesExcused({ excuses }: CompiledException, context: RuleContext): Promise<boolean> {
  if (excuses === undefined) return true
  const { rule, session } = context
  const places =
    rule.kind === 'program' ? await programPlaces(rule, session.images, session) : placesOf(rule, session.images)
  return (
    places.length > 0 &&
    places.every((place) => {
      const read = session.images.read(place)
      return !('error' in read) && excuses(read.occurrence.image)
    })
  )
}

function excused(context: RuleContext, exception: CompiledException): RuleVerdict {
  const message = `rule is skipped due to policy exception ${exception.name}`
  return { verdict: 'skipped', message, ...withoutImage(context) }
}

function placesOf({ extract }: ImageRule, images: ReviewImages): readonly (ImageOccurrence | ImagePlace)[] {
  const places = extract === undefined ? images.places : extract(images.review)
  if (places.length <= MAX_IMAGES) return places
  throw new PolicyError('POLICY_IMAGE', 'the resource names too many images', {
    expected: `at most ${String(MAX_IMAGES)}`,
    found: String(places.length),
  })
}

function brokenRule(context: RuleContext, error: unknown): RuleVerdict {
  return { ...withoutImage(context), verdict: 'denied', message: asProblem(error).message }
}

/** A program says itself what follows from it where it cannot even be said whether it applies. */
function brokenProgram(context: ProgramContext, error: unknown): RuleVerdict {
  const told = withoutImage(context)
  const message = context.rule.wording.refused({ kind: 'error', error: asProblem(error) })
  return { ...told, verdict: REFUSALS[told.action], message }
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
