/** One rule on one image of a resource. @module */
import type { Demand } from '../internal/demand.js'
import type { ImageOccurrence, PinnedImage } from '../internal/image.js'
import type { DemandOutcome } from '../internal/outcome.js'
import { ImageForms } from '../internal/image-forms.js'
import type { ImagePlace } from '../internal/pod-images.js'
import type { Action, FailureCause, ImageRule, RulePlan } from '../internal/policy.js'
import { asProblem, evaluateDemand } from './evaluate-demand.js'
import type { RuleContext } from './evaluate.js'
import { expectedSigners, outcomeWarnings, seenSigners } from './explain-outcome.js'
import { actionFor } from './failure-action.js'
import { planOnce } from './plan.js'
import { selectImage } from './select-images.js'
import type { Selected } from './select-images.js'
import { sideBySide } from './side-by-side.js'
import type { RuleVerdict, Verdict } from './verdict.js'

/** A rule on a resource. */
export interface ImageContext extends RuleContext {
  readonly rule: ImageRule
}

interface PlannedContext extends ImageContext {
  readonly plan: () => Promise<RulePlan>
}

type AppliedPlan = Extract<RulePlan, { readonly applies: true }>

/** Verdicts on the images that the rule is about. */
export async function judgeImages(
  context: ImageContext,
  places: readonly (ImageOccurrence | ImagePlace)[],
): Promise<readonly RuleVerdict[]> {
  const planned = { plan: planOnce(context), ...context }
  const judged = await sideBySide(places, (place) => judgeImage(planned, place))
  const verdicts = judged.flatMap((each) => ('passedOver' in each ? [] : each.verdict))
  // That the rule passes over the resource is said once, not of each image.
  const passed = judged.find((each) => 'passedOver' in each)
  if (passed === undefined) return verdicts
  return [...verdicts, verdictOf(context, { verdict: 'skipped', message: passed.passedOver })]
}

type Judged = { readonly verdict: RuleVerdict | readonly [] } | { readonly passedOver: string }

async function judgeImage(context: PlannedContext, place: ImageOccurrence | ImagePlace): Promise<Judged> {
  const { matched, rule, session } = context
  const read = session.images.read(place)
  if ('error' in read) {
    matched.add(place.pointer)
    return { verdict: refused(context, { occurrence: unreadable(place) }, { kind: 'error', error: read.error }) }
  }
  const { occurrence } = read
  try {
    // A policy may be about a digest, so what a tag stands for decides whether it is selected.
    const selected = await select(context, occurrence)
    if (selected === 'not selected') return { verdict: [] }
    if (selected === 'selected') return await judgeSelected(context, occurrence)
    matched.add(place.pointer)
    const message = rule.wording.skipped?.(occurrence)
    const told = message === undefined ? {} : { message, warnings: [rule.wording.warned?.(message) ?? message] }
    return { verdict: verdictOf(context, { occurrence, verdict: 'skipped', ...told }) }
  } catch (error) {
    matched.add(place.pointer)
    return { verdict: refused(context, { occurrence }, { kind: 'error', error: asProblem(error) }) }
  }
}

async function judgeSelected(context: PlannedContext, occurrence: ImageOccurrence): Promise<Judged> {
  const { matched, rule, session, request } = context
  let plan: RulePlan
  try {
    plan = await context.plan()
  } catch (error) {
    matched.add(occurrence.pointer)
    return { verdict: refused(context, { occurrence }, { kind: 'plan', error: asProblem(error) }) }
  }
  if (!plan.applies) return { passedOver: plan.why }
  matched.add(occurrence.pointer)
  const pinned = await session.resolve(occurrence.image)
  const place = { occurrence, pinned, demand: plan.demand }
  if (rule.digests.verify && request.digestsMustStand && occurrence.image.reference.kind !== 'digest')
    return { verdict: refused(context, place, { kind: 'digest-missing' }) }
  return { verdict: await judgePinned(context, { plan, ...place }) }
}

/** Names are tried before the digest is known: an image that no policy is about need not exist. */
async function select({ rule, session }: ImageContext, { image }: ImageOccurrence): Promise<Selected> {
  const byName = selectImage(rule.images, session.images.forms(image))
  if (byName !== 'not selected' || image.reference.kind === 'digest') return byName
  const aboutDigests = rule.images.include.some(mayNameDigest)
  return aboutDigests ? selectImage(rule.images, new ImageForms(image, await session.resolve(image))) : byName
}

function mayNameDigest(selector: ImageRule['images']['include'][number]): boolean {
  if (selector.kind === 'expression') return true
  return (selector.kind === 'cip-glob' ? selector.glob : selector.pattern).includes('@')
}

interface PlannedImage {
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage
  readonly demand: Demand | undefined
  readonly plan: AppliedPlan
}

async function judgePinned(context: ImageContext, place: PlannedImage): Promise<RuleVerdict> {
  const { rule, session, request } = context
  const { occurrence, pinned, demand, plan } = place
  const { review } = request
  const { conclusion } = plan
  const outcome =
    demand === undefined ? undefined : await evaluateDemand(demand, { session, occurrence, pinned, review })
  if (outcome?.met === false) return refused(context, place, { kind: 'demand', outcome })
  // Neither a digest that was looked up nor a condition that holds has verified anything.
  if (outcome === undefined && rule.digests.required) return refused(context, place, { kind: 'unverified' })
  const warnings = outcome === undefined ? [] : outcomeWarnings(outcome)
  if (conclusion === undefined) return verdictOf(context, { verdict: 'admitted', outcome, warnings, ...place })
  try {
    const input = {
      occurrence,
      pinned,
      review,
      outcome: outcome ?? NO_DEMAND,
      configs: () => session.configs(pinned),
    }
    const judged = await session.waiting.for('the policy on the image', async () =>
      conclusion.judge(input, session.waiting.signal),
    )
    const all = [...warnings, ...judged.warnings]
    return verdictOf(context, { verdict: 'admitted', outcome, warnings: all, ...place })
  } catch (error) {
    return refused(context, { ...place, outcome }, { kind: 'conclusion', error: asProblem(error) })
  }
}

const NO_DEMAND: DemandOutcome = {
  demand: { kind: 'static', name: '', action: 'pass', message: '' },
  met: true,
}

const REFUSALS = { deny: 'denied', warn: 'warned', audit: 'audited' } as const satisfies Record<Action, Verdict>

interface Refused {
  readonly occurrence: ImageOccurrence
  readonly pinned?: PinnedImage
  readonly demand?: Demand | undefined
  readonly outcome?: DemandOutcome | undefined
}

function refused(context: ImageContext, { pinned, ...place }: Refused, cause: FailureCause): RuleVerdict {
  const { rule, request } = context
  const message = rule.wording.refused({ occurrence: place.occurrence, pinned, cause })
  const outcome = cause.kind === 'demand' ? cause.outcome : place.outcome
  const verdict = REFUSALS[actionFor(rule.enforcement, request.review, cause)]
  return verdictOf(context, { ...place, pinned, verdict, message, outcome })
}

interface Told {
  readonly occurrence?: ImageOccurrence
  readonly pinned?: PinnedImage | undefined
  readonly demand?: Demand | undefined
  readonly verdict: Verdict
  readonly message?: string
  readonly outcome?: DemandOutcome | undefined
  readonly warnings?: readonly string[]
}

function verdictOf({ policy, rule, request }: ImageContext, told: Told): RuleVerdict {
  const { occurrence, pinned, demand, verdict, message = '', outcome, warnings = [] } = told
  return {
    language: policy.language,
    policy: policy.name,
    rule: rule.name,
    action: rule.enforcement.actionFor(request.review),
    digests: rule.digests,
    occurrence,
    pinned,
    verdict,
    message: verdict === 'warned' ? (rule.wording.warned?.(message) ?? message) : message,
    expected: expectedSigners(demand),
    signers: outcome === undefined ? [] : seenSigners(outcome),
    warnings,
    outcome,
  }
}

function unreadable(place: ImageOccurrence | ImagePlace): ImageOccurrence {
  if ('image' in place) return place
  const { value, ...rest } = place
  const text = typeof value === 'string' ? value.slice(0, 200) : JSON.stringify(value).slice(0, 200)
  return { ...rest, image: { text, reference: { kind: 'tag', registry: '', repository: '', tag: '' } } }
}
