/** `HashAlgorithm` of protobuf-specs, and the digests that are supported of it. @module */
import type { DigestName } from '#crypto/digest'

/** `HashAlgorithm` of protobuf-specs, name to number. */
export const HASH_ALGORITHMS = {
  HASH_ALGORITHM_UNSPECIFIED: 0,
  SHA2_256: 1,
  SHA2_384: 2,
  SHA2_512: 3,
  SHA3_256: 4,
  SHA3_384: 5,
} as const

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
