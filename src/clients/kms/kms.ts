/**
 * Keys that stay at a key management service. What is asked of it is the public key, once, and signatures over digests; verifying
 * is done here, as with every other key.
 *
 * @module
 */
import { defaultAlgorithm } from '#crypto/algorithms'
import { createDigest, digest as digestOf } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import type { SignInput } from '#crypto/sign-input'
import { isCodedError } from '#errors'
import { fetchAwsKey, signAtAws } from './aws.js'
import { fetchAzureKey, signAtAzure } from './azure.js'
import { fetchGoogleKey, signAtGoogle } from './google.js'
import { KmsError } from './kms-error.js'
import type { DigestSigning, KmsKey, KmsPorts } from './kms-key.js'
import { type KmsUri, parseKmsUri } from './kms-uri.js'
import { fetchVaultKey, signAtVault } from './vault.js'

/**
 * The public key that an address names; of several versions, unless one is named, the newest one.
 * @throws {@link KmsError}; CloudError CLOUD_CREDENTIALS if a login is configured and does not work
 */
export async function fetchKmsKey(ports: KmsPorts, text: string, signal: AbortSignal): Promise<KmsKey> {
  return await keyOf(ports, parseKmsUri(text), signal)
}

/**
 * What signs with the key that an address names, without ever seeing it.
 * @throws as {@link fetchKmsKey}, and KMS_KEY_TYPE for a key that would sign the message itself rather than its digest
 */
export async function openKmsSigner(ports: KmsPorts, text: string, signal: AbortSignal): Promise<Signer> {
  const uri = parseKmsUri(text)
  const key = await keyOf(ports, uri, signal)
  const algorithm = key.algorithm ?? defaultAlgorithm(key.publicKey)
  const { digest: digestName, family } = algorithm
  if (digestName === undefined || family === 'ed25519-ph') {
    throw new KmsError('KMS_KEY_TYPE', `signing with ${algorithm.name} at a key management service is not supported`, {
      expected: 'an ECDSA or RSA key',
      hint: 'signatures by this key can be verified',
    })
  }
  const sign = async (input: SignInput): Promise<Uint8Array> => {
    const signing = { key, algorithm, digest: await digestInput(digestName, input), digestName, signal }
    return await decoding(() => signWith(ports, uri, signing))
  }
  return { algorithm, publicKey: key.publicKey, sign }
}

async function keyOf(ports: KmsPorts, uri: KmsUri, signal: AbortSignal): Promise<KmsKey> {
  switch (uri.service) {
    case 'aws':
      return await fetchAwsKey(ports, uri, signal)
    case 'google':
      return await fetchGoogleKey(ports, uri, signal)
    case 'azure':
      return await fetchAzureKey(ports, uri, signal)
    case 'vault':
      return await fetchVaultKey(ports, uri, signal)
  }
}

async function signWith(ports: KmsPorts, uri: KmsUri, signing: DigestSigning): Promise<Uint8Array> {
  switch (uri.service) {
    case 'aws':
      return await signAtAws(ports, uri, signing)
    case 'google':
      return await signAtGoogle(ports, signing)
    case 'azure':
      return await signAtAzure(ports, uri, signing)
    case 'vault':
      return await signAtVault(ports, uri, signing)
  }
}

async function digestInput(name: DigestName, input: SignInput): Promise<Uint8Array> {
  if (input instanceof Uint8Array) return digestOf(name, input)
  const running = createDigest(name)
  for await (const chunk of input) running.update(chunk)
  return running.digest()
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
