/** The grammar of repository names, tags and digests: what passes here is safe as a path. @module */
import { DIGEST_SIZES, isDigestName } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import { ImageStoreError } from './errors.js'

/** A content digest taken apart. */
export interface Digest {
  readonly algorithm: DigestName
  /** Lower case. */
  readonly hex: string
  /** `sha256:…` */
  readonly text: string
}

// No segment can be `.` or `..` or start with `_`, which is what keeps names apart from our own folders.
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const NAME_LENGTH = 255

/** @throws ImageStoreError IMAGE_STORE_NAME_INVALID */
export function parseName(text: string): string {
  // The length goes first: it bounds what the pattern has to look at.
  if (text.length <= NAME_LENGTH && NAME.test(text)) return text
  throw new ImageStoreError('IMAGE_STORE_NAME_INVALID', 'not a repository name', {
    expected: 'lower-case segments joined by slashes, such as team/app',
    found: text.slice(0, 80),
  })
}

/** @throws ImageStoreError IMAGE_STORE_TAG_INVALID */
export function parseTag(text: string): string {
  if (TAG.test(text)) return text
  throw new ImageStoreError('IMAGE_STORE_TAG_INVALID', 'not a tag', {
    expected: 'up to 128 letters, digits, dots, dashes and underscores',
    found: text.slice(0, 140),
  })
}

/** @throws ImageStoreError IMAGE_STORE_DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':')
  const algorithm = text.slice(0, Math.max(colon, 0))
  const hex = text.slice(colon + 1)
  if (isDigestName(algorithm) && hex.length === 2 * DIGEST_SIZES[algorithm] && /^[0-9a-f]+$/.test(hex)) {
    return { algorithm, hex, text }
  }
  throw new ImageStoreError('IMAGE_STORE_DIGEST_INVALID', 'not a digest', {
    expected: 'sha256: and 64 lower-case hexadecimal digits (or sha384:, sha512:)',
    found: text.slice(0, 140),
  })
}

/** A manifest reference is a digest if it has a colon, which no tag can have. */
export function parseReference(text: string): { readonly tag: string } | { readonly digest: Digest } {
  return text.includes(':') ? { digest: parseDigest(text) } : { tag: parseTag(text) }
}
