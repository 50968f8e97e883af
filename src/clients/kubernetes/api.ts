/** What this project asks of a Kubernetes API server: a narrow port, so that tests can answer it. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Collection, KubernetesObject, ObjectAddress } from './object.js'

/** Everything throws KubernetesError `KUBERNETES_*` for what the API server refuses, HttpError `HTTP_*` where it cannot be reached. */
export interface KubernetesApi {
  /** @throws KubernetesError KUBERNETES_NOT_FOUND */
  get(at: ObjectAddress, signal?: AbortSignal): Promise<KubernetesObject>
  /** All of them, read page by page as one state of the cluster. */
  list(of: Collection, selection?: Selection, signal?: AbortSignal): Promise<ObjectList>
  /**
   * What changes from `resourceVersion` on. Ends when the server ends it, which is no error: watch again from the last
   * version seen.
   * @throws KubernetesError KUBERNETES_EXPIRED where that version is no longer kept: list again.
   */
  watch(of: Collection, from: WatchStart, signal?: AbortSignal): AsyncGenerator<WatchEvent, void, undefined>
  /**
   * Makes a new one; its name, or `generateName`, is the object's own.
   * @throws KubernetesError KUBERNETES_EXISTS
   */
  create(of: Collection, object: JsonObject, options?: WriteOptions): Promise<KubernetesObject>
  /**
   * Replaces the object. With a `metadata.resourceVersion` in it, only if nobody changed it since.
   * @throws KubernetesError KUBERNETES_CONFLICT
   */
  update(at: ObjectAddress, object: JsonObject, options?: WriteOptions): Promise<KubernetesObject>
  /** Server-side apply: the fields that are given are ours, made or changed; others stay. */
  apply(at: ObjectAddress, object: JsonObject, options: ApplyOptions): Promise<KubernetesObject>
  patch(at: ObjectAddress, patch: Patch, options?: WriteOptions): Promise<KubernetesObject>
  /** @throws KubernetesError KUBERNETES_NOT_FOUND, KUBERNETES_CONFLICT for a precondition that does not hold */
  delete(at: ObjectAddress, options?: DeleteOptions): Promise<void>
  /** The resources that a version of an API has, its subresources left out; none if it is not served. */
  resources(apiVersion: string, signal?: AbortSignal): Promise<readonly ServedResource[]>
  /** The groups that are served, their preferred version first. The core group's name is empty. */
  groups(signal?: AbortSignal): Promise<readonly ApiGroup[]>
  /** An address below the API server, path and query. */
  call(path: string, request: RawCall, signal?: AbortSignal): Promise<JsonValue>
}

export interface Selection {
  /** `app=web,tier!=cache` */
  readonly labelSelector?: string | undefined
  /** `metadata.name=ca` */
  readonly fieldSelector?: string | undefined
}

export interface ObjectList {
  readonly items: readonly KubernetesObject[]
  /** The state of the cluster that was read; to watch from. */
  readonly resourceVersion: string
}

export interface WatchStart extends Selection {
  readonly resourceVersion: string
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubernetesObject }
  /** Nothing happened up to here. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** The server has taken the watch; it is the first event, and our own. */
  | { readonly type: 'STARTED' }

export interface WriteOptions {
  /** `status`, `scale`, `ephemeralcontainers`, `eviction`. */
  readonly subresource?: string
  /** Checked and answered, but not stored. */
  readonly dryRun?: boolean
  /** Refuse fields that the schema does not have instead of dropping them. */
  readonly strict?: boolean
  readonly fieldManager?: string
  /** Told each `Warning` header's text. */
  readonly onWarning?: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  /** Takes over fields that others own. */
  readonly force?: boolean
}

export type Patch =
  | { readonly kind: 'merge'; readonly body: JsonObject }
  | { readonly kind: 'json'; readonly body: readonly JsonObject[] }
  | { readonly kind: 'strategic'; readonly body: JsonObject }

export interface DeleteOptions {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  readonly dryRun?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface ServedResource {
  readonly apiVersion: string
  /** The plural. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

export interface ApiGroup {
  readonly name: string
  /** `apps/v1`, the preferred one first. */
  readonly apiVersions: readonly string[]
}

export interface RawCall {
  readonly method: 'GET' | 'POST'
  readonly body?: JsonValue
}
