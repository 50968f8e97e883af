/** Where services of AWS are that give logins. @module */
import { type Environment, isLoopbackHost } from '../http/proxy.js'
import { CloudError } from './cloud-error.js'

/** The domain of the part of AWS that a region is in. */
export function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}

/** What becomes part of a host name; undefined: it cannot be one. */
export function regionName(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9-]{1,40}$/.test(text) ? text : undefined
}

/** The region that the environment says. */
export function environmentRegion(env: Environment): string | undefined {
  return regionName(env['AWS_REGION']) ?? regionName(env['AWS_DEFAULT_REGION'])
}

/**
 * The service's own host, or the one that the environment names, as AWS' own clients read it: whoever sets it runs this, and has
 * the login that is sent there.
 * @throws CloudError CLOUD_SETTINGS
 */
export function loginEndpoint(env: Environment, service: 'STS' | 'SSO', usual: string): URL {
  const variable = `AWS_ENDPOINT_URL_${service}`
  const named = [env[variable], env['AWS_ENDPOINT_URL']].find((each) => each !== undefined && each !== '')
  if (named === undefined) return new URL(usual)
  const url = URL.canParse(named) ? new URL(named) : undefined
  const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (url !== undefined && isPrivate && url.username === '' && url.pathname === '/' && url.search === '') return url
  throw new CloudError('CLOUD_SETTINGS', `${variable} or AWS_ENDPOINT_URL is not where a login can be sent`, {
    expected: 'https://HOST[:PORT]',
  })
}
