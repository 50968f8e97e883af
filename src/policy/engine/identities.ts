/** The allowed identities of an attestor, as the verifier takes them. @module */
import type { IdentityPolicy, IdentityRequirement } from '#verify/identity/identity-policy'
import type { IdentityMatch } from '../internal/attestor.js'
import { PolicyError } from '../internal/policy-error.js'
import { textRequirement } from '../internal/text-match.js'

/**
 * Any of the identities; of each, every issuer text, any subject text, and every claim.
 *
 * In Kyverno an attestor without issuer and subject took anybody whom the public Fulcio gave a certificate.
 * Here nobody may be left out, whichever front end forgot to ask.
 * @throws PolicyError `POLICY_ATTESTOR`
 */
export function identityPolicy(anyOf: readonly IdentityMatch[], attestor: string): IdentityPolicy {
  const requirements = anyOf.flatMap(({ issuer, subject, claims }): IdentityRequirement[] => {
    if (issuer.length === 0) throw incomplete(attestor, 'an issuer')
    if (subject.length === 0) throw incomplete(attestor, 'a subject')
    const entries = [...claims].map(([claim, match]) => [claim, textRequirement(match)] as const)
    const required = { issuer: { allOf: issuer.map(textRequirement) }, claims: Object.fromEntries(entries) }
    return subject.map((match) => ({ subject: textRequirement(match), ...required }))
  })
  if (requirements.length === 0) throw incomplete(attestor, 'an identity')
  return { kind: 'identities', anyOf: requirements }
}

function incomplete(attestor: string, what: string): PolicyError {
  return new PolicyError('POLICY_ATTESTOR', `${attestor} does not say who must have signed`, {
    expected: what,
    found: 'none',
    hint: 'an attestor that takes anybody protects nothing; name the issuer and the subject',
  })
}
