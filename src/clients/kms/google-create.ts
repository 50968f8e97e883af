/**
 * Making keys at Google: a key of a key ring, which is made too if it is missing, and whose first version is waited for.
 * Source: sigstore/sigstore pkg/signature/kms/gcp/client.go `createKey`.
 *
 * @module
 */
import type { AlgorithmName } from '#crypto/algorithms'
import { isCodedError } from '#errors'
import { malformed } from './ask.js'
import { type AskGoogle, GOOGLE_KMS, openGoogle } from './google-api.js'
import { keySpecOf, type KeySpecs, lookUntil, notCreatable, unlessMissing } from './key-creation.js'
import type { KeyPlan } from './key-service.js'
import { KmsError } from './kms-error.js'
import type { KmsKey, KmsPorts } from './kms-key.js'
import type { GoogleKeyUri } from './kms-uri.js'

/** CryptoKeyVersionAlgorithm; a version is bound to it. */
const SPECS: KeySpecs<string> = new Map<AlgorithmName, string>([
  ['ecdsa-sha2-256-nistp256', 'EC_SIGN_P256_SHA256'],
  ['ecdsa-sha2-384-nistp384', 'EC_SIGN_P384_SHA384'],
  ['rsa-sign-pkcs1-2048-sha256', 'RSA_SIGN_PKCS1_2048_SHA256'],
  ['rsa-sign-pkcs1-3072-sha256', 'RSA_SIGN_PKCS1_3072_SHA256'],
  ['rsa-sign-pkcs1-4096-sha256', 'RSA_SIGN_PKCS1_4096_SHA256'],
  ['rsa-sign-pss-2048-sha256', 'RSA_SIGN_PSS_2048_SHA256'],
  ['rsa-sign-pss-3072-sha256', 'RSA_SIGN_PSS_3072_SHA256'],
  ['rsa-sign-pss-4096-sha256', 'RSA_SIGN_PSS_4096_SHA256'],
  ['ed25519', 'EC_SIGN_ED25519'],
])

/** Seconds: a large key of RSA takes some. */
const LOOKS = 60

interface GoogleMaking {
  readonly ports: KmsPorts
  readonly uri: GoogleKeyUri
  readonly fetchKey: (ports: KmsPorts, uri: GoogleKeyUri, signal: AbortSignal) => Promise<KmsKey>
}

/** @throws {@link KmsError} KMS_URI, KMS_ALGORITHM */
export function planGoogleKey({ ports, uri, fetchKey }: GoogleMaking, algorithm: AlgorithmName): KeyPlan {
  if (uri.version !== undefined)
    throw notCreatable('Google numbers versions itself', `gcpkms://${uri.key}`, `version ${uri.version}`)
  const spec = keySpecOf(GOOGLE_KMS, SPECS, algorithm)
  return async (signal) => {
    const ask = await openGoogle(ports, signal)
    const made = await makeKey(ask, uri.key, spec)
    await firstVersion({ ports, ask, signal }, uri.key)
    return { key: await fetchKey(ports, uri, signal), origin: made ? 'created' : 'existing' }
  }
}

/** Whether there was none. */
async function makeKey(ask: AskGoogle, key: string, algorithm: string): Promise<boolean> {
  const [ring, id] = split(key, '/cryptoKeys/')
  const body = { purpose: 'ASYMMETRIC_SIGN', versionTemplate: { algorithm } }
  const make = (): Promise<boolean> => isNew(() => ask(`${ring}/cryptoKeys?cryptoKeyId=${id}`, body))
  const made = await unlessMissing(make)
  if (made !== undefined) return made
  const [location, ringId] = split(ring, '/keyRings/')
  await isNew(() => ask(`${location}/keyRings?keyRingId=${ringId}`, {}))
  return await make()
}

/** False: somebody else was faster, which does as well. */
async function isNew(make: () => Promise<unknown>): Promise<boolean> {
  try {
    await make()
    return true
  } catch (error) {
    if (isCodedError(error) && error.code === 'KMS_EXISTS') return false
    throw error
  }
}

interface Waiting {
  readonly ports: KmsPorts
  readonly ask: AskGoogle
  readonly signal: AbortSignal
}

async function firstVersion({ ports, ask, signal }: Waiting, key: string): Promise<void> {
  const name = `${key}/cryptoKeyVersions/1`
  const state = await lookUntil({ timers: ports.timers, looks: LOOKS, signal }, async () => {
    const { state: now } = await ask(name)
    if (typeof now !== 'string') throw malformed(GOOGLE_KMS, 'the state of the version')
    return now === 'PENDING_GENERATION' ? undefined : now
  })
  if (state === 'ENABLED') return
  throw new KmsError(
    state === undefined ? 'KMS_UNREACHABLE' : 'KMS_KEY_USAGE',
    'the key was made, and cannot be used yet',
    {
      expected: 'a first version in state ENABLED',
      found: (state ?? 'PENDING_GENERATION').slice(0, 40),
      hint: state === undefined ? 'ask again later: the key will be found' : undefined,
    },
  )
}

function split(path: string, separator: string): readonly [string, string] {
  const at = path.lastIndexOf(separator)
  return [path.slice(0, at), path.slice(at + separator.length)]
}
