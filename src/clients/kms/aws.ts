/** Keys at the Key Management Service of AWS: GetPublicKey and Sign, as the original calls them. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { parsePublicKey } from '#crypto/public-key'
import { awsCredentials, awsRegion } from '../cloud/aws-credentials.js'
import { signAwsRequest } from '../cloud/aws-signature.js'
import { askService, malformed, type RefusalReading } from './ask.js'
import { KmsError } from './kms-error.js'
import { readKey, type DigestSigning, type KmsKey, type KmsPorts } from './kms-key.js'
import type { AwsKeyUri } from './kms-uri.js'

const WHAT = 'the key management service of AWS'

/** @throws {@link KmsError} */
export async function fetchAwsKey(ports: KmsPorts, uri: AwsKeyUri, signal: AbortSignal): Promise<KmsKey> {
  const answer = await call(ports, uri, { target: 'GetPublicKey', body: { KeyId: uri.keyId }, signal })
  const { PublicKey: encoded, KeyUsage: usage, KeyId: name } = answer
  if (typeof encoded !== 'string' || typeof usage !== 'string' || typeof name !== 'string')
    throw malformed(WHAT, 'KeyId, KeyUsage and PublicKey')
  if (!isSameKey(uri.keyId, name)) throw malformed(WHAT, uri.keyId)
  if (usage !== 'SIGN_VERIFY') {
    throw new KmsError('KMS_KEY_USAGE', 'the key is not for signatures', {
      expected: 'SIGN_VERIFY',
      found: usage.slice(0, 40),
    })
  }
  const publicKey = readKey(WHAT, () => parsePublicKey(decodeBase64(encoded)))
  return { publicKey, algorithm: undefined, name }
}

/** An alias stands for any key; an id or an ARN for one, which the service names by its ARN. */
function isSameKey(asked: string, answered: string): boolean {
  const idOf = (text: string): string => text.slice(text.lastIndexOf('/') + 1).toLowerCase()
  return /(?:^|:)alias\//.test(asked) || idOf(asked) === idOf(answered)
}

/** @throws {@link KmsError} */
export async function signAtAws(
  ports: KmsPorts,
  uri: AwsKeyUri,
  { key, algorithm, digest, digestName, signal }: DigestSigning,
): Promise<Uint8Array> {
  const family = { ecdsa: 'ECDSA', 'rsa-pkcs1': 'RSASSA_PKCS1_V1_5', 'rsa-pss': 'RSASSA_PSS' } as const
  const name = family[algorithm.family as keyof typeof family]
  const body = {
    KeyId: key.name,
    Message: encodeBase64(digest),
    MessageType: 'DIGEST',
    SigningAlgorithm: `${name}_${digestName.replace('sha', 'SHA_')}`,
  }
  const { Signature: signature } = await call(ports, uri, { target: 'Sign', body, signal })
  if (typeof signature !== 'string') throw malformed(WHAT, 'a Signature')
  return decodeBase64(signature)
}

interface Call {
  readonly target: 'GetPublicKey' | 'Sign'
  readonly body: JsonObject
  readonly signal: AbortSignal
}

async function call(ports: KmsPorts, uri: AwsKeyUri, { target, body, signal }: Call): Promise<JsonObject> {
  const region = await regionOf(ports, uri)
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const url = endpointOf(ports, uri, `https://kms.${region}.${domain}/`)
  const credentials = await awsCredentials(ports, { region })
  if (credentials === undefined) {
    throw new KmsError('KMS_CREDENTIALS', `there is no login for ${WHAT}`, {
      expected:
        'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the service account, the pod or the machine',
    })
  }
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${target}` }
  const signed = signAwsRequest({ url, region, service: 'kms', headers, body: text }, credentials, ports.clock())
  const init = { method: 'POST', headers: signed, body: text, signal }
  return await askService(ports.fetch, { url: url.href, init, what: WHAT, refusals: REFUSALS })
}

const REGION = '[a-z]{2,6}(?:-[a-z]{2,12}){1,3}-\\d{1,2}'
/**
 * AWS' own hosts for this service, those of private endpoints included. Other names below its domain are its customers': a bucket
 * may be called `kms`.
 */
const OWN_HOST = new RegExp(
  `^(?:kms(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com|amazonaws\\.com\\.cn|api\\.aws)|vpce-[a-z0-9-]{1,80}\\.kms\\.(${REGION})\\.vpce\\.amazonaws\\.com)$`,
)
const WHOLE_REGION = new RegExp(`^${REGION}$`)

async function regionOf(ports: KmsPorts, { region, endpoint = '' }: AwsKeyUri): Promise<string> {
  const [, own, vpce] = OWN_HOST.exec(endpoint) ?? []
  const found = region ?? own ?? vpce ?? (await awsRegion(ports)) ?? ''
  if (WHOLE_REGION.test(found)) return found
  throw new KmsError('KMS_SETTINGS', 'it is not said in which region of AWS the key is', {
    expected: 'AWS_REGION, a region in the profile, or the ARN of the key',
  })
}

function endpointOf({ env, endpoints }: KmsPorts, { endpoint }: AwsKeyUri, usual: string): URL {
  const set = env['AWS_ENDPOINT_URL_KMS'] ?? env['AWS_ENDPOINT_URL'] ?? ''
  const named = set === '' ? undefined : settingUrl(set)
  if (endpoint === undefined) return named ?? new URL(usual)
  if (named?.host === endpoint) return named
  // As in the original: an endpoint of an address is always one with TLS.
  if (endpoints === 'any' || OWN_HOST.test(endpoint)) return new URL(`https://${endpoint}/`)
  throw new KmsError('KMS_URI', 'a policy names an endpoint that no login is sent to', {
    expected: 'one of AWS, or the one of AWS_ENDPOINT_URL_KMS',
    found: endpoint,
    hint: 'if it is yours, set AWS_ENDPOINT_URL_KMS where this runs',
  })
}

function settingUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.pathname === '/' && !url.search)
    return url
  throw new KmsError('KMS_SETTINGS', 'AWS_ENDPOINT_URL_KMS is not the address of a service', {
    expected: 'http(s)://HOST[:PORT]',
  })
}

const REFUSALS: RefusalReading = {
  // Before the code there may be the name space that it is of.
  code: ({ __type: type }) => (typeof type === 'string' ? type.slice(type.lastIndexOf('#') + 1) : undefined),
  meanings: new Map([
    ['AccessDeniedException', 'KMS_DENIED'],
    ['NotFoundException', 'KMS_NOT_FOUND'],
    ['InvalidArnException', 'KMS_NOT_FOUND'],
    ['DisabledException', 'KMS_KEY_USAGE'],
    ['InvalidKeyUsageException', 'KMS_KEY_USAGE'],
    ['KMSInvalidStateException', 'KMS_KEY_USAGE'],
    ['UnsupportedOperationException', 'KMS_KEY_TYPE'],
    ['UnrecognizedClientException', 'KMS_CREDENTIALS'],
    ['InvalidClientTokenId', 'KMS_CREDENTIALS'],
    ['InvalidSignatureException', 'KMS_CREDENTIALS'],
    ['IncompleteSignatureException', 'KMS_CREDENTIALS'],
    ['MissingAuthenticationTokenException', 'KMS_CREDENTIALS'],
    ['ExpiredTokenException', 'KMS_CREDENTIALS'],
    ['ThrottlingException', 'KMS_UNREACHABLE'],
    ['LimitExceededException', 'KMS_UNREACHABLE'],
    ['KeyUnavailableException', 'KMS_UNREACHABLE'],
    ['DependencyTimeoutException', 'KMS_UNREACHABLE'],
    ['KMSInternalException', 'KMS_UNREACHABLE'],
  ]),
}
