/** Identities in words, the same in every explanation and denial. @module */
import type { IdentityMatch } from './attestor.js'
import { describeMatch } from './text-match.js'

/** Whom a policy expects, in a few words. */
export function describeIdentity({ issuer, subject, claims }: IdentityMatch): string {
  const who = subject.map((match) => describeMatch(match)).join(' or ')
  const by = issuer.map((match) => describeMatch(match)).join(' and ')
  const further = [...claims].map(([claim, match]) => `, ${claim} ${describeMatch(match)}`).join('')
  return `${who} by ${by}${further}`
}
