/**
 * Who must have signed: the policy without which nothing is verified.
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import type { UnixMillis } from '#time'
import { VerificationError } from '../errors.js'
import { Pattern } from '../pattern/pattern.js'

/** A text that must be equal, or, loudly named, one that must match a pattern. */
export type TextRequirement =
  | { readonly exact: string }
  /** As a whole. */
  | { readonly unsafePattern: Pattern }
  /** Somewhere: what admission policies of others mean by a pattern, which must be taken as it was written. */
  | { readonly unsafePart: Pattern }
  /** Each of these holds of the same text. */
  | { readonly allOf: readonly TextRequirement[] }

/** A claim that can be required of a certificate besides subject and issuer. */
export type RequirableClaim = Exclude<FulcioClaim, 'issuer' | 'issuerV1'>

/** One allowed identity: all of it must hold. */
export interface IdentityRequirement {
  /** The subject alternative name: an e-mail address, a URI or a user name. */
  readonly subject: TextRequirement
  /** The OpenID Connect issuer that vouched for the subject. A subject means nothing without it. */
  readonly issuer: TextRequirement
  /** Further claims of Fulcio's, by name. A certificate without a required claim does not match. */
  readonly claims?: { readonly [Claim in RequirableClaim]?: TextRequirement }
}

/** One of several identities, certified by a trusted authority. */
export interface IdentityPolicy {
  readonly kind: 'identities'
  readonly anyOf: readonly IdentityRequirement[]
}

/** A key that the verifier knows, in place of a certificate. */
export interface KeyPolicy {
  readonly kind: 'key'
  readonly key: PublicKey
  /** Where the key type leaves a choice; otherwise its usual algorithm. */
  readonly algorithm?: Algorithm
  /** A certificate (DER) of this key: log entries may name it in place of the key. */
  readonly certificate?: Uint8Array
  /** When the key was in use, both ends included; checked against every verified time. */
  readonly validFor?: { readonly start?: UnixMillis; readonly end?: UnixMillis }
}

/** Whoever could get a certificate from a trusted authority: for looking, never for deciding. */
export interface UnsafeAnyIdentityPolicy {
  readonly kind: 'unsafe-any-identity'
}

/** Who must have signed. */
export type Policy = IdentityPolicy | KeyPolicy | UnsafeAnyIdentityPolicy

/**
 * Refuses a policy that would allow nobody or, by an empty text, anybody.
 * @throws VerificationError `VERIFY_POLICY`
 */
export function checkPolicy(policy: Policy): void {
  if (policy.kind !== 'identities') return
  if (policy.anyOf.length === 0) {
    throw new VerificationError('VERIFY_POLICY', 'the policy allows no identity', {
      expected: 'at least one identity with its issuer',
      hint: 'say who must have signed, or verify with a key',
    })
  }
  policy.anyOf.forEach((identity, index) => {
    const at = `identity ${String(index + 1)}`
    checkText(identity.subject, `${at}: subject`)
    checkText(identity.issuer, `${at}: issuer`)
    for (const [claim, text] of Object.entries(identity.claims ?? {})) checkText(text, `${at}: ${claim}`)
  })
}

function checkText(text: TextRequirement | undefined, what: string): void {
  // Callers in plain JavaScript can leave one out; an absent requirement must not come to mean "any".
  const kinds = text === undefined ? [] : TEXT_KINDS.filter((kind) => kind in text)
  if (kinds.length > 1) throw unusable(what, 'both an exact text and a pattern')
  if (text === undefined || kinds.length === 0) throw unusable(what, 'nothing')
  if ('allOf' in text) {
    if (!Array.isArray(text.allOf) || text.allOf.length === 0) throw unusable(what, 'nothing')
    for (const each of text.allOf as readonly TextRequirement[]) checkText(each, what)
    return
  }
  if ('exact' in text) {
    if (typeof text.exact !== 'string') throw unusable(what, 'nothing')
    if (text.exact === '') throw unusable(what, 'an empty text')
    return
  }
  const pattern: unknown = 'unsafePattern' in text ? text.unsafePattern : text.unsafePart
  if (!(pattern instanceof Pattern)) throw unusable(what, 'nothing')
  if (pattern.source === '') throw unusable(what, 'an empty pattern')
}

const TEXT_KINDS = ['exact', 'unsafePattern', 'unsafePart', 'allOf'] as const

function unusable(what: string, found: string): VerificationError {
  return new VerificationError('VERIFY_POLICY', `the policy is incomplete: ${what}`, {
    expected: 'an exact text, or a pattern',
    found,
  })
}
