/** From a request of the API server to the answer: read, judged within its time, told. @module */
import type { Timers } from '#clients/http/fetch'
import { isCodedError } from '#errors'
import { denialMessage } from '#policy/denial'
import { evaluate } from '#policy/engine/evaluate'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import type { PolicyFamily } from '#policy/front-ends'
import { POLICY_FAMILIES } from '#policy/front-ends'
import type { Deadline } from '#policy/internal/deadline'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { DeclaredPlaces, Review } from '#policy/internal/review'
import { ReviewImages } from '#policy/internal/review-images'
import type { Snapshot } from '../snapshot/snapshot.js'
import type { CacheAnswer } from '../verification/verification-cache.js'
import { AdmissionError } from './admission-error.js'
import type { AdmissionErrorCode } from './admission-error.js'
import { withDeadline } from './deadline.js'
import type { Caller } from './deadline.js'
import type { Decision, DenialStatus } from './decision.js'
import { explainDenial } from './explain-denial.js'
import { digestsMustStand, pinPatch } from './pinning.js'
import type { PatchOperation, PinKinds } from './pinning.js'
import { readReview } from './read-review.js'
import type { AdmissionRequest } from './read-review.js'

/** Which of the two webhooks asks. */
export type Phase = 'mutating' | 'validating'

/** One call of a webhook. */
export interface AdmissionCall {
  readonly body: Uint8Array
  readonly phase: Phase
  /** Whose policies are asked; undefined: everybody's. */
  readonly family: PolicyFamily | undefined
  readonly millis: number
  readonly caller: Caller
}

/** Told how each verification of a review was answered. */
export type OnVerification = (answer: CacheAnswer) => void

export interface AdmissionOptions {
  /** Undefined until the first state is loaded. */
  readonly snapshot: () => Snapshot | undefined
  readonly portsFor: (review: Review, onVerification: OnVerification) => EnginePorts
  readonly pins: PinKinds
  /** Where kinds that are not Kubernetes' own name images. */
  readonly declared: (review: Review) => DeclaredPlaces | undefined
  readonly timers: Timers
  /** Told of what should not have happened. */
  readonly onFault: (error: unknown) => void
}

/** A decision with what led to it. */
export interface Decided {
  readonly decision: Decision
  readonly phase: Phase
  /** Whose policies were asked; undefined: everybody's. */
  readonly family: PolicyFamily | undefined
  /** Undefined where the request could not be read. */
  readonly request: AdmissionRequest | undefined
  /** Undefined where nothing was judged. */
  readonly verdict: ReviewVerdict | undefined
  /** By which state of the policies. */
  readonly generation: number
  /** Something had to be verified, or was being verified, that was not remembered. */
  readonly cold: boolean
}

export type Admission = (call: AdmissionCall) => Promise<Decided>

/** It does not throw: what goes wrong is a denial. */
export function createAdmission(options: AdmissionOptions): Admission {
  return async (call) => {
    const read = readReview(call.body)
    const refused = { uid: read.uid, phase: call.phase, family: call.family }
    if ('error' in read) return refuse(read.error, refused)
    const snapshot = options.snapshot()
    if (snapshot === undefined) return refuse(notReady(), refused)
    try {
      return await decideOn(read, { snapshot, call, options })
    } catch (error) {
      options.onFault(error)
      return refuse(asAdmissionError(error), refused)
    }
  }
}

interface Deciding {
  readonly snapshot: Snapshot
  readonly call: AdmissionCall
  readonly options: AdmissionOptions
}

async function decideOn(read: AdmissionRequest, { snapshot, call, options }: Deciding): Promise<Decided> {
  const { phase, family } = call
  const request = withSurroundings(read, snapshot, options)
  let cold = false
  const ports = options.portsFor(request.review, (answer) => {
    cold ||= answer !== 'hit'
  })
  const verdict = await withDeadline(
    { millis: call.millis, caller: call.caller, timers: options.timers },
    async (deadline) => judge({ request, snapshot, call, deadline, ports }, options),
  )
  const patch = phase === 'mutating' ? pinPatch(request.review, verdict.pins, options.pins) : []
  const { generation } = snapshot
  return { decision: decide(request, verdict, patch), phase, family, request, verdict, generation, cold }
}

/** The answer to a call that cannot be judged. */
export function refuse(
  error: AdmissionError,
  { uid, ...hook }: Pick<AdmissionCall, 'phase' | 'family'> & { readonly uid: string },
): Decided {
  const { message, expected, found } = error
  const parts = [
    message,
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(found === undefined ? [] : [`found ${found}`]),
  ]
  const denial = { ...STATUSES[error.code], message: parts.join('; ') }
  return {
    decision: { uid, denial, warnings: [], auditAnnotations: { verdict: 'denied' }, patch: [] },
    ...hook,
    request: undefined,
    verdict: undefined,
    generation: 0,
    cold: false,
  }
}

const STATUSES: Readonly<Record<AdmissionErrorCode, Omit<DenialStatus, 'message'>>> = {
  ADMISSION_JSON: { code: 400, reason: 'BadRequest' },
  ADMISSION_VERSION: { code: 400, reason: 'BadRequest' },
  ADMISSION_FIELD: { code: 400, reason: 'BadRequest' },
  ADMISSION_BODY: { code: 400, reason: 'BadRequest' },
  ADMISSION_OVERLOADED: { code: 429, reason: 'TooManyRequests' },
  ADMISSION_NOT_READY: { code: 503, reason: 'ServiceUnavailable' },
  ADMISSION_FAULT: { code: 500, reason: 'InternalError' },
}

function withSurroundings(request: AdmissionRequest, snapshot: Snapshot, options: AdmissionOptions): AdmissionRequest {
  const { review } = request
  const declared = options.declared(review)
  const namespaceObject = review.namespace === undefined ? undefined : snapshot.namespace(review.namespace)
  const inNamespace = namespaceObject === undefined ? review : { namespaceObject, ...review }
  const whole = declared === undefined ? inNamespace : { declared, ...inNamespace }
  return whole === review ? request : { ...request, review: whole }
}

interface Judging {
  readonly request: AdmissionRequest
  readonly snapshot: Snapshot
  readonly call: AdmissionCall
  readonly deadline: Deadline
  readonly ports: EnginePorts
}

async function judge(
  { request: { review }, snapshot, call, deadline, ports }: Judging,
  options: AdmissionOptions,
): Promise<ReviewVerdict> {
  const families = call.family === undefined ? POLICY_FAMILIES : [call.family]
  const images = new ReviewImages(review)
  return await evaluate({
    policies: families.flatMap(
      (family): readonly CompiledPolicy[] => snapshot.policies.get(family)?.candidates(images) ?? [],
    ),
    images,
    exceptions: snapshot.exceptions,
    review,
    ports,
    deadline,
    digestsMustStand: call.phase === 'validating' && digestsMustStand(review, options.pins),
    unmatched: unmatchedFor(call.family, snapshot),
  })
}

/** A family that has no policies has no opinion, unless its own webhook was called. */
function unmatchedFor(family: PolicyFamily | undefined, { unmatched, policies }: Snapshot): 'deny' | 'warn' | 'allow' {
  if (family !== undefined) return unmatched.get(family) ?? 'deny'
  const opinions = POLICY_FAMILIES.filter((each) => (policies.get(each)?.all.length ?? 0) > 0).map((each) =>
    unmatched.get(each),
  )
  return (['deny', 'warn'] as const).find((opinion) => opinions.includes(opinion)) ?? 'allow'
}

function decide({ uid, review }: AdmissionRequest, verdict: ReviewVerdict, patch: readonly PatchOperation[]): Decision {
  const { allowed, rules, warnings } = verdict
  const more = allowed ? '' : explainDenial(rules)
  const message = [denialMessage(review, verdict), ...(more === '' ? [] : [more])].join('\n')
  return {
    uid,
    denial: allowed ? undefined : { code: 400, reason: 'BadRequest', message },
    warnings,
    auditAnnotations: auditAnnotations(verdict),
    patch: allowed ? patch : [],
  }
}

/** What the API server's own audit log should say about the decision. */
function auditAnnotations({ allowed, rules, unmatched }: ReviewVerdict): Readonly<Record<string, string>> {
  const policies = [
    ...new Set(rules.map(({ policy, rule, verdict }) => `${rule === '' ? policy : `${policy}/${rule}`}=${verdict}`)),
  ]
  const digests = rules.flatMap(({ pinned }) =>
    pinned === undefined ? [] : [`${pinned.repository.registry}/${pinned.repository.repository}@${pinned.digest}`],
  )
  return {
    verdict: allowed ? 'allowed' : 'denied',
    ...(policies.length > 0 && { policies: policies.join(',') }),
    ...(digests.length > 0 && { images: [...new Set(digests)].join(',') }),
    ...(unmatched.length > 0 && { unmatched: String(unmatched.length) }),
  }
}

function notReady(): AdmissionError {
  return new AdmissionError('ADMISSION_NOT_READY', 'the policies are not loaded yet; try again')
}

/** Whatever else goes wrong is a refusal, too. */
export function asAdmissionError(error: unknown): AdmissionError {
  if (error instanceof AdmissionError) return error
  const known = isCodedError(error) ? `: ${error.message}` : ''
  return new AdmissionError('ADMISSION_FAULT', `the request could not be judged${known}`, { cause: error })
}
