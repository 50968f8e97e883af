/** The four key management services in their own protocols: requests are checked as the real ones check them. @module */
import { createHash, createHmac } from 'node:crypto'
import type { PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import type { Handler } from '#serving/handler'
import { keyObjectOf } from '#crypto/public-key'
import { derOfPair, signDigest } from './sign-digest.js'

export interface FakeKey {
  readonly key: PrivateKey
  /** Default signing. */
  readonly usage?: 'encrypt'
  readonly disabled?: true
  /** Google's name of the algorithm, or Vault's of the type; by default that of P-256. */
  readonly algorithm?: string
}

export const AWS_LOGIN = { AWS_ACCESS_KEY_ID: 'AKIDFAKE', AWS_SECRET_ACCESS_KEY: 'aws-secret-word' } as const
export const GOOGLE_TOKEN = 'google-secret-word'
export const AZURE_TOKEN = 'azure-secret-word'
export const VAULT_TOKEN = 'vault-secret-word'
export const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/'

/** Keys by what a request calls them. Versions count from 1. */
export interface FakeKeys {
  /** By id, or by `alias/NAME`. */
  readonly aws: Map<string, { readonly id: string } & FakeKey>
  readonly google: Map<string, readonly FakeKey[]>
  readonly azure: Map<string, readonly FakeKey[]>
  readonly vault: Map<string, readonly FakeKey[]>
}

export function emptyKeys(): FakeKeys {
  return { aws: new Map(), google: new Map(), azure: new Map(), vault: new Map() }
}

/** All hosts of all four. */
export function fakeServices(keys: FakeKeys): Handler {
  return async (request) => {
    const { host, pathname } = new URL(request.url)
    // These two may be anywhere: what is asked of them tells them apart.
    if (request.headers.has('x-amz-target')) return await aws(keys, request)
    if (request.headers.has('x-vault-token')) return await vault(keys, request)
    if (host === 'cloudkms.googleapis.com') return await google(keys, request)
    if (host.endsWith('.vault.azure.net')) return await azure(keys, request)
    if (host === 'metadata.google.internal' && request.headers.get('metadata-flavor') === 'Google')
      return Response.json({ access_token: GOOGLE_TOKEN })
    if (host === '169.254.169.254' && pathname === '/metadata/identity/oauth2/token')
      return Response.json({ access_token: AZURE_TOKEN })
    return new Response('not here', { status: 404 })
  }
}

async function aws(keys: FakeKeys, request: Request): Promise<Response> {
  const body = await request.text()
  const refuse = (type: string, status = 400): Response =>
    Response.json(
      { __type: `com.amazonaws.kms#${type}`, message: `${AWS_LOGIN.AWS_SECRET_ACCESS_KEY} is not to be told` },
      { status },
    )
  if (!isSigned(request, body)) return refuse('InvalidSignatureException')
  const { KeyId: asked = '', ...ask } = JSON.parse(body) as Record<string, string>
  const found = keys.aws.get(asked.replace(/^arn:[^/]*:(?:key\/)?(?=[^:]*$)/, ''))
  if (found === undefined) return refuse('NotFoundException')
  if (found.disabled) return refuse('DisabledException')
  const name = { KeyId: `${ARN}${found.id}` }
  const target = request.headers.get('x-amz-target') ?? ''
  if (target === 'TrentService.DescribeKey')
    return Response.json({ KeyMetadata: { ...name, SigningAlgorithms: ['ECDSA_SHA_256'] } })
  if (target === 'TrentService.GetPublicKey') {
    const usage = found.usage === undefined ? 'SIGN_VERIFY' : 'ENCRYPT_DECRYPT'
    return Response.json({
      ...name,
      KeyUsage: usage,
      KeySpec: 'ECC_NIST_P256',
      PublicKey: encodeBase64(found.key.publicKey.spki),
    })
  }
  if (target !== 'TrentService.Sign' || ask['MessageType'] !== 'DIGEST') return refuse('UnknownOperationException')
  const signature = asDer(found, Buffer.from(ask['Message'] ?? '', 'base64'))
  return Response.json({ ...name, SigningAlgorithm: ask['SigningAlgorithm'], Signature: encodeBase64(signature) })
}

/** Signature Version 4 from what arrived, apart from the code that made it. */
function isSigned(request: Request, body: string): boolean {
  const given = request.headers.get('authorization') ?? ''
  const [, scope = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDFAKE\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(given) ?? []
  const [date = '', region = '', service = ''] = scope.split('/')
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const mac = (key: Uint8Array | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const lines = names.split(';').map((name) => `${name}:${request.headers.get(name) ?? ''}\n`)
  const canonical = [request.method, new URL(request.url).pathname, '', lines.join(''), names, hash(body)].join('\n')
  const time = request.headers.get('x-amz-date') ?? ''
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')
  const key = mac(mac(mac(mac(`AWS4${AWS_LOGIN.AWS_SECRET_ACCESS_KEY}`, date), region), service), 'aws4_request')
  const wanted = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name))
  return wanted && service === 'kms' && mac(key, toSign).toString('hex') === signature
}

async function google(keys: FakeKeys, request: Request): Promise<Response> {
  const refuse = (status: number, name: string): Response =>
    Response.json({ error: { code: status, message: `${GOOGLE_TOKEN} is not to be told`, status: name } }, { status })
  if (request.headers.get('authorization') !== `Bearer ${GOOGLE_TOKEN}`) return refuse(401, 'UNAUTHENTICATED')
  const url = new URL(request.url)
  const [, name = '', rest = ''] = /^\/v1\/(.+?\/cryptoKeys\/[^/:]+)\/?(.*)$/.exec(url.pathname) ?? []
  const versions = keys.google.get(name)
  if (versions === undefined) return refuse(404, 'NOT_FOUND')
  if (rest === 'cryptoKeyVersions') {
    // By name as text, of which ten come to a page.
    const all = versions
      .map(({ disabled }, index) => ({
        name: `${name}/cryptoKeyVersions/${String(index + 1)}`,
        state: disabled ? 'DISABLED' : 'ENABLED',
      }))
      .filter(({ state }) => url.searchParams.get('filter') !== 'state=ENABLED' || state === 'ENABLED')
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    const start = Number(url.searchParams.get('pageToken') ?? 0)
    const more = start + 10 < all.length ? { nextPageToken: String(start + 10) } : {}
    return Response.json({ cryptoKeyVersions: all.slice(start, start + 10), ...more })
  }
  const [, number = '', action = ''] = /^cryptoKeyVersions\/(\d+)(\/publicKey|:asymmetricSign)$/.exec(rest) ?? []
  const found = versions[Number(number) - 1]
  if (found === undefined) return refuse(404, 'NOT_FOUND')
  if (found.disabled) return refuse(400, 'FAILED_PRECONDITION')
  const version = `${name}/cryptoKeyVersions/${number}`
  if (action === '/publicKey') {
    const usual = found.usage === undefined ? 'EC_SIGN_P256_SHA256' : 'RSA_DECRYPT_OAEP_2048_SHA256'
    return Response.json({
      name: version,
      pem: publicKeyToPem(found.key.publicKey),
      algorithm: found.algorithm ?? usual,
    })
  }
  const { digest } = (await request.json()) as { readonly digest: Record<string, string> }
  const [value = ''] = Object.values(digest)
  return Response.json({ name: version, signature: encodeBase64(asDer(found, Buffer.from(value, 'base64'))) })
}

async function azure(keys: FakeKeys, request: Request): Promise<Response> {
  const refuse = (status: number, code: string): Response =>
    Response.json({ error: { code, message: `${AZURE_TOKEN} is not to be told` } }, { status })
  if (request.headers.get('authorization') !== `Bearer ${AZURE_TOKEN}`) return refuse(401, 'Unauthorized')
  const { host, pathname, searchParams } = new URL(request.url)
  const [, name = '', wanted, signs] = /^\/keys\/([^/]+)(?:\/(v\d+))?(\/sign)?$/.exec(pathname) ?? []
  const versions = keys.azure.get(name)
  const version = wanted ?? `v${String(versions?.length)}`
  const found = versions?.[Number(version.slice(1)) - 1]
  if (found === undefined || searchParams.get('api-version') === null) return refuse(404, 'KeyNotFound')
  const kid = `https://${host}/keys/${name}/${version}`
  if (signs === undefined) {
    const { kty, ...jwk } = keyObjectOf(found.key.publicKey).export({ format: 'jwk' })
    const uses = found.usage === undefined ? ['sign', 'verify'] : ['encrypt', 'decrypt']
    const key = { ...jwk, kid, kty: `${kty ?? ''}-HSM`, key_ops: uses }
    return Response.json({ key, attributes: { enabled: found.disabled !== true } })
  }
  const { value = '' } = (await request.json()) as { readonly value?: string }
  const signature = signDigest(found.key, Buffer.from(value, 'base64url'))
  return Response.json({ kid, value: Buffer.from(signature).toString('base64url') })
}

async function vault(keys: FakeKeys, request: Request): Promise<Response> {
  const { headers, url } = request
  const refuse = (status: number): Response =>
    Response.json({ errors: [`${VAULT_TOKEN} is not to be told`] }, { status })
  if (headers.get('x-vault-token') !== VAULT_TOKEN || headers.get('x-vault-request') !== 'true') return refuse(403)
  const path = `${headers.get('x-vault-namespace') ?? ''}${new URL(url).pathname}`
  const [, engine = '', action, name = ''] = /^(.*)\/(keys|sign)\/([\w.-]+)(?:\/sha2-\d+)?$/.exec(path) ?? []
  const versions = keys.vault.get(engine === '/v1/transit' ? name : `${engine}/${name}`)
  const found = versions?.at(-1)
  if (versions === undefined || found === undefined) return refuse(404)
  if (action === 'keys') return Response.json({ data: vaultKey(versions, found) })
  const ask = (await request.json()) as {
    readonly input: string
    readonly key_version: unknown
    readonly prehashed: boolean
  }
  // Numbers may be texts, and 0 is the newest.
  const number = Number(ask.key_version) || versions.length
  const signing = versions[number - 1]
  if (signing === undefined || !ask.prehashed) return refuse(400)
  const signature = encodeBase64(asDer(signing, Buffer.from(ask.input, 'base64')))
  return Response.json({ data: { signature: `vault:v${String(number)}:${signature}` } })
}

function vaultKey(versions: readonly FakeKey[], { usage, algorithm = 'ecdsa-p256' }: FakeKey): JsonObject {
  const signs = usage === undefined
  const entries = versions.map(({ key: { publicKey } }, index) => {
    const text = publicKey.keyType === 'ed25519' ? encodeBase64(publicKey.raw) : publicKeyToPem(publicKey)
    return [String(index + 1), signs ? { public_key: text, name: algorithm } : 1_700_000_000] as const
  })
  return {
    type: signs ? algorithm : 'aes256-gcm96',
    latest_version: versions.length,
    supports_signing: signs,
    keys: Object.fromEntries(entries),
  }
}

function asDer({ key }: FakeKey, digest: Uint8Array): Uint8Array {
  const signature = signDigest(key, digest)
  return key.publicKey.keyType === 'rsa' ? signature : derOfPair(signature)
}
