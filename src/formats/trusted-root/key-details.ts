/** The keys of logs, which trusted roots write in more ways than one. @module */
import type { Algorithm } from '#crypto/algorithms'
import { algorithmByKeyDetails, defaultAlgorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { derBitString, derNull, derOid, derSequence } from '#encoding/der-writer'
import { isCodedError } from '#errors'
import { TrustedRootError } from './trusted-root-error.js'

/** A key and how it is used. */
export interface LogKey {
  readonly key: PublicKey
  readonly algorithm: Algorithm
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'

/** Deprecated details that do not name the size of the key; Sigstore's staging CT log of 2021 still has one. */
const UNSIZED_RSA: ReadonlySet<string> = new Set(['PKCS1_RSA_PKCS1V5', 'PKIX_RSA_PKCS1V5'])

/**
 * Reads a log's key. A key that does not fit to its stated details is refused.
 * @throws TrustedRootError `TRUSTED_ROOT_KEY`
 */
export function parseLogKey(rawBytes: Uint8Array, keyDetails: string, path: string): LogKey {
  const algorithm = algorithmByKeyDetails(keyDetails)
  if (algorithm === undefined && !UNSIZED_RSA.has(keyDetails)) throw unusable(path, keyDetails)
  try {
    const key = parsePublicKey(keyDetails === 'PKCS1_RSA_PKCS1V5' ? spkiOfPkcs1(rawBytes) : rawBytes)
    const used = algorithm ?? defaultAlgorithm(key)
    if (used.keyType === key.keyType && (used.keyBits === undefined || used.keyBits === key.keyBits)) {
      return { key, algorithm: used }
    }
    throw unusable(path, `${keyDetails} with a key of type ${key.keyType}`)
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof TrustedRootError) throw cause
    throw unusable(path, keyDetails, cause)
  }
}

function spkiOfPkcs1(rsaPublicKey: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid(RSA_ENCRYPTION), derNull()), derBitString(rsaPublicKey))
}

function unusable(path: string, found: string, cause?: unknown): TrustedRootError {
  return new TrustedRootError('TRUSTED_ROOT_KEY', `${path} is not a key that can be used`, {
    expected: 'a key of a supported type that fits to its keyDetails',
    found,
    cause,
  })
}
