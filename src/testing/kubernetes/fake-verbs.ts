/** What a fake cluster does for each verb. @module */
import { formatRfc3339 } from '#time'
import type { KubernetesObject } from '#clients/kubernetes/object'
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '#encoding/json'
import type { FakeRequest } from './fake-requests.js'
import type { ObjectHistory } from './object-history.js'
import { applyFields, jsonPatch, mergePatch, type FieldOwners } from './patches.js'
import type { FakeResource } from './resources.js'
import { isSelected } from './selectors.js'
import { statusResponse } from './statuses.js'
import type { Watches } from './watches.js'

interface World {
  readonly clock: () => number
  readonly define: (resource: FakeResource) => void
}

export class FakeVerbs {
  readonly #history: ObjectHistory
  readonly #watches: Watches
  readonly #world: World
  /** Lists that were begun: the rest, and the version that all of it is of. */
  readonly #pages = new Map<string, { readonly rest: readonly KubernetesObject[]; readonly version: number }>()
  readonly #owners = new Map<string, FieldOwners>()
  #pageCount = 0
  #nameCount = 0

  constructor(history: ObjectHistory, watches: Watches, world: World) {
    this.#history = history
    this.#watches = watches
    this.#world = world
  }

  async answer(asked: FakeRequest, request: Request): Promise<Response> {
    if (asked.verb === 'watch') return this.#watches.answer(asked, request)
    if (asked.verb === 'list') return this.#list(asked)
    const text = await request.text()
    const body = text === '' ? {} : parseJson(text)
    if (!isJsonObject(body) && !Array.isArray(body)) return statusResponse(400, 'the body is no object')
    if (asked.verb === 'create') return this.#create(asked, body)
    const current = this.#history.get(asked.resource, asked.namespace ?? '', asked.name ?? '')
    if (asked.verb === 'patch') return this.#patch(asked, current, { body, type: request.headers.get('content-type') })
    if (current === undefined) return notFound(asked)
    if (asked.verb === 'get') return Response.json(current)
    return asked.verb === 'delete' ? this.#delete(asked, current, body) : this.#update(asked, current, body)
  }

  expirePages(): void {
    this.#pages.clear()
  }

  /** Stores an object of a kind that is served. */
  put(object: KubernetesObject, resources: readonly FakeResource[]): KubernetesObject {
    const resource = resources.find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind)
    if (resource === undefined) throw new Error(`the fake cluster does not serve ${object.apiVersion} ${object.kind}`)
    const stored = this.#history.put(resource, object, this.#now())
    if (resource.kind === 'CustomResourceDefinition') this.#define(stored)
    return stored
  }

  #list({ resource, namespace, query }: FakeRequest): Response {
    const token = query.get('continue')
    const begun = token === null ? undefined : this.#pages.get(token)
    if (token !== null && begun === undefined) {
      return statusResponse(410, 'The provided continue parameter is too old to display a consistent list result.')
    }
    const version = begun?.version ?? this.#history.version
    const all =
      begun?.rest ??
      this.#history
        .list(resource, namespace)
        .filter((object) => isSelected(object, query.get('labelSelector'), query.get('fieldSelector')))
    const limit = Number(query.get('limit') ?? 0)
    const items = limit > 0 ? all.slice(0, limit) : all
    const rest = all.slice(items.length)
    const next = rest.length === 0 ? undefined : `page-${String(++this.#pageCount)}`
    if (next !== undefined) this.#pages.set(next, { rest, version })
    // As etcd's objects in a typed list, they do not repeat their type.
    const listed = items.map(({ apiVersion: _apiVersion, kind: _kind, ...object }) => object)
    const metadata = { resourceVersion: String(version), ...(next !== undefined && { continue: next }) }
    return Response.json({ kind: `${resource.kind}List`, apiVersion: resource.apiVersion, metadata, items: listed })
  }

  #create(asked: FakeRequest, body: JsonValue): Response {
    if (asked.subresource !== undefined) return Response.json(body, { status: 201 })
    const object = this.#named(asked, body)
    if (object === undefined) return statusResponse(422, 'metadata.name: Required value')
    const { name, namespace = '' } = object.metadata
    if (this.#history.get(asked.resource, namespace, name) !== undefined) {
      return statusResponse(409, `${asked.resource.resource} "${name}" already exists`, { reason: 'AlreadyExists' })
    }
    return this.#store(asked, asked.resource.status ? withoutStatus(object) : object, 201)
  }

  #update(asked: FakeRequest, current: KubernetesObject, body: JsonValue): Response {
    const object = this.#named(asked, body)
    if (object === undefined) return statusResponse(422, 'metadata.name: Required value')
    const { resourceVersion, uid } = object.metadata
    const isStale = resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion
    if (isStale || (uid !== undefined && uid !== current.metadata.uid)) return conflict(asked)
    return this.#store(asked, this.#within(asked, current, object), 200)
  }

  #patch(
    asked: FakeRequest,
    current: KubernetesObject | undefined,
    { body, type }: { readonly body: JsonValue; readonly type: string | null },
  ): Response {
    if (type?.startsWith('application/apply-patch') === true) return this.#apply(asked, current, body)
    if (current === undefined) return notFound(asked)
    const isJsonPatch = type === 'application/json-patch+json'
    if (isJsonPatch !== Array.isArray(body)) return statusResponse(415, 'the patch is of another type')
    // A strategic merge differs only within lists, which needs the schema of each.
    const patched = Array.isArray(body) ? jsonPatch(current, body as readonly JsonValue[]) : mergePatch(current, body)
    if (patched === undefined)
      return statusResponse(422, 'the server rejected our request due to an error in our request')
    return this.#update(asked, current, patched)
  }

  #apply(asked: FakeRequest, current: KubernetesObject | undefined, body: JsonValue): Response {
    const applied = this.#named(asked, body)
    const manager = asked.query.get('fieldManager')
    if (applied === undefined || manager === null) return statusResponse(422, 'fieldManager: Required value')
    const key = `${asked.resource.resource} ${asked.namespace ?? ''}/${applied.metadata.name} ${asked.subresource ?? ''}`
    const base = current ?? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: applied.metadata }
    const result = applyFields(base, applied, { owners: this.#owners.get(key) ?? new Map(), manager })
    if (result.conflicts.length > 0 && asked.query.get('force') !== 'true') {
      return statusResponse(
        409,
        `Apply failed with ${String(result.conflicts.length)} conflict: ${result.conflicts.join(', ')}`,
      )
    }
    const object = this.#named(asked, result.object)
    if (object === undefined) return statusResponse(422, 'metadata.name: Required value')
    if (asked.query.get('dryRun') === null) this.#owners.set(key, result.owners)
    const merged = current === undefined ? object : this.#within(asked, current, object)
    return this.#store(asked, merged, current === undefined ? 201 : 200)
  }

  #delete(asked: FakeRequest, current: KubernetesObject, body: JsonValue): Response {
    const preconditions = isJsonObject(body) && isJsonObject(body['preconditions']) ? body['preconditions'] : {}
    const { uid = current.metadata.uid, resourceVersion = current.metadata.resourceVersion } = preconditions
    if (uid !== current.metadata.uid || resourceVersion !== current.metadata.resourceVersion) return conflict(asked)
    if (asked.query.get('dryRun') !== null || (isJsonObject(body) && body['dryRun'] !== undefined))
      return Response.json(current)
    const { finalizers } = current.metadata
    if (!Array.isArray(finalizers) || finalizers.length === 0) {
      return Response.json(this.#history.remove(asked.resource, current))
    }
    const metadata = { ...current.metadata, deletionTimestamp: this.#now() }
    return Response.json(this.#history.put(asked.resource, { ...current, metadata }, this.#now()))
  }

  #store(asked: FakeRequest, object: KubernetesObject, status: number): Response {
    if (asked.query.get('dryRun') !== null) return Response.json(object, { status })
    const stored = this.#history.put(asked.resource, object, this.#now())
    if (asked.resource.kind === 'CustomResourceDefinition') this.#define(stored)
    const { finalizers, deletionTimestamp } = stored.metadata
    const isFinished = deletionTimestamp !== undefined && (!Array.isArray(finalizers) || finalizers.length === 0)
    return Response.json(isFinished ? this.#history.remove(asked.resource, stored) : stored, { status })
  }

  /** What a write to one part leaves of the other. */
  #within({ resource, subresource }: FakeRequest, current: KubernetesObject, next: KubernetesObject): KubernetesObject {
    if (!resource.status) return next
    const { status } = subresource === 'status' ? next : current
    const rest = withoutStatus(subresource === 'status' ? current : next)
    return status === undefined ? rest : { ...rest, status }
  }

  #named({ resource, namespace, name }: FakeRequest, body: JsonValue): KubernetesObject | undefined {
    const metadata = isJsonObject(body) && isJsonObject(body['metadata']) ? body['metadata'] : {}
    const prefix = metadata['generateName']
    const generated = typeof prefix === 'string' ? `${prefix}${String(++this.#nameCount)}` : undefined
    const own = metadata['name'] ?? name ?? generated
    if (!isJsonObject(body) || typeof own !== 'string' || (name !== undefined && own !== name)) return undefined
    const placed = { ...metadata, name: own, ...(namespace !== undefined && { namespace }) }
    return { ...body, apiVersion: resource.apiVersion, kind: resource.kind, metadata: placed }
  }

  #define({ spec }: KubernetesObject): void {
    const { group, names, scope, versions } = isJsonObject(spec) ? spec : {}
    const { plural, kind } = isJsonObject(names) ? names : {}
    if (typeof group !== 'string' || typeof plural !== 'string' || typeof kind !== 'string') return
    for (const version of Array.isArray(versions) ? (versions as readonly JsonObject[]) : []) {
      const status = isJsonObject(version['subresources']) && version['subresources']['status'] !== undefined
      const { name } = version
      if (typeof name !== 'string') continue
      this.#world.define({
        apiVersion: `${group}/${name}`,
        resource: plural,
        kind,
        namespaced: scope === 'Namespaced',
        status,
      })
    }
  }

  #now(): string {
    return formatRfc3339(Math.floor(this.#world.clock() / 1000) * 1000)
  }
}

function withoutStatus({ status: _status, ...object }: KubernetesObject): KubernetesObject {
  return object
}

function notFound({ resource, name = '' }: FakeRequest): Response {
  return statusResponse(404, `${resource.resource} "${name}" not found`)
}

function conflict({ resource, name = '' }: FakeRequest): Response {
  const what = `Operation cannot be fulfilled on ${resource.resource} "${name}"`
  return statusResponse(409, `${what}: the object has been modified; please apply your changes to the latest version`)
}
