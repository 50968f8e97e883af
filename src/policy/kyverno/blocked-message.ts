/** What whoever applied a resource reads when Kyverno's policies refuse it. @module */
import type { RuleVerdict } from '../engine/verdict.js'
import type { Review } from '../internal/review.js'

/**
 * `resource Pod/default/x was blocked due to the following policies`, and below it the message of each rule of each policy, as YAML.
 * Only refusals of Kyverno's rules are told; empty if there are none.
 */
export function blockedMessage(review: Review, verdicts: readonly RuleVerdict[]): string {
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
    `${scalar(policy)}:`,
    ...inOrder(rules).map(([rule, message]) => `  ${scalar(rule)}: ${value(message, '    ')}`),
  ])
  const resource = `${kind.kind}/${namespace}/${name}`
  return `\n\nresource ${resource} was blocked due to the following policies \n\n${lines.join('\n')}\n`
}

function inOrder<T>(entries: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** What YAML reads as something else than a text where it stands bare. */
const OTHER_VALUES = /^(?:true|false|yes|no|on|off|null|~|y|n|[-+.]?(?:inf|nan)|[-+]?[\d.][\da-fox_.,:+-]*)$/i
const UNSAFE_START = /^[\s\-?:,[\]{}#&*!|>'"%@`=]/
const UNSAFE_INSIDE = /: |:$| #|[\t]/
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/

/** A text as YAML: bare where it can be, in single quotes where it cannot, as a block where it has lines. */
function scalar(text: string): string {
  if (UNPRINTABLE.test(text)) return JSON.stringify(text)
  const bare = text !== '' && !OTHER_VALUES.test(text) && !UNSAFE_START.test(text) && !UNSAFE_INSIDE.test(text)
  return bare && text.trimEnd() === text ? text : `'${text.replaceAll("'", "''")}'`
}

function value(text: string, indent: string): string {
  if (!text.includes('\n')) return scalar(text)
  if (UNPRINTABLE.test(text.replaceAll('\n', '')) || /^\s|\n$/.test(text)) return JSON.stringify(text)
  return ['|-', ...text.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`))].join('\n')
}
