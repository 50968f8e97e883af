/** Digests in log entries, checked against their algorithm. @module */
import { DIGEST_SIZES, isDigestName } from '#crypto/digest'
import { decodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { EntryDigest } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'

/**
 * A digest whose length fits its algorithm.
 * @throws RekorEntryError `REKOR_ENTRY_DIGEST`
 */
export function entryDigest(algorithm: string | undefined, value: Uint8Array): EntryDigest {
  if (algorithm !== undefined && isDigestName(algorithm) && value.length === DIGEST_SIZES[algorithm]) {
    return { algorithm, value }
  }
  throw new RekorEntryError('REKOR_ENTRY_DIGEST', 'the entry has an unusable digest', {
    expected: 'SHA-256, SHA-384 or SHA-512 with as many bytes as it makes',
    found: `${algorithm?.slice(0, 40) ?? 'no algorithm'}, ${String(value.length)} bytes`,
  })
}

/** The same from Rekor v1's hexadecimal text, of either case. @throws RekorEntryError `REKOR_ENTRY_DIGEST` */
export function entryDigestFromHex(algorithm: string, hex: string): EntryDigest {
  let value: Uint8Array
  try {
    value = decodeHex(hex)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new RekorEntryError('REKOR_ENTRY_DIGEST', 'the digest of the entry is not hexadecimal', { cause })
  }
  return entryDigest(algorithm, value)
}
