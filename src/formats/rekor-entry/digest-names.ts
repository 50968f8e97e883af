/** Names of digest algorithms in Rekor v1 JSON and in protobuf JSON. @module */
import type { DigestName } from '#crypto/digest'
import { DIGEST_SIZES, isDigestName } from '#crypto/digest'
import { decodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { EntryDigest } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** `HashAlgorithm` of protobuf-specs, name to number. */
export const HASH_ALGORITHMS = {
  HASH_ALGORITHM_UNSPECIFIED: 0,
  SHA2_256: 1,
  SHA2_384: 2,
  SHA2_512: 3,
  SHA3_256: 4,
  SHA3_384: 5,
} as const satisfies Record<string, number>

const PROTO_NAMES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const satisfies Record<
  DigestName,
  keyof typeof HASH_ALGORITHMS
>

const FROM_PROTO: ReadonlyMap<string, DigestName> = new Map([
  ['SHA2_256', 'sha256'],
  ['SHA2_384', 'sha384'],
  ['SHA2_512', 'sha512'],
])

/** `sha256` → `SHA2_256`. */
export function protoHashAlgorithm(name: DigestName): keyof typeof HASH_ALGORITHMS {
  return PROTO_NAMES[name]
}

/** `SHA2_256` → `sha256`; undefined for algorithms that are not supported. */
export function digestNameFromProto(name: string): DigestName | undefined {
  return FROM_PROTO.get(name)
}

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
    value = decodeHex(hex.toLowerCase())
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new RekorEntryError('REKOR_ENTRY_DIGEST', 'the digest of the entry is not hexadecimal', { cause })
  }
  return entryDigest(algorithm, value)
}
