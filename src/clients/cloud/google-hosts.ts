/** Hosts of Google that are sent a login. @module */

const REGION = '[a-z]+-[a-z]+\\d+'

/**
 * A service's own names, as Google's clients once listed them: with a region, over mutual TLS, or through Private Service Connect. Others
 * below `googleapis.com` are Google's customers': a bucket may be called like a service.
 */
function hostsOf(service: string): RegExp {
  const names = [
    service,
    `${service}\\.mtls`,
    `${REGION}[.-]${service}`,
    `${service}\\.${REGION}(?:\\.rep)?`,
    `${service}-[a-z0-9-]{1,60}\\.p`,
  ]
  return new RegExp(`^(?:${names.join('|')})\\.googleapis\\.com$`)
}

const TOKEN_HOSTS = /^(?:accounts\.google\.com|www\.googleapis\.com|oauth2(?:\.mtls)?\.googleapis\.com)$/
const STS_HOSTS = hostsOf('sts')
const IAM_HOSTS = hostsOf('iamcredentials')

/** Where a key or a refresh token is traded. */
export function isTokenUrl(text: string): boolean {
  return isPrivateUrl(text, TOKEN_HOSTS)
}

/** Where a token of somebody else is traded. */
export function isExchangeUrl(text: string): boolean {
  return isPrivateUrl(text, STS_HOSTS) && new URL(text).pathname === '/v1/token'
}

/** Where a token of another account is to be had. */
export function isImpersonationUrl(text: string): boolean {
  return (
    isPrivateUrl(text, IAM_HOSTS) &&
    /^\/v1\/projects\/[\w-]{1,60}\/serviceAccounts\/[\w.@-]{1,200}:generateAccessToken$/.test(new URL(text).pathname)
  )
}

function isPrivateUrl(text: string, hosts: RegExp): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, host, username, password, search, hash } = new URL(text)
  return protocol === 'https:' && hosts.test(host) && `${username}${password}${search}${hash}` === ''
}
