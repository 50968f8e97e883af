/** PKCS#10 certification requests (RFC 2986): read, verified and written. @module */
import { encodeSignatureAlgorithm, readSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { SignatureScheme } from '#crypto/algorithms'
import type { Signer } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import type { DerElement } from '#encoding/der'
import { TAG, contextTag, readBitStringBytes, readDer, readSmallInteger } from '#encoding/der'
import { derBitString, derImplicit, derInteger, derSequence } from '#encoding/der-writer'
import { isCodedError } from '#errors'
import { CertificateRequestError } from './errors.js'
import type { Name } from './name.js'
import { readName } from './name.js'

export interface CertificateRequest {
  /** CertificationRequestInfo, whole: what is signed. */
  readonly info: Uint8Array
  readonly subject: Name
  readonly spki: Uint8Array
  /** How the request is signed. */
  readonly scheme: SignatureScheme
  readonly signature: Uint8Array
}

/**
 * Parses a DER certification request. Attributes are read over: what a certificate says is the authority's to decide.
 * @throws CertificateRequestError CSR_MALFORMED
 */
export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  try {
    return readRequest(readDer(der, TAG.SEQUENCE))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CertificateRequestError('CSR_MALFORMED', `not a PKCS#10 request: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
}

/**
 * Verifies that the request is signed by the key inside it, and returns that key.
 * @throws CertificateRequestError CSR_SIGNATURE; KeyError for a key that is not accepted
 */
export async function verifyCertificateRequest(request: CertificateRequest): Promise<PublicKey> {
  const key = parsePublicKey(request.spki)
  if (await verifySignature({ key, scheme: request.scheme, signature: request.signature }, request.info)) return key
  throw new CertificateRequestError('CSR_SIGNATURE', 'the request is not signed by the key inside it')
}

/** A signed request for a name, without attributes. */
export async function buildCertificateRequest(subject: Name, signer: Signer): Promise<Uint8Array> {
  const info = derSequence(
    derInteger(0),
    subject.der,
    signer.publicKey.spki,
    derImplicit(0, new Uint8Array(0), { constructed: true }),
  )
  return derSequence(info, encodeSignatureAlgorithm(signer.algorithm), derBitString(await signer.sign(info)))
}

function readRequest(element: DerElement): CertificateRequest {
  const outer = element.contents()
  const info = outer.next(TAG.SEQUENCE)
  const scheme = readSignatureAlgorithm(outer.next(TAG.SEQUENCE))
  const signature = readBitStringBytes(outer.next(TAG.BIT_STRING))
  outer.end()
  const reader = info.contents()
  const version = readSmallInteger(reader.next(TAG.INTEGER))
  if (version !== 0)
    throw new CertificateRequestError('CSR_MALFORMED', 'an unknown version', { expected: '0', found: String(version) })
  const subject = readName(reader.next(TAG.SEQUENCE))
  const spki = reader.next(TAG.SEQUENCE).bytes
  reader.optional(contextTag(0, { constructed: true }))
  reader.end()
  return { info: info.bytes, subject, spki, scheme, signature }
}
