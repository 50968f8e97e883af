/**
 * Policies that are programs. They are run together: digests that one writes in are seen by all, and what one verified is verified
 * for all.
 *
 * @module
 */
import type { AttestationOutcome, SignatureOutcome } from '../internal/outcome.js'
import type { CompiledPolicy, ProgramFailure, ProgramImage, ProgramOutcome, ReviewProgram } from '../internal/policy.js'
import { ReviewImages } from '../internal/review-images.js'
import type { Review } from '../internal/review.js'
import { asProblem } from './evaluate-demand.js'
import type { EvaluationRequest, RuleContext } from './evaluate.js'
import { expectedSigners, seenSigners } from './explain-outcome.js'
import { pinnedText, withPins } from './pins.js'
import { pinnedName } from './ports.js'
import { programPlaces, selectedImages } from './program-images.js'
import type { SelectedImage } from './program-images.js'
import { Evidence, servicesFor } from './program-services.js'
import type { Pin, RuleVerdict } from './verdict.js'

export interface ProgramContext extends RuleContext {
  readonly rule: ReviewProgram
}

export interface ProgramsVerdict {
  readonly verdicts: readonly RuleVerdict[]
  /** Digests of everything that was selected, whatever became of it otherwise. */
  readonly pins: readonly Pin[]
}

/** What programs say of a resource that they are all about. */
export async function runPrograms(
  contexts: readonly ProgramContext[],
  request: EvaluationRequest,
): Promise<ProgramsVerdict> {
  const first = await Promise.all(contexts.map((context) => findImages(context, context.session.images)))
  const pins = request.digestsMustStand ? [] : first.flatMap(pinsOf)
  const review = withPins(request.review, pins)
  const found = pins.length === 0 ? first : await findAgain(first, new ReviewImages(review))
  const evidence = new Evidence()
  const run = await Promise.all(found.map((each) => runOne(each, { review, evidence })))
  // Only now is it known what nobody asked about.
  return { verdicts: run.flatMap((each) => verdictsOf(each, first, evidence)), pins }
}

interface Found {
  readonly context: ProgramContext
  readonly images: readonly SelectedImage[]
  readonly error: Error | undefined
}

async function findImages(context: ProgramContext, inReview: ReviewImages): Promise<Found> {
  const { rule, session, matched } = context
  try {
    const images = await session.waiting.for('the images of the resource', async () =>
      selectedImages(rule, await programPlaces(rule, inReview, session), session),
    )
    for (const { occurrence } of images) matched.add(occurrence.pointer)
    return { context, images, error: undefined }
  } catch (error) {
    return { context, images: [], error: asProblem(error) }
  }
}

/** With digests written in, other images may be selected, and names read differently. */
function findAgain(first: readonly Found[], inReview: ReviewImages): Promise<readonly Found[]> {
  return Promise.all(
    first.map(async (found) => (found.error === undefined ? await findImages(found.context, inReview) : found)),
  )
}

function pinsOf({ context: { rule }, images }: Found): readonly Pin[] {
  if (!rule.digests.mutate) return []
  return images.flatMap(({ occurrence: { image, pointer, path }, pinned }) => {
    if (image.reference.kind === 'digest' || pointer === '') return []
    return [{ pointer, path, from: image.text, to: pinnedText(image, pinned) }]
  })
}

interface Running {
  readonly review: Review
  readonly evidence: Evidence
}

interface Run {
  readonly context: ProgramContext
  readonly images: readonly ProgramImage[]
  readonly outcome: Omit<ProgramOutcome, 'failure'>
  readonly failure: ProgramFailure | undefined
  readonly asked: readonly (SignatureOutcome | AttestationOutcome)[]
}

const NOTHING: Run['outcome'] = { warnings: [], auditAnnotations: new Map() }

async function runOne({ context, images, error }: Found, { review, evidence }: Running): Promise<Run> {
  const { policy, rule, session } = context
  const asked: (SignatureOutcome | AttestationOutcome)[] = []
  const result = { context, images, asked, outcome: NOTHING }
  if (error !== undefined) return { failure: { kind: 'error', error }, ...result }
  const loose = images.find(({ occurrence: { image } }) => image.reference.kind !== 'digest')
  if (loose !== undefined && rule.digests.verify && !othersMayPin(context))
    return { failure: { kind: 'digest-missing', image: loose.occurrence.image.text }, ...result }
  try {
    const services = servicesFor({ policy, rule, session, review, images, evidence, outcomes: asked })
    const { failure, ...outcome } = await session.waiting.for(`the policy ${policy.name}`, () =>
      rule.run({ review, images, services }, session.waiting.signal),
    )
    return { context, images, asked, outcome, failure }
  } catch (thrown) {
    return { failure: { kind: 'error', error: asProblem(thrown) }, ...result }
  }
}

/** Whether a digest that is missing may still come, from a rule that is no program. */
function othersMayPin({ request: { digestsMustStand, policies } }: ProgramContext): boolean {
  if (digestsMustStand) return false
  return policies.some(({ rules }) => rules.some(({ kind, digests }) => kind === 'images' && digests.mutate))
}

/** `required` is held to, which the original began with only in 1.19. */
function unverifiedImage({ context: { policy, rule }, images }: Run, evidence: Evidence): ProgramFailure | undefined {
  if (!rule.digests.required) return undefined
  for (const { occurrence, pinned } of images) {
    const state = evidence.of(pinnedName(pinned), policy)
    if (state !== 'verified') return { kind: state, image: occurrence.image.text }
  }
  return undefined
}

/** What is made of a refusal by the action that follows from it. */
export const REFUSALS = { deny: 'denied', warn: 'warned', audit: 'audited' } as const

/** A refusal is said once; what is admitted is said of each image, since each may be written in by digest. */
function verdictsOf(run: Run, first: readonly Found[], evidence: Evidence): readonly RuleVerdict[] {
  const { context, outcome, asked } = run
  const { policy, rule, request } = context
  const failure = run.failure ?? unverifiedImage(run, evidence)
  const action = rule.enforcement.actionFor(request.review)
  const told = {
    language: policy.language,
    policy: policy.name,
    rule: rule.name,
    action,
    digests: rule.digests,
    verdict: failure === undefined ? ('admitted' as const) : REFUSALS[action],
    message: failure === undefined ? '' : rule.wording.refused(failure),
    ...(failure === undefined ? {} : { reported: rule.wording.reported(failure) }),
    expected: [...new Set(asked.flatMap(({ demand }) => expectedSigners(demand)))],
    signers: asked.flatMap(seenSigners),
    warnings: outcome.warnings,
    outcome: undefined,
    auditAnnotations: outcome.auditAnnotations,
  }
  // As the resource itself names them: it is there that a digest is written.
  const images = first.find((each) => each.context === context)?.images ?? []
  if (failure !== undefined || images.length === 0)
    return [{ occurrence: images[0]?.occurrence, pinned: images[0]?.pinned, ...told }]
  return images.map(({ occurrence, pinned }, index) => ({
    occurrence,
    pinned,
    ...told,
    warnings: index === 0 ? outcome.warnings : [],
  }))
}

/** The programs of policies, each with its policy. */
export function programsOf(
  policies: readonly CompiledPolicy[],
): readonly { readonly policy: CompiledPolicy; readonly rule: ReviewProgram }[] {
  return policies.flatMap((policy) =>
    policy.rules.flatMap((rule) => (rule.kind === 'program' ? [{ policy, rule }] : [])),
  )
}
