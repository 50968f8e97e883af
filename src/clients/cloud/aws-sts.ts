/** The security token service of AWS: roles for a login, and for a token of somebody else. @module */
import { isCodedError } from '#errors'
import { parseRfc3339, type UnixMillis } from '#time'
import { readAnswer, postOf } from './answers.js'
import { domainOf, loginEndpoint } from './aws-endpoints.js'
import { signAwsRequest, type AwsCredentials } from './aws-signature.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'
import type { Expiring } from './recent-logins.js'

/** Credentials, and until when. */
export type AwsLogin = AwsCredentials & Expiring

export interface AwsRole {
  readonly arn: string
  readonly sessionName: string
  readonly externalId?: string | undefined
  /** How long, in seconds; the service's own choice is an hour. */
  readonly seconds?: number | undefined
}

export const DEFAULT_SESSION = 'countersign'
const WHAT = 'the security token service of AWS'
const VERSION = '2011-06-15'

/** The role for a login that may take it (AssumeRole). @throws CloudError CLOUD_CREDENTIALS */
export async function assumeRole(
  { env, fetch, clock }: CloudPorts,
  { role, region }: { readonly role: AwsRole; readonly region: string },
  source: AwsCredentials,
): Promise<AwsLogin> {
  const url = stsUrl(env, region)
  const form = new URLSearchParams({ Action: 'AssumeRole', Version: VERSION, ...parametersOf(role) })
  if (role.externalId !== undefined) form.set('ExternalId', role.externalId)
  const { headers = {}, ...post } = postOf(form)
  const request = { url, region, service: 'sts', headers, body: form.toString() }
  const response = await fetch(url.href, { ...post, headers: signAwsRequest(request, source, clock()) })
  return loginIn(await readAnswer(response, WHAT))
}

/** The role for a token, without any other login (AssumeRoleWithWebIdentity). @throws CloudError CLOUD_CREDENTIALS */
export async function assumeRoleWithWebIdentity(
  { env, fetch, readText }: CloudPorts,
  { role, region }: { readonly role: AwsRole; readonly region: string },
  tokenFile: string,
): Promise<AwsLogin> {
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: VERSION,
    ...parametersOf(role),
    WebIdentityToken: (await readText(tokenFile)).trim(),
  })
  const response = await fetch(stsUrl(env, region).href, postOf(form))
  return loginIn(await readAnswer(response, WHAT))
}

function stsUrl(env: CloudPorts['env'], region: string): URL {
  return loginEndpoint(env, 'STS', `https://sts.${region}.${domainOf(region)}/`)
}

function parametersOf({ arn, sessionName, seconds }: AwsRole): Readonly<Record<string, string>> {
  return {
    RoleArn: arn,
    RoleSessionName: sessionName,
    ...(seconds !== undefined && { DurationSeconds: String(seconds) }),
  }
}

function loginIn(answer: string): AwsLogin {
  return {
    accessKeyId: elementOf(answer, 'AccessKeyId'),
    secretAccessKey: elementOf(answer, 'SecretAccessKey'),
    sessionToken: elementOf(answer, 'SessionToken'),
    expires: expiryOf(answer),
  }
}

/** STS answers in XML; what is looked for has neither entities nor elements in it. */
function elementOf(xml: string, name: string): string {
  const [, text] = new RegExp(`<${name}>\\s*([A-Za-z0-9+/=_-]+)\\s*</${name}>`).exec(xml) ?? []
  if (text !== undefined) return text
  throw new CloudError('CLOUD_CREDENTIALS', `${WHAT} answered without credentials`, { expected: name })
}

function expiryOf(xml: string): UnixMillis | undefined {
  const [, text = ''] = /<Expiration>([0-9TZ:.-]{1,40})<\/Expiration>/.exec(xml) ?? []
  try {
    return parseRfc3339(text)
  } catch (error) {
    if (isCodedError(error)) return undefined // it is used at once, and not kept for long
    throw error
  }
}
