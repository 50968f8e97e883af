/**
 * Making keys at AWS: a key, and the alias that it is found by. The alias comes last: until it is there nobody finds the key.
 * Source: sigstore/sigstore pkg/signature/kms/aws/client.go `createKey`.
 *
 * @module
 */
import type { AlgorithmName } from '#crypto/algorithms'
import { isJsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { malformed } from './ask.js'
import { askAws, AWS_KMS, tellAws } from './aws-api.js'
import { keySpecOf, type KeySpecs, lookUntil, notCreatable, unlessMissing } from './key-creation.js'
import type { CreatedKey, KeyPlan } from './key-service.js'
import { KmsError } from './kms-error.js'
import type { KmsKey, KmsPorts } from './kms-key.js'
import type { AwsKeyUri } from './kms-uri.js'

/** KeySpec (API_CreateKey). A key of RSA signs either way. */
const SPECS: KeySpecs<string> = new Map<AlgorithmName, string>([
  ['ecdsa-sha2-256-nistp256', 'ECC_NIST_P256'],
  ['ecdsa-sha2-384-nistp384', 'ECC_NIST_P384'],
  ['ecdsa-sha2-512-nistp521', 'ECC_NIST_P521'],
  ['rsa-sign-pkcs1-2048-sha256', 'RSA_2048'],
  ['rsa-sign-pkcs1-3072-sha256', 'RSA_3072'],
  ['rsa-sign-pkcs1-4096-sha256', 'RSA_4096'],
  ['ed25519', 'ECC_NIST_EDWARDS25519'],
  ['ml-dsa-44', 'ML_DSA_44'],
  ['ml-dsa-65', 'ML_DSA_65'],
  ['ml-dsa-87', 'ML_DSA_87'],
])

/** A new key is not to be seen everywhere at once. */
const LOOKS = 10
/** The shortest that there is. */
const DELETION_DAYS = 7

interface AwsMaking {
  readonly ports: KmsPorts
  readonly uri: AwsKeyUri
  readonly fetchKey: (ports: KmsPorts, uri: AwsKeyUri, signal: AbortSignal) => Promise<KmsKey>
}

/** @throws {@link KmsError} KMS_URI, KMS_ALGORITHM */
export function planAwsKey(making: AwsMaking, algorithm: AlgorithmName): KeyPlan {
  const { account, alias } = aliasOf(making.uri)
  const spec = keySpecOf(AWS_KMS, SPECS, algorithm)
  return async (signal) => {
    const arn = await createKey(making, spec, signal)
    try {
      requireAccount(arn, account)
      const key = await newKey(making, arn, signal)
      const body = { AliasName: alias, TargetKeyId: arn }
      await tellAws(making.ports, making.uri, { target: 'CreateAlias', body, signal })
      return { key, origin: 'created' }
    } catch (error) {
      return await settle(making, { arn, alias, error })
    }
  }
}

/** Ids are given by the service; aliases of its own it keeps for itself. */
function aliasOf({ keyId }: AwsKeyUri): { readonly account: string | undefined; readonly alias: string } {
  const [, account, alias] = /^(?:arn:[^:]+:kms:[^:]+:(\d+):)?(alias\/.+)$/.exec(keyId) ?? []
  if (alias !== undefined && !alias.startsWith('alias/aws/')) return { account, alias }
  throw notCreatable('a key of AWS is made under an alias', 'awskms:///alias/NAME', keyId)
}

/** Its ARN. */
async function createKey({ ports, uri }: AwsMaking, spec: string, signal: AbortSignal): Promise<string> {
  const body = { KeySpec: spec, KeyUsage: 'SIGN_VERIFY', Description: 'Created by Sigstore' }
  const { KeyMetadata: made } = await askAws(ports, uri, { target: 'CreateKey', body, signal })
  const arn = isJsonObject(made) ? made['Arn'] : undefined
  if (typeof arn === 'string' && /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]{1,80}$/.test(arn)) return arn
  throw malformed(AWS_KMS, 'the ARN of the key that it made')
}

/** An alias is made in the account of the login: at the one that the address names it would never be found. */
function requireAccount(arn: string, account: string | undefined): void {
  const own = arn.split(':')[4]
  if (account === undefined || account === own) return
  throw new KmsError('KMS_URI', 'the alias is in another account than the login', { expected: own, found: account })
}

async function newKey({ ports, uri, fetchKey }: AwsMaking, arn: string, signal: AbortSignal): Promise<KmsKey> {
  const asked = { ...uri, keyId: arn }
  const patience = { timers: ports.timers, looks: LOOKS, signal }
  const key = await lookUntil(patience, () => unlessMissing(() => fetchKey(ports, asked, signal)))
  if (key !== undefined) return key
  throw new KmsError('KMS_UNREACHABLE', `${AWS_KMS} does not show the key that it made`, { found: arn })
}

interface Unnamed {
  readonly arn: string
  readonly alias: string
  /** Why it has no name, as far as is known here: the answer may have been lost. */
  readonly error: unknown
}

/** Not called off with the rest: a key that nobody finds would be paid for all the same. */
async function settle(making: AwsMaking, unnamed: Unnamed): Promise<CreatedKey> {
  const { signal } = new AbortController()
  const named = await finishing(unnamed, () => keyOfAlias(making, signal))
  if (named?.name === unnamed.arn) return { key: named, origin: 'created' }
  const body = { KeyId: unnamed.arn, PendingWindowInDays: DELETION_DAYS }
  await finishing(unnamed, () => askAws(making.ports, making.uri, { target: 'ScheduleKeyDeletion', body, signal }))
  // Somebody else was faster: theirs is the key.
  if (named !== undefined) return { key: named, origin: 'existing' }
  throw unnamed.error
}

async function keyOfAlias({ ports, uri, fetchKey }: AwsMaking, signal: AbortSignal): Promise<KmsKey | undefined> {
  return await unlessMissing(() => fetchKey(ports, uri, signal))
}

async function finishing<T>({ arn, alias, error }: Unnamed, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    const why = isCodedError(error) ? `: ${error.message}` : ''
    throw new KmsError('KMS_UNFINISHED', `a key was made, and could not be named ${alias}${why}`, {
      found: arn,
      hint: 'give it the alias (aws kms create-alias), or delete it (aws kms schedule-key-deletion)',
      cause: error,
    })
  }
}
