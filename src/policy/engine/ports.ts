/** What the engine needs of the world. The ports are those of one review: its registry logins, its deadline. @module */
import type { JsonValue } from '#encoding/json'
import type { CodedError } from '#errors'
import type { Reference, Repository } from '#formats/oci/reference'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock } from '#time'
import type { KeySource, KnownKey, SignatureSource } from '../internal/attestor.js'
import type { ClusterReader } from '../internal/cluster.js'
import type { PinnedImage } from '../internal/image.js'
import type { RegistryAccess } from '../internal/policy.js'
import type { TrustRepository } from '../internal/trust-repository.js'
import type { VerificationMemory } from './verification-memory.js'

export interface AttachmentAsk {
  readonly pinned: PinnedImage
  readonly kind: 'signature' | 'attestation'
  readonly predicateType: string | undefined
  readonly source: SignatureSource
}

/** Something attached to the image; nothing of it is believed. What `findAttachments` of the images layer gives fits. */
export interface CandidateAttachment {
  readonly origin: { readonly layout: 'referrer' | 'tag'; readonly manifest: string; readonly layer: string }
  readonly entity: SignedEntity
  readonly payload?: Uint8Array | undefined
}

export interface FoundCandidates {
  readonly attachments: readonly CandidateAttachment[]
  readonly unreadable: readonly { readonly error: CodedError }[]
  readonly passedOver: readonly string[]
}

export interface EnginePorts {
  /** What a name stands for now. A digest is not looked up. */
  resolve(reference: Reference, signal: AbortSignal): Promise<PinnedImage>
  /** Everything of a kind that is attached. It throws if that cannot be said: an image that cannot be asked about is not an unsigned one. */
  attachments(ask: AttachmentAsk, signal: AbortSignal): Promise<FoundCandidates>
  /** The configuration of each image by platform, of an index all of them. */
  configs(image: PinnedImage, signal: AbortSignal): Promise<ReadonlyMap<string, JsonValue>>
  /** The manifest, as JSON. */
  manifest(image: PinnedImage, signal: AbortSignal): Promise<JsonValue>
  /** A trust root by name, or the installation's own. */
  trustRoot(name: string | undefined): TrustedRoot | Promise<TrustedRoot>
  /** The trusted root of a TUF repository that a policy names itself. Absent: none is asked here. */
  readonly trustRepository?: (repository: TrustRepository, signal: AbortSignal) => Promise<TrustedRoot>
  /** A key that is kept elsewhere. It may answer with the last good one; it throws when there is none. */
  key(source: Exclude<KeySource, { readonly kind: 'inline' }>, signal: AbortSignal): Promise<KnownKey>
  readonly cluster: ClusterReader
  readonly clock: Clock
  /** Of whoever's logins these ports have. */
  readonly memory?: VerificationMemory
  /** The same with the logins that a rule brings along; absent: it can bring none. */
  readonly withAccess?: (access: RegistryAccess) => EnginePorts
}

/** `registry/repository@sha256:…`, as messages name an image. */
export function pinnedName({ repository, digest }: PinnedImage): string {
  return `${fullName(repository)}@${digest}`
}

function fullName({ registry, repository }: Repository): string {
  return `${registry}/${repository}`
}
