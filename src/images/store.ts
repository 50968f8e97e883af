/** What reading and writing attachments needs. @module */
import type { Timers } from '#clients/http/fetch'
import type { ContentReader, RegistryClient } from '#clients/registry/registry'
import type { BundleOptions } from '#formats/bundle/parse'
import type { Repository } from '#formats/oci/reference'
import type { Clock } from '#time'

/** Where attachments are looked for. */
export interface AttachmentReader {
  readonly content: ContentReader
  /** Where attachments are instead of beside their image (`COSIGN_REPOSITORY`). */
  readonly attachmentRepository?: Repository | undefined
  /** Put before the tags of the tag layout (`--attachment-tag-prefix`). */
  readonly tagPrefix?: string | undefined
  /** Most bytes of one attachment (`COSIGN_MAX_ATTACHMENT_SIZE`); 128 MiB if not given. */
  readonly maxAttachmentSize?: number | undefined
  readonly bundle?: BundleOptions | undefined
}

/** Where attachments are written. */
export interface AttachmentWriter extends AttachmentReader {
  readonly content: RegistryClient
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1), for the pauses between attempts. */
  readonly random: () => number
}

export const DEFAULT_MAX_ATTACHMENT_SIZE: number = 128 * 1024 * 1024

/** Where the attachments of images in `repository` are. */
export function attachmentsOf({ attachmentRepository }: AttachmentReader, repository: Repository): Repository {
  if (attachmentRepository !== undefined) return attachmentRepository
  return { registry: repository.registry, repository: repository.repository }
}
