/** Proof keys for code exchange (RFC 7636), S256 only: `plain` would let whoever sees the request redeem the code. @module */
import { sha256 } from '#crypto/digest'
import { encodeBase64Url } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { IssuerError } from './errors.js'
import type { Parameters } from './parameters.js'

/** The challenge of a request, or undefined if it has none. @throws IssuerError ISSUER_CHALLENGE for a weak or malformed one */
export function readChallenge(parameters: Parameters): string | undefined {
  const [challenge, method] = [parameters.get('code_challenge'), parameters.get('code_challenge_method')]
  if (challenge === undefined && method === undefined) return undefined
  if (method === 'S256' && challenge !== undefined && /^[\w-]{43}$/.test(challenge)) return challenge
  throw new IssuerError('ISSUER_CHALLENGE', 'the code challenge is not acceptable', {
    expected: 'code_challenge_method=S256 and a code_challenge of 43 characters',
    found: method ?? 'no method',
  })
}

/** RFC 7636 §4.6. @throws IssuerError ISSUER_VERIFIER */
export function checkVerifier(challenge: string, verifier: string | undefined): void {
  const wellFormed = verifier !== undefined && /^[\w.~-]{43,128}$/.test(verifier)
  if (wellFormed && encodeBase64Url(sha256(encodeUtf8(verifier))) === challenge) return
  throw new IssuerError('ISSUER_VERIFIER', 'the code verifier does not fit the challenge')
}
