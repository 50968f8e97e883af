/** Who the signer is: a token given, found in the surroundings, or got by a login. @module */
import type { Fetch } from '#clients/http/fetch'
import type { IdentityProvider } from '#sign/ports'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText } from '../read-input.js'

export interface IdentityTokenFlags {
  readonly 'identity-token': string | undefined
  readonly 'fulcio-auth-flow': string | undefined
  readonly 'oidc-client-id': string
  readonly 'oidc-client-secret-file': string | undefined
  readonly 'oidc-redirect-url': string | undefined
  readonly 'oidc-provider': string | undefined
  readonly 'oidc-disable-ambient-providers': boolean
}

export interface IdentityAsk {
  readonly flags: IdentityTokenFlags
  readonly issuer: string | undefined
  readonly fetch: Fetch
  readonly verbose: boolean
  /** Asked before a person logs in at a browser, as cosign does. */
  readonly confirm: () => Promise<void>
}

/** The provider that the flags and the surroundings give. */
export async function identityFromFlags(host: Host, { flags }: IdentityAsk): Promise<IdentityProvider> {
  const given = flags['identity-token']
  if (given !== undefined) {
    const token = await readToken(host, given)
    return { identityToken: () => Promise.resolve(token) }
  }
  throw new CliError('CLI_UNSUPPORTED', 'no identity token', { hint: 'give --identity-token' })
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** A token, or a file that holds one. */
export async function readToken(host: Host, given: string): Promise<string> {
  if (JWT.test(given)) return given
  return asText(await host.files.read(given), 'the file with the identity token').trim()
}
