/** One rule on one image of a resource. @module */
import type { ImageOccurrence, PinnedImage } from '../internal/image.js'
import type { DemandOutcome } from '../internal/outcome.js'
import type { ImagePlace } from '../internal/pod-images.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Action, FailureCause, ImageRule } from '../internal/policy.js'
import { asProblem, evaluateDemand } from './evaluate-demand.js'
import type { RuleContext } from './evaluate.js'
import { expectedSigners, outcomeWarnings, seenSigners } from './explain-outcome.js'
import { selectImage } from './select-images.js'
import type { Selected } from './select-images.js'
import { readImageName } from './session.js'
import type { RuleVerdict, Verdict } from './verdict.js'

interface ImageContext extends RuleContext {
  readonly rule: ImageRule
}

/** A verdict, or none if the rule is not about the image. */
export async function judgeImage(
  context: ImageContext,
  place: ImageOccurrence | ImagePlace,
): Promise<readonly RuleVerdict[]> {
  const { rule, session, matched } = context
  const read = readPlace(place)
  if ('error' in read) {
    matched.add(place.pointer)
    return [refused(context, unreadable(place), undefined, { kind: 'error', error: read.error })]
  }
  const { occurrence } = read
  let pinned: PinnedImage | undefined
  try {
    // A policy may be about a digest, so what a tag stands for decides whether it is selected.
    const selected = await select(context, occurrence)
    if (selected === 'not selected') return []
    matched.add(place.pointer)
    if (selected === 'skipped') return [verdictOf(context, { occurrence, pinned, verdict: 'skipped' })]
    pinned = await session.resolve(occurrence.image)
  } catch (error) {
    matched.add(place.pointer)
    return [refused(context, occurrence, pinned, { kind: 'error', error: asProblem(error) })]
  }
  if (rule.digests.verify && context.request.digestsMustStand && occurrence.image.reference.kind !== 'digest')
    return [refused(context, occurrence, pinned, { kind: 'digest-missing' })]
  return [await judgePinned(context, occurrence, pinned)]
}

/** Names are tried before the digest is known: an image that no policy is about need not exist. */
async function select({ rule, session }: ImageContext, { image }: ImageOccurrence): Promise<Selected> {
  const byName = selectImage(rule.images, image, undefined)
  if (byName !== 'not selected' || image.reference.kind === 'digest') return byName
  const aboutDigests = rule.images.include.some(mayNameDigest)
  return aboutDigests ? selectImage(rule.images, image, await session.resolve(image)) : byName
}

function mayNameDigest(selector: ImageRule['images']['include'][number]): boolean {
  if (selector.kind === 'expression') return true
  return (selector.kind === 'cip-glob' ? selector.glob : selector.pattern).includes('@')
}

async function judgePinned(
  context: ImageContext,
  occurrence: ImageOccurrence,
  pinned: PinnedImage,
): Promise<RuleVerdict> {
  const { rule, session, request } = context
  const { review } = request
  const { demand, conclusion } = rule
  const outcome =
    demand === undefined ? undefined : await evaluateDemand(demand, { session, occurrence, pinned, review })
  if (outcome?.met === false) return refused(context, occurrence, pinned, { kind: 'demand', outcome })
  if (outcome === undefined && rule.digests.required && conclusion === undefined && !rule.digests.mutate)
    return refused(context, occurrence, pinned, { kind: 'unverified' })
  const warnings = outcome === undefined ? [] : outcomeWarnings(outcome)
  if (conclusion === undefined)
    return verdictOf(context, { occurrence, pinned, verdict: 'admitted', outcome, warnings })
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
    return verdictOf(context, { occurrence, pinned, verdict: 'admitted', outcome, warnings: all })
  } catch (error) {
    return refused(context, occurrence, pinned, { kind: 'conclusion', error: asProblem(error) }, outcome)
  }
}

const NO_DEMAND: DemandOutcome = {
  demand: { kind: 'static', name: '', action: 'pass', message: '' },
  met: true,
}

const REFUSALS = { deny: 'denied', warn: 'warned', audit: 'audited' } as const satisfies Record<Action, Verdict>

function refused(
  context: ImageContext,
  occurrence: ImageOccurrence,
  pinned: PinnedImage | undefined,
  cause: FailureCause,
  earlier?: DemandOutcome,
): RuleVerdict {
  const message = context.rule.wording.refused({ occurrence, pinned, cause })
  const outcome = cause.kind === 'demand' ? cause.outcome : earlier
  const action = context.rule.enforcement.actionFor(context.request.review)
  return verdictOf(context, { occurrence, pinned, verdict: REFUSALS[action], message, outcome })
}

interface Told {
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage | undefined
  readonly verdict: Verdict
  readonly message?: string
  readonly outcome?: DemandOutcome | undefined
  readonly warnings?: readonly string[]
}

function verdictOf({ policy, rule, request }: ImageContext, told: Told): RuleVerdict {
  const { occurrence, pinned, verdict, message = '', outcome, warnings = [] } = told
  return {
    language: policy.language,
    policy: policy.name,
    rule: rule.name,
    action: rule.enforcement.actionFor(request.review),
    occurrence,
    pinned,
    verdict,
    message,
    expected: expectedSigners(rule.demand),
    signers: outcome === undefined ? [] : seenSigners(outcome),
    warnings,
    outcome,
  }
}

type Read = { readonly occurrence: ImageOccurrence } | { readonly error: Error }

/** Something that stands where an image should stand and names none is refused, not passed over. */
export function readPlace(place: ImageOccurrence | ImagePlace): Read {
  if ('image' in place) return { occurrence: place }
  const { value, ...rest } = place
  if (typeof value !== 'string') {
    return { error: new PolicyError('POLICY_IMAGE', 'could not parse reference: the image is not a text') }
  }
  try {
    return { occurrence: { ...rest, image: readImageName(value) } }
  } catch (error) {
    return { error: asProblem(error) }
  }
}

function unreadable(place: ImageOccurrence | ImagePlace): ImageOccurrence {
  if ('image' in place) return place
  const { value, ...rest } = place
  const text = typeof value === 'string' ? value.slice(0, 200) : JSON.stringify(value).slice(0, 200)
  return { ...rest, image: { text, reference: { kind: 'tag', registry: '', repository: '', tag: '' } } }
}
