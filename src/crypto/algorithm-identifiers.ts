/** AlgorithmIdentifier (RFC 5280 §4.1.1.2) as X.509, PKCS #10 and CMS write it. @module */
import type { DerElement, DerReader } from '#encoding/der'
import { TAG, contextTag, readNull, readOid, readSmallInteger } from '#encoding/der'
import { derExplicit, derInteger, derNull, derOid, derSequence } from '#encoding/der-writer'
import type { SignatureFamily, SignatureScheme } from './algorithms.js'
import type { DigestName } from './digest.js'
import { DIGEST_SIZES } from './digest.js'
import { KeyError } from './key-error.js'

const OID_RSA_PSS = '1.2.840.113549.1.1.10'
const OID_MGF1 = '1.2.840.113549.1.1.8'

interface Identifier extends SignatureScheme {
  /** Whether the parameters are NULL, as RSA's must be (RFC 8017 §A.2.4); all others have none. */
  readonly nullParameters: boolean
}

const SIGNATURES: ReadonlyMap<string, Identifier> = new Map([
  ['1.2.840.10045.4.3.2', plain('ecdsa', 'sha256')],
  ['1.2.840.10045.4.3.3', plain('ecdsa', 'sha384')],
  ['1.2.840.10045.4.3.4', plain('ecdsa', 'sha512')],
  ['1.2.840.113549.1.1.11', { ...plain('rsa-pkcs1', 'sha256'), nullParameters: true }],
  ['1.2.840.113549.1.1.12', { ...plain('rsa-pkcs1', 'sha384'), nullParameters: true }],
  ['1.2.840.113549.1.1.13', { ...plain('rsa-pkcs1', 'sha512'), nullParameters: true }],
  ['1.3.101.112', plain('ed25519', undefined)],
  ['2.16.840.1.101.3.4.3.17', plain('ml-dsa', undefined)],
  ['2.16.840.1.101.3.4.3.18', plain('ml-dsa', undefined)],
  ['2.16.840.1.101.3.4.3.19', plain('ml-dsa', undefined)],
])

const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/**
 * The scheme that a SEQUENCE AlgorithmIdentifier names. Parameters are not left to choice: an absent NULL of RSA is tolerated
 * (old encoders), any other deviation is refused.
 * @throws {@link KeyError} ALGORITHM_UNKNOWN, or a DerError if it is no AlgorithmIdentifier.
 */
export function readSignatureAlgorithm(element: DerElement): SignatureScheme {
  const reader = element.contents()
  const oid = readOid(reader.next(TAG.OID))
  if (oid === OID_RSA_PSS) return readPssParameters(reader)
  const known = SIGNATURES.get(oid)
  if (known === undefined) throw unknown('signature', oid)
  if (known.nullParameters && !reader.done) readNull(reader.next(TAG.NULL))
  reader.end()
  return { family: known.family, digest: known.digest }
}

/** The digest that a SEQUENCE AlgorithmIdentifier names, with NULL parameters or none (RFC 5754 §2). @throws {@link KeyError} ALGORITHM_UNKNOWN */
export function readDigestAlgorithm(element: DerElement): DigestName {
  const reader = element.contents()
  const oid = readOid(reader.next(TAG.OID))
  const known = DIGESTS.get(oid)
  if (known === undefined) throw unknown('digest', oid)
  if (!reader.done) readNull(reader.next(TAG.NULL))
  reader.end()
  return known
}

/** The AlgorithmIdentifier of a scheme. @throws {@link KeyError} ALGORITHM_UNKNOWN for schemes that X.509 has no single name for. */
export function encodeSignatureAlgorithm(scheme: SignatureScheme): Uint8Array {
  for (const [oid, row] of SIGNATURES) {
    if (row.family === 'ml-dsa' || row.family !== scheme.family || row.digest !== scheme.digest) continue
    return derSequence(derOid(oid), ...(row.nullParameters ? [derNull()] : []))
  }
  if (scheme.family === 'rsa-pss' && scheme.digest !== undefined) return encodePss(scheme.digest)
  throw unknown('signature', scheme.family)
}

/** The AlgorithmIdentifier of a digest, without parameters (RFC 5754 §2). */
export function encodeDigestAlgorithm(name: DigestName): Uint8Array {
  return derSequence(derOid(digestOid(name)))
}

/** The object identifier of a digest. */
export function digestOid(name: DigestName): string {
  for (const [oid, candidate] of DIGESTS) if (candidate === name) return oid
  throw unknown('digest', name)
}

// RSASSA-PSS-params (RFC 4055 §3.1), of which one form is accepted: one SHA-2 digest throughout, a salt as long as it.
function readPssParameters(reader: DerReader): SignatureScheme {
  const fields = reader.next(TAG.SEQUENCE).contents()
  reader.end()
  const hash = readDigestAlgorithm(fields.next(explicit(0)).contents().next(TAG.SEQUENCE))
  const mask = fields.next(explicit(1)).contents().next(TAG.SEQUENCE).contents()
  const maskOid = readOid(mask.next(TAG.OID))
  const maskHash = readDigestAlgorithm(mask.next(TAG.SEQUENCE))
  const saltLength = readSmallInteger(fields.next(explicit(2)).contents().next(TAG.INTEGER))
  if (maskOid !== OID_MGF1 || maskHash !== hash || saltLength !== DIGEST_SIZES[hash])
    throw unknown('signature', 'unusual RSA-PSS parameters')
  return { family: 'rsa-pss', digest: hash }
}

function encodePss(name: DigestName): Uint8Array {
  const hash = derSequence(derOid(digestOid(name)), derNull())
  const mask = derSequence(derOid(OID_MGF1), hash)
  const salt = derInteger(DIGEST_SIZES[name])
  return derSequence(derOid(OID_RSA_PSS), derSequence(derExplicit(0, hash), derExplicit(1, mask), derExplicit(2, salt)))
}

function explicit(n: number): number {
  return contextTag(n, { constructed: true })
}

function plain(family: SignatureFamily, digest: DigestName | undefined): Identifier {
  return { family, digest, nullParameters: false }
}

function unknown(kind: string, found: string): KeyError {
  return new KeyError('ALGORITHM_UNKNOWN', `a ${kind} algorithm that is not supported`, { found })
}
