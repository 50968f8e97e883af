/** The policy engine's ports over a registry: images, what is attached to them, their configurations. @module */
import type { ContentReader } from '#clients/registry/registry'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { parseManifest } from '#formats/oci/manifest'
import { parseRepository } from '#formats/oci/reference'
import { findAttachments } from '#images/find'
import type { AttachmentLayout } from '#images/attachment'
import { expandImage, resolveImage } from '#images/resolve'
import type { EnginePorts } from '#policy/engine/ports'
import type { SignatureSource } from '#policy/internal/attestor'
import type { PinnedImage } from '#policy/internal/image'

/** What is not the registry's, and whatever goes beyond one registry client for everything. */
export interface OtherPorts extends Pick<
  EnginePorts,
  'trustRoot' | 'trustRepository' | 'key' | 'cluster' | 'clock' | 'memory' | 'withAccess'
> {
  /** Signatures that are kept elsewhere may need logins of their own. */
  readonly contentFor?: (source: SignatureSource) => ContentReader
}

/** An admission answer has seconds: an attestation of more than this is not read in them. */
const MAX_ATTACHMENT = 32 * 1024 * 1024
/** Bundles are never under a tag: whoever wants nothing else is spared the question. */
const ONLY_REFERRERS: readonly AttachmentLayout[] = ['referrer']
const MAX_CONFIG = 4 * 1024 * 1024

/** Ports of one review. `content` carries the review's logins. */
export function createReviewPorts(content: ContentReader, { contentFor, ...others }: OtherPorts): EnginePorts {
  return {
    resolve: async (reference) => {
      const { repository, descriptor } = await resolveImage(content, reference)
      return { repository, digest: descriptor.digest }
    },
    attachments: async ({ pinned, kind, predicateType, source }) => {
      const reader = {
        content: contentFor?.(source) ?? content,
        attachmentRepository: source.repository === undefined ? undefined : parseRepository(source.repository),
        tagPrefix: source.tagPrefix,
        maxAttachmentSize: MAX_ATTACHMENT,
      }
      const { repository, digest } = pinned
      const query = { repository, digest, kind, predicateType }
      return await findAttachments(reader, source.format === 'bundle' ? { layouts: ONLY_REFERRERS, ...query } : query)
    },
    manifest: async ({ repository, digest }) => parseJson((await content.manifest(repository, digest)).bytes),
    configs: (pinned) => configsOf(content, pinned),
    ...others,
  }
}

/** By `os/architecture[/variant]`; an index is looked through to its images. */
async function configsOf(
  content: ContentReader,
  { repository, digest }: PinnedImage,
): Promise<ReadonlyMap<string, JsonValue>> {
  const { bytes, mediaType } = await content.manifest(repository, digest)
  const descriptor = { mediaType, digest, size: bytes.length }
  const images = await expandImage(content, { repository, descriptor })
  const configs = await Promise.all(
    images.map(async (image) => {
      const fetched = await content.manifest(repository, image.descriptor.digest)
      const manifest = parseManifest(fetched.bytes, fetched.mediaType)
      if (manifest.kind !== 'image') return []
      const config = parseJson(await content.blob(repository, manifest.config, MAX_CONFIG))
      return isJsonObject(config) ? [[platformOf(config), config] as const] : []
    }),
  )
  return new Map(configs.flat())
}

function platformOf({ os, architecture, variant }: JsonObject): string {
  return [os, architecture, variant]
    .flatMap((part) => (typeof part === 'string' && part !== '' ? [part] : []))
    .join('/')
}
