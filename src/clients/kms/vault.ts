/** Keys in the transit engine of HashiCorp Vault and OpenBao. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { parsePublicKey, publicKeyFromPem, type PublicKey } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import { decodeHex } from '#encoding/hex'
import { isJsonObject, type JsonObject } from '#encoding/json'
import { askService, jsonRequest, malformed, tellService, type Question, type RefusalReading } from './ask.js'
import { keySpecOf, type KeySpecs, unlessMissing } from './key-creation.js'
import type { KeyPlan, KeyService, KmsSigning } from './key-service.js'
import { KmsError } from './kms-error.js'
import { readKey, type KmsKey, type KmsPorts } from './kms-key.js'
import type { VaultKeyUri } from './kms-uri.js'

const WHAT = 'Vault'

/** What Vault takes as one string of a request is a MiB of base64 unless it is set otherwise (`max_json_string_value_length`). */
const MESSAGE_LIMIT = 768 << 10

export function vaultKeyService(ports: KmsPorts, uri: VaultKeyUri): KeyService {
  return {
    messageLimit: MESSAGE_LIMIT,
    fetchKey: (signal) => fetchVaultKey(ports, uri, signal),
    sign: (signing) => signAtVault(ports, uri, signing),
    planKey: (algorithm) => planVaultKey(ports, uri, algorithm),
  }
}

/** The newest version of the key. */
async function fetchVaultKey(ports: KmsPorts, { key }: VaultKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const data = await ask(ports, { path: `keys/${key}`, signal })
  const { type, latest_version: newest, keys, supports_signing: signs } = data
  if (typeof type !== 'string' || typeof newest !== 'number' || !isJsonObject(keys))
    throw malformed(WHAT, 'type, latest_version and keys')
  if (!TYPES.has(type)) {
    throw new KmsError(signs === true ? 'KMS_KEY_TYPE' : 'KMS_KEY_USAGE', 'the key is not one for signatures', {
      expected: [...TYPES].join(', '),
      found: type.slice(0, 40),
    })
  }
  const version = keys[String(newest)]
  const text = isJsonObject(version) ? version['public_key'] : undefined
  if (typeof text !== 'string') throw malformed(WHAT, 'the public key of the latest version')
  const publicKey = readKey(WHAT, () => (type === 'ed25519' ? ed25519(text) : publicKeyFromPem(text)))
  return { publicKey, algorithm: undefined, name: String(newest) }
}

const TYPES: ReadonlySet<string> = new Set([
  'ecdsa-p256',
  'ecdsa-p384',
  'ecdsa-p521',
  'ed25519',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
])

/** SubjectPublicKeyInfo of Ed25519 up to the key itself (RFC 8410 §4). */
const ED25519_PREFIX = decodeHex('302a300506032b6570032100')

/** Vault writes these alone as base64 of the key's own bytes. */
function ed25519(text: string): PublicKey {
  return parsePublicKey(concatBytes(ED25519_PREFIX, decodeBase64(text)))
}

async function signAtVault(ports: KmsPorts, { key: name }: VaultKeyUri, signing: KmsSigning): Promise<Uint8Array> {
  const { key, algorithm, payload, signal } = signing
  const path = payload.kind === 'message' ? `sign/${name}` : `sign/${name}/${payload.name.replace('sha', 'sha2-')}`
  const body = {
    input: encodeBase64(payload.bytes),
    // For Ed25519 it would mean Ed25519ph, which only Vault Enterprise has; others sign the digest as if it were the message, or refuse.
    prehashed: payload.kind === 'digest',
    key_version: Number(key.name),
    signature_algorithm: algorithm.family === 'rsa-pss' ? 'pss' : 'pkcs1v15',
    marshaling_algorithm: 'asn1',
  }
  const { signature } = await ask(ports, { path, body, signal })
  const [, version, encoded] = typeof signature === 'string' ? (/^vault:v(\d+):([\w+/=]+)$/.exec(signature) ?? []) : []
  if (encoded === undefined || version !== key.name) throw malformed(WHAT, `a signature by version ${key.name}`)
  return decodeBase64(encoded)
}

const SPECS: KeySpecs<string> = new Map<AlgorithmName, string>([
  ['ecdsa-sha2-256-nistp256', 'ecdsa-p256'],
  ['ecdsa-sha2-384-nistp384', 'ecdsa-p384'],
  ['ecdsa-sha2-512-nistp521', 'ecdsa-p521'],
  ['rsa-sign-pkcs1-2048-sha256', 'rsa-2048'],
  ['rsa-sign-pkcs1-3072-sha256', 'rsa-3072'],
  ['rsa-sign-pkcs1-4096-sha256', 'rsa-4096'],
  ['ed25519', 'ed25519'],
])

/**
 * Asked twice, Vault leaves the key as it is.
 * Source: sigstore/sigstore pkg/signature/kms/hashivault/client.go `createKey`.
 */
function planVaultKey(ports: KmsPorts, uri: VaultKeyUri, algorithm: AlgorithmName): KeyPlan {
  const type = keySpecOf(WHAT, SPECS, algorithm)
  return async (signal) => {
    const request = await questionOf(ports, { path: `keys/${uri.key}`, body: { type }, signal })
    const told = await unlessMissing(async () => {
      await tellService(ports.vaultFetch, request)
      return true
    })
    if (told === undefined) {
      throw new KmsError('KMS_NOT_FOUND', 'there is no transit engine at Vault', {
        expected: `one at ${engineOf(ports.env)}`,
        hint: 'vault secrets enable transit, or set TRANSIT_SECRET_ENGINE_PATH',
      })
    }
    return { key: await fetchVaultKey(ports, uri, signal), origin: 'created' }
  }
}

interface Ask {
  readonly path: string
  readonly body?: JsonObject
  readonly signal: AbortSignal
}

async function ask(ports: KmsPorts, request: Ask): Promise<JsonObject> {
  const { data } = await askService(ports.vaultFetch, await questionOf(ports, request))
  if (!isJsonObject(data)) throw malformed(WHAT, 'data')
  return data
}

async function questionOf(ports: KmsPorts, { path, body, signal }: Ask): Promise<Question> {
  const { env } = ports
  const url = `${addressOf(env)}v1/${engineOf(env)}/${path}`
  const namespace = setting(env, 'NAMESPACE')
  if (!/^[\w./ -]{0,255}$/.test(namespace))
    throw new KmsError('KMS_SETTINGS', 'VAULT_NAMESPACE is not the name of a namespace')
  const headers = {
    'x-vault-token': await tokenOf(ports),
    // Agents that stand before it may refuse what could come from a browser.
    'x-vault-request': 'true',
    ...(namespace !== '' && { 'x-vault-namespace': namespace }),
  }
  return { url, init: jsonRequest(headers, body, signal), what: WHAT, refusals: REFUSALS }
}

/** Vault's variable, or OpenBao's. */
function setting(env: KmsPorts['env'], name: string): string {
  return [env[`VAULT_${name}`], env[`BAO_${name}`]].find((value = '') => value !== '') ?? ''
}

function addressOf(env: KmsPorts['env']): string {
  const text = setting(env, 'ADDR')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '')
    return `${url.origin}${url.pathname.replace(/\/*$/, '/')}`
  throw new KmsError('KMS_SETTINGS', 'it is not said where Vault is', { expected: 'VAULT_ADDR, an http(s) address' })
}

function engineOf(env: KmsPorts['env']): string {
  const path = (env['TRANSIT_SECRET_ENGINE_PATH'] ?? '').replace(/^\/+|\/+$/g, '')
  if (path === '') return 'transit'
  if (path.length <= 255 && path.split('/').every((part) => /^(?!\.+$)[\w.-]+$/.test(part))) return path
  throw new KmsError('KMS_SETTINGS', 'TRANSIT_SECRET_ENGINE_PATH is not the path of an engine', {
    expected: 'letters, digits, -, _, . and /',
  })
}

/** A file is read each time: who put it there also replaces it before it runs out. */
async function tokenOf({ env, vaultTokenFile }: KmsPorts): Promise<string> {
  const set = setting(env, 'TOKEN')
  const token = (set === '' ? ((await vaultTokenFile()) ?? '') : set).trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new KmsError('KMS_CREDENTIALS', 'there is no login for Vault', {
    expected: 'VAULT_TOKEN, or a token in ~/.vault-token',
  })
}

/** Its errors are sentences, which may quote; their status says enough. */
const REFUSALS: RefusalReading = { code: () => undefined, meanings: new Map() }
