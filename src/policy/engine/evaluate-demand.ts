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
  SignatureOutcome,
} from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Review } from '../internal/review.js'
import { judgeCandidate } from './candidate.js'
import type { CandidateAttachment } from './ports.js'
import type { Session } from './session.js'
import { sideBySide } from './side-by-side.js'
import type { AcceptedCandidate, Judged, VerificationSubject } from './verification-memory.js'
import type { Waiting } from './waiting.js'

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
  const of = await sideBySide(demand.of, (each) => evaluateDemand(each, subject))
  const met = of.filter((outcome) => outcome.met).length
  // "None of nothing" would be met by everything: an attestor set without entries, a count of zero.
  return { demand, of, met: demand.required >= 1 && met >= demand.required }
}

/** Everything that is attached and could be of the attestor, verified; or what was found about it before. */
async function judgeAll(
  attestor: Attestor,
  { session, pinned }: ImageSubject,
  predicateType: string | undefined,
): Promise<Judged> {
  const kind = predicateType === undefined ? 'signature' : 'attestation'
  const pending = session.ready(attestor)
  // Where nothing is remembered it is certain that they are needed: they are fetched while trust and key are.
  if (!session.remembers)
    await Promise.all([pending, session.attachments({ pinned, kind, predicateType, source: attestor.source })])
  const ready = await pending
  const judged = await session.judged({ pinned, ready, predicateType }, (waiting) =>
    verifyAll({ session, pinned, ready, predicateType, waiting }),
  )
  // What is remembered may have been asked for by another policy under another name.
  if (judged.accepted.every(({ signature }) => signature.attestor === attestor)) return judged
  const accepted = judged.accepted.map((each) => ({ ...each, signature: { ...each.signature, attestor } }))
  return { ...judged, accepted }
}

interface Verifying extends ImageSubject, VerificationSubject {
  readonly waiting: Waiting
}

async function verifyAll({ session, pinned, ready, predicateType, waiting }: Verifying): Promise<Judged> {
  const { source } = ready.attestor
  const kind = predicateType === undefined ? 'signature' : 'attestation'
  const found = await session.attachments({ pinned, kind, predicateType, source }, waiting)
  const candidates = found.attachments.filter((candidate) => isOfFormat(candidate, source.format))
  const outcomes = await Promise.all(
    candidates.map(async (candidate) => ({
      candidate,
      outcome: await judgeCandidate(ready, candidate, { pinned, predicateType, now: session.now }),
    })),
  )
  const unreadable = found.unreadable.map(({ error }) => error)
  return {
    accepted: outcomes.flatMap(({ candidate, outcome }) => {
      if (!('accepted' in outcome)) return []
      // Of a signature on an image nobody asks what else it says.
      const statement = predicateType === undefined ? undefined : statementBytes(candidate)
      return [{ signature: outcome.accepted, statement }]
    }),
    rejected: [
      ...outcomes.flatMap(({ outcome }) => ('rejected' in outcome ? [outcome.rejected] : [])),
      ...unreadable.map((error) => ({ error, seen: undefined })),
    ],
    unfetched: unreadable.filter(isOfTheNetwork),
    otherTypes: found.passedOver,
  }
}

function statementBytes({ entity: { content } }: CandidateAttachment): Uint8Array | undefined {
  return content.kind === 'dsse' ? content.envelope.payload : undefined
}

/** Says something of the way to the registry, and nothing of the image. */
function isOfTheNetwork({ code }: CodedError): boolean {
  return code.startsWith('HTTP_') || code.startsWith('REGISTRY_')
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
      judged.accepted.map(async (accepted) => ({
        signature: accepted.signature,
        ...(await judgePredicate(demand, subject, accepted)),
      })),
    )
    const satisfying = verdicts.filter(({ problem }) => problem === undefined)
    // Where every statement counts, one that could not be fetched may be the one that says no.
    const unknown = demand.statements === 'all' ? judged.unfetched[0] : undefined
    const refused = verdicts.find((verdict) => verdict.problem !== undefined)?.problem
    const problem = refused ?? (unknown === undefined ? undefined : asProblem(unknown))
    const all = satisfying.length === verdicts.length && unknown === undefined
    const met = satisfying.length > 0 && (demand.statements === 'any' || all)
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
  { signature, statement: payload }: AcceptedCandidate,
): Promise<PredicateVerdict> {
  const statement = verifiedStatement(signature)
  if (predicate === undefined) return { problem: undefined, warnings: [] }
  try {
    const json = statementJson(payload)
    const input = { statement, json, occurrence, pinned, review }
    const what = `the policy ${name} of ${attestor.name}`
    const { warnings } = await session.waiting.for(what, async () => predicate.judge(input, session.waiting.signal))
    return { problem: undefined, warnings }
  } catch (error) {
    return { problem: asProblem(error), warnings: [] }
  }
}

function verifiedStatement({ verified: { statement } }: AcceptedSignature): Statement {
  if (statement !== undefined) return statement
  throw new PolicyError('POLICY_PREDICATE', 'there is no statement in the attestation')
}

/** The payload whose signature was verified, as JSON. */
function statementJson(payload: Uint8Array | undefined): JsonValue {
  if (payload !== undefined) return parseJson(payload)
  throw new PolicyError('POLICY_PREDICATE', 'there is no statement in the attestation')
}

/** Whatever went wrong, it is a refusal. */
export function asProblem(error: unknown): CodedError {
  if (isCodedError(error)) return error
  return new PolicyError('POLICY_PREDICATE', 'an error that was not expected', { cause: error })
}
