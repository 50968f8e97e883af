/** Identities of CI jobs whose mapping is in the configuration, as templates over claims. @module */
import type { JsonValue } from '#encoding/json'
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import { certificateUri, identityError, issuerClaims } from './claims.js'
import type { FulcioConfig } from './config.js'
import type { VerifiedToken } from './identity-token.js'
import type { Principal } from './principal.js'

export function ciProviderPrincipal(token: VerifiedToken, config: FulcioConfig): Principal {
  const provider = config.ciProviders.get(token.issuer.ciProvider ?? '')
  if (provider === undefined) throw identityError('the configuration has no such CI provider', token.issuer.ciProvider)
  // Claims go before defaults.
  const values = new Map(Object.entries(provider.defaults))
  for (const [name, value] of Object.entries(token.claims)) {
    const text = claimText(value)
    if (text !== undefined) values.set(name, text)
  }
  const uri = provider.subjectAltName(values)
  if (uri === undefined) throw identityError('the token lacks a claim that the subject alternative name needs')
  const claims: Partial<Record<FulcioClaim, string>> = {}
  for (const [claim, template] of provider.extensions) {
    const value = template(values)
    if (value === undefined) throw identityError('the token lacks a claim that an extension needs', claim)
    claims[claim] = value
  }
  return {
    name: token.subject,
    subjectAltName: { kind: 'uri', value: certificateUri(uri) },
    claims: { ...claims, ...issuerClaims(token) },
  }
}

/** Numbers without exponent, as Go's FormatFloat 'f' writes them. Structures have no text worth putting into a certificate. */
function claimText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') return undefined
  if (Number.isInteger(value)) return BigInt(value).toString()
  return /e/.test(String(value)) ? value.toFixed(20).replace(/0+$/, '') : String(value)
}
