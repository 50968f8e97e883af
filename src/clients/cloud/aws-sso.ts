/** IAM Identity Center: the token that `aws sso login` keeps, traded for the keys of a role (GetRoleCredentials). @module */
import { isJsonObject, type JsonObject, parseJson } from '#encoding/json'
import { sha1 } from '#crypto/sha1'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseRfc3339 } from '#time'
import { isSecret, readObject, secretIn } from './answers.js'
import { domainOf, loginEndpoint } from './aws-endpoints.js'
import type { SsoLogin } from './aws-profile.js'
import type { AwsLogin } from './aws-sts.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts, UserPorts } from './cloud-ports.js'

const WHAT = 'IAM Identity Center'
const HINT = 'run "aws sso login" for this profile'

/** @throws CloudError CLOUD_LOGIN_EXPIRED if nobody has logged in, or too long ago; CLOUD_CREDENTIALS */
export async function ssoCredentials(
  { env, fetch, clock }: CloudPorts,
  user: UserPorts,
  { name, region, accountId, roleName }: SsoLogin,
): Promise<AwsLogin> {
  const token = await cachedToken(user, name, clock())
  const url = loginEndpoint(env, 'SSO', `https://portal.sso.${region}.${domainOf(region)}/`)
  url.pathname = '/federation/credentials'
  url.search = new URLSearchParams({ account_id: accountId, role_name: roleName }).toString()
  const headers = { 'x-amz-sso_bearer_token': token, accept: 'application/json' }
  const response = await fetch(url.href, { headers, redirect: 'error' })
  const { roleCredentials } = await readObject(response, WHAT, { refusals: EXPIRED, hint: HINT })
  const given: JsonObject = isJsonObject(roleCredentials) ? roleCredentials : {}
  const { expiration } = given
  return {
    accessKeyId: secretIn(given, 'accessKeyId', WHAT),
    secretAccessKey: secretIn(given, 'secretAccessKey', WHAT),
    sessionToken: secretIn(given, 'sessionToken', WHAT),
    expires: typeof expiration === 'number' && expiration > 0 ? expiration : undefined,
  }
}

const EXPIRED: ReadonlySet<string> = new Set(['UnauthorizedException', '401'])

async function cachedToken(user: UserPorts, name: string, now: number): Promise<string> {
  const file = `${encodeHex(sha1(encodeUtf8(name)))}.json`
  const path = `${user.homeFolder ?? ''}/.aws/sso/cache/${file}`
  const bytes = user.homeFolder === undefined ? undefined : await user.readFile(path)
  if (bytes === undefined) throw expired('there is no login at IAM Identity Center')
  const { token, expires } = parseToken(bytes, path)
  if (expires <= now) throw expired('the login at IAM Identity Center has run out')
  return token
}

/** @throws CloudError CLOUD_SETTINGS; nothing of the file is in it */
function parseToken(bytes: Uint8Array, path: string): { readonly token: string; readonly expires: number } {
  try {
    const cached = parseJson(bytes)
    const { accessToken, expiresAt } = isJsonObject(cached) ? cached : {}
    if (isSecret(accessToken) && typeof expiresAt === 'string')
      return { token: accessToken, expires: parseRfc3339(expiresAt) }
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new CloudError('CLOUD_SETTINGS', `${path} is not what "aws sso login" writes`, {
    expected: 'JSON with accessToken and expiresAt',
    hint: HINT,
  })
}

function expired(message: string): CloudError {
  return new CloudError('CLOUD_LOGIN_EXPIRED', message, { hint: HINT })
}
