/** What whoever asked is told of a refusal: the words of each policy language's original, for scripts depend on them. @module */
import type { ReviewVerdict, RuleVerdict } from './engine/verdict.js'
import type { PolicyLanguage } from './internal/policy.js'
import type { Review } from './internal/review.js'

type Wording = (review: Review, denials: readonly RuleVerdict[]) => string

const WORDINGS: Readonly<Record<PolicyLanguage, Wording>> = {
  ClusterImagePolicy: (_, denials) => validationFailed(denials.map(({ message }) => message)),
  ClusterPolicy: blockedByRules,
  ImageValidatingPolicy: (_, denials) => denials.map(({ message }) => message).join('\n'),
}

/** The refusal in the originals' words; of several languages each in its own. Empty for what is allowed. */
export function denialMessage(review: Review, { allowed, rules, refusedUnmatched }: ReviewVerdict): string {
  if (allowed) return ''
  const denials = rules.filter(({ verdict }) => verdict === 'denied')
  const languages = [...new Set(denials.map(({ language }) => language))]
  const texts = languages.map((language) =>
    WORDINGS[language](
      review,
      denials.filter((denial) => denial.language === language),
    ),
  )
  return [...texts, ...(refusedUnmatched.length === 0 ? [] : [validationFailed(refusedUnmatched)])].join('\n')
}

/** As knative's webhooks, on which policy-controller stands, put it before what is wrong. */
function validationFailed(messages: readonly string[]): string {
  return `validation failed: ${messages.join('\n')}`
}

/** Kyverno's block: an empty line, the resource, and a map of policies to rules to messages in YAML. */
function blockedByRules({ kind: { kind }, namespace = '', name }: Review, denials: readonly RuleVerdict[]): string {
  const policies = new Map<string, string[]>()
  for (const { policy, namespace: own, rule, message } of denials) {
    const key = own === undefined ? policy : `${own}/${policy}`
    policies.set(key, [...(policies.get(key) ?? []), `  ${yamlText(rule)}: ${yamlText(message, '    ')}`])
  }
  const blocks = [...policies].map(([policy, rules]) => [`${yamlText(policy)}:`, ...new Set(rules)].join('\n'))
  return `\n\nresource ${kind}/${namespace}/${name} was blocked due to the following policies \n\n${blocks.join('\n')}\n`
}

const PLAIN = /^[A-Za-z_/][\w ./@-]*$/

/** A scalar: plain where YAML lets it be, else in single quotes, and as a block where it has lines. */
function yamlText(text: string, indent = ''): string {
  if (text.includes('\n')) return `|-\n${text.replace(/^(?=.)/gm, indent)}`
  return PLAIN.test(text) && !/^(?:true|false|null|yes|no|on|off|[yn~])$/i.test(text) && !text.endsWith(' ')
    ? text
    : `'${text.replaceAll("'", "''")}'`
}
