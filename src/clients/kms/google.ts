/** Keys at the Cloud Key Management Service of Google, by its REST interface. @module */
import { ALGORITHMS, type Algorithm } from '#crypto/algorithms'
import { type PublicKey, publicKeyFromPem } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonValue } from '#encoding/json'
import { malformed } from './ask.js'
import { type AskGoogle, GOOGLE_KMS, openGoogle } from './google-api.js'
import { planGoogleKey } from './google-create.js'
import type { KeyService, KmsSigning } from './key-service.js'
import { KmsError } from './kms-error.js'
import { readKey, rsaAlgorithm, type KmsKey, type KmsPorts } from './kms-key.js'
import type { GoogleKeyUri } from './kms-uri.js'

/** What `data` of asymmetricSign holds at most (gcloud kms asymmetric-sign). */
const MESSAGE_LIMIT = 64 << 10

export function googleKeyService(ports: KmsPorts, uri: GoogleKeyUri): KeyService {
  return {
    messageLimit: MESSAGE_LIMIT,
    fetchKey: (signal) => fetchGoogleKey(ports, uri, signal),
    sign: (signing) => signAtGoogle(ports, signing),
    planKey: (algorithm) => planGoogleKey({ ports, uri, fetchKey: fetchGoogleKey }, algorithm),
  }
}

async function fetchGoogleKey(ports: KmsPorts, uri: GoogleKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const ask = await openGoogle(ports, signal)
  const name =
    uri.version === undefined ? await newestVersion(ask, uri.key) : `${uri.key}/cryptoKeyVersions/${uri.version}`
  const { pem, algorithm, name: answered = name } = await ask(`${name}/publicKey`)
  if (typeof pem !== 'string' || typeof algorithm !== 'string') throw malformed(GOOGLE_KMS, 'pem and algorithm')
  if (answered !== name) throw malformed(GOOGLE_KMS, name)
  return { ...boundKey(algorithm, pem), name }
}

async function signAtGoogle(ports: KmsPorts, { key, payload, signal }: KmsSigning): Promise<Uint8Array> {
  const ask = await openGoogle(ports, signal)
  const text = encodeBase64(payload.bytes)
  const body = payload.kind === 'message' ? { data: text } : { digest: { [payload.name]: text } }
  const { signature, name = key.name } = await ask(`${key.name}:asymmetricSign`, body)
  if (typeof signature !== 'string' || name !== key.name) throw malformed(GOOGLE_KMS, 'a signature by this key')
  return decodeBase64(signature)
}

/** Pages of versions that are looked through; a key is replaced every few months. */
const MAX_PAGES = 10

/** By number: in the order of names, which the service sorts by, 9 comes after 10. */
async function newestVersion(ask: AskGoogle, key: string): Promise<string> {
  let newest = -1
  let page = ''
  for (let count = 0; count < MAX_PAGES; count++) {
    const query = new URLSearchParams({
      filter: 'state=ENABLED',
      pageSize: '1000',
      ...(page !== '' && { pageToken: page }),
    })
    const { cryptoKeyVersions = [], nextPageToken = '' } = await ask(`${key}/cryptoKeyVersions?${query.toString()}`)
    if (!Array.isArray(cryptoKeyVersions) || typeof nextPageToken !== 'string')
      throw malformed(GOOGLE_KMS, 'a list of versions')
    for (const each of cryptoKeyVersions as readonly JsonValue[]) newest = Math.max(newest, enabledNumber(each, key))
    page = nextPageToken
    if (page === '') break
  }
  if (page !== '') throw malformed(GOOGLE_KMS, 'a list of versions that ends')
  if (newest >= 0) return `${key}/cryptoKeyVersions/${String(newest)}`
  throw new KmsError('KMS_KEY_USAGE', 'no version of the key is enabled', { expected: 'a version in state ENABLED' })
}

function enabledNumber(value: JsonValue, key: string): number {
  const { name, state } = isJsonObject(value) ? value : {}
  const prefix = `${key}/cryptoKeyVersions/`
  if (typeof name !== 'string' || !name.startsWith(prefix) || !/^\d{1,10}$/.test(name.slice(prefix.length)))
    throw malformed(GOOGLE_KMS, 'versions of the key')
  return state === 'ENABLED' ? Number(name.slice(prefix.length)) : -1
}

const RSA = /^RSA_SIGN_(PKCS1|PSS)_(?:2048|3072|4096)_SHA(256|512)$/

/** Each version of a key is made for one algorithm. */
function boundKey(
  name: string,
  pem: string,
): { readonly publicKey: PublicKey; readonly algorithm: Algorithm | undefined } {
  if (!/^(?:EC_SIGN_|RSA_SIGN_|PQ_SIGN_)/.test(name)) {
    throw new KmsError('KMS_KEY_USAGE', 'the key is not for signatures', {
      expected: 'EC_SIGN_… or RSA_SIGN_…',
      found: name.slice(0, 60),
    })
  }
  const [, scheme, bits] = RSA.exec(name) ?? []
  const known = EC.get(name)
  if (known === undefined && scheme === undefined) throw unsupported(name)
  const publicKey = readKey(GOOGLE_KMS, () => publicKeyFromPem(pem))
  const algorithm =
    known ??
    rsaAlgorithm(publicKey, {
      family: scheme === 'PSS' ? 'rsa-pss' : 'rsa-pkcs1',
      digest: bits === '512' ? 'sha512' : 'sha256',
    })
  if (algorithm?.keyType !== publicKey.keyType) throw malformed(GOOGLE_KMS, `a key for ${name.slice(0, 60)}`)
  return { publicKey, algorithm }
}

const EC: ReadonlyMap<string, Algorithm> = new Map([
  ['EC_SIGN_P256_SHA256', ALGORITHMS['ecdsa-sha2-256-nistp256']],
  ['EC_SIGN_P384_SHA384', ALGORITHMS['ecdsa-sha2-384-nistp384']],
  ['EC_SIGN_ED25519', ALGORITHMS.ed25519],
])

function unsupported(name: string): KmsError {
  return new KmsError('KMS_KEY_TYPE', 'the key is for an algorithm that is not supported', {
    expected: [...EC.keys(), 'RSA_SIGN_PKCS1_…', 'RSA_SIGN_PSS_…'].join(', '),
    found: name.slice(0, 60),
  })
}
