/** A line a decision, for whoever asks afterwards why. @module */
import type { Decided } from '../admission/admission.js'
import type { Log, LogFields } from './log.js'

/** Which decisions are worth a line. */
export type LoggedDecisions = 'all' | 'violations' | 'none'

const MAX_RULES = 20
const MAX_MESSAGE = 500

export function logDecision(
  log: Log,
  decided: Decided,
  { seconds, which }: { readonly seconds: number; readonly which: LoggedDecisions },
): void {
  const { decision, verdict } = decided
  const denied = decision.denial !== undefined
  const violated =
    denied || verdict?.rules.some((rule) => rule.verdict === 'warned' || rule.verdict === 'audited') === true
  if (which === 'none' || (which === 'violations' && !violated)) return
  const fields = fieldsOf(decided, seconds)
  if (denied) log.warn('denied', fields)
  else log.info(violated ? 'allowed with violations' : 'allowed', fields)
}

function fieldsOf(
  { decision, phase, family, request, verdict, generation, cold }: Decided,
  seconds: number,
): LogFields {
  const review = request?.review
  return {
    uid: decision.uid,
    phase,
    family,
    ...(review !== undefined && {
      operation: review.operation,
      kind: review.kind.kind,
      namespace: review.namespace,
      name: review.name,
    }),
    ...(request?.dryRun === true && { dryRun: true }),
    ms: Math.round(seconds * 1e5) / 100,
    cold,
    generation,
    ...(verdict === undefined
      ? { reason: decision.denial?.message.slice(0, MAX_MESSAGE) }
      : {
          rules: verdict.rules.slice(0, MAX_RULES).map((rule) => ({
            policy: rule.policy,
            ...(rule.rule !== '' && { rule: rule.rule }),
            verdict: rule.verdict,
            image: rule.occurrence?.image.text.slice(0, MAX_MESSAGE),
            digest: rule.pinned?.digest,
            ...(rule.message !== '' && { message: rule.message.slice(0, MAX_MESSAGE) }),
          })),
          ...(verdict.unmatched.length > 0 && {
            unmatched: verdict.unmatched.slice(0, MAX_RULES).map(({ image }) => image.text),
          }),
        }),
  }
}
