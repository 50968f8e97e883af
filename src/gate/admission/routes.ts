/** The webhooks' endpoints. Every answer is a verdict with status 200: what cannot be judged is denied, in a form that is read. @module */
import { POLICY_FAMILIES } from '#policy/front-ends'
import { json } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { asAdmissionError, refuse } from './admission.js'
import type { Admission, AdmissionCall, Decided, Phase } from './admission.js'
import { budgetMillis } from './deadline.js'
import { answerOf } from './decision.js'
import type { InFlight } from './in-flight.js'
import { readBody } from './read-body.js'

/** policy-controller's paths, below each of which a family of policies has its own. */
export const PATHS: Readonly<Record<Phase, string>> = { mutating: '/mutations', validating: '/validations' }

export interface AdmissionRouteOptions {
  readonly admission: Admission
  readonly inFlight: InFlight
  /** Told of every decision, after it was made and before it is sent. */
  readonly onDecided: (decided: Decided) => void
  /** Told of what should not have happened. */
  readonly onFault: (error: unknown) => void
}

export function admissionRoutes(options: AdmissionRouteOptions): readonly Route[] {
  return (['mutating', 'validating'] as const).flatMap((phase) =>
    [undefined, ...POLICY_FAMILIES].map((family) =>
      route('POST', family === undefined ? PATHS[phase] : `${PATHS[phase]}/${family}`, (request) =>
        answer(request, { phase, family }, options),
      ),
    ),
  )
}

async function answer(
  request: Request,
  hook: Pick<AdmissionCall, 'phase' | 'family'>,
  { admission, inFlight, onDecided, onFault }: AdmissionRouteOptions,
): Promise<Response> {
  const millis = budgetMillis(queryOf(request).get('timeout'))
  let decided: Decided
  try {
    decided = await inFlight.withRequest(async (allowance) => {
      const body = await readBody(request, allowance)
      return await admission({ ...hook, body, millis, gone: request.signal })
    })
  } catch (error) {
    const refusal = asAdmissionError(error)
    if (refusal.code === 'ADMISSION_FAULT') onFault(error)
    decided = refuse(refusal, { uid: '', phase: hook.phase })
  }
  onDecided(decided)
  return json(200, answerOf(decided.decision))
}
