/** Keys at the Cloud Key Management Service of Google, by its REST interface. @module */
import { ALGORITHMS, type Algorithm } from '#crypto/algorithms'
import { type PublicKey, publicKeyFromPem } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { googleAccess } from '../cloud/google-token.js'
import { askService, jsonRequest, malformed, type RefusalReading } from './ask.js'
import { KmsError } from './kms-error.js'
import { readKey, rsaAlgorithm, type DigestSigning, type KmsKey, type KmsPorts } from './kms-key.js'
import type { GoogleKeyUri } from './kms-uri.js'

const WHAT = 'the key management service of Google'
const BASE = 'https://cloudkms.googleapis.com/v1/'

/** @throws {@link KmsError} */
export async function fetchGoogleKey(ports: KmsPorts, uri: GoogleKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const ask = await opened(ports, signal)
  const name =
    uri.version === undefined ? await newestVersion(ask, uri.key) : `${uri.key}/cryptoKeyVersions/${uri.version}`
  const { pem, algorithm, name: answered = name } = await ask(`${name}/publicKey`)
  if (typeof pem !== 'string' || typeof algorithm !== 'string') throw malformed(WHAT, 'pem and algorithm')
  if (answered !== name) throw malformed(WHAT, name)
  return { ...boundKey(algorithm, pem), name }
}

/** @throws {@link KmsError} */
export async function signAtGoogle(
  ports: KmsPorts,
  { key, digest, digestName, signal }: DigestSigning,
): Promise<Uint8Array> {
  const ask = await opened(ports, signal)
  const body = { digest: { [digestName]: encodeBase64(digest) } }
  const { signature, name = key.name } = await ask(`${key.name}:asymmetricSign`, body)
  if (typeof signature !== 'string' || name !== key.name) throw malformed(WHAT, 'a signature by this key')
  return decodeBase64(signature)
}

type Ask = (path: string, body?: JsonObject) => Promise<JsonObject>

async function opened(ports: KmsPorts, signal: AbortSignal): Promise<Ask> {
  const access = await googleAccess(ports)
  if (access === undefined) {
    throw new KmsError('KMS_CREDENTIALS', `there is no login for ${WHAT}`, {
      expected: 'GOOGLE_APPLICATION_CREDENTIALS, a login of gcloud, or the account of the machine or of the pod',
    })
  }
  const { token, quotaProject } = access
  const headers = {
    authorization: `Bearer ${token}`,
    ...(quotaProject !== undefined && { 'x-goog-user-project': quotaProject }),
  }
  return async (path, body) => {
    const init = jsonRequest(headers, body, signal)
    return await askService(ports.fetch, { url: `${BASE}${path}`, init, what: WHAT, refusals: REFUSALS })
  }
}

/** Pages of versions that are looked through; a key is replaced every few months. */
const MAX_PAGES = 10

/** By number: in the order of names, which the service sorts by, 9 comes after 10. */
async function newestVersion(ask: Ask, key: string): Promise<string> {
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
      throw malformed(WHAT, 'a list of versions')
    for (const each of cryptoKeyVersions as readonly JsonValue[]) newest = Math.max(newest, enabledNumber(each, key))
    page = nextPageToken
    if (page === '') break
  }
  if (page !== '') throw malformed(WHAT, 'a list of versions that ends')
  if (newest >= 0) return `${key}/cryptoKeyVersions/${String(newest)}`
  throw new KmsError('KMS_KEY_USAGE', 'no version of the key is enabled', { expected: 'a version in state ENABLED' })
}

function enabledNumber(value: JsonValue, key: string): number {
  const { name, state } = isJsonObject(value) ? value : {}
  const prefix = `${key}/cryptoKeyVersions/`
  if (typeof name !== 'string' || !name.startsWith(prefix) || !/^\d{1,10}$/.test(name.slice(prefix.length)))
    throw malformed(WHAT, 'versions of the key')
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
  const publicKey = readKey(WHAT, () => publicKeyFromPem(pem))
  const algorithm =
    known ??
    rsaAlgorithm(publicKey, {
      family: scheme === 'PSS' ? 'rsa-pss' : 'rsa-pkcs1',
      digest: bits === '512' ? 'sha512' : 'sha256',
    })
  if (algorithm?.keyType !== publicKey.keyType) throw malformed(WHAT, `a key for ${name.slice(0, 60)}`)
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

const REFUSALS: RefusalReading = {
  code: ({ error }) => (isJsonObject(error) ? error['status'] : undefined),
  meanings: new Map([
    ['PERMISSION_DENIED', 'KMS_DENIED'],
    ['UNAUTHENTICATED', 'KMS_CREDENTIALS'],
    ['NOT_FOUND', 'KMS_NOT_FOUND'],
    // A version that is disabled or destroyed, or a key that has no public one.
    ['FAILED_PRECONDITION', 'KMS_KEY_USAGE'],
    ['RESOURCE_EXHAUSTED', 'KMS_UNREACHABLE'],
    ['UNAVAILABLE', 'KMS_UNREACHABLE'],
    ['DEADLINE_EXCEEDED', 'KMS_UNREACHABLE'],
  ]),
}
