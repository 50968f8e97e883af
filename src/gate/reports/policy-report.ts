/** A PolicyReport (wgpolicyk8s.io/v1alpha2) on one resource: what each rule says of it. @module */
import type { JsonObject } from '#encoding/json'
import type { RuleVerdict, Verdict } from '#policy/engine/verdict'
import type { PolicyFamily } from '#policy/front-ends'
import type { PolicyLanguage } from '#policy/internal/policy'
import type { UnixMillis } from '#time'

/** The resource that a report is about. It has been stored: it has a uid. */
export interface ReportSubject {
  readonly apiVersion: string
  readonly kind: string
  /** Absent for what is not in a namespace. */
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

export interface ReportContent {
  readonly subject: ReportSubject
  /** Reports of both families are kept apart: each has a webhook of its own. */
  readonly family: PolicyFamily
  readonly rules: readonly RuleVerdict[]
  readonly now: UnixMillis
  /** Annotations of the policy behind a verdict; they may say how severe it is. */
  readonly annotationsOf: (rule: RuleVerdict) => Readonly<Record<string, string>>
}

type Result = 'pass' | 'fail' | 'warn' | 'error' | 'skip'

const RESULTS: Readonly<Record<Verdict, Result>> = {
  admitted: 'pass',
  denied: 'fail',
  audited: 'fail',
  warned: 'warn',
  skipped: 'skip',
}

/** As the originals call themselves in reports, which dashboards group by. */
const SOURCES: Readonly<Record<PolicyLanguage, string>> = {
  ClusterPolicy: 'kyverno',
  ImageValidatingPolicy: 'KyvernoImageValidatingPolicy',
  ClusterImagePolicy: 'sigstore',
}

const SEVERITIES: ReadonlySet<string> = new Set(['critical', 'high', 'medium', 'low', 'info'])
const MAX_MESSAGE = 1024
export const REPORT_API = 'wgpolicyk8s.io/v1alpha2'

/** The same resource's report is the same object, whoever writes it. */
export function reportName({ uid }: ReportSubject, family: PolicyFamily): string {
  return family === 'kyverno' ? uid : `${family}-${uid}`
}

export function policyReport(content: ReportContent): JsonObject {
  const { subject, family, rules } = content
  const { apiVersion, kind, name, namespace, uid } = subject
  const results = resultsOf(rules).map((rule) => resultObject(rule, content))
  return {
    apiVersion: REPORT_API,
    kind: namespace === undefined ? 'ClusterPolicyReport' : 'PolicyReport',
    metadata: {
      name: reportName(subject, family),
      ...(namespace !== undefined && { namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'countersign' },
      // It goes when the resource goes.
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    scope: { apiVersion, kind, name, ...(namespace !== undefined && { namespace }), uid },
    summary: summaryOf(rules),
    results,
  }
}

/** What a report says without its times: two that say the same need not both be written. */
export function reportEssence(rules: readonly RuleVerdict[]): string {
  return JSON.stringify(
    resultsOf(rules).map(({ language, policy, rule, verdict, message, namespace }) => [
      ...[language, namespace ?? '', policy, rule, verdict, message],
    ]),
  )
}

interface RuleResult extends RuleVerdict {
  readonly images: readonly string[]
}

const WORST: readonly Verdict[] = ['denied', 'audited', 'warned', 'admitted', 'skipped']

/** One result a rule: the worst of what it says of the images. */
function resultsOf(rules: readonly RuleVerdict[]): readonly RuleResult[] {
  const byRule = new Map<string, RuleVerdict[]>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.language, rule.namespace ?? '', rule.policy, rule.rule])
    byRule.set(key, [...(byRule.get(key) ?? []), rule])
  }
  return [...byRule.values()].flatMap((verdicts) => {
    const worst = WORST.find((verdict) => verdicts.some((each) => each.verdict === verdict))
    const of = verdicts.filter(({ verdict }) => verdict === worst)
    const [first] = of
    if (first === undefined) return []
    const messages = [...new Set(of.map(({ message }) => message).filter((message) => message !== ''))]
    const images = verdicts.flatMap(({ occurrence }) => occurrence?.image.text ?? [])
    return [{ ...first, message: messages.join('; '), images: [...new Set(images)] }]
  })
}

function resultObject(
  { language, policy, namespace, rule, verdict, message, images }: RuleResult,
  content: ReportContent,
): JsonObject {
  const { now, annotationsOf, rules } = content
  const origin = rules.find((each) => each.policy === policy && each.rule === rule && each.language === language)
  const annotations = origin === undefined ? {} : annotationsOf(origin)
  const severity = annotations['policies.kyverno.io/severity'] ?? ''
  const category = annotations['policies.kyverno.io/category']
  return {
    source: SOURCES[language],
    policy: namespace === undefined ? policy : `${namespace}/${policy}`,
    rule: rule === '' ? policy : rule,
    result: RESULTS[verdict],
    ...(message !== '' && { message: message.slice(0, MAX_MESSAGE) }),
    scored: annotations['policies.kyverno.io/scored'] !== 'false',
    ...(SEVERITIES.has(severity) && { severity }),
    ...(category !== undefined && { category }),
    ...(images.length > 0 && { properties: { images: images.join(',').slice(0, MAX_MESSAGE) } }),
    timestamp: { seconds: Math.floor(now / 1000), nanos: (now % 1000) * 1_000_000 },
  }
}

function summaryOf(rules: readonly RuleVerdict[]): JsonObject {
  const counts: Record<Result, number> = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 }
  for (const { verdict } of resultsOf(rules)) counts[RESULTS[verdict]]++
  return counts
}
