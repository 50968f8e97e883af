/** What a fake cluster holds: objects with resource versions, and the history that watches are told from. @module */
import type { JsonObject } from '#encoding/json'
import type { KubernetesObject } from '#clients/kubernetes/object'
import type { FakeResource } from './resources.js'

/** Something that happened. */
export interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: FakeResource
  readonly version: number
  readonly object: KubernetesObject
  /** What it was before: whether it leaves a selection depends on it. */
  readonly before: KubernetesObject | undefined
}

export class ObjectHistory {
  readonly #objects = new Map<string, KubernetesObject>()
  readonly #events: HistoryEvent[] = []
  readonly #listeners = new Set<(event: HistoryEvent) => void>()
  #version = 100
  #uid = 0
  /** Up to here nothing is remembered. */
  #compacted = 0

  get version(): number {
    return this.#version
  }

  get(resource: FakeResource, namespace: string, name: string): KubernetesObject | undefined {
    return this.#objects.get(key(resource, namespace, name))
  }

  /** Sorted by namespace and name, as etcd gives them. */
  list(resource: FakeResource, namespace: string | undefined): readonly KubernetesObject[] {
    const prefix = namespace === undefined ? `${resource.resource}.${group(resource)}/` : key(resource, namespace, '')
    return [...this.#objects]
      .filter(([each]) => each.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
  }

  /** Makes or replaces an object, and says how it was stored; what does not change is not stored again. */
  put(resource: FakeResource, object: KubernetesObject, now: string): KubernetesObject {
    const { name, namespace = '' } = object.metadata
    const before = this.get(resource, namespace, name)
    const { resourceVersion: _version, ...metadata } = object.metadata
    const generation = generationOf(before, object)
    const identity = {
      uid: before?.metadata.uid ?? `uid-${String(++this.#uid)}`,
      creationTimestamp: before?.metadata['creationTimestamp'] ?? now,
      generation,
    }
    const next = { ...object, metadata: { ...metadata, ...identity } }
    if (before !== undefined && isSame(before, next)) return before
    return this.#record(resource, before === undefined ? 'ADDED' : 'MODIFIED', next, before)
  }

  remove(resource: FakeResource, object: KubernetesObject): KubernetesObject {
    return this.#record(resource, 'DELETED', object, object)
  }

  /** What happened after a version, or undefined where that is no longer known. */
  since(version: number): readonly HistoryEvent[] | undefined {
    return version < this.#compacted ? undefined : this.#events.filter((event) => event.version > version)
  }

  /** Forgets what happened so far. */
  compact(): void {
    this.#compacted = ++this.#version
    this.#events.length = 0
  }

  listen(listener: (event: HistoryEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #record(
    resource: FakeResource,
    type: HistoryEvent['type'],
    from: KubernetesObject,
    before: KubernetesObject | undefined,
  ): KubernetesObject {
    const version = ++this.#version
    const object = { ...from, metadata: { ...from.metadata, resourceVersion: String(version) } }
    const { name, namespace = '' } = object.metadata
    if (type === 'DELETED') this.#objects.delete(key(resource, namespace, name))
    else this.#objects.set(key(resource, namespace, name), object)
    const event = { type, resource, version, object, before }
    this.#events.push(event)
    for (const listener of this.#listeners) listener(event)
    return object
  }
}

/** Versions of a group show the same objects. */
export function group({ apiVersion }: FakeResource): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

function key(resource: FakeResource, namespace: string, name: string): string {
  return `${resource.resource}.${group(resource)}/${namespace}/${name}`
}

/** Counts changes of anything but metadata and status. */
function generationOf(before: KubernetesObject | undefined, after: KubernetesObject): number {
  const generation = before?.metadata['generation']
  const last = typeof generation === 'number' ? generation : 0
  return before !== undefined && isSame(wanted(before), wanted(after)) ? last : last + 1
}

function wanted({ metadata: _metadata, status: _status, ...rest }: JsonObject): JsonObject {
  return rest
}

function isSame(a: JsonObject, b: JsonObject): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b))
}

function canonical(object: JsonObject): JsonObject {
  const { metadata, ...rest } = object
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return sorted(rest)
  const { resourceVersion: _version, ...meta } = metadata as JsonObject
  return { ...sorted(rest), metadata: sorted(meta) }
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
