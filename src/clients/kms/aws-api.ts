/** Asking the Key Management Service of AWS: who asks, where, and what its refusals mean. @module */
import type { JsonObject } from '#encoding/json'
import { awsCredentials, awsRegion } from '../cloud/aws-credentials.js'
import { signAwsRequest } from '../cloud/aws-signature.js'
import { askService, tellService, type Question, type RefusalReading } from './ask.js'
import { KmsError } from './kms-error.js'
import type { KmsPorts } from './kms-key.js'
import type { AwsKeyUri } from './kms-uri.js'

export const AWS_KMS = 'the key management service of AWS'

export interface AwsCall {
  readonly target: 'GetPublicKey' | 'Sign' | 'CreateKey' | 'CreateAlias' | 'ScheduleKeyDeletion'
  readonly body: JsonObject
  readonly signal: AbortSignal
}

/** @throws {@link KmsError} */
export async function askAws(ports: KmsPorts, uri: AwsKeyUri, call: AwsCall): Promise<JsonObject> {
  return await askService(ports.fetch, await questionOf(ports, uri, call))
}

/** For calls that are answered with nothing. @throws {@link KmsError} */
export async function tellAws(ports: KmsPorts, uri: AwsKeyUri, call: AwsCall): Promise<void> {
  await tellService(ports.fetch, await questionOf(ports, uri, call))
}

async function questionOf(ports: KmsPorts, uri: AwsKeyUri, { target, body, signal }: AwsCall): Promise<Question> {
  const region = await regionOf(ports, uri)
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const url = endpointOf(ports, uri, `https://kms.${region}.${domain}/`)
  const credentials = await awsCredentials(ports, { region })
  if (credentials === undefined) {
    throw new KmsError('KMS_CREDENTIALS', `there is no login for ${AWS_KMS}`, {
      expected:
        'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the service account, the pod or the machine',
    })
  }
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${target}` }
  const signed = signAwsRequest({ url, region, service: 'kms', headers, body: text }, credentials, ports.clock())
  const repeatable = target !== 'CreateKey' && target !== 'CreateAlias'
  const init = { method: 'POST', headers: signed, body: text, signal, repeatable }
  return { url: url.href, init, what: AWS_KMS, refusals: REFUSALS }
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
    ['AlreadyExistsException', 'KMS_EXISTS'],
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
