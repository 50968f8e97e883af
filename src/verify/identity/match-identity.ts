/**
 * Whether a certificate's holder is one that the policy allows (client-spec §4.3, last paragraph).
 *
 * @module
 */
import { VerificationError } from '../errors.js'
import type { CertificateIdentity } from './certificate-identity.js'
import type { IdentityPolicy, IdentityRequirement, TextRequirement } from './identity-policy.js'

/** What of an identity did not match. */
interface Mismatch {
  readonly what: string
  readonly expected: string
  readonly found: string
  readonly hint?: string
}

/**
 * Gives the first allowed identity that the holder matches entirely.
 * @throws VerificationError `VERIFY_IDENTITY`, explained by the allowed identity that came closest.
 */
export function matchIdentity(identity: CertificateIdentity, policy: IdentityPolicy): IdentityRequirement {
  let closest: readonly Mismatch[] | undefined
  for (const requirement of policy.anyOf) {
    const mismatches = identityMismatches(identity, requirement)
    if (mismatches.length === 0) return requirement
    if (closest === undefined || mismatches.length < closest.length) closest = mismatches
  }
  const several = policy.anyOf.length > 1 ? ` (the closest of ${String(policy.anyOf.length)} allowed identities)` : ''
  const hint = closest?.find((mismatch) => mismatch.hint !== undefined)?.hint
  throw new VerificationError('VERIFY_IDENTITY', `the certificate is not for an allowed identity${several}`, {
    expected: (closest ?? []).map(({ what, expected }) => `${what} ${expected}`).join('; '),
    found: (closest ?? []).map(({ what, found }) => `${what} ${found}`).join('; '),
    hint: hint ?? 'if this signer is to be trusted, allow the identity that was found',
  })
}

function identityMismatches(identity: CertificateIdentity, requirement: IdentityRequirement): readonly Mismatch[] {
  const mismatches: Mismatch[] = []
  const subjects = identity.subjects.map((subject) => subject.value)
  const check = (what: string, required: TextRequirement, values: readonly string[]): void => {
    if (!values.some((value) => matchesText(required, value))) mismatches.push(mismatch(what, required, values))
  }
  check('subject', requirement.subject, subjects)
  check('issuer', requirement.issuer, identity.issuer === undefined ? [] : [identity.issuer])
  for (const [claim, required] of Object.entries(requirement.claims ?? {})) {
    const value = Object.hasOwn(identity.claims, claim)
      ? identity.claims[claim as keyof typeof identity.claims]
      : undefined
    check(claim, required, value === undefined ? [] : [value])
  }
  return mismatches
}

function matchesText(required: TextRequirement, value: string): boolean {
  if ('exact' in required) return required.exact === value
  if ('unsafePattern' in required) return required.unsafePattern.matches(value)
  if ('unsafePart' in required) return required.unsafePart.occursIn(value)
  return required.allOf.length > 0 && required.allOf.every((each) => matchesText(each, value))
}

function mismatch(what: string, required: TextRequirement, values: readonly string[]): Mismatch {
  const found = values.length === 0 ? 'none' : values.map((value) => JSON.stringify(value)).join(', ')
  const expected = describeText(required)
  if (!('unsafePattern' in required)) return { what, expected, found }
  const partial = values.some((value) => required.unsafePattern.occursIn(value))
  return {
    what,
    expected,
    found,
    ...(partial && { hint: 'a pattern must match the whole value, not a part of it: add .* where more may stand' }),
  }
}

function describeText(required: TextRequirement): string {
  if ('exact' in required) return JSON.stringify(required.exact)
  if ('unsafePattern' in required) return `matching ${JSON.stringify(required.unsafePattern.source)}`
  if ('unsafePart' in required) return `with a part that matches ${JSON.stringify(required.unsafePart.source)}`
  return required.allOf.map(describeText).join(' and ')
}
