/** An inventory: which images run, which bills of materials were verified for them, and what is not known. @module */
import type { Completeness, Sbom } from '#formats/sbom/component'
import type { UnixMillis } from '#time'

/** Something that runs an image. */
export interface Workload {
  readonly namespace: string | undefined
  /** The controller that a person knows: a Deployment rather than its ReplicaSet or its pods. */
  readonly kind: string
  readonly name: string
  readonly container: string
}

/** How the digest of an image is known, the surest first. */
export type DigestBasis =
  /** A container runtime says that it runs this. */
  | 'running'
  /** The workload, or whoever asked, names it. */
  | 'pinned'
  /** A tag stood for it when the inventory was taken. */
  | 'resolved'

/** Who signed, as it was verified. */
export interface Signer {
  /** E-mail address, URI or user name; `key` and a fingerprint for the holder of a key. */
  readonly identity: string
  /** The OpenID Connect issuer; absent for keys. */
  readonly issuer: string | undefined
}

/** Where an attestation hangs. */
export type AttachedTo = 'image' | 'index'

interface AttestationSummary {
  /** Names the entry in the cache, which may hold several. */
  readonly key: string
  /** Which of them. */
  readonly at: number
  readonly attachedTo: AttachedTo
  /** The digest of the manifest that holds the attestation. */
  readonly attestation: string
  readonly signer: Signer
  readonly signedAt: UnixMillis | undefined
}

/** A verified bill of materials. */
export interface SbomSummary extends AttestationSummary {
  readonly format: Sbom['format']
  readonly version: string
  readonly components: number
  /** How many of them are in the software, rather than the software itself. */
  readonly contained: number
  readonly completeness: Completeness
}

/** A verified OpenVEX document. */
export interface VexSummary extends AttestationSummary {
  readonly id: string
  readonly statements: number
}

/** Something attached that counts for nothing, and why. */
export interface IgnoredAttestation {
  readonly attestation: string
  /** As the unsigned annotation states it; empty where nothing does. */
  readonly predicateType: string
  readonly code: string
  readonly message: string
}

export type UnknownReason =
  /** The name is none, the tag is not there, or the registry does not answer. */
  | 'IMAGE_UNRESOLVED'
  /** The image's manifest, or what is attached to it, cannot be fetched. */
  | 'REGISTRY_FAILED'
  /** No platform of the image was asked for. */
  | 'PLATFORM_MISSING'
  /** Nothing that could be a bill of materials is attached. */
  | 'SBOM_MISSING'
  /** Bills of materials are attached, and nobody who is pinned signed one of them for this image. */
  | 'SBOM_UNTRUSTED'
  /** A pinned signer's bill of materials cannot be read. */
  | 'SBOM_UNREADABLE'
  /** The bill of materials lists nothing at all. */
  | 'SBOM_EMPTY'
  /** The bill of materials says itself that it leaves something out. */
  | 'SBOM_INCOMPLETE'
  /** Not everything that is attached could be looked at. */
  | 'ATTACHMENTS_SKIPPED'
  /** The cache no longer has what the inventory found. */
  | 'CACHE_LOST'
  /** The stored inventory does not know the image, and nothing may be asked. */
  | 'NOT_INDEXED'

/** Why nothing can be ruled out for an image. */
export interface Unknown {
  readonly reason: UnknownReason
  readonly detail: string
}

/** One image that can run: of a multi-platform image each of its platforms. */
export interface PlatformImage {
  readonly digest: string
  /** `linux/amd64`; absent where the image is of no index. */
  readonly platform: string | undefined
  readonly sboms: readonly SbomSummary[]
  readonly vex: readonly VexSummary[]
  /** Present when an answer of "not found" would be a guess. */
  readonly unknown: Unknown | undefined
  readonly ignored: readonly IgnoredAttestation[]
}

/** An image that runs. */
export interface InventoryImage {
  /** As workloads name it; several where they differ. */
  readonly names: readonly string[]
  /** Full names of its repositories. */
  readonly repositories: readonly string[]
  /** Absent only where it could not be resolved. */
  readonly digest: string | undefined
  readonly basis: DigestBasis | undefined
  /** The index that it is part of or that it is, as far as is known. */
  readonly index: string | undefined
  readonly workloads: readonly Workload[]
  readonly platforms: readonly PlatformImage[]
  /** Of an image without platforms: why. */
  readonly unknown: Unknown | undefined
}

/** Whom the inventory trusted. */
export interface InventoryTrust {
  /** Changes with the signers, with the evidence that is asked for, and with the trusted root. */
  readonly fingerprint: string
  /** In words. */
  readonly sboms: readonly string[]
  /** Nobody is trusted for OpenVEX unless named. */
  readonly vex: readonly string[]
}

export interface Inventory {
  readonly takenAt: UnixMillis
  /** What it was taken of, in words: `cluster prod, all namespaces`. */
  readonly sources: readonly string[]
  readonly trust: InventoryTrust
  readonly images: readonly InventoryImage[]
  /** What is to be known about how it was taken, such as what could not be listed. */
  readonly notes: readonly string[]
}
