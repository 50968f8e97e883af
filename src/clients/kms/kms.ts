/**
 * Keys that stay at a key management service. What is asked of it is the public key, once, and signatures; verifying is
 * done here, as with every other key.
 *
 * @module
 */
import { ALGORITHMS, defaultAlgorithm, type Algorithm, type AlgorithmName } from '#crypto/algorithms'
import { createDigest, digest as digestOf } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import type { SignInput } from '#crypto/sign-input'
import { concatBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { SMALLER_HINT } from './ask.js'
import { awsKeyService } from './aws.js'
import { azureKeyService } from './azure.js'
import { googleKeyService } from './google.js'
import { unlessMissing } from './key-creation.js'
import type { CreatedKey, KeyService, SigningPayload } from './key-service.js'
import { KmsError } from './kms-error.js'
import type { KmsKey, KmsPorts } from './kms-key.js'
import { type KmsUri, parseKmsUri } from './kms-uri.js'
import { vaultKeyService } from './vault.js'

/**
 * The public key that an address names; of several versions, unless one is named, the newest one.
 * @throws {@link KmsError}; CloudError CLOUD_CREDENTIALS if a login is configured and does not work
 */
export async function fetchKmsKey(ports: KmsPorts, text: string, signal: AbortSignal): Promise<KmsKey> {
  return await serviceOf(ports, parseKmsUri(text)).fetchKey(signal)
}

/**
 * What signs with the key that an address names, without ever seeing it.
 * @throws as {@link fetchKmsKey}, and KMS_KEY_TYPE for a key that would sign the message itself where the service signs digests alone
 */
export async function openKmsSigner(ports: KmsPorts, text: string, signal: AbortSignal): Promise<Signer> {
  const service = serviceOf(ports, parseKmsUri(text))
  const key = await service.fetchKey(signal)
  const algorithm = key.algorithm ?? defaultAlgorithm(key.publicKey)
  const payloadOf = payloadFor(algorithm, service.messageLimit)
  const sign = async (input: SignInput): Promise<Uint8Array> => {
    const payload = await payloadOf(input)
    return await decoding(() => service.sign({ key, algorithm, payload, signal }))
  }
  return { algorithm, publicKey: key.publicKey, sign }
}

export interface KmsKeyAsk {
  /** Undefined: one for the usual algorithm, and one that is there may be for any. */
  readonly algorithm: AlgorithmName | undefined
  readonly signal: AbortSignal
}

/**
 * Makes the key that an address names, unless it is there: a key is never replaced.
 * @throws as {@link fetchKmsKey}; KMS_URI for an address that no key can be made for, KMS_ALGORITHM, KMS_KEY_TYPE if there is a key for
 *   another algorithm than was asked for, KMS_EXISTS, KMS_UNFINISHED
 */
export async function createKmsKey(ports: KmsPorts, text: string, ask: KmsKeyAsk): Promise<CreatedKey> {
  const { algorithm, signal } = ask
  const service = serviceOf(ports, parseKmsUri(text))
  const create = service.planKey(algorithm ?? 'ecdsa-sha2-256-nistp256')
  const existing = await unlessMissing(() => service.fetchKey(signal))
  const found: CreatedKey = existing === undefined ? await create(signal) : { key: existing, origin: 'existing' }
  if (algorithm !== undefined) requireFor(ALGORITHMS[algorithm], found.key)
  return found
}

function serviceOf(ports: KmsPorts, uri: KmsUri): KeyService {
  switch (uri.service) {
    case 'aws':
      return awsKeyService(ports, uri)
    case 'google':
      return googleKeyService(ports, uri)
    case 'azure':
      return azureKeyService(ports, uri)
    case 'vault':
      return vaultKeyService(ports, uri)
  }
}

function requireFor(wanted: Algorithm, { publicKey, algorithm }: KmsKey): void {
  const { keyType, keyBits } = publicKey
  const fits = keyType === wanted.keyType && (wanted.keyBits === undefined || wanted.keyBits === keyBits)
  const bound = algorithm ?? wanted
  if (fits && bound.family === wanted.family && bound.digest === wanted.digest) return
  throw new KmsError('KMS_KEY_TYPE', 'there is a key already, for another algorithm', {
    expected: wanted.name,
    found: algorithm?.name ?? `${keyType}${keyBits === undefined ? '' : ` of ${String(keyBits)} bits`}`,
    hint: 'choose another name for the new key, or leave out --signing-algorithm to use the one that is there',
  })
}

/** What the service is given of an input. @throws {@link KmsError} KMS_KEY_TYPE */
function payloadFor(
  { name, digest }: Algorithm,
  messageLimit: number | undefined,
): (input: SignInput) => Promise<SigningPayload> {
  if (digest !== undefined)
    return async (input) => ({ kind: 'digest', name: digest, bytes: await digestInput(digest, input) })
  if (messageLimit !== undefined)
    return async (input) => ({ kind: 'message', bytes: await collectMessage(name, messageLimit, input) })
  throw new KmsError('KMS_KEY_TYPE', `signing with ${name} at this key management service is not supported`, {
    expected: 'an ECDSA or RSA key',
    hint: 'signatures by this key can be verified',
  })
}

async function digestInput(name: DigestName, input: SignInput): Promise<Uint8Array> {
  if (input instanceof Uint8Array) return digestOf(name, input)
  const running = createDigest(name)
  for await (const chunk of input) running.update(chunk)
  return running.digest()
}

/** No more of it is read than the service would take. */
async function collectMessage(algorithm: AlgorithmName, limit: number, input: SignInput): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of input instanceof Uint8Array ? [input] : input) {
    size += chunk.length
    if (size > limit) {
      throw new KmsError(
        'KMS_MESSAGE_SIZE',
        `${algorithm} signs the message itself, which is too large for the service`,
        {
          expected: `at most ${String(limit)} bytes`,
          found: input instanceof Uint8Array ? `${String(size)} bytes` : 'more',
          hint: SMALLER_HINT,
        },
      )
    }
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

/** What is no base64 is no signature. */
async function decoding(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await work()
  } catch (error) {
    if (!isCodedError(error) || error.code !== 'BASE64') throw error
    throw new KmsError('KMS_RESPONSE', 'the key management service answered without a signature', { cause: error })
  }
}
