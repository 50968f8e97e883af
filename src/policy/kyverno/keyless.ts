/** `keyless`: certified identities, and who certifies them. @module */
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import { compilePattern } from '#verify/pattern/pattern'
import type { RequirableClaim } from '#verify/identity/identity-policy'
import type { IdentityMatch, TextMatch, TrustPart } from '../internal/attestor.js'
import type { TrustedAuthority } from '#formats/trusted-root/trusted-root'
import type { Fields } from '../internal/fields.js'
import { wildcardPattern } from '../internal/wildcard.js'
import { guarded, invalidValue } from './complain.js'
import type { ReadSigners } from './entry.js'
import { readCertificates } from './pem.js'
import type { VerifyReading } from './reading.js'
import { isWildcard } from './wildcard.js'

const KEYLESS_FIELDS = [
  'rekor',
  'ctlog',
  'issuer',
  'issuerRegExp',
  'subject',
  'subjectRegExp',
  'roots',
  'additionalExtensions',
] as const

/**
 * Reads the identity. In the original one without issuer and subject is anybody; here nobody, unless the policy names the roots,
 * which then certify whom they like.
 */
export function readKeyless(fields: Fields, reading: VerifyReading): ReadSigners {
  fields.only(...KEYLESS_FIELDS)
  const names = (...of: readonly string[]): boolean => of.some((name) => fields.text(name) !== undefined)
  const claims = readExtensions(fields, reading)
  const issuer = [
    ...readMatches(fields, reading, ['issuer', 'issuerRegExp']),
    ...claims.flatMap(([claim, match]) => (claim === 'issuer' ? [match] : [])),
  ]
  const subject = readMatches(fields, reading, ['subject', 'subjectRegExp'])
  const text = fields.text('roots')
  if (text !== undefined && reading.isOpen(text)) return {}
  const roots = text === undefined ? undefined : guarded(fields, 'roots', () => readCertificates(text))
  if (text !== undefined && roots === undefined) return {}
  const identified = names('issuer', 'issuerRegExp', 'subject', 'subjectRegExp') || fields.has('additionalExtensions')
  if (!identified && roots !== undefined)
    return { signers: [{ signer: { kind: 'certificate', certificate: undefined, chain: roots } }] }
  if (!names('issuer', 'issuerRegExp') && issuer.length === 0) return { nobody: NOBODY.issuer }
  if (!names('subject', 'subjectRegExp')) return { nobody: NOBODY.subject }
  if (issuer.length === 0 || subject.length === 0) return {}
  const further = claims.flatMap(([claim, match]) => (claim === 'issuer' ? [] : [[claim, match] as const]))
  if (new Set(further.map(([claim]) => claim)).size < further.length)
    invalidValue(fields, 'one extension under two names', 'additionalExtensions')
  const identity: IdentityMatch = { issuer, subject, claims: new Map(further) }
  const authorities = roots === undefined ? undefined : anchors(roots)
  return {
    signers: [
      { signer: { kind: 'keyless', anyOf: [identity] }, ...(authorities === undefined ? {} : { authorities }) },
    ],
  }
}

const NOBODY = {
  issuer: 'no issuer is named: an attestor that takes anybody protects nothing (issuer: "*" says so on purpose)',
  subject: 'no subject is named: an attestor that takes anybody protects nothing (subject: "*" says so on purpose)',
} as const

function readMatches(
  fields: Fields,
  reading: VerifyReading,
  [name, pattern]: readonly [string, string],
): readonly TextMatch[] {
  const [text, source] = [reading.text(fields, name), reading.text(fields, pattern)]
  const compiled = source === undefined ? undefined : guarded(fields, pattern, () => compilePattern(source))
  return [
    ...(text === undefined ? [] : (guarded(fields, name, () => [likeText(text)]) ?? [])),
    // Not anchored, as in the original.
    ...(compiled === undefined ? [] : [{ kind: 'pattern', pattern: compiled, extent: 'part' } as const]),
  ]
}

/** @throws VerificationError `VERIFY_PATTERN` for a wildcard that is too long */
function likeText(text: string): TextMatch {
  if (!isWildcard(text)) return { kind: 'exact', text }
  compilePattern(wildcardPattern(text))
  return { kind: 'wildcard', pattern: text }
}

function anchors(certificates: TrustedAuthority['chain']): TrustPart<TrustedAuthority> {
  // Each is an anchor, as they are in the original, in whatever order they stand.
  const values = certificates.map((certificate) => ({
    uri: '',
    subject: undefined,
    chain: [certificate],
    validFor: {},
  }))
  return { kind: 'own', values }
}

type Extension = readonly [claim: RequirableClaim | 'issuer', match: TextMatch]

/** Kyverno's own names, which differ from Fulcio's in one case; any claim of Fulcio's may be asked for, by name or OID. */
const CLAIMS: ReadonlyMap<string, FulcioClaim> = new Map([
  ...FULCIO_CLAIMS.flatMap(({ claim, oid }) => [[claim, claim] as const, [oid, claim] as const]),
  ['oidcIssuer', 'issuer'],
])

function readExtensions(fields: Fields, reading: VerifyReading): readonly Extension[] {
  return [...fields.textMap('additionalExtensions')].flatMap(([name, text]): readonly Extension[] => {
    const claim = CLAIMS.get(name)
    if (claim === undefined && !reading.isOpen(name)) {
      invalidValue(fields, `invalid certificate extension ${name.slice(0, 100)}`, 'additionalExtensions')
      return []
    }
    if (claim === undefined || reading.isOpen(text)) return []
    if (text === '') {
      invalidValue(fields, `no value for ${name}`, 'additionalExtensions')
      return []
    }
    const match = guarded(fields, 'additionalExtensions', () => likeText(text))
    if (match === undefined) return []
    return [[claim === 'issuer' || claim === 'issuerV1' ? 'issuer' : claim, match]]
  })
}
