/** A key vault of Azure. @module */
import { keyObjectOf } from '#crypto/public-key'
import { type FakeKey, type FakeKeys, generateKind } from './fake-keys.js'
import { signDigest } from './sign-digest.js'

export const AZURE_TOKEN = 'azure-secret-word'

export async function answerAzure(keys: FakeKeys, request: Request): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${AZURE_TOKEN}`) return refuse(401, 'Unauthorized')
  const { host, pathname, searchParams } = new URL(request.url)
  if (searchParams.get('api-version') === null) return refuse(400, 'BadParameter')
  const [, name = '', wanted, action] = /^\/keys\/([^/]+)(?:\/(v\d+))?(\/sign|\/create)?$/.exec(pathname) ?? []
  if (action === '/create' && !(await create(keys, name, request))) return refuse(400, 'BadParameter')
  const versions = keys.azure.get(name)
  const version = wanted ?? `v${String(versions?.length)}`
  const found = versions?.[Number(version.slice(1)) - 1]
  if (found === undefined) return refuse(404, 'KeyNotFound')
  const kid = `https://${host}/keys/${name}/${version}`
  if (action !== '/sign') return Response.json(bundleOf(found, kid))
  const { value = '' } = (await request.json()) as { readonly value?: string }
  const signature = signDigest(found.key, Buffer.from(value, 'base64url'))
  return Response.json({ kid, value: Buffer.from(signature).toString('base64url') })
}

function refuse(status: number, code: string): Response {
  return Response.json({ error: { code, message: `${AZURE_TOKEN} is not to be told` } }, { status })
}

/** A key of a name that is taken becomes its newest version. */
async function create(keys: FakeKeys, name: string, request: Request): Promise<boolean> {
  const { kty, crv, key_size, key_ops } = (await request.json()) as Readonly<Record<string, unknown>>
  const managed = new URL(request.url).host.includes('.managedhsm.')
  const kind = typeof crv === 'string' ? crv : `RSA ${String(key_size)}`
  const key = await generateKind(kind)
  if (key === undefined || !Array.isArray(key_ops) || !key_ops.includes('sign')) return false
  if (kty !== `${typeof crv === 'string' ? 'EC' : 'RSA'}${managed ? '-HSM' : ''}`) return false
  keys.azure.set(name, [...(keys.azure.get(name) ?? []), { key }])
  return true
}

function bundleOf(found: FakeKey, kid: string): object {
  const { kty, ...jwk } = keyObjectOf(found.key.publicKey).export({ format: 'jwk' })
  const uses = found.usage === undefined ? ['sign', 'verify'] : ['encrypt', 'decrypt']
  const key = { ...jwk, kid, kty: `${kty ?? ''}-HSM`, key_ops: uses }
  return { key, attributes: { enabled: found.disabled !== true } }
}
