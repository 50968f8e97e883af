/**
 * The signature itself, by the certified or managed key (client-spec §4.5).
 *
 * @module
 */
import { ALGORITHMS, defaultAlgorithm } from '#crypto/algorithms'
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { verifyDigestSignature, verifySignature } from '#crypto/verify'
import { preAuthEncode } from '#formats/dsse/pae'
import type { SignedContent } from '#formats/signed-entity'
import type { ArtifactView } from '../artifact.js'
import { VerificationError } from '../errors.js'
import type { Signing } from '../log/entry-binding.js'

/**
 * Further algorithms that a key may have signed with, after its usual one. They cannot be confused: Ed25519ph is separated from
 * Ed25519 by a prefix of its own (RFC 8032 §2), and a digest of another hash function is another message.
 */
const ALTERNATIVES: { readonly [Type in PublicKey['keyType']]?: readonly Algorithm[] } = {
  // Old clients hashed with SHA-256 whatever the curve.
  'ec-p384': [ALGORITHMS['ecdsa-sha2-256-nistp384']],
  'ec-p521': [ALGORITHMS['ecdsa-sha2-256-nistp521']],
  // Rekor's hashedrekord needs a prehash; envelopes and unlogged signatures are pure.
  ed25519: [ALGORITHMS['ed25519-ph']],
}

/**
 * The algorithms that a signature by this key may be of, the likeliest first.
 * @throws KeyError if the registry has none for such a key
 */
export function signatureAlgorithms(key: PublicKey, content: SignedContent, only?: Algorithm): readonly Algorithm[] {
  if (only !== undefined) return [only]
  const algorithms = [defaultAlgorithm(key), ...(ALTERNATIVES[key.keyType] ?? [])]
  return content.kind === 'message-signature' && key.keyType === 'ed25519' ? algorithms.reverse() : algorithms
}

/**
 * Verifies the signature and gives the algorithm it is of.
 * @throws VerificationError `VERIFY_SIGNATURE`, `VERIFY_ARTIFACT_REQUIRED`; KeyError
 */
export async function verifyContentSignature(signing: Signing): Promise<Algorithm> {
  const { content, signer, signature, algorithms, artifact } = signing
  const missing: VerificationError[] = []
  for (const scheme of algorithms) {
    const check = { key: signer.key, scheme, signature }
    if (content.kind === 'dsse') {
      if (await verifySignature(check, preAuthEncode(content.envelope.payloadType, content.envelope.payload)))
        return scheme
    } else if (artifact.bytes !== undefined) {
      if (await verifySignature(check, artifact.bytes)) return scheme
    } else {
      const digest = scheme.digest === undefined ? undefined : artifact.digest(scheme.digest)
      if (digest === undefined) missing.push(artifactRequired(scheme, artifact))
      else if (await verifyDigestSignature(check, digest)) return scheme
    }
  }
  const [first] = missing
  // Where no algorithm could be tried, the caller can help; where one was and failed, the signature is simply wrong.
  if (first !== undefined && missing.length === algorithms.length) throw first
  throw new VerificationError('VERIFY_SIGNATURE', 'the signature is not by this key over this content', {
    expected: `a signature (${algorithms.map(({ name }) => name).join(' or ')}) by the ${signer.kind === 'certificate' ? 'key of the certificate' : 'given key'}`,
    ...(first !== undefined && { hint: first.hint ?? '' }),
  })
}

function artifactRequired(algorithm: Algorithm, artifact: ArtifactView): VerificationError {
  const whole = algorithm.digest === undefined
  return new VerificationError(
    'VERIFY_ARTIFACT_REQUIRED',
    'the signature cannot be verified without the artifact itself',
    {
      expected: whole
        ? `the artifact: ${algorithm.name} signs it whole`
        : `the artifact or its ${algorithm.digest} digest`,
      found: artifact.describe(),
      hint: 'give the file instead of its digest',
    },
  )
}
