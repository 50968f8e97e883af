/** Who the signer is: a token given, found in the surroundings, or got by a login. @module */
import type { Fetch } from '#clients/http/fetch'
import type { AuthFlow } from '#clients/oidc/identity'
import type { IdentityProvider } from '#sign/ports'
import type { Host } from '../kit/host.js'
import { asText, readTextFile } from '../read-input.js'

export interface IdentityTokenFlags {
  readonly 'identity-token': string | undefined
  readonly 'fulcio-auth-flow': AuthFlow | undefined
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

/**
 * The provider that the flags and the surroundings give: the token given, else one found without asking anybody, else a
 * login at a browser. Where there is nobody to log in, it fails at once and says what is missing.
 */
export async function identityFromFlags(host: Host, ask: IdentityAsk): Promise<IdentityProvider> {
  const { flags } = ask
  const given = flags['identity-token']
  if (given !== undefined) {
    const token = await readToken(host, given)
    return { identityToken: () => Promise.resolve(token) }
  }
  const secretFile = flags['oidc-client-secret-file']
  const clientSecret = secretFile === undefined ? undefined : (await readTextFile(host, secretFile)).trim()
  return {
    identityToken: async (signal) => {
      // A chunk of its own: whoever has a token needs no login.
      const { login } = await import('./login.js')
      return await login(host, { ...ask, clientSecret, signal })
    },
  }
}

/** Fails at once if there is no token and nothing and nobody to get one from. @throws OidcError OIDC_NO_IDENTITY */
export async function requireIdentitySource(
  host: Host,
  ask: Pick<IdentityAsk, 'flags' | 'fetch' | 'verbose'>,
): Promise<void> {
  if (ask.flags['identity-token'] !== undefined) return
  const { requireLogin } = await import('./login.js')
  const confirm = (): Promise<void> => Promise.resolve()
  await requireLogin(host, { ...ask, issuer: undefined, confirm, clientSecret: undefined, signal: undefined })
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** A token, or a file that holds one. */
export async function readToken(host: Host, given: string): Promise<string> {
  if (JWT.test(given)) return given
  return asText(await host.files.read(given), 'the file with the identity token').trim()
}
