/** GitLab and GitHub as far as variables and secrets go; requests are checked as the real ones check them. @module */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { decodeHex } from '#encoding/hex'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import type { Handler } from '#serving/handler'

export const GITLAB_TOKEN = 'gitlab-secret-word'
export const GITHUB_TOKEN = 'github-secret-word'

export interface FakeForges {
  readonly handler: Handler
  /** By `projects/team%2Fapp`, then by name. */
  readonly gitlab: Map<string, Map<string, JsonObject>>
  /** By `repos/team/app`, then by name: what was sent. */
  readonly github: Map<string, Map<string, JsonObject>>
  /** `POST gitlab.com/api/v4/projects/team%2Fapp/variables` */
  readonly requests: string[]
  /** Asked first; what it returns is the answer instead. */
  override: (request: Request) => Response | undefined
}

/** A private key of X25519 to which secrets of GitHub are encrypted. */
export const RECIPIENT: Uint8Array = Uint8Array.from({ length: 32 }, (_, index) => index + 1)

export function fakeForges(): FakeForges {
  const forges: FakeForges = {
    gitlab: new Map(),
    github: new Map(),
    requests: [],
    override: () => undefined,
    handler: async (request) => {
      const { host, pathname } = new URL(request.url)
      forges.requests.push(`${request.method} ${host}${pathname}`)
      const instead = forges.override(request)
      if (instead !== undefined) return instead
      if (request.headers.has('private-token')) return await gitlab(forges.gitlab, request)
      return await github(forges.github, request)
    },
  }
  return forges
}

const refuse = (status: number, message: unknown = 'no'): Response => Response.json({ message }, { status })

async function gitlab(all: FakeForges['gitlab'], request: Request): Promise<Response> {
  if (request.headers.get('private-token') !== GITLAB_TOKEN) return refuse(401, '401 Unauthorized')
  const [, kind = '', id = '', variables, name] =
    /\/api\/v4\/(projects|groups)\/([^/]+)(?:\/(variables)(?:\/(\w+))?)?$/.exec(new URL(request.url).pathname) ?? []
  const owner = all.get(`${kind}/${id}`)
  if (owner === undefined) return refuse(404, `404 ${kind} Not Found`)
  if (variables === undefined) return Response.json({ id: 1, path: id })
  if (request.method === 'POST') return store(owner, (await request.json()) as JsonObject, 201)
  const found = owner.get(name ?? '')
  if (found === undefined) return refuse(404, '404 Variable Not Found')
  if (request.method === 'GET') return Response.json(found)
  if (request.method === 'DELETE') {
    owner.delete(name ?? '')
    return new Response(null, { status: 204 })
  }
  const changed = { ...found, ...((await request.json()) as JsonObject) }
  owner.delete(name ?? '')
  return store(owner, changed, 200)
}

function store(owner: Map<string, JsonObject>, variable: JsonObject, status: number): Response {
  const { key, value, masked } = variable
  if (typeof key !== 'string' || typeof value !== 'string') return refuse(400, 'key or value is missing')
  if (owner.has(key)) return refuse(400, { key: [`(${key}) has already been taken`] })
  if (masked === true && !/^\S{8,}$/.test(value)) return refuse(400, { value: ['is invalid'] })
  owner.set(key, variable)
  return Response.json(variable, { status })
}

async function github(all: FakeForges['github'], request: Request): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${GITHUB_TOKEN}`) return refuse(401, 'Bad credentials')
  const [, owner = '', name = ''] =
    /^(?:\/api\/v3)?\/((?:repos\/[^/]+|orgs)\/[^/]+)\/actions\/secrets\/([\w-]+)$/.exec(
      new URL(request.url).pathname,
    ) ?? []
  const secrets = all.get(owner)
  if (secrets === undefined) return refuse(404, 'Not Found')
  if (name === 'public-key') return Response.json({ key_id: '42', key: encodeBase64(publicHalf()) })
  if (request.method === 'PUT') {
    const body = (await request.json()) as JsonObject
    if (body['key_id'] !== '42' || typeof body['encrypted_value'] !== 'string') return refuse(422)
    if (owner.startsWith('orgs/') && body['visibility'] === undefined) return refuse(422, 'visibility is missing')
    const made = !secrets.has(name)
    secrets.set(name, body)
    return made ? Response.json({}, { status: 201 }) : new Response(null, { status: 204 })
  }
  if (!secrets.has(name)) return refuse(404, 'Not Found')
  if (request.method === 'GET') return Response.json({ name })
  secrets.delete(name)
  return new Response(null, { status: 204 })
}

function publicHalf(): Uint8Array {
  const der = Buffer.concat([decodeHex('302e020100300506032b656e04220420'), RECIPIENT])
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  })
  return Buffer.from(x, 'base64url')
}
