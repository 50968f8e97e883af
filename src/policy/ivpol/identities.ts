/** `keyless`: who may have signed. @module */
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import type { RequirableClaim } from '#verify/identity/identity-policy'
import { compilePattern } from '#verify/pattern/pattern'
import type { IdentityMatch, TextMatch } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import { guarded } from './reading.js'

/** An identity; its subject may be the pattern that an expression gives. */
export interface ReadIdentity {
  readonly issuer: readonly TextMatch[]
  readonly subject: readonly TextMatch[]
  readonly subjectExpression: string | undefined
  readonly claims: ReadonlyMap<RequirableClaim, TextMatch>
}

/** What `keyless` says of people, and what is to be told of it. */
export interface ReadKeyless {
  readonly identities: readonly ReadIdentity[]
  readonly warnings: readonly string[]
}

export function readKeyless(fields: Fields): ReadKeyless {
  fields.only('identities', 'roots', 'additionalExtensions')
  const claims = readExtensions(fields)
  const identities = fields.objects('identities')
  if (identities.length === 0) fields.complaints.add(`${fields.at('identities')}: Required value`)
  const warnings: string[] = []
  return { identities: identities.map((each) => readIdentity(each, claims, warnings)), warnings }
}

function readIdentity(fields: Fields, claims: ReadIdentity['claims'], warnings: string[]): ReadIdentity {
  fields.only('issuer', 'issuerRegExp', 'subject', 'subjectRegExp', 'subjectExpression')
  const issuer = [...exact(fields, 'issuer'), ...pattern(fields, 'issuerRegExp')]
  const patterns = pattern(fields, 'subjectRegExp')
  const texts = exact(fields, 'subject')
  const subjectExpression = fields.text('subjectExpression')
  if (fields.has('subjectRegExp') && subjectExpression !== undefined)
    fields.complaints.add(`${fields.path}: Invalid value: only one of subjectRegExp and subjectExpression can be set`)
  if (!fields.has('issuer') && !fields.has('issuerRegExp'))
    fields.complaints.missing(fields.at('issuer'), fields.at('issuerRegExp'))
  const hasPattern = patterns.length > 0 || subjectExpression !== undefined
  if (texts.length === 0 && !hasPattern && !fields.has('subjectRegExp'))
    fields.complaints.missing(fields.at('subject'), fields.at('subjectRegExp'))
  if (texts.length > 0 && hasPattern)
    warnings.push(`${fields.at('subject')} is not looked at beside a pattern for the subject`)
  for (const text of texts)
    if (text.kind === 'exact' && text.text.includes('*'))
      warnings.push(`${fields.at('subject')} is compared as it is: * stands for nothing else; use subjectRegExp`)
  return { issuer, subject: hasPattern ? patterns : texts, subjectExpression, claims }
}

function exact(fields: Fields, name: string): readonly TextMatch[] {
  const text = fields.text(name)
  return text === undefined ? [] : [{ kind: 'exact', text }]
}

/** Not anchored, as in the original. */
function pattern(fields: Fields, name: string): readonly TextMatch[] {
  const source = fields.text(name)
  const compiled = source === undefined ? undefined : guarded(fields, name, () => compilePattern(source))
  return compiled === undefined ? [] : [{ kind: 'pattern', pattern: compiled, extent: 'part' }]
}

/** By Fulcio's name or by number. */
const CLAIMS: ReadonlyMap<string, FulcioClaim> = new Map(
  FULCIO_CLAIMS.flatMap(({ claim, oid }) => [[claim, claim] as const, [oid, claim] as const]),
)

function readExtensions(fields: Fields): ReadIdentity['claims'] {
  const claims = new Map<RequirableClaim, TextMatch>()
  for (const [name, text] of fields.textMap('additionalExtensions')) {
    const claim = CLAIMS.get(name)
    if (claim === undefined || claim === 'issuer' || claim === 'issuerV1')
      fields.complaints.invalid(
        name,
        `${fields.at('additionalExtensions')}.${name}`,
        'not an extension of a certificate',
      )
    else claims.set(claim, { kind: 'exact', text })
  }
  return claims
}

/** The identity, once expressions have said what they have to say. */
export function identityOf(
  { issuer, subject, claims }: ReadIdentity,
  dynamicSubject: readonly TextMatch[],
): IdentityMatch {
  return { issuer, subject: [...subject, ...dynamicSubject], claims }
}
