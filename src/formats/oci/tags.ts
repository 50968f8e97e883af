/** Tags under which things are attached to an image. @module */
import { parseDigest } from './digest.js'

/** Suffixes of cosign's tags. */
export type AttachmentKind = 'sig' | 'att' | 'sbom'

/**
 * `sha256-<hex>.sig`, `.att` or `.sbom`, with the prefix of `--attachment-tag-prefix` in front.
 * @throws OciError `OCI_DIGEST`
 */
export function attachmentTag(digest: string, kind: AttachmentKind, prefix = ''): string {
  return `${prefix}${referrersTag(digest)}.${kind}`
}

/**
 * The tag that lists the referrers of a digest at registries without the referrers API: `sha256-<hex>`.
 * @throws OciError `OCI_DIGEST`
 */
export function referrersTag(digest: string): string {
  const { algorithm, hex } = parseDigest(digest)
  return `${algorithm}-${hex}`
}
