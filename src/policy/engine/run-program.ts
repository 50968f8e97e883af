/** A policy that is a program: it asks for verifications itself, and what it never asked about is not verified. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import type { ImageOccurrence } from '../internal/image.js'
import type { AttestationOutcome, SignatureOutcome } from '../internal/outcome.js'
import type { ImagePlace } from '../internal/pod-images.js'
import type { ProgramImage, ProgramServices, ReviewProgram } from '../internal/policy.js'
import { asProblem, evaluateAttestation, evaluateSignature } from './evaluate-demand.js'
import type { RuleContext } from './evaluate.js'
import { seenSigners } from './explain-outcome.js'
import { readPlace } from './judge-image.js'
import { selectImage } from './select-images.js'
import type { Session } from './session.js'
import { readImageName } from './session.js'
import type { RuleVerdict } from './verdict.js'

interface ProgramContext extends RuleContext {
  readonly rule: ReviewProgram
}

/** Runs the program once over all images that it selects. */
export async function runProgram(
  context: ProgramContext,
  places: readonly (ImageOccurrence | ImagePlace)[],
): Promise<readonly RuleVerdict[]> {
  const { rule, session, request, matched } = context
  const { review } = request
  const images: ProgramImage[] = []
  const outcomes: (SignatureOutcome | AttestationOutcome)[] = []
  const checked = new Map<string, boolean>()
  try {
    for (const place of places) {
      const read = readPlace(place)
      if ('error' in read) throw read.error
      const { occurrence } = read
      const pinned = await session.resolve(occurrence.image)
      if (selectImage(rule.images, occurrence.image, pinned) !== 'selected') continue
      matched.add(place.pointer)
      images.push({ occurrence, pinned })
    }
    if (places.length > 0 && images.length === 0) return []
    const services = servicesFor({ session, images, review, note })
    const run = await session.waiting.for('the policy', () =>
      rule.run({ review, images, services }, session.waiting.signal),
    )
    const failures = [...run.failures, ...digestFailures(context, images, checked)]
    return [verdictOf(context, images, { failures, warnings: run.warnings, outcomes })].flat()
  } catch (error) {
    return verdictOf(context, images, { failures: [asProblem(error).message], warnings: [], outcomes })
  }

  function note(image: string, outcome: SignatureOutcome | AttestationOutcome): void {
    outcomes.push(outcome)
    checked.set(image, outcome.met || checked.get(image) === true)
  }
}

/** `verifyDigest` and `required` are held to, which the original began with only in 1.19. */
function digestFailures(
  { rule, request }: ProgramContext,
  images: readonly ProgramImage[],
  checked: ReadonlyMap<string, boolean>,
): readonly string[] {
  return images.flatMap(({ occurrence: { image } }) => {
    if (rule.digests.verify && request.digestsMustStand && image.reference.kind !== 'digest')
      return [`image ${image.text} does not have a digest`]
    if (!rule.digests.required) return []
    const verified = checked.get(image.text)
    if (verified === undefined)
      return [`image ${image.text} is not verified: no policy performed a signature or attestation check on it`]
    return verified ? [] : [`image ${image.text} failed signature or attestation verification`]
  })
}

interface Told {
  readonly failures: readonly string[]
  readonly warnings: readonly string[]
  readonly outcomes: readonly (SignatureOutcome | AttestationOutcome)[]
}

function verdictOf(
  { policy, rule, request }: ProgramContext,
  images: readonly ProgramImage[],
  { failures, warnings, outcomes }: Told,
): readonly RuleVerdict[] {
  const action = rule.enforcement.actionFor(request.review)
  const refusal = ({ deny: 'denied', warn: 'warned', audit: 'audited' } as const)[action]
  const failed = failures.length > 0
  const told = {
    language: policy.language,
    policy: policy.name,
    rule: rule.name,
    action,
    digests: rule.digests,
    verdict: failed ? refusal : ('admitted' as const),
    message: failed ? `Policy ${policy.name} failed: ${failures.join('; ')}` : '',
    expected: [],
    signers: outcomes.flatMap(seenSigners),
    warnings,
    outcome: undefined,
  }
  // The refusal is said once; what is admitted is said of each image, since each may be pinned.
  if (failed || images.length === 0) return [{ ...told, occurrence: images[0]?.occurrence, pinned: images[0]?.pinned }]
  return images.map(({ occurrence, pinned }, index) => ({
    ...told,
    warnings: index === 0 ? warnings : [],
    occurrence,
    pinned,
  }))
}

interface ServiceContext {
  readonly session: Session
  readonly images: readonly ProgramImage[]
  readonly review: RuleContext['request']['review']
  readonly note: (image: string, outcome: SignatureOutcome | AttestationOutcome) => void
}

function servicesFor({ session, images, review, note }: ServiceContext): ProgramServices {
  const imageOf = async (text: string): Promise<ProgramImage> => {
    const known = images.find(({ occurrence: { image } }) => image.text === text)
    if (known !== undefined) return known
    const image = readImageName(text)
    const occurrence = { group: '', name: text, path: '', pointer: '', image }
    return { occurrence, pinned: await session.resolve(image) }
  }
  const { cluster, clock } = session.circumstances
  return {
    cluster,
    clock,
    signature: async (text, attestor) => {
      const { pinned } = await imageOf(text)
      const outcome = await evaluateSignature({ kind: 'signature', attestor }, { session, pinned })
      note(text, outcome)
      return outcome
    },
    attestation: async (text, ask, attestor) => {
      const { pinned, occurrence } = await imageOf(text)
      const demand = { kind: 'attestation', ...ask, attestor, statements: 'any' } as const
      const outcome = await evaluateAttestation(demand, { session, pinned, occurrence, review })
      note(text, outcome)
      return outcome
    },
    imageData: async (text) => imageData(session, await imageOf(text)),
  }
}

/** What Kyverno calls image data. */
export async function imageData(session: Session, { occurrence, pinned }: ProgramImage): Promise<JsonValue> {
  const { reference, text } = occurrence.image
  const { registry, repository } = pinned.repository
  const [manifest, configs] = await Promise.all([session.manifest(pinned), session.configs(pinned)])
  const configData = configs.get('linux/amd64') ?? [...configs.values()][0] ?? {}
  return {
    image: text,
    resolvedImage: `${registry}/${repository}@${pinned.digest}`,
    registry,
    repository,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
    digest: pinned.digest,
    identifier: reference.tag ?? pinned.digest,
    manifest: isJsonObject(manifest) ? manifest : {},
    configData,
  }
}
