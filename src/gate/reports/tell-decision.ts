/** What is told of a decision besides the answer: events and reports. Of a dry run nothing is. @module */
import { isJsonObject } from '#encoding/json'
import type { RuleVerdict } from '#policy/engine/verdict'
import { familyOf, POLICY_FAMILIES } from '#policy/front-ends'
import type { Review } from '#policy/internal/review'
import type { Decided } from '../admission/admission.js'
import type { EventTarget } from './event.js'
import type { EventWriter } from './event-writer.js'
import type { ReportSubject } from './policy-report.js'
import type { ReportWriter } from './report-writer.js'

export interface TellOptions {
  readonly events: EventWriter | undefined
  readonly reports: ReportWriter | undefined
}

export function tellDecision(decided: Decided, { events, reports }: TellOptions): void {
  const { request, verdict, phase, family } = decided
  if (request === undefined || verdict === undefined || request.dryRun) return
  const { review } = request
  const allowed = decided.decision.denial === undefined
  // What the first hook lets through the second one judges again, and stores if nobody else refuses it.
  if (phase === 'mutating' && allowed) return
  events?.tell(targetOf(review), verdict.rules)
  const subject = allowed ? subjectOf(review) : undefined
  if (subject === undefined) return
  for (const each of family === undefined ? POLICY_FAMILIES : [family]) {
    const rules = verdict.rules.filter((rule: RuleVerdict) => familyOf(rule.language) === each)
    if (rules.length > 0) reports?.put({ subject, family: each, rules })
  }
}

function targetOf({ kind, name, namespace = '', object }: Review): EventTarget {
  const uid = metadataText(object, 'uid')
  return { apiVersion: versionOf(kind), kind: kind.kind, namespace, name, ...(uid !== '' && { uid }) }
}

/** Undefined where the object has no identity yet. */
function subjectOf({ kind, name, namespace, object }: Review): ReportSubject | undefined {
  const uid = metadataText(object, 'uid')
  const finalName = metadataText(object, 'name') || name
  if (uid === '' || finalName === '') return undefined
  return {
    apiVersion: versionOf(kind),
    kind: kind.kind,
    name: finalName,
    uid,
    ...(namespace !== undefined && { namespace }),
  }
}

function versionOf({ group, version }: Review['kind']): string {
  return group === '' ? version : `${group}/${version}`
}

function metadataText({ metadata }: Review['object'], name: string): string {
  const value = isJsonObject(metadata) ? metadata[name] : undefined
  return typeof value === 'string' ? value : ''
}
