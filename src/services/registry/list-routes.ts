/** The listings of a registry: that it is one, its repositories, and their tags. @module */
import { json } from '#serving/responses'
import type { HeaderRecord } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { ImageStoreError } from './errors.js'
import { parseName } from './names.js'
import type { RegistryContext } from './registry.js'

const VERSION = { 'docker-distribution-api-version': 'registry/2.0' }

export function listRoutes({ storage }: RegistryContext): readonly Route[] {
  return [
    route('GET', '/v2/', () => Promise.resolve(json(200, {}, VERSION))),
    route('GET', '/v2', () => Promise.resolve(json(200, {}, VERSION))),
    route('GET', '/v2/_catalog', listRepositories),
    route('GET', '/v2/{name+}/tags/list', listTags),
  ]

  async function listRepositories(request: Request): Promise<Response> {
    const page = cut(await storage.listRepositories(), request, '/v2/_catalog')
    return json(200, { repositories: page.items }, page.headers)
  }

  async function listTags(request: Request, params: { name: string }): Promise<Response> {
    const name = parseName(params.name)
    const tags = await storage.listTags(name)
    if (tags === undefined) throw new ImageStoreError('IMAGE_STORE_NAME_UNKNOWN', 'no such repository', { found: name })
    const page = cut(tags, request, `/v2/${name}/tags/list`)
    return json(200, { name, tags: page.items }, page.headers)
  }
}

interface Page {
  readonly items: readonly string[]
  readonly headers: HeaderRecord
}

/** `?n=` items after `?last=`, with a link to the rest (RFC 8288). */
function cut(all: readonly string[], request: Request, path: string): Page {
  const query = queryOf(request)
  const last = query.get('last')
  const size = query.get('n')
  if (size !== null && !/^\d{1,9}$/.test(size)) {
    throw new ImageStoreError('IMAGE_STORE_PAGE_INVALID', 'n is not a number', {
      expected: 'a count',
      found: size.slice(0, 40),
    })
  }
  const rest = last === null ? all : all.filter((item) => item > last)
  const items = size === null ? rest : rest.slice(0, Number(size))
  const end = items.at(-1)
  if (end === undefined || items.length === rest.length) return { items, headers: {} }
  return { items, headers: { link: `<${path}?n=${String(items.length)}&last=${encodeURIComponent(end)}>; rel="next"` } }
}
