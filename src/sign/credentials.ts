/** The key and, where there is one, the certificate of a session: made once, however much is signed. @module */
import type { Signer } from '#crypto/private-key'
import { equalBytes } from '#encoding/bytes'
import type { Certificate } from '#formats/x509/certificate'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { Clock } from '#time'
import { readTokenClaims, type TokenClaims } from './identity-token.js'
import type { CertificateAuthority, IdentityProvider } from './ports.js'
import { SignError } from './sign-error.js'

/** A key with what stands for its holder. */
export interface Credential {
  readonly signer: Signer
  /** X.509 DER, leaf first; empty for a key that verifiers know. */
  readonly chain: readonly Uint8Array[]
}

/** Gives the credential for the next signature. */
export interface CredentialSource {
  credential(signal?: AbortSignal): Promise<Credential>
}

/** A key with a certificate that came with it, or without any. */
export function fixedCredential(signer: Signer, chain: readonly Uint8Array[] = []): CredentialSource {
  const [leaf] = chain
  if (leaf !== undefined) requireSameKey(parseCertificate(leaf), signer)
  const credential = { signer, chain }
  return { credential: () => Promise.resolve(credential) }
}

export interface CertifiedOptions {
  readonly signer: Signer
  readonly authority: CertificateAuthority
  readonly identity: IdentityProvider
  readonly clock: Clock
}

/** A certificate is renewed when less than this is left: time to sign and to be witnessed. */
const MARGIN_MILLIS = 30_000

/**
 * A key that the authority certifies when the first signature is made. The certificate serves all further ones for as
 * long as it is valid, so that a person logs in once.
 */
export function certifiedCredential({ signer, authority, identity, clock }: CertifiedOptions): CredentialSource {
  let current: Promise<Credential & { readonly validUntil: number }> | undefined
  const issue = async (signal?: AbortSignal): Promise<Credential & { readonly validUntil: number }> => {
    const identityToken = await identity.identityToken(signal)
    const claims = readTokenClaims(identityToken)
    const chain = await authority.issue({ identityToken, signer, signal })
    const leaf = parseCertificate(chain[0])
    requireSameKey(leaf, signer)
    requireIdentity(leaf, claims)
    // What is above the leaf is for verifiers to know from their trusted root (client-spec §2.1); it is not handed on.
    return { signer, chain: [leaf.der], validUntil: leaf.notAfter }
  }
  const credential = async (signal?: AbortSignal): Promise<Credential> => {
    const pending = current
    if (pending !== undefined) {
      const known = await pending
      if (known.validUntil - MARGIN_MILLIS > clock()) return known
      if (current !== pending) return await credential(signal) // somebody else is renewing it already
    }
    // Nothing is awaited between looking and setting: two at the same time share one request.
    const asked = issue(signal)
    current = asked
    try {
      return await asked
    } catch (error) {
      if (current === asked) current = undefined
      throw error
    }
  }
  return { credential }
}

function requireSameKey(leaf: Certificate, signer: Signer): void {
  if (equalBytes(leaf.spki, signer.publicKey.spki)) return
  throw new SignError('SIGN_CERTIFICATE_KEY', 'public key in certificate does not match the provided public key', {
    expected: 'a certificate for the key that signs',
    found: 'a certificate for another key',
  })
}

/** A service that certifies somebody else than was asked for must not get away with it. */
function requireIdentity(leaf: Certificate, claims: TokenClaims): void {
  const names = (leaf.subjectAltNames ?? []).flatMap((name) =>
    name.kind === 'email' || name.kind === 'uri' ? [name.value] : [],
  )
  const { email } = claims
  // Other issuers' subjects are turned into URIs by rules of the authority's own, which a client cannot repeat.
  if (email === undefined || !names.some((name) => name.includes('@') && !name.includes('/')) || names.includes(email))
    return
  throw new SignError('SIGN_CERTIFICATE_IDENTITY', 'the certificate was issued for somebody else', {
    expected: email,
    found: names.join(', '),
  })
}
