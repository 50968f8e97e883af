/** A copy of what an API server holds of a resource, kept current by watching, and kept while the server is away. @module */
import { isCodedError } from '#errors'
import type { Clock, UnixMillis } from '#time'
import type { Timers } from '../http/fetch.js'
import { wait } from '../http/timers.js'
import type { KubernetesApi, Selection } from './api.js'
import { KubernetesError, isKubernetesError } from './kubernetes-error.js'
import type { Collection, KubernetesObject } from './object.js'
import { createObjectStore, type ObjectChange, type ObjectStore } from './object-store.js'

export interface ResourceCacheOptions {
  readonly api: KubernetesApi
  readonly of: Collection
  readonly selection?: Selection
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1). */
  readonly random: () => number
  /** What to keep of an object. Default: all but `metadata.managedFields`, which is often half of it. */
  readonly keep?: (object: KubernetesObject) => KubernetesObject
  /** Told each failure; what is known stays, and the cache goes on trying. */
  readonly onTrouble?: (error: unknown) => void
}

/** The last good state of a resource. */
export interface ResourceCache {
  readonly of: Collection
  get(name: string, namespace?: string): KubernetesObject | undefined
  list(): readonly KubernetesObject[]
  state(): CacheState
  /** Resolves once the whole of it has been seen; does not reject. */
  whenSynced(): Promise<void>
  /** Told what changed, after the cache has changed; must not throw. Returns what ends it. */
  onChange(listener: (changes: readonly ObjectChange[]) => void): () => void
  /** Stops watching; resolves when nothing more comes. What is known stays. */
  stop(): Promise<void>
}

export interface CacheState {
  /** Whether the whole of it has been seen once: before that, what is not in the cache is not known to be absent. */
  readonly synced: boolean
  /** `current`: changes arrive as they happen. `away`: the last good state is shown. `unserved`: the server knows no such resource. */
  readonly contact: 'starting' | 'current' | 'away' | 'unserved'
  /** When the server was last heard of. */
  readonly heard: UnixMillis | undefined
  /** Why it is away. */
  readonly trouble: unknown
}

/** Pauses between attempts; short enough that a policy is obeyed seconds after the server is back. */
const BASE_MILLIS = 500
const MAX_MILLIS = 10_000
/** A watch that lived so long was a good one, even if nothing happened. */
const GOOD_WATCH_MILLIS = 5_000
/** How soon a resource that is not served is asked for again: its definition may come. */
const UNSERVED_MILLIS = 5_000

/** Begins to list and watch. The cache is to be had at once; whether it is whole, its state says. */
export function startResourceCache(options: ResourceCacheOptions): ResourceCache {
  const stopping = new AbortController()
  const cache = new Reflection(options, stopping.signal)
  const running = cache.run()
  return {
    of: options.of,
    get: (name, namespace) => cache.store.get(name, namespace),
    list: () => cache.store.list(),
    state: () => cache.state,
    whenSynced: () => cache.synced,
    onChange: (listener) => {
      cache.listeners.add(listener)
      return () => {
        cache.listeners.delete(listener)
      }
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

class Reflection {
  readonly store: ObjectStore = createObjectStore()
  readonly listeners = new Set<(changes: readonly ObjectChange[]) => void>()
  readonly synced: Promise<void>
  state: CacheState = { synced: false, contact: 'starting', heard: undefined, trouble: undefined }
  readonly #options: ResourceCacheOptions
  readonly #stopping: AbortSignal
  readonly #announce: () => void
  readonly #keep: (object: KubernetesObject) => KubernetesObject
  /** Where to watch on from; undefined when everything must be listed again. */
  #version: string | undefined
  /** Attempts since something good happened. */
  #failures = 0

  constructor(options: ResourceCacheOptions, stopping: AbortSignal) {
    this.#options = options
    this.#stopping = stopping
    this.#keep = options.keep ?? withoutManagedFields
    let announce = (): void => undefined
    this.synced = new Promise((resolve) => {
      announce = resolve
    })
    this.#announce = announce
  }

  async run(): Promise<void> {
    while (!this.#stopping.aborted) {
      const pause = await this.#attempt()
      if (pause > 0) await this.#pause(pause)
    }
  }

  /** Lists if it must, and watches until that ends. How long to wait before the next attempt. */
  async #attempt(): Promise<number> {
    try {
      this.#version ??= await this.#list()
      await this.#watch(this.#version)
      // One watch that ends at once is a server that restarts; many are a loop.
      return this.#backOff(this.#failures++)
    } catch (error) {
      return this.#stopping.aborted ? 0 : this.#afterFailure(error)
    }
  }

  async #list(): Promise<string> {
    const { api, of, selection } = this.#options
    const { items, resourceVersion } = await api.list(of, selection, this.#stopping)
    const changes = this.store.replace(items.map(this.#keep))
    this.#heard('current')
    this.#announce()
    this.#tell(changes)
    return resourceVersion
  }

  async #watch(from: string): Promise<void> {
    const { api, of, selection, clock } = this.#options
    const began = clock()
    for await (const event of api.watch(of, { ...selection, resourceVersion: from }, this.#stopping)) {
      this.#heard('current')
      if (event.type === 'STARTED') continue
      this.#failures = 0
      if (event.type === 'BOOKMARK') {
        this.#version = event.resourceVersion
        continue
      }
      const object = this.#keep(event.object)
      const changes = event.type === 'DELETED' ? this.store.remove(object) : this.store.put(object)
      // Only now: what was not taken in must come again.
      this.#version = versionOf(event.object)
      this.#tell(changes)
    }
    if (clock() - began >= GOOD_WATCH_MILLIS) this.#failures = 0
  }

  #afterFailure(error: unknown): number {
    const code = isKubernetesError(error) ? error.code : undefined
    if (code === 'KUBERNETES_EXPIRED') {
      // Nothing is wrong with the server; only the time between has to be made up for.
      this.#version = undefined
      return this.#backOff(this.#failures++)
    }
    // What cannot be understood may have been a change: only a list makes sure.
    if (!isCodedError(error) || code === 'KUBERNETES_ANSWER' || code === 'KUBERNETES_NOT_FOUND')
      this.#version = undefined
    if (code === 'KUBERNETES_NOT_FOUND' && this.store.list().length === 0) {
      this.#heard('unserved')
      this.#announce()
      return this.#jitter(UNSERVED_MILLIS)
    }
    // A definition's objects are deleted before it, and each is announced: objects that are said to be neither there nor
    // gone are kept.
    this.state = { ...this.state, contact: 'away', trouble: error }
    this.#options.onTrouble?.(error)
    this.#failures++
    return Math.max(this.#backOff(this.#failures), retryAfter(error))
  }

  #heard(contact: 'current' | 'unserved'): void {
    this.state = { synced: true, contact, heard: this.#options.clock(), trouble: undefined }
  }

  #tell(changes: readonly ObjectChange[]): void {
    if (changes.length === 0) return
    for (const listener of this.listeners) {
      try {
        listener(changes)
      } catch (error) {
        // A fault of one listener is not the cache's, and the others must hear of the change.
        this.#options.onTrouble?.(error)
      }
    }
  }

  /** Nothing before the first failure, then doubling. */
  #backOff(failures: number): number {
    return failures === 0 ? 0 : this.#jitter(Math.min(MAX_MILLIS, BASE_MILLIS * 2 ** (failures - 1)))
  }

  /** Half fixed, half random: replicas that lost the server together do not come back together. */
  #jitter(millis: number): number {
    return millis / 2 + (this.#options.random() * millis) / 2
  }

  async #pause(millis: number): Promise<void> {
    try {
      await wait(this.#options.timers, millis, this.#stopping)
    } catch (error) {
      if (!this.#stopping.aborted) throw error
    }
  }
}

function versionOf({ metadata: { name, resourceVersion } }: KubernetesObject): string {
  if (resourceVersion !== undefined) return resourceVersion
  throw new KubernetesError('KUBERNETES_ANSWER', `a watch shows ${name} without its resourceVersion`)
}

/** What the server asks for, within bounds: it may ask for an hour. */
function retryAfter(error: unknown): number {
  const asked = isKubernetesError(error) ? error.status?.retryAfterMillis : undefined
  return Math.min(asked ?? 0, 2 * MAX_MILLIS)
}

function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  if (!('managedFields' in object.metadata)) return object
  const { managedFields: _dropped, ...metadata } = object.metadata
  return { ...object, metadata }
}
