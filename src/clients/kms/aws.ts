/** Keys at the Key Management Service of AWS: GetPublicKey and Sign, as the original calls them. @module */
import type { SignatureFamily } from '#crypto/algorithms'
import { parsePublicKey } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { malformed } from './ask.js'
import { askAws, AWS_KMS } from './aws-api.js'
import { planAwsKey } from './aws-create.js'
import type { KeyService, KmsSigning } from './key-service.js'
import { KmsError } from './kms-error.js'
import { readKey, type KmsKey, type KmsPorts } from './kms-key.js'
import type { AwsKeyUri } from './kms-uri.js'

/** What `Message` of Sign holds at most (API_Sign). */
const MESSAGE_LIMIT = 4096

export function awsKeyService(ports: KmsPorts, uri: AwsKeyUri): KeyService {
  return {
    messageLimit: MESSAGE_LIMIT,
    fetchKey: (signal) => fetchAwsKey(ports, uri, signal),
    sign: (signing) => signAtAws(ports, uri, signing),
    planKey: (algorithm) => planAwsKey({ ports, uri, fetchKey: fetchAwsKey }, algorithm),
  }
}

async function fetchAwsKey(ports: KmsPorts, uri: AwsKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const answer = await askAws(ports, uri, { target: 'GetPublicKey', body: { KeyId: uri.keyId }, signal })
  const { PublicKey: encoded, KeyUsage: usage, KeyId: name } = answer
  if (typeof encoded !== 'string' || typeof usage !== 'string' || typeof name !== 'string')
    throw malformed(AWS_KMS, 'KeyId, KeyUsage and PublicKey')
  if (!isSameKey(uri.keyId, name)) throw malformed(AWS_KMS, uri.keyId)
  if (usage !== 'SIGN_VERIFY') {
    throw new KmsError('KMS_KEY_USAGE', 'the key is not for signatures', {
      expected: 'SIGN_VERIFY',
      found: usage.slice(0, 40),
    })
  }
  const publicKey = readKey(AWS_KMS, () => parsePublicKey(decodeBase64(encoded)))
  return { publicKey, algorithm: undefined, name }
}

/** An alias stands for any key; an id or an ARN for one, which the service names by its ARN. */
function isSameKey(asked: string, answered: string): boolean {
  const idOf = (text: string): string => text.slice(text.lastIndexOf('/') + 1).toLowerCase()
  return /(?:^|:)alias\//.test(asked) || idOf(asked) === idOf(answered)
}

const DIGEST_ALGORITHMS: Partial<Record<SignatureFamily, string>> = {
  ecdsa: 'ECDSA',
  'rsa-pkcs1': 'RSASSA_PKCS1_V1_5',
  'rsa-pss': 'RSASSA_PSS',
}

/**
 * Those that take messages alone, as RAW (API_CreateKey, API_Sign). For Ed25519ph there is ED25519_PH_SHA_512, which takes a DIGEST, and
 * of which it is not said clearly whether it hashes that once more: it is not used.
 */
const MESSAGE_ALGORITHMS: Partial<Record<SignatureFamily, string>> = {
  ed25519: 'ED25519_SHA_512',
  'ml-dsa': 'ML_DSA_SHAKE_256',
}

async function signAtAws(ports: KmsPorts, uri: AwsKeyUri, signing: KmsSigning): Promise<Uint8Array> {
  const { key, payload, signal } = signing
  const { family } = signing.algorithm
  const how =
    payload.kind === 'message'
      ? { MessageType: 'RAW', SigningAlgorithm: MESSAGE_ALGORITHMS[family] ?? '' }
      : { MessageType: 'DIGEST', SigningAlgorithm: `${DIGEST_ALGORITHMS[family] ?? ''}_${digestOf(payload.name)}` }
  const body = { KeyId: key.name, Message: encodeBase64(payload.bytes), ...how }
  const { Signature: signature } = await askAws(ports, uri, { target: 'Sign', body, signal })
  if (typeof signature !== 'string') throw malformed(AWS_KMS, 'a Signature')
  return decodeBase64(signature)
}

function digestOf(name: string): string {
  return name.replace('sha', 'SHA_')
}
