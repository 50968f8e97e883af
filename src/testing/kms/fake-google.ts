/** The Cloud Key Management Service of Google, its REST interface. @module */
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import { type FakeKey, type FakeKeys, generateKind, signAsDer } from './fake-keys.js'

export const GOOGLE_TOKEN = 'google-secret-word'

export async function answerGoogle(keys: FakeKeys, request: Request): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${GOOGLE_TOKEN}`) return refuse(401, 'UNAUTHENTICATED')
  const url = new URL(request.url)
  if (request.method === 'POST' && /\/(?:keyRings|cryptoKeys)$/.test(url.pathname)) return await create(keys, request)
  const [, name = '', rest = ''] = /^\/v1\/(.+?\/cryptoKeys\/[^/:]+)\/?(.*)$/.exec(url.pathname) ?? []
  const versions = keys.google.get(name)
  if (versions === undefined) return refuse(404, 'NOT_FOUND')
  const stateOf = (number: number): string => {
    if ((keys.generating.get(`${name}/cryptoKeyVersions/${String(number)}`) ?? 0) > 0) return 'PENDING_GENERATION'
    return versions[number - 1]?.disabled === true ? 'DISABLED' : 'ENABLED'
  }
  if (rest === 'cryptoKeyVersions') {
    // By name as text, of which ten come to a page.
    const all = versions
      .map((_, index) => ({
        name: `${name}/cryptoKeyVersions/${String(index + 1)}`,
        state: stateOf(index + 1),
      }))
      .filter(({ state }) => url.searchParams.get('filter') !== 'state=ENABLED' || state === 'ENABLED')
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    const start = Number(url.searchParams.get('pageToken') ?? 0)
    const more = start + 10 < all.length ? { nextPageToken: String(start + 10) } : {}
    return Response.json({ cryptoKeyVersions: all.slice(start, start + 10), ...more })
  }
  const [, number = '', action = ''] = /^cryptoKeyVersions\/(\d+)(\/publicKey|:asymmetricSign|)$/.exec(rest) ?? []
  const found = versions[Number(number) - 1]
  if (found === undefined) return refuse(404, 'NOT_FOUND')
  const version = `${name}/cryptoKeyVersions/${number}`
  const state = stateOf(Number(number))
  if (action === '') {
    keys.generating.set(version, (keys.generating.get(version) ?? 0) - 1)
    return Response.json({ name: version, state })
  }
  if (state !== 'ENABLED') return refuse(400, 'FAILED_PRECONDITION')
  if (action === '/publicKey') {
    const usual = found.usage === undefined ? 'EC_SIGN_P256_SHA256' : 'RSA_DECRYPT_OAEP_2048_SHA256'
    return Response.json({
      name: version,
      pem: publicKeyToPem(found.key.publicKey),
      algorithm: found.algorithm ?? usual,
    })
  }
  return await sign(version, found, request)
}

function refuse(status: number, name: string): Response {
  const error = { code: status, message: `${GOOGLE_TOKEN} is not to be told`, status: name }
  return Response.json({ error }, { status })
}

async function create(keys: FakeKeys, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const parent = pathname.slice('/v1/'.length)
  const ring = searchParams.get('keyRingId')
  if (ring !== null) {
    if (keys.rings.has(`${parent}/${ring}`)) return refuse(409, 'ALREADY_EXISTS')
    keys.rings.add(`${parent}/${ring}`)
    return Response.json({ name: `${parent}/${ring}` })
  }
  const name = `${parent}/${searchParams.get('cryptoKeyId') ?? ''}`
  if (!keys.rings.has(parent.slice(0, -'/cryptoKeys'.length))) return refuse(404, 'NOT_FOUND')
  if (keys.google.has(name)) return refuse(409, 'ALREADY_EXISTS')
  const { purpose, versionTemplate } = (await request.json()) as {
    readonly purpose: string
    readonly versionTemplate: { readonly algorithm: string }
  }
  const key = await generateKind(versionTemplate.algorithm)
  if (key === undefined || purpose !== 'ASYMMETRIC_SIGN') return refuse(400, 'INVALID_ARGUMENT')
  keys.google.set(name, [{ key, algorithm: versionTemplate.algorithm }])
  keys.generating.set(`${name}/cryptoKeyVersions/1`, 2)
  return Response.json({ name, purpose, versionTemplate })
}

async function sign(name: string, found: FakeKey, request: Request): Promise<Response> {
  const { digest, data } = (await request.json()) as {
    readonly digest?: Record<string, string>
    readonly data?: string
  }
  const whole = found.key.publicKey.keyType === 'ed25519'
  const [text = ''] = whole ? [data] : Object.values(digest ?? {})
  const payload = Buffer.from(text, 'base64')
  if (whole === (data === undefined) || payload.length > 65_536) return refuse(400, 'INVALID_ARGUMENT')
  const signature = whole ? await found.key.sign(payload) : signAsDer(found, payload)
  return Response.json({ name, signature: encodeBase64(signature) })
}
