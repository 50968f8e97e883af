/** How a fake cluster says what it serves. @module */
import type { FakeResource } from './resources.js'
import { statusResponse } from './statuses.js'

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']

/** `/apis`, `/apis/apps/v1`, `/api/v1`, `/version`; 404 for everything else. */
export function discover(request: Request, resources: readonly FakeResource[]): Response {
  const { pathname } = new URL(request.url)
  if (request.method !== 'GET')
    return statusResponse(405, 'the server does not allow this method', { reason: 'MethodNotAllowed' })
  if (pathname === '/version') return Response.json({ major: '1', minor: '35', gitVersion: 'v1.35.0-fake' })
  if (pathname === '/apis') return Response.json(groupList(resources))
  const [, core, version] = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(pathname) ?? []
  const served = resources.filter(({ apiVersion }) => apiVersion === (core ?? version))
  if (served.length === 0) return statusResponse(404, 'the server could not find the requested resource')
  return Response.json({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: core ?? version,
    resources: served.flatMap(describeResource),
  })
}

function describeResource({ resource, kind, namespaced, status }: FakeResource): readonly object[] {
  const own = { name: resource, singularName: kind.toLowerCase(), namespaced, kind, verbs: VERBS }
  return status ? [own, { ...own, name: `${resource}/status`, verbs: ['get', 'patch', 'update'] }] : [own]
}

function groupList(resources: readonly FakeResource[]): object {
  const versions = [...new Set(resources.map(({ apiVersion }) => apiVersion))].filter((each) => each.includes('/'))
  const names = [...new Set(versions.map((each) => each.slice(0, each.indexOf('/'))))]
  const groups = names.map((name) => {
    const own = versions
      .filter((each) => each.startsWith(`${name}/`))
      .map((groupVersion) => ({ groupVersion, version: groupVersion.slice(name.length + 1) }))
    return { name, versions: own, preferredVersion: own[0] }
  })
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}
