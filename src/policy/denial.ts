/** What whoever asked is told of a refusal: the words of each policy language's original, for scripts depend on them. @module */
import type { ReviewVerdict, RuleVerdict } from './engine/verdict.js'
import type { PolicyLanguage } from './internal/policy.js'
import type { Review } from './internal/review.js'
import { blockedMessage } from './kyverno/blocked-message.js'

type Wording = (review: Review, denials: readonly RuleVerdict[]) => string

const WORDINGS: Readonly<Record<PolicyLanguage, Wording>> = {
  ClusterImagePolicy: (_, denials) => validationFailed(denials.map(({ message }) => message)),
  ClusterPolicy: blockedMessage,
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
