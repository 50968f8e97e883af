/** Logins for the Elastic Container Registry. @module */
import { isJsonObject, type JsonValue } from '#encoding/json'
import { decodeBase64 } from '#encoding/base64'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { readObject, secretIn } from '../../cloud/answers.js'
import { awsCredentials } from '../../cloud/aws-credentials.js'
import { signAwsRequest } from '../../cloud/aws-signature.js'
import { CloudError } from '../../cloud/cloud-error.js'
import type { CloudPorts } from '../../cloud/cloud-ports.js'
import { ANONYMOUS, type Credentials } from '../credentials.js'

/** `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, `-fips`, China's, and the names for both versions of IP. */
export const AMAZON_HOST: RegExp =
  /^\d{12}\.dkr[.-]ecr(-fips)?\.([a-z]{2,6}(?:-[a-z]{2,12}){1,3}-\d{1,2})\.(amazonaws\.com|amazonaws\.com\.cn|on\.aws|on\.amazonwebservices\.com\.cn)$/

const WHAT = 'the Elastic Container Registry'

/** A token is good for whatever the identity may read in the region, in any account. */
export async function amazonLogin(ports: CloudPorts, registry: string): Promise<Credentials> {
  const [, fips, region = '', suffix = ''] = AMAZON_HOST.exec(registry) ?? []
  const domain = suffix.endsWith('.cn') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const credentials = await awsCredentials(ports, { region })
  if (credentials === undefined) return ANONYMOUS
  const host = fips === undefined ? `api.ecr.${region}` : `ecr-fips.${region}`
  const url = new URL(`https://${host}.${domain}/`)
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
  }
  const request = { url, region, service: 'ecr', headers, body: '{}' }
  const response = await ports.fetch(url.href, {
    method: 'POST',
    headers: signAwsRequest(request, credentials, ports.clock()),
    body: request.body,
    repeatable: true,
    redirect: 'error',
  })
  const { authorizationData } = await readObject(response, WHAT)
  const listed: readonly JsonValue[] = Array.isArray(authorizationData) ? authorizationData : []
  const given = listed.find(isJsonObject) ?? {}
  return loginOf(secretIn(given, 'authorizationToken', WHAT))
}

function loginOf(token: string): Credentials {
  try {
    const [, username = '', password = ''] = /^([^:]+):(.+)$/s.exec(decodeUtf8(decodeBase64(token))) ?? []
    if (password !== '') return { kind: 'basic', username, password }
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new CloudError('CLOUD_CREDENTIALS', `${WHAT} answered without credentials`, { expected: 'USER:PASSWORD' })
}
