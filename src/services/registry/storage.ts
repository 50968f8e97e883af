/** The storage contract of the registry. @module */
import type { Digest } from './names.js'

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A manifest exactly as it was pushed. */
export interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** Bytes on their way to become a blob. One caller at a time. */
export interface Upload {
  /** Adds bytes at the end; resolves once it is right to send more. */
  append(chunk: Uint8Array): Promise<void>
  /** All bytes so far, from the start. */
  read(): AsyncIterable<Uint8Array>
  /** Makes the bytes a blob of the repository: durable and visible when this resolves. The digest was checked by the caller. */
  commit(digest: Digest): Promise<void>
  /** Forgets the bytes; safe after `commit`. */
  discard(): Promise<void>
}

/**
 * Where images live. Names, tags and digests were parsed, so they are safe as paths. What a method promised is durable
 * when it resolves; a crash in the middle leaves either the old or the new state. Absence is `undefined` or `false`,
 * never an error. Every repository has its own blobs: a delete in one is not seen in another.
 */
export interface RegistryStorage {
  blobSize(name: string, digest: Digest): Promise<number | undefined>
  /** The bytes of a blob that is there; the range lies inside it. Fails while it is read if the blob was deleted since. */
  readBlob(name: string, digest: Digest, range?: ByteRange): AsyncIterable<Uint8Array>
  /** Makes a blob of one repository a blob of another as well. */
  mountBlob(from: string, to: string, digest: Digest): Promise<boolean>
  deleteBlob(name: string, digest: Digest): Promise<boolean>
  beginUpload(name: string): Promise<Upload>

  getManifest(name: string, digest: Digest): Promise<StoredManifest | undefined>
  /** `subject`: what the manifest refers to; from then on it is in that one's list of referrers. */
  putManifest(name: string, digest: Digest, manifest: StoredManifest, subject: Digest | undefined): Promise<void>
  /** Also forgets the tags that point at it, and its place among the referrers of `subject`. */
  deleteManifest(name: string, digest: Digest, subject: Digest | undefined): Promise<boolean>

  getTag(name: string, tag: string): Promise<Digest | undefined>
  putTag(name: string, tag: string, digest: Digest): Promise<void>
  deleteTag(name: string, tag: string): Promise<boolean>
  /** In byte order; undefined for a repository that was never pushed to. */
  listTags(name: string): Promise<readonly string[] | undefined>

  /** Digests of the manifests that refer to this one, in no order. Some may be gone already. */
  listReferrers(name: string, subject: Digest): Promise<readonly Digest[]>
  /** All repositories, in byte order. */
  listRepositories(): Promise<readonly string[]>
}
