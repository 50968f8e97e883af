/**
 * Whether a verified signature claims to be a signature on this image, and which attestations speak about it.
 *
 * @module
 */
import type { DigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Statement } from '#formats/in-toto/statement'
import { SIMPLE_SIGNING_TYPE, parseSimpleSigning } from '#formats/simple-signing/payload'
import type { SimpleSigningPayload } from '#formats/simple-signing/payload'
import { VerificationError } from '../errors.js'
import type { Verification } from '../verification.js'

/** The predicate type of an image signature in a bundle. */
export const IMAGE_SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

/** What an image signature has to claim. */
export interface ImageClaimsRequest {
  /** The manifest's digest. */
  readonly digest: { readonly algorithm: DigestName; readonly value: Uint8Array }
  /** Annotations that must be there with these values; there may be more. */
  readonly annotations?: ReadonlyMap<string, string>
}

/** What a verified image signature claims. */
export interface ImageClaims {
  readonly kind: 'statement' | 'simple-signing'
  /** The predicate type or the critical type, as cosign's JSON output shows it. */
  readonly type: string
  /** Digest of the manifest, as `sha256:…`. */
  readonly manifestDigest: string
  /** What the signer called the image; absent in statements, and not to be relied on: whoever has the digest can sign any name. */
  readonly dockerReference?: string
  readonly annotations: ReadonlyMap<string, JsonValue>
}

/**
 * Requires a verified entity to be a signature on the image: a `sign/v1` statement or a simple-signing payload about its digest.
 *
 * An attestation by the same signer is not a signature on the image: whoever may attach an SBOM or test results would
 * otherwise release it.
 * @throws VerificationError `VERIFY_NOT_IMAGE_SIGNATURE`, `VERIFY_IMAGE_DIGEST`, `VERIFY_ANNOTATION`
 */
export function verifyImageClaims(verification: Verification, image: ImageClaimsRequest): ImageClaims {
  const claims = readClaims(verification, image.digest.algorithm)
  const expected = `${image.digest.algorithm}:${encodeHex(image.digest.value)}`
  if (claims.manifestDigest !== expected) {
    throw new VerificationError('VERIFY_IMAGE_DIGEST', 'the signature is about another image', {
      expected,
      found: claims.manifestDigest.slice(0, 200),
    })
  }
  for (const [name, value] of image.annotations ?? []) {
    if (claims.annotations.get(name) === value) continue
    const found = claims.annotations.get(name)
    throw new VerificationError('VERIFY_ANNOTATION', 'the signature does not have a required annotation', {
      expected: `${name}=${value}`,
      found: found === undefined ? 'none of this name' : JSON.stringify(found).slice(0, 200),
    })
  }
  return claims
}

function readClaims({ content }: Verification, algorithm: DigestName): ImageClaims {
  if (content.kind === 'statement') return readStatementClaims(content, algorithm)
  if (content.bytes === undefined) {
    throw new VerificationError('VERIFY_NOT_IMAGE_SIGNATURE', 'the signed payload is not at hand', {
      expected: 'a verification over the bytes of a simple-signing payload',
      found: 'one over a digest',
    })
  }
  const { manifestDigest, dockerReference, optional } = readPayload(content.bytes)
  const annotations = new Map(Object.entries(optional ?? {}))
  return { kind: 'simple-signing', type: SIMPLE_SIGNING_TYPE, manifestDigest, dockerReference, annotations }
}

function readPayload(bytes: Uint8Array): SimpleSigningPayload {
  try {
    return parseSimpleSigning(bytes)
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new VerificationError('VERIFY_NOT_IMAGE_SIGNATURE', 'what was signed is not a signature on an image', {
      expected: error.expected ?? 'a simple-signing payload',
      ...(error.found !== undefined && { found: error.found }),
      cause: error,
    })
  }
}

type StatementContent = Extract<Verification['content'], { kind: 'statement' }>

function readStatementClaims({ statement, subject }: StatementContent, algorithm: DigestName): ImageClaims {
  if (statement.predicateType !== IMAGE_SIGNATURE_PREDICATE) {
    throw notImageSignature(IMAGE_SIGNATURE_PREDICATE, statement.predicateType)
  }
  const digest = subject?.digest.get(algorithm)
  if (subject === undefined || digest === undefined) {
    throw new VerificationError('VERIFY_IMAGE_DIGEST', 'the signature was not verified for an image', {
      expected: `a subject with a ${algorithm} digest`,
    })
  }
  const { annotations } = subject
  return {
    kind: 'statement',
    type: statement.predicateType,
    manifestDigest: `${algorithm}:${digest.toLowerCase()}`,
    annotations,
  }
}

function notImageSignature(expected: string, found: string): VerificationError {
  return new VerificationError('VERIFY_NOT_IMAGE_SIGNATURE', 'this is not a signature on an image', {
    expected,
    found: found.slice(0, 200),
    hint: 'an attestation is verified with verify-attestation and its type',
  })
}

/**
 * Requires a verified entity to be an attestation of a type (GHSA-w6c6-c85g-mmv6: whoever may attest one thing must not be
 * taken to attest another).
 * @throws VerificationError `VERIFY_PREDICATE_TYPE`
 */
export function verifyAttestationClaims({ content }: Verification, predicateType: string): Statement {
  if (content.kind !== 'statement') {
    throw new VerificationError('VERIFY_PREDICATE_TYPE', 'this is a signature, not an attestation', {
      expected: predicateType,
    })
  }
  if (content.statement.predicateType === predicateType) return content.statement
  throw new VerificationError('VERIFY_PREDICATE_TYPE', 'the attestation is of another type', {
    expected: predicateType,
    found: content.statement.predicateType.slice(0, 200),
    hint: 'name the type that was found if it is the one to be verified',
  })
}
