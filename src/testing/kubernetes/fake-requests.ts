/** What a request to the Kubernetes API asks for. @module */
import type { FakeResource } from './resources.js'

/** A request below the API of a resource. */
export interface FakeRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'
  readonly resource: FakeResource
  /** Undefined: all of them, or the cluster's own. */
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly query: URLSearchParams
}

/** Undefined: nothing is served there. */
export function parseFakeRequest(request: Request, resources: readonly FakeResource[]): FakeRequest | undefined {
  const { pathname, searchParams } = new URL(request.url)
  const [, core, group, rest = ''] = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\/(.+)$/.exec(pathname) ?? []
  const apiVersion = core ?? group
  const parts = rest.split('/').map(decodeURIComponent)
  // `namespaces/x` is the namespace itself; what stands below it is in it.
  const isInNamespace = parts[0] === 'namespaces' && parts.length > 2 && parts[2] !== 'status'
  const [plural = '', name, subresource] = isInNamespace ? parts.slice(2) : parts
  const resource = resources.find((each) => each.apiVersion === apiVersion && each.resource === plural)
  if (resource === undefined || (isInNamespace && !resource.namespaced)) return undefined
  const verb = verbOf(request.method, { name, isWatch: searchParams.get('watch') === 'true' })
  if (verb === undefined) return undefined
  return { verb, resource, namespace: isInNamespace ? parts[1] : undefined, name, subresource, query: searchParams }
}

function verbOf(
  method: string,
  { name, isWatch }: { readonly name: string | undefined; readonly isWatch: boolean },
): FakeRequest['verb'] | undefined {
  if (method === 'GET') return name !== undefined ? 'get' : isWatch ? 'watch' : 'list'
  if (method === 'POST') return 'create'
  if (name === undefined) return undefined
  return method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : method === 'DELETE' ? 'delete' : undefined
}
