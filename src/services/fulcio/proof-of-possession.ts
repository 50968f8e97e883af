/** That whoever asks has the private key: a signature over the identity, or a signing request. @module */
import type { Algorithm } from '#crypto/algorithms'
import { ALGORITHMS, defaultAlgorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey, publicKeyFromPem } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { parsePem } from '#encoding/pem'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseCertificateRequest, verifyCertificateRequest } from '#formats/x509/certificate-request'
import type { CertificateRequest } from '#formats/x509/certificate-request'
import type { IssuingErrorCode } from './errors.js'
import { IssuingError } from './errors.js'

/** How a request shows its key. */
export type KeyRequest =
  /** PEM or DER, and a signature over the principal's name. */
  | { readonly kind: 'public-key'; readonly content: Uint8Array; readonly proof: Uint8Array }
  /** PKCS#10, PEM or DER. Only its key is used. */
  | { readonly kind: 'csr'; readonly content: Uint8Array }

/** Fulcio's default --client-signing-algorithms. */
const PERMITTED: readonly Algorithm[] = [
  ALGORITHMS['ecdsa-sha2-256-nistp256'],
  ALGORITHMS['ecdsa-sha2-384-nistp384'],
  ALGORITHMS['ecdsa-sha2-512-nistp521'],
  ALGORITHMS['rsa-sign-pkcs1-2048-sha256'],
  ALGORITHMS['rsa-sign-pkcs1-3072-sha256'],
  ALGORITHMS['rsa-sign-pkcs1-4096-sha256'],
  ALGORITHMS.ed25519,
]

/**
 * The key of a request, after it was shown that the requester has its private half.
 * @param name What the proof is over.
 * @throws IssuingError ISSUING_PUBLIC_KEY, ISSUING_KEY_INSECURE, ISSUING_CSR, ISSUING_PROOF, ISSUING_ALGORITHM
 */
export async function provenKey(request: KeyRequest, name: string): Promise<PublicKey> {
  return request.kind === 'csr' ? keyOfCsr(request.content) : keyWithProof(request, name)
}

async function keyWithProof(request: Extract<KeyRequest, { kind: 'public-key' }>, name: string): Promise<PublicKey> {
  const key = readKey(request.content)
  const scheme = permittedAlgorithm(key)
  const valid = await verifySignature({ key, scheme, signature: request.proof }, encodeUtf8(name)).catch(
    (cause: unknown) => {
      throw keyError(cause, 'ISSUING_PUBLIC_KEY')
    },
  )
  if (valid) return key
  throw new IssuingError('ISSUING_PROOF', 'the proof of possession does not verify', {
    expected: `a signature by the key over the ${name.includes('@') ? 'e-mail address' : 'subject'} of the identity token`,
  })
}

async function keyOfCsr(content: Uint8Array): Promise<PublicKey> {
  const csr = readCsr(content)
  let key: PublicKey
  try {
    key = await verifyCertificateRequest(csr)
  } catch (cause) {
    if (isCodedError(cause) && cause.code === 'CSR_SIGNATURE') {
      throw new IssuingError('ISSUING_PROOF', 'the signing request is not signed by its own key', { cause })
    }
    throw keyError(cause, 'ISSUING_CSR')
  }
  const algorithm = permittedAlgorithm(key)
  if (csr.scheme.family === algorithm.family && csr.scheme.digest === algorithm.digest) return key
  throw new IssuingError(
    'ISSUING_ALGORITHM',
    `signing algorithm not permitted: ${key.keyType}, ${csr.scheme.digest ?? 'no digest'}`,
    {
      expected: algorithm.name,
    },
  )
}

function readCsr(content: Uint8Array): CertificateRequest {
  try {
    const [block] = looksLikePem(content) ? parsePem(decodeUtf8(content)) : []
    return parseCertificateRequest(block?.bytes ?? content)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new IssuingError('ISSUING_CSR', 'the signing request cannot be read', { expected: 'PKCS#10 in PEM', cause })
  }
}

function readKey(content: Uint8Array): PublicKey {
  try {
    return looksLikePem(content) ? publicKeyFromPem(decodeUtf8(content)) : parsePublicKey(content)
  } catch (cause) {
    throw keyError(cause, 'ISSUING_PUBLIC_KEY')
  }
}

const DASHES = encodeUtf8('-----BEGIN ')

function looksLikePem(content: Uint8Array): boolean {
  const start = content.findIndex((byte) => byte > 0x20)
  return start >= 0 && DASHES.every((byte, i) => content[start + i] === byte)
}

function permittedAlgorithm(key: PublicKey): Algorithm {
  let algorithm: Algorithm | undefined
  try {
    algorithm = defaultAlgorithm(key)
  } catch (cause) {
    throw keyError(cause, 'ISSUING_KEY_INSECURE')
  }
  if (PERMITTED.includes(algorithm)) return algorithm
  throw new IssuingError('ISSUING_ALGORITHM', `signing algorithm not permitted: ${algorithm.name}`, {
    expected: PERMITTED.map(({ name }) => name).join(', '),
  })
}

function keyError(cause: unknown, code: IssuingErrorCode): unknown {
  if (!isCodedError(cause)) return cause
  const weak = cause.code === 'KEY_WEAK'
  return new IssuingError(weak ? 'ISSUING_KEY_INSECURE' : code, cause.message, {
    expected: cause.expected,
    found: cause.found,
    cause,
  })
}
