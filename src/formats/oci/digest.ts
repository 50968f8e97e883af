/** OCI digests: `sha256:<hex>`. @module */
import type { DigestName } from '#crypto/digest'
import { DIGEST_SIZES, digest as hash, isDigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { OciError } from './oci-error.js'

/** A digest taken apart. */
export interface Digest {
  readonly algorithm: DigestName
  /** Lower case. */
  readonly hex: string
}

/**
 * Reads a digest. Only lower case is canonical; anything else is refused.
 * @throws OciError `OCI_DIGEST`
 */
export function parseDigest(text: string): Digest {
  const digest = read(text)
  if (digest !== undefined) return digest
  throw new OciError('OCI_DIGEST', 'not a digest', {
    expected: 'sha256: and 64 hexadecimal digits in lower case (or sha384, sha512)',
    found: text.slice(0, 150),
  })
}

/** Whether a text is a digest. */
export function isDigest(text: string): boolean {
  return read(text) !== undefined
}

function read(text: string): Digest | undefined {
  const [, algorithm = '', hex = ''] = /^([a-z0-9]{1,20}):([0-9a-f]{1,200})$/.exec(text) ?? []
  return isDigestName(algorithm) && hex.length === 2 * DIGEST_SIZES[algorithm] ? { algorithm, hex } : undefined
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array, algorithm: DigestName = 'sha256'): string {
  return `${algorithm}:${encodeHex(hash(algorithm, bytes))}`
}
