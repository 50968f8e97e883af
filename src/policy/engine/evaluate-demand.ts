/** A demand against one image. Nothing is met by what was not verified. @module */
import { isCodedError } from '#errors'
import type { CodedError } from '#errors'
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import type { Statement } from '#formats/in-toto/statement'
import type { Attestor } from '../internal/attestor.js'
import type { AttestationDemand, CountDemand, Demand, SignatureDemand } from '../internal/demand.js'
import type { ImageOccurrence, PinnedImage } from '../internal/image.js'
import type {
  AcceptedSignature,
  AttestationOutcome,
  CountOutcome,
  DemandOutcome,
  RejectedSignature,
  SignatureOutcome,
} from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Review } from '../internal/review.js'
import { judgeCandidate } from './candidate.js'
import type { CandidateAttachment } from './ports.js'
import type { Session } from './session.js'

/** The image. */
export interface ImageSubject {
  readonly session: Session
  readonly pinned: PinnedImage
}

/** The image and where it stands. */
export interface Subject extends ImageSubject {
  readonly occurrence: ImageOccurrence
  readonly review: Review
}

export async function evaluateDemand(demand: Demand, subject: Subject): Promise<DemandOutcome> {
  if (demand.kind === 'signature') return evaluateSignature(demand, subject)
  if (demand.kind === 'attestation') return evaluateAttestation(demand, subject)
  if (demand.kind === 'static') return { demand, met: demand.action === 'pass' }
  return evaluateCount(demand, subject)
}

async function evaluateCount(demand: CountDemand, subject: Subject): Promise<CountOutcome> {
  const of = await Promise.all(demand.of.map((each) => evaluateDemand(each, subject)))
  const met = of.filter((outcome) => outcome.met).length
  // "None of nothing" would be met by everything: an attestor set without entries, a count of zero.
  return { demand, of, met: demand.required >= 1 && met >= demand.required }
}

interface Judged {
  readonly accepted: readonly { readonly signature: AcceptedSignature; readonly candidate: CandidateAttachment }[]
  readonly rejected: readonly RejectedSignature[]
  readonly otherTypes: readonly string[]
}

async function judgeAll(
  attestor: Attestor,
  { session, pinned }: ImageSubject,
  predicateType: string | undefined,
): Promise<Judged> {
  const kind = predicateType === undefined ? 'signature' : 'attestation'
  const [ready, found] = await Promise.all([
    session.ready(attestor),
    session.attachments({ pinned, kind, predicateType, source: attestor.source }),
  ])
  const candidates = found.attachments.filter((candidate) => isOfFormat(candidate, attestor.source.format))
  const outcomes = await Promise.all(
    candidates.map(async (candidate) => ({
      candidate,
      outcome: await judgeCandidate(ready, candidate, { pinned, predicateType }),
    })),
  )
  return {
    accepted: outcomes.flatMap(({ candidate, outcome }) =>
      'accepted' in outcome ? [{ signature: outcome.accepted, candidate }] : [],
    ),
    rejected: [
      ...outcomes.flatMap(({ outcome }) => ('rejected' in outcome ? [outcome.rejected] : [])),
      ...found.unreadable.map(({ error }) => ({ error, seen: undefined })),
    ],
    otherTypes: found.passedOver,
  }
}

function isOfFormat({ origin, payload }: CandidateAttachment, format: Attestor['source']['format']): boolean {
  if (format === 'any') return true
  const bundle = origin.layout === 'referrer' && payload === undefined
  return bundle === (format === 'bundle')
}

const NOTHING: Pick<SignatureOutcome, 'accepted' | 'rejected' | 'otherTypes' | 'warnings'> = {
  accepted: [],
  rejected: [],
  otherTypes: [],
  warnings: [],
}

export async function evaluateSignature(demand: SignatureDemand, subject: ImageSubject): Promise<SignatureOutcome> {
  try {
    const judged = await judgeAll(demand.attestor, subject, undefined)
    const accepted = judged.accepted.map(({ signature }) => signature)
    const { rejected } = judged
    return { demand, met: accepted.length > 0, accepted, rejected, problem: undefined, otherTypes: [], warnings: [] }
  } catch (error) {
    return { ...NOTHING, demand, met: false, problem: asProblem(error) }
  }
}

export async function evaluateAttestation(demand: AttestationDemand, subject: Subject): Promise<AttestationOutcome> {
  try {
    const judged = await judgeAll(demand.attestor, subject, demand.predicateType)
    const verdicts = await Promise.all(
      judged.accepted.map(async ({ signature, candidate }) => ({
        signature,
        ...(await judgePredicate(demand, subject, { signature, candidate })),
      })),
    )
    const satisfying = verdicts.filter(({ problem }) => problem === undefined)
    const problem = verdicts.find((verdict) => verdict.problem !== undefined)?.problem
    const met = satisfying.length > 0 && (demand.statements === 'any' || satisfying.length === verdicts.length)
    return {
      demand,
      met,
      accepted: satisfying.map(({ signature }) => signature),
      rejected: judged.rejected,
      problem: met ? undefined : problem,
      otherTypes: judged.otherTypes,
      warnings: satisfying.flatMap(({ warnings }) => warnings),
    }
  } catch (error) {
    return { ...NOTHING, demand, met: false, problem: asProblem(error) }
  }
}

interface PredicateVerdict {
  readonly problem: CodedError | undefined
  readonly warnings: readonly string[]
}

async function judgePredicate(
  { predicate, attestor, name }: AttestationDemand,
  { session, occurrence, pinned, review }: Subject,
  { signature, candidate }: Judged['accepted'][number],
): Promise<PredicateVerdict> {
  const statement = verifiedStatement(signature)
  if (predicate === undefined) return { problem: undefined, warnings: [] }
  try {
    const json = statementJson(candidate)
    const input = { statement, json, occurrence, pinned, review }
    const what = `the policy ${name} of ${attestor.name}`
    const { warnings } = await session.waiting.for(what, async () => predicate.judge(input, session.waiting.signal))
    return { problem: undefined, warnings }
  } catch (error) {
    return { problem: asProblem(error), warnings: [] }
  }
}

function verifiedStatement({ verification: { content } }: AcceptedSignature): Statement {
  if (content.kind === 'statement') return content.statement
  throw new PolicyError('POLICY_PREDICATE', 'there is no statement in the attestation')
}

/** The payload whose signature was verified, as JSON. */
function statementJson({ entity }: CandidateAttachment): JsonValue {
  if (entity.content.kind === 'dsse') return parseJson(entity.content.envelope.payload)
  throw new PolicyError('POLICY_PREDICATE', 'there is no statement in the attestation')
}

/** Whatever went wrong, it is a refusal. */
export function asProblem(error: unknown): CodedError {
  if (isCodedError(error)) return error
  return new PolicyError('POLICY_PREDICATE', 'an error that was not expected', { cause: error })
}
