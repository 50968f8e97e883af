/** What whoever applied a resource reads when Kyverno's policies refuse it. @module */
import type { PolicyLanguage } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { compareNames, yamlName, yamlValue } from './go-yaml.js'

/** What a rule had to say. */
interface Told {
  readonly language: PolicyLanguage
  readonly verdict: string
  readonly policy: string
  readonly rule: string
  readonly message: string
}

/**
 * `resource Pod/default/x was blocked due to the following policies`, and below it the message of each rule of each policy, as YAML.
 * Only refusals of Kyverno's rules are told; empty if there are none.
 */
export function blockedMessage(review: Review, verdicts: readonly Told[]): string {
  const policies = new Map<string, Map<string, string>>()
  for (const { language, verdict, policy, rule, message } of verdicts) {
    if (language !== 'ClusterPolicy' || verdict !== 'denied') continue
    const rules = policies.get(policy) ?? new Map<string, string>()
    const before = rules.get(rule)
    rules.set(rule, before === undefined || before === message ? message : `${before}; ${message}`)
    policies.set(policy, rules)
  }
  if (policies.size === 0) return ''
  const { kind, namespace = '', name } = review
  const lines = inOrder(policies).flatMap(([policy, rules]) => [
    `${yamlName(policy)}:`,
    ...inOrder(rules).map(([rule, message]) => `  ${yamlName(rule)}: ${yamlValue(message, '    ')}`),
  ])
  const resource = `${kind.kind}/${namespace}/${name}`
  return `\n\nresource ${resource} was blocked due to the following policies \n\n${lines.join('\n')}\n`
}

function inOrder<T>(entries: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...entries].sort(([a], [b]) => compareNames(a, b))
}
