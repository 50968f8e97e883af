/** The keyless part of an authority: who, and by whose word. @module */
import { parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { TrustedAuthority } from '#formats/trusted-root/trusted-root'
import { compilePattern } from '#verify/pattern/pattern'
import type { IdentityMatch, TextMatch } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import { readKms, readSecret } from './key.js'

/** What `keyless` says. */
export interface Keyless {
  readonly anyOf: readonly IdentityMatch[]
  readonly trustRootRef: string | undefined
  readonly ignoreSct: boolean
  /** Authorities of `ca-cert` where they are in the policy itself. */
  readonly authorities: readonly TrustedAuthority[] | undefined
  /** Set where `ca-cert` is of a kind with which the original verifies nothing. */
  readonly unusable: string | undefined
}

export function readKeyless(fields: Fields): Keyless {
  fields.only('url', 'ca-cert', 'identities', 'trustRootRef', 'insecureIgnoreSCT')
  const caCert = fields.object('ca-cert')
  // Without either the address is defaulted; it is not dialled, roots come from trust roots.
  if (caCert !== undefined && fields.text('url') !== undefined)
    fields.complaints.add(`expected exactly one, got both: ${fields.at('ca-cert')}, ${fields.at('url')}`)
  const url = fields.text('url')
  if (url !== undefined && !URL.canParse(url)) fields.complaints.invalid(url, fields.at('url'))
  const identities = fields.objects('identities')
  if (identities.length === 0) {
    const path = fields.at('identities')
    fields.complaints.add(`${path}: Invalid value: 0: ${path} in body should have at least 1 items`)
  }
  return {
    anyOf: identities.map(readIdentity),
    trustRootRef: fields.text('trustRootRef'),
    ignoreSct: fields.boolean('insecureIgnoreSCT') ?? false,
    ...readCaCert(caCert),
  }
}

function readIdentity(fields: Fields): IdentityMatch {
  fields.only('issuer', 'issuerRegExp', 'subject', 'subjectRegExp')
  return {
    issuer: readText(fields, 'issuer', 'issuerRegExp'),
    subject: readText(fields, 'subject', 'subjectRegExp'),
    claims: new Map(),
  }
}

function readText(fields: Fields, exact: string, pattern: string): readonly TextMatch[] {
  const [text, source] = [fields.text(exact), fields.text(pattern)]
  if (text !== undefined && source !== undefined)
    fields.complaints.add(`expected exactly one, got both: ${fields.at(exact)}, ${fields.at(pattern)}`)
  if (text === undefined && source === undefined) fields.complaints.missing(fields.at(exact), fields.at(pattern))
  if (text !== undefined) return [{ kind: 'exact', text }]
  if (source === undefined) return []
  try {
    return [{ kind: 'pattern', pattern: compilePattern(source), extent: 'part' }]
  } catch (error) {
    if (!isCodedError(error)) throw error
    fields.complaints.invalid(source, fields.at(pattern), `regex is invalid: ${error.message}`)
    return []
  }
}

function readCaCert(fields: Fields | undefined): Pick<Keyless, 'authorities' | 'unusable'> {
  if (fields === undefined) return { authorities: undefined, unusable: undefined }
  fields.only('data', 'kms', 'secretRef', 'hashAlgorithm')
  const which = fields.exactlyOne(['data', 'kms', 'secretRef'], ['data', 'kms', 'secretref'])
  if (which === 'data') return { authorities: readAuthorities(fields), unusable: undefined }
  if (which === 'kms') readKms(fields)
  if (which === 'secretRef') readSecret(fields)
  return { authorities: undefined, unusable: 'no Keyless URL specified' }
}

function readAuthorities(fields: Fields): readonly TrustedAuthority[] {
  const text = fields.text('data') ?? ''
  try {
    const blocks = parsePem(text).filter(({ label }) => label === 'CERTIFICATE')
    const chain = blocks.map(({ bytes }) => parseCertificate(bytes))
    if (chain.length > 0) return [{ uri: '', subject: undefined, chain, validFor: {} }]
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  fields.complaints.invalid(text.trim(), fields.at('data'), 'expected certificates, the root last')
  return []
}
