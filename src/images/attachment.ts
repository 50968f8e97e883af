/** What can hang on an image, whichever layout it was written in. @module */
import type { CodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import type { Repository } from '#formats/oci/reference'
import type { SignedEntity } from '#formats/signed-entity'

/** How something was attached. */
export type AttachmentLayout =
  /** A manifest with a `subject` (OCI 1.1), holding one Sigstore bundle. */
  | 'referrer'
  /** A layer of the manifest at the tag `sha256-<hex>.sig` or `.att`. */
  | 'tag'

/** Where an attachment was found; enough to name it in an error and to fetch it again. */
export interface AttachmentOrigin {
  readonly layout: AttachmentLayout
  readonly repository: Repository
  /** The digest of the manifest that holds it. */
  readonly manifest: string
  /** The digest of the blob that holds it. */
  readonly layer: string
  /** The tag it was found by, of the tag layout. */
  readonly tag?: string | undefined
}

/** A signed thing attached to an image, read but not verified. */
export interface Attachment {
  readonly origin: AttachmentOrigin
  readonly entity: SignedEntity
  /** The blob's exact bytes: a bundle, a simple signing payload, or a DSSE envelope. */
  readonly bytes: Uint8Array
  /** What the signature of a message-signature entity is over; undefined where the entity has it inside (DSSE). */
  readonly payload?: Uint8Array | undefined
  /** Annotations of the layer or of the referrer; unsigned. */
  readonly annotations: Readonly<Record<string, string>>
}

/** Something that should have been an attachment and cannot be read. */
export interface UnreadableAttachment {
  readonly origin: AttachmentOrigin
  readonly error: CodedError
}

/** All that was found on one image, both layouts together. */
export interface FoundAttachments {
  readonly attachments: readonly Attachment[]
  readonly unreadable: readonly UnreadableAttachment[]
  /** Predicate types of what is there but was not looked for, as the (unsigned) annotations state them. */
  readonly passedOver: readonly string[]
}

/** What is looked for. */
export type AttachmentKind = 'signature' | 'attestation'

/** An image, resolved. */
export interface ResolvedImage {
  readonly repository: Repository
  readonly descriptor: Descriptor
}
