/** OCI content descriptors, manifests and indexes: read from registries, written as Go writes them. @module */

/** Points at content. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType?: string | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly platform?: Platform | undefined
  readonly data?: Uint8Array | undefined
  readonly urls?: readonly string[] | undefined
}

/** What an image in an index runs on. */
export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly variant?: string | undefined
  readonly osVersion?: string | undefined
}

/** An image manifest (OCI or Docker). */
export interface ImageManifest {
  readonly kind: 'image'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly subject?: Descriptor | undefined
  readonly artifactType?: string | undefined
}

/** An image index or Docker manifest list. */
export interface ImageIndex {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly subject?: Descriptor | undefined
  readonly artifactType?: string | undefined
}

/** Either. */
export type Manifest = ImageManifest | ImageIndex
