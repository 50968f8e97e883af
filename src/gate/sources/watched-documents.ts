/** Documents of a cluster: listed, watched, and kept while the API server is away. @module */
import { setMaxListeners } from 'node:events'
import type { Timers } from '#clients/http/fetch'
import { wait } from '#clients/http/timers'
import type { KubernetesApi, Selection } from '#clients/kubernetes/api'
import type { Collection } from '#clients/kubernetes/object'
import { startResourceCache } from '#clients/kubernetes/resource-cache'
import type { CacheState, ResourceCache } from '#clients/kubernetes/resource-cache'
import type { Clock } from '#time'
import { EXCEPTION_RESOURCES, POLICY_RESOURCES, TRUST_ROOTS } from '#policy/front-ends'
import type { Documents } from '../snapshot/documents.js'
import { GLOBAL_CONTEXT_ENTRY } from './global-context.js'

/** A resource to be watched, in the first of its versions that the cluster serves. */
export interface WatchedResource {
  readonly group: string
  readonly versions: readonly string[]
  readonly resource: string
  /** Only in this namespace. */
  readonly namespace?: string
  readonly selection?: Selection
}

export interface WatchOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1). */
  readonly random: () => number
  /** The installation's own namespace: where policies' Secrets and ConfigMaps are. */
  readonly namespace: string
  readonly onTrouble: (resource: string, error: unknown) => void
}

/** Everything that snapshots are made of. */
export function watchedResources(namespace: string): readonly WatchedResource[] {
  return [
    ...POLICY_RESOURCES,
    ...EXCEPTION_RESOURCES,
    TRUST_ROOTS,
    { ...GLOBAL_CONTEXT_ENTRY, versions: ['v2', 'v2beta1', 'v2alpha1'], resource: 'globalcontextentries' },
    { group: '', versions: ['v1'], resource: 'namespaces' },
    { group: '', versions: ['v1'], resource: 'configmaps', namespace },
    { group: '', versions: ['v1'], resource: 'secrets', namespace },
  ]
}

/** How soon it is asked again which versions of a group there are. */
const ASK_AGAIN = 5_000

/** One cache a resource; what they hold is put into the documents. */
export class WatchedDocuments {
  readonly #options: WatchOptions
  readonly #stopping = new AbortController()
  readonly #caches = new Map<string, ResourceCache>()
  readonly #running: Promise<void>[] = []

  constructor(options: WatchOptions) {
    this.#options = options
    // One listener a resource is no leak.
    setMaxListeners(0, this.#stopping.signal)
  }

  /** Begins to watch. Resolves once everything that is served has been seen. */
  async start(): Promise<void> {
    const watched = watchedResources(this.#options.namespace).map((resource) => this.#watch(resource))
    await Promise.all(watched)
  }

  /** How it stands with each resource. */
  get states(): ReadonlyMap<string, CacheState> {
    return new Map([...this.#caches].map(([name, cache]) => [name, cache.state()]))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...[...this.#caches.values()].map((cache) => cache.stop()), ...this.#running])
  }

  /** Resolves when the resource was seen, or is known not to be served; if it comes later, it is watched then. */
  async #watch(resource: WatchedResource): Promise<void> {
    const apiVersion = await this.#servedVersion(resource)
    if (apiVersion !== undefined) {
      await this.#reflect(resource, apiVersion)
      return
    }
    this.#running.push(this.#watchLater(resource))
  }

  async #watchLater(resource: WatchedResource): Promise<void> {
    for (;;) {
      if (!(await this.#pause())) return
      const apiVersion = await this.#servedVersion(resource)
      if (apiVersion !== undefined) {
        await this.#reflect(resource, apiVersion)
        return
      }
    }
  }

  /** Undefined: the group is not served, or in no version that is understood. Waits for an API server that is away. */
  async #servedVersion({ group, versions, resource }: WatchedResource): Promise<string | undefined> {
    if (group === '') return versions[0]
    const { signal } = this.#stopping
    while (!this.#isStopping()) {
      try {
        const groups = await this.#options.api.groups(signal)
        const served = groups.find(({ name }) => name === group)?.apiVersions ?? []
        for (const version of versions) {
          const apiVersion = `${group}/${version}`
          if (!served.includes(apiVersion)) continue
          const resources = await this.#options.api.resources(apiVersion, signal)
          if (resources.some((each) => each.resource === resource)) return apiVersion
        }
        return undefined
      } catch (error) {
        if (this.#isStopping()) return undefined
        this.#options.onTrouble(resource, error)
        await this.#pause()
      }
    }
    return undefined
  }

  async #reflect({ resource, namespace, selection, group }: WatchedResource, apiVersion: string): Promise<void> {
    const { api, clock, timers, random, documents, onTrouble } = this.#options
    const of: Collection = { apiVersion, resource, namespace }
    const cache = startResourceCache({
      api,
      of,
      clock,
      timers,
      random,
      ...(selection !== undefined && { selection }),
      onTrouble: (error) => {
        onTrouble(resource, error)
      },
    })
    this.#caches.set(group === '' ? resource : `${resource}.${group}`, cache)
    cache.onChange((changes) => {
      for (const { type, object } of changes) {
        if (type === 'removed') documents.delete(object)
        else documents.put(object)
      }
    })
    for (const object of cache.list()) documents.put(object)
    await Promise.race([cache.whenSynced(), aborted(this.#stopping.signal)])
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** False when there is no more to wait for. */
  async #pause(): Promise<boolean> {
    try {
      await wait(this.#options.timers, ASK_AGAIN, this.#stopping.signal)
      return true
    } catch {
      return !this.#stopping.signal.aborted
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
