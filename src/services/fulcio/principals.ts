/** Identities of people and workloads: email, username, uri, spiffe, kubernetes, chainguard-identity. @module */
import { isJsonObject } from '#encoding/json'
import { derUtf8String } from '#encoding/der-writer'
import { FULCIO_USERNAME } from '#formats/x509/oids'
import { certificateUri, identityError, issuerClaims, joinUrl, optionalClaim } from './claims.js'
import type { VerifiedToken } from './identity-token.js'
import { readIssuerClaim } from './issuer-claim.js'
import type { Principal } from './principal.js'
import { isSpiffeIdOf } from './spiffe-id.js'

/** One at-sign, dot-atoms on both sides, a domain with at least two labels; printable ASCII, as a certificate needs it. */
const EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*$/
const MAX_EMAIL_LENGTH = 254

export function isEmail(text: string): boolean {
  return text.length <= MAX_EMAIL_LENGTH && EMAIL.test(text)
}

const TRUE_TEXTS: readonly unknown[] = [true, 'true', 'True']

export function emailPrincipal(token: VerifiedToken): Principal {
  const { issuer, claims } = token
  const email = optionalClaim(token, 'email') ?? ''
  if (issuer.skipEmailVerification !== true && !TRUE_TEXTS.includes(claims['email_verified'])) {
    throw identityError('the token does not say that the e-mail address is verified')
  }
  if (!isEmail(email)) throw identityError('the email claim of the token is not an e-mail address')
  const upstream = upstreamIssuer(token)
  return {
    name: email,
    subjectAltName: { kind: 'email', value: email },
    claims: { ...issuerClaims(token), issuerV1: upstream, issuer: upstream },
  }
}

/** A broker such as Dex names the provider where the person really signed in. */
function upstreamIssuer(token: VerifiedToken): string {
  const { issuerClaim, issuerUrl } = token.issuer
  if (issuerClaim === undefined) return issuerUrl
  const upstream = readIssuerClaim(token.claims, issuerClaim)
  if (upstream === undefined) throw identityError('the token does not name its upstream issuer', issuerClaim)
  return upstream
}

export function usernamePrincipal(token: VerifiedToken): Principal {
  const { subject } = token
  // `user!domain` must have one reading only.
  if (subject.includes('!')) throw identityError('a user name must not contain an exclamation mark')
  if (isEmail(subject)) throw identityError('a user name must not be an e-mail address')
  const text = `${subject}!${token.issuer.subjectDomain ?? ''}`
  return {
    name: subject,
    subjectAltName: { kind: 'other', oid: FULCIO_USERNAME, value: derUtf8String(text), text },
    claims: issuerClaims(token),
  }
}

export function uriPrincipal(token: VerifiedToken): Principal {
  const { subject } = token
  const { subjectDomain = '' } = token.issuer
  if (isEmail(subject)) throw identityError('the subject of a token of type uri must not be an e-mail address')
  if (!URL.canParse(subject) || !URL.canParse(subjectDomain)) throw identityError('the subject of the token is no URI')
  const [uri, domain] = [new URL(subject), new URL(subjectDomain)]
  if (uri.protocol !== domain.protocol || uri.hostname !== domain.hostname) {
    throw identityError('the subject of the token is of another domain than configured', uri.hostname)
  }
  return { name: subject, subjectAltName: { kind: 'uri', value: certificateUri(subject) }, claims: issuerClaims(token) }
}

export function spiffePrincipal(token: VerifiedToken): Principal {
  const { subject } = token
  if (!isSpiffeIdOf(subject, token.issuer.spiffeTrustDomain ?? '')) {
    throw identityError('the subject of the token is no SPIFFE ID of the configured trust domain', subject)
  }
  return { name: subject, subjectAltName: { kind: 'uri', value: subject }, claims: issuerClaims(token) }
}

/** RFC 1123 names, so that a slash in one cannot stand for another account. */
const KUBERNETES_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export function kubernetesPrincipal(token: VerifiedToken): Principal {
  const claims = token.claims['kubernetes.io']
  const account = isJsonObject(claims) ? claims['serviceaccount'] : undefined
  const namespace = isJsonObject(claims) ? claims['namespace'] : undefined
  const name = isJsonObject(account) ? account['name'] : undefined
  if (
    typeof namespace !== 'string' ||
    typeof name !== 'string' ||
    !KUBERNETES_NAME.test(namespace) ||
    !KUBERNETES_NAME.test(name)
  ) {
    throw identityError('the token names no Kubernetes service account')
  }
  const value = `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${name}`
  return { name: token.subject, subjectAltName: { kind: 'uri', value }, claims: issuerClaims(token) }
}

export function chainguardPrincipal(token: VerifiedToken): Principal {
  const { subject } = token
  const value = certificateUri(joinUrl(token.issuer.issuerUrl, subject))
  // Clients sign the e-mail address where the token has a verified one, else the subject (sigstore's SubjectFromToken).
  const email = optionalClaim(token, 'email')
  const verified = TRUE_TEXTS.includes(token.claims['email_verified'])
  if (email !== undefined && !verified)
    throw identityError('the token does not say that the e-mail address is verified')
  return { name: email ?? subject, subjectAltName: { kind: 'uri', value }, claims: issuerClaims(token) }
}
