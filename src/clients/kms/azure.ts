/** Keys in vaults and managed HSMs of Azure. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { publicKeyFromJwk } from '#crypto/jwk'
import { decodeBase64Url, encodeBase64Url } from '#encoding/base64'
import { derInteger, derSequence } from '#encoding/der-writer'
import { isJsonObject, type JsonObject } from '#encoding/json'
import { type AzureAudience, azureToken } from '../cloud/azure-token.js'
import { askService, jsonRequest, malformed, type RefusalReading } from './ask.js'
import { KmsError } from './kms-error.js'
import { keySpecOf, type KeySpecs, notCreatable } from './key-creation.js'
import type { KeyPlan, KeyService, KmsSigning } from './key-service.js'
import { readKey, type KmsKey, type KmsPorts } from './kms-key.js'
import type { AzureKeyUri } from './kms-uri.js'

const WHAT = 'the key vault of Azure'
const VERSION = 'api-version=7.4'

const CHINA = 'https://login.chinacloudapi.cn/'
const GOVERNMENT = 'https://login.microsoftonline.us/'

/** What vaults are called, and who gives tokens for them. A token is sent to no other host. */
const DOMAINS: ReadonlyMap<string, AzureAudience> = new Map([
  ['vault.azure.net', { resource: 'https://vault.azure.net' }],
  ['vault.azure.cn', { resource: 'https://vault.azure.cn', authority: CHINA }],
  ['vault.usgovcloudapi.net', { resource: 'https://vault.usgovcloudapi.net', authority: GOVERNMENT }],
  ['managedhsm.azure.net', { resource: 'https://managedhsm.azure.net' }],
  ['managedhsm.azure.cn', { resource: 'https://managedhsm.azure.cn', authority: CHINA }],
  ['managedhsm.usgovcloudapi.net', { resource: 'https://managedhsm.usgovcloudapi.net', authority: GOVERNMENT }],
])

/** What a token has to be for that this vault takes. @throws {@link KmsError} KMS_URI for a host that is none */
export function azureAudience(host: string): AzureAudience {
  const [, domain = ''] = /^[a-z0-9][a-z0-9-]{1,22}[a-z0-9]\.(.+)$/.exec(host) ?? []
  const audience = DOMAINS.get(domain)
  if (audience !== undefined) return audience
  throw new KmsError('KMS_URI', 'this is no key vault of Azure', {
    expected: [...DOMAINS.keys()].map((name) => `NAME.${name}`).join(', '),
    found: host,
  })
}

export function azureKeyService(ports: KmsPorts, uri: AzureKeyUri): KeyService {
  return {
    messageLimit: undefined,
    fetchKey: (signal) => fetchAzureKey(ports, uri, signal),
    sign: (signing) => signAtAzure(ports, uri, signing),
    planKey: (algorithm) => planAzureKey(ports, uri, algorithm),
  }
}

async function fetchAzureKey(ports: KmsPorts, uri: AzureKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const { host, key, version = '' } = uri
  const url = `https://${host}/keys/${key}${version === '' ? '' : `/${version}`}?${VERSION}`
  return readAnswer(await ask(ports, uri, { url, signal }), uri)
}

function readAnswer({ key, attributes = {} }: JsonObject, uri: AzureKeyUri): KmsKey {
  if (!isJsonObject(key) || !isJsonObject(attributes)) throw malformed(WHAT, 'a key')
  const { kid, kty, key_ops: uses = [] } = key
  if (typeof kid !== 'string' || typeof kty !== 'string' || !Array.isArray(uses)) throw malformed(WHAT, 'kid and kty')
  if (!isVersionOf(kid, uri)) throw malformed(WHAT, `https://${uri.host}/keys/${uri.key}/…`)
  if (kty === 'oct' || kty === 'oct-HSM')
    throw new KmsError('KMS_KEY_TYPE', 'the key is a symmetric one', { expected: 'EC or RSA', found: kty })
  if (attributes['enabled'] === false)
    throw new KmsError('KMS_KEY_USAGE', 'the key is disabled', { expected: 'one that is enabled' })
  if (!uses.includes('verify') && !uses.includes('sign')) {
    throw new KmsError('KMS_KEY_USAGE', 'the key is not for signatures', { expected: 'key_ops with sign or verify' })
  }
  // In a hardware module it is the same key.
  const publicKey = readKey(WHAT, () => publicKeyFromJwk({ ...key, kty: kty.replace(/-HSM$/, '') }))
  return { publicKey, algorithm: undefined, name: kid }
}

/** `https://HOST/keys/KEY/VERSION`. */
function isVersionOf(kid: string, { host, key, version }: AzureKeyUri): boolean {
  if (!URL.canParse(kid)) return false
  const url = new URL(kid)
  const [, , name = '', found = ''] = /^\/(keys)\/([0-9A-Za-z-]+)\/([a-z0-9]+)$/.exec(url.pathname) ?? []
  return (
    url.protocol === 'https:' &&
    url.host === host &&
    url.search === '' &&
    name.toLowerCase() === key.toLowerCase() &&
    (version === undefined || version === found)
  )
}

async function signAtAzure(ports: KmsPorts, uri: AzureKeyUri, signing: KmsSigning): Promise<Uint8Array> {
  const { key, algorithm, payload, signal } = signing
  // Of messages there is no limit above, so none come here.
  if (payload.kind === 'message') throw new KmsError('KMS_KEY_TYPE', `${WHAT} signs digests alone`)
  const names = { ecdsa: 'ES', 'rsa-pkcs1': 'RS', 'rsa-pss': 'PS' } as const
  const alg = `${names[algorithm.family as keyof typeof names]}${payload.name.slice('sha'.length)}`
  const body = { alg, value: encodeBase64Url(payload.bytes) }
  const { value } = await ask(ports, uri, { url: `${key.name}/sign?${VERSION}`, body, signal })
  if (typeof value !== 'string') throw malformed(WHAT, 'a value')
  const signature = decodeBase64Url(value)
  return algorithm.family === 'ecdsa' ? derOfNumbers(signature) : signature
}

/** JOSE writes r and s side by side (RFC 7518 §3.4), everybody else as DER. */
function derOfNumbers(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  if (half === 0 || !Number.isInteger(half)) throw malformed(WHAT, 'two numbers of the same size')
  return derSequence(derInteger(signature.subarray(0, half)), derInteger(signature.subarray(half)))
}

/** JWK's names of key types and curves, and Azure's of sizes. */
type AzureSpec =
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521' }
  | { readonly kty: 'RSA'; readonly key_size: 2048 | 3072 | 4096 }

const SPECS: KeySpecs<AzureSpec> = new Map<AlgorithmName, AzureSpec>([
  ['ecdsa-sha2-256-nistp256', { kty: 'EC', crv: 'P-256' }],
  ['ecdsa-sha2-384-nistp384', { kty: 'EC', crv: 'P-384' }],
  ['ecdsa-sha2-512-nistp521', { kty: 'EC', crv: 'P-521' }],
  ['rsa-sign-pkcs1-2048-sha256', { kty: 'RSA', key_size: 2048 }],
  ['rsa-sign-pkcs1-3072-sha256', { kty: 'RSA', key_size: 3072 }],
  ['rsa-sign-pkcs1-4096-sha256', { kty: 'RSA', key_size: 4096 }],
])

/**
 * Making a key of a name that is there already would make a version of it, so nothing is sent twice.
 * Source: sigstore/sigstore pkg/signature/kms/azure/client.go `createKey`.
 */
function planAzureKey(ports: KmsPorts, uri: AzureKeyUri, algorithm: AlgorithmName): KeyPlan {
  const { host, key: name, version } = uri
  azureAudience(host)
  if (version !== undefined)
    throw notCreatable('Azure names versions itself', `azurekms://${host}/${name}`, `version ${version}`)
  const spec = keySpecOf(WHAT, SPECS, algorithm)
  // Managed HSMs keep no other keys.
  const kty = host.includes('.managedhsm.') ? `${spec.kty}-HSM` : spec.kty
  const use = { key_ops: ['sign', 'verify'], attributes: { enabled: true }, tags: { use: 'sigstore' } }
  const url = `https://${host}/keys/${name}/create?${VERSION}`
  return async (signal) => {
    const answer = await ask(ports, uri, { url, body: { ...spec, kty, ...use }, signal, repeatable: false })
    return { key: readAnswer(answer, uri), origin: 'created' }
  }
}

interface Ask {
  readonly url: string
  readonly body?: JsonObject
  readonly signal: AbortSignal
  /** Default true. */
  readonly repeatable?: boolean
}

async function ask(
  ports: KmsPorts,
  { host }: AzureKeyUri,
  { url, body, signal, repeatable = true }: Ask,
): Promise<JsonObject> {
  const token = await azureToken(ports, azureAudience(host))
  if (token === undefined) {
    throw new KmsError('KMS_CREDENTIALS', `there is no login for ${WHAT}`, {
      expected: 'AZURE_CLIENT_SECRET, a workload identity, the identity of the machine, or a login of the Azure CLI',
    })
  }
  const headers = { authorization: `Bearer ${token}` }
  const init = { ...jsonRequest(headers, body, signal), repeatable }
  return await askService(ports.fetch, { url, init, what: WHAT, refusals: REFUSALS })
}

const REFUSALS: RefusalReading = {
  code: ({ error }) => (isJsonObject(error) ? error['code'] : undefined),
  meanings: new Map([
    ['Forbidden', 'KMS_DENIED'],
    ['Unauthorized', 'KMS_CREDENTIALS'],
    ['KeyNotFound', 'KMS_NOT_FOUND'],
    ['Conflict', 'KMS_EXISTS'],
    ['Throttled', 'KMS_UNREACHABLE'],
  ]),
}
