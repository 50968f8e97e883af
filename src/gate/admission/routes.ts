/** The webhooks' endpoints. Every answer is a verdict with status 200: what cannot be judged is denied, in a form that is read. @module */
import { POLICY_FAMILIES } from '#policy/front-ends'
import { json } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { asAdmissionError, refuse } from './admission.js'
import type { Admission, AdmissionCall, Decided, Phase } from './admission.js'
import { budgetMillis } from './deadline.js'
import { answerOf } from './decision.js'
import type { Decision } from './decision.js'
import type { InFlight } from './in-flight.js'
import { readBody } from './read-body.js'

/** Where policies themselves are checked; policy-controller's path as well. */
export const POLICY_PATH = '/validating'

/** policy-controller's paths, below each of which a family of policies has its own. */
export const PATHS: Readonly<Record<Phase, string>> = { mutating: '/mutations', validating: '/validations' }

export interface AdmissionRouteOptions {
  readonly admission: Admission
  /** The decision on a policy. */
  readonly policyAdmission: (body: Uint8Array) => Promise<Decision>
  readonly inFlight: InFlight
  /** Told of every decision and how long it took, after it was made and before it is sent. Must not throw. */
  readonly onDecided: (decided: Decided, seconds: number) => void
  /** Milliseconds from any fixed point, never going back. */
  readonly elapsed: () => number
  /** Told of what should not have happened. */
  readonly onFault: (error: unknown) => void
}

export function admissionRoutes(options: AdmissionRouteOptions): readonly Route[] {
  const hooks = (['mutating', 'validating'] as const).flatMap((phase) =>
    [undefined, ...POLICY_FAMILIES].map((family) =>
      route('POST', family === undefined ? PATHS[phase] : `${PATHS[phase]}/${family}`, (request) =>
        answer(request, { phase, family }, options),
      ),
    ),
  )
  return [...hooks, route('POST', POLICY_PATH, (request) => answerPolicy(request, options))]
}

async function answerPolicy(
  request: Request,
  { policyAdmission, inFlight, onFault }: AdmissionRouteOptions,
): Promise<Response> {
  try {
    const decision = await inFlight.withRequest(async (allowance) =>
      policyAdmission(await readBody(request, allowance)),
    )
    return json(200, answerOf(decision))
  } catch (error) {
    const refusal = asAdmissionError(error)
    if (refusal.code === 'ADMISSION_FAULT') onFault(error)
    return json(200, answerOf(refuse(refusal, { uid: '', phase: 'validating', family: undefined }).decision))
  }
}

async function answer(
  request: Request,
  hook: Pick<AdmissionCall, 'phase' | 'family'>,
  { admission, inFlight, onDecided, elapsed, onFault }: AdmissionRouteOptions,
): Promise<Response> {
  const start = elapsed()
  const millis = budgetMillis(queryOf(request).get('timeout'))
  let decided: Decided
  try {
    decided = await inFlight.withRequest(async (allowance) => {
      const body = await readBody(request, allowance)
      return await admission({ body, millis, caller: request, ...hook })
    })
  } catch (error) {
    const refusal = asAdmissionError(error)
    if (refusal.code === 'ADMISSION_FAULT') onFault(error)
    decided = refuse(refusal, { uid: '', ...hook })
  }
  onDecided(decided, (elapsed() - start) / 1000)
  return json(200, answerOf(decided.decision))
}
