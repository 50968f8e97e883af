/**
 * A Kubernetes API server in the memory of a test: objects with resource versions, watches, conflicts, subresources,
 * server-side apply, pages. It validates nothing, and no admission webhook is called.
 *
 * @module
 */
import type { Fetch } from '#clients/http/fetch'
import { HttpError } from '#clients/http/http-error'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { createKubernetesClient } from '#clients/kubernetes/client'
import type { ClusterAccess } from '#clients/kubernetes/cluster-access'
import type { ClusterConnection } from '#clients/kubernetes/connection'
import { parseObject, type KubernetesObject, type ObjectAddress } from '#clients/kubernetes/object'
import type { JsonObject } from '#encoding/json'
import type { Handler } from '#serving/handler'
import { fetchInProcess } from '#serving/in-process'
import { discover } from './fake-discovery.js'
import { parseFakeRequest, type FakeRequest } from './fake-requests.js'
import { FakeVerbs } from './fake-verbs.js'
import { ObjectHistory } from './object-history.js'
import { BUILT_IN, type FakeResource } from './resources.js'
import { statusResponse } from './statuses.js'
import { Watches } from './watches.js'

export interface FakeClusterOptions {
  /** Served besides those of Kubernetes itself. A CustomResourceDefinition that is put in adds to them, too. */
  readonly resources?: readonly FakeResource[]
  /** Asked before each request; what it returns is the answer instead. */
  readonly intercept?: (request: Request) => Response | undefined | Promise<Response | undefined>
  /** Who may do what; false is 403. Default: everybody everything. */
  readonly allows?: (request: FakeRequest, authorization: string | null) => boolean
  readonly clock?: () => number
}

export interface FakeCluster {
  readonly handler: Handler
  /** The API server at any address; refuses connections while it is away. */
  readonly fetch: Fetch
  /** A client of it, without logging in. */
  readonly api: KubernetesApi
  /** Makes or replaces an object, past everything that a request goes through. */
  put(object: JsonObject): KubernetesObject
  /** Undefined if it is not there. */
  get(at: ObjectAddress): KubernetesObject | undefined
  remove(at: ObjectAddress): void
  /** Every request: `list secrets`, `watch kyverno.io/v1 policies`, `GET /version`. */
  readonly requests: readonly string[]
  /** Resolves once so many watch a resource (its plural). */
  whenWatched(resource: string, count?: number): Promise<void>
  watchCount(resource?: string): number
  /** Tells all watches that nothing happened up to now. */
  bookmark(): void
  /** Ends all watches: as servers do, in the middle of an event, or with 410. */
  endWatches(how: 'end' | 'cut' | 'expire'): void
  /** Forgets what happened: watches from before are told 410. */
  compact(): void
  /** Pages of lists that were begun are no longer kept. */
  expirePages(): void
  /** Refuses connections and cuts those that are there, until `back`. */
  away(): void
  back(): void
}

const SERVER = 'https://kubernetes.example'

export function createFakeCluster(options: FakeClusterOptions = {}): FakeCluster {
  const { clock = () => Date.UTC(2026, 0, 1) } = options
  const resources = [...BUILT_IN, ...(options.resources ?? [])]
  const history = new ObjectHistory()
  const watches = new Watches(history)
  const verbs = new FakeVerbs(history, watches, { clock, define: (resource) => resources.push(resource) })
  const requests: string[] = []
  let isAway = false

  const handler: Handler = async (request) => {
    const asked = parseFakeRequest(request, resources)
    requests.push(asked === undefined ? `${request.method} ${new URL(request.url).pathname}` : lineOf(asked))
    const intercepted = await options.intercept?.(request)
    if (intercepted !== undefined) return intercepted
    if (asked === undefined) return discover(request, resources)
    const isAllowed = options.allows?.(asked, request.headers.get('authorization')) ?? true
    if (!isAllowed) return statusResponse(403, `${lineOf(asked)} is forbidden`)
    return await verbs.answer(asked, request)
  }
  const inProcess = fetchInProcess(handler)
  const fetch: Fetch = async (url, init) => {
    if (isAway) throw new HttpError('HTTP_CONNECT', `${new URL(url).host} cannot be reached`)
    return await inProcess(url, init)
  }
  const find = ({ apiVersion, resource }: ObjectAddress): FakeResource => {
    const found = resources.find((each) => each.apiVersion === apiVersion && each.resource === resource)
    if (found === undefined) throw new Error(`the fake cluster does not serve ${apiVersion} ${resource}`)
    return found
  }
  const lookUp = (at: ObjectAddress): KubernetesObject | undefined => history.get(find(at), at.namespace ?? '', at.name)
  return {
    handler,
    fetch,
    api: createKubernetesClient(connectionOver(fetch), () => 0),
    put: (object) => verbs.put(parseObject(object, 'put'), resources),
    get: lookUp,
    remove: (at) => {
      const object = lookUp(at)
      if (object !== undefined) history.remove(find(at), object)
    },
    requests,
    whenWatched: (resource, count = 1) => watches.whenWatched(resource, count),
    watchCount: (resource) => watches.count(resource),
    bookmark: () => {
      watches.bookmark()
    },
    endWatches: (how) => {
      watches.end(how)
    },
    compact: () => {
      history.compact()
    },
    expirePages: () => {
      verbs.expirePages()
    },
    away: () => {
      isAway = true
      watches.end('cut')
    },
    back: () => {
      isAway = false
    },
  }
}

/** `get secrets team-a/key`, `update kyverno.io/v1 policies team-a/x status` */
function lineOf({ verb, resource, namespace, name, subresource }: FakeRequest): string {
  const of = resource.apiVersion === 'v1' ? resource.resource : `${resource.apiVersion} ${resource.resource}`
  const where = [namespace, name].filter((part) => part !== undefined).join('/')
  return [verb, of, where, subresource].filter((part) => part !== undefined && part !== '').join(' ')
}

const ACCESS: ClusterAccess = {
  server: SERVER,
  tls: { ca: undefined, certificate: undefined, key: undefined, serverName: undefined, insecureSkipVerify: false },
  credential: { kind: 'none' },
  impersonation: {},
  proxyUrl: undefined,
  namespace: 'default',
}

function connectionOver(fetch: Fetch): ClusterConnection {
  const send: Fetch = (path, init) => fetch(`${SERVER}${path}`, init)
  return { access: ACCESS, request: send, stream: send, close: () => undefined }
}
