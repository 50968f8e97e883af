/** What a registry, or a layout directory that stands in for one, can be asked. @module */
import type { Descriptor } from '#formats/oci/descriptor'
import type { Repository } from '#formats/oci/reference'

/** A manifest as it was sent, its digest checked. */
export interface FetchedManifest {
  readonly mediaType: string
  /** `sha256:…` of `bytes`. */
  readonly digest: string
  readonly bytes: Uint8Array
  /** The registry's entity tag, for a later conditional write; most registries send none. */
  readonly etag?: string | undefined
}

/** What names a manifest within a repository: a tag, or a digest (`sha256:…`). */
export type ManifestName = string

/** Where a list of referrers came from. */
export type ReferrersSource =
  /** The referrers API. */
  | 'api'
  /** The fallback tag `sha256-<hex>` of registries without it. */
  | 'tag'

export interface Referrers {
  readonly source: ReferrersSource
  readonly descriptors: readonly Descriptor[]
}

/** Reading content by name and by digest. Everything is checked against its digest before it is handed out. */
export interface ContentReader {
  /**
   * What a name points at now; only the digest, size and type, without fetching it where possible.
   * @throws RegistryError REGISTRY_NOT_FOUND
   */
  resolve(repository: Repository, name: ManifestName): Promise<Descriptor>
  /**
   * A manifest. By digest it is fetched at most once in a process, by tag every time.
   * @throws RegistryError REGISTRY_NOT_FOUND, REGISTRY_DIGEST, REGISTRY_TOO_LARGE
   */
  manifest(repository: Repository, name: ManifestName): Promise<FetchedManifest>
  /** A whole blob, at most `limit` bytes. */
  blob(repository: Repository, descriptor: Pick<Descriptor, 'digest' | 'size'>, limit: number): Promise<Uint8Array>
  /** A blob piece by piece; the last piece comes only once the digest has been checked. */
  openBlob(repository: Repository, descriptor: Pick<Descriptor, 'digest' | 'size'>): AsyncIterable<Uint8Array>
  /**
   * Manifests whose subject is `digest`. Those of another artifact type may be among them (registries need not filter).
   * An image nothing refers to has an empty list.
   */
  referrers(repository: Repository, digest: string, artifactType?: string): Promise<Referrers>
}

/** A manifest to be written. */
export interface OutgoingManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** A condition on a write, as far as the registry honours it. */
export interface WriteCondition {
  /** Write only if the name still has this entity tag. */
  readonly ifMatch?: string | undefined
}

export interface WrittenManifest {
  readonly digest: string
  /** The registry has taken note of the manifest's subject (`OCI-Subject`), so no fallback tag is needed. */
  readonly subjectRecorded: boolean
}

/** Writing content. Blobs must be there before the manifest that names them. */
export interface ContentWriter {
  /** Whether a blob is there already. */
  hasBlob(repository: Repository, digest: string): Promise<boolean>
  /** Uploads a blob unless it is there; returns its descriptor without a media type of its own. */
  pushBlob(repository: Repository, bytes: Uint8Array, mediaType: string): Promise<Descriptor>
  /**
   * Uploads a blob of any size as it comes, whether or not it is there. `open` may be called again, for another attempt.
   * @throws RegistryError, and whatever the pieces end in: then nothing was stored
   */
  uploadBlob(
    repository: Repository,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: () => AsyncIterable<Uint8Array>,
  ): Promise<void>
  /** Takes a blob over from another repository of the same registry; false if the registry would rather have it uploaded. */
  mountBlob(repository: Repository, digest: string, from: Repository): Promise<boolean>
  /**
   * Under a tag it is tried once only: a second try could undo what somebody else has written in between.
   * @throws RegistryError REGISTRY_CONFLICT if the condition does not hold.
   */
  pushManifest(
    repository: Repository,
    name: ManifestName,
    manifest: OutgoingManifest & WriteCondition,
  ): Promise<WrittenManifest>
  /** Deletes a manifest, or a tag; one that is gone already is no error. */
  deleteManifest(repository: Repository, name: ManifestName): Promise<void>
}

/** A registry. */
export interface RegistryClient extends ContentReader, ContentWriter {
  tags(repository: Repository): Promise<readonly string[]>
}
