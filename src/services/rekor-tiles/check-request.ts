/** What is checked before a Rekor v2 logs an entry, and the body that it then logs. @module */
import type { Algorithm, AlgorithmName } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { verifyDigestSignature, verifySignature } from '#crypto/verify'
import { isCodedError } from '#errors'
import { preAuthEncode } from '#formats/dsse/pae'
import { encodeDsseV2, encodeHashedRekordV2 } from '#formats/rekor-entry/body-v2'
import type { HashedRekordV2, SignatureV2 } from '#formats/rekor-entry/body-v2'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import { certificateKey } from '#formats/x509/certificate-key'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { CreateRequest, DsseRequest, StatedVerifier } from './create-request.js'
import { RekorTilesError } from './errors.js'

/** Source: sigstore/rekor-tiles internal/algorithmregistry. */
const ALLOWED: ReadonlySet<AlgorithmName> = new Set<AlgorithmName>([
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256',
  'ed25519-ph',
])

/** Clients that send dsse sign with pure Ed25519 too, which needs the message; there it is at hand. */
const ALLOWED_FOR_DSSE: ReadonlySet<AlgorithmName> = new Set<AlgorithmName>([...ALLOWED, 'ed25519'])

/**
 * Checks a request and makes the canonical body.
 * @throws RekorTilesError `REKOR_TILES_ALGORITHM`, `REKOR_TILES_KEY`, `REKOR_TILES_SIGNATURE`
 */
export function checkRequest(request: CreateRequest): Promise<Uint8Array> {
  return request.kind === 'dsse' ? checkDsse(request) : checkHashedRekord(request)
}

async function checkHashedRekord(request: HashedRekordV2): Promise<Uint8Array> {
  const key = allowedKey(request, ALLOWED)
  const check = { key, scheme: request.algorithm, signature: request.signature }
  if (!(await verifyDigestSignature(check, request.digest.value))) throw wrongSignature()
  return encodeHashedRekordV2(request)
}

/** Every signature has to verify with one of the verifiers. */
async function checkDsse({ envelope, verifiers }: DsseRequest): Promise<Uint8Array> {
  const message = preAuthEncode(envelope.payloadType, envelope.payload)
  const keys = verifiers.map((stated) => ({ stated, key: allowedKey(stated, ALLOWED_FOR_DSSE) }))
  const signatures: SignatureV2[] = []
  for (const { signature } of envelope.signatures) {
    const signer = await firstThatVerifies(keys, signature, message)
    if (signer === undefined) throw wrongSignature()
    signatures.push({ signature, ...signer })
  }
  return encodeDsseV2({ payloadHash: { algorithm: 'sha256', value: sha256(envelope.payload) }, signatures })
}

async function firstThatVerifies(
  keys: readonly { readonly stated: StatedVerifier; readonly key: PublicKey }[],
  signature: Uint8Array,
  message: Uint8Array,
): Promise<StatedVerifier | undefined> {
  for (const { stated, key } of keys) {
    if (await verifySignature({ key, scheme: stated.algorithm, signature }, message)) return stated
  }
  return undefined
}

function allowedKey({ verifier, algorithm }: StatedVerifier, allowed: ReadonlySet<AlgorithmName>): PublicKey {
  if (!allowed.has(algorithm.name)) throw notAllowed(algorithm, algorithm.keyDetails)
  const key = keyOf(verifier)
  const fits =
    key.keyType === algorithm.keyType && (algorithm.keyBits === undefined || algorithm.keyBits === key.keyBits)
  if (!fits) throw notAllowed(algorithm, key.keyType)
  return key
}

function keyOf(verifier: EntryVerifier): PublicKey {
  try {
    if (verifier.kind === 'public-key') return parsePublicKey(verifier.spki)
    return certificateKey(parseCertificate(verifier.certificate))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new RekorTilesError('REKOR_TILES_KEY', `the key or certificate cannot be used: ${cause.message}`, {
      found: cause.found,
      cause,
    })
  }
}

function notAllowed(algorithm: Algorithm, found: string): RekorTilesError {
  return new RekorTilesError('REKOR_TILES_ALGORITHM', 'this algorithm is not accepted, or does not fit the key', {
    expected: algorithm.keyDetails,
    found,
  })
}

function wrongSignature(): RekorTilesError {
  return new RekorTilesError('REKOR_TILES_SIGNATURE', 'the signature does not verify with the key of the entry', {
    hint: 'sign the artifact again; nothing was logged',
  })
}
