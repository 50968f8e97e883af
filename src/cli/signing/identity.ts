/** Who the signer is: a token given, found in the surroundings, or got by a login. @module */
import type { Fetch } from '#clients/http/fetch'
import { systemTimers } from '#clients/http/timers'
import type { AuthFlow, obtainIdentity } from '#clients/oidc/identity'
import { randomBytes } from '#crypto/random'
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
      const { obtainIdentity } = await import('#clients/oidc/identity')
      const { token } = await obtainIdentity(await oidcPorts(host, ask), {
        issuer: ask.issuer,
        clientId: flags['oidc-client-id'],
        clientSecret,
        redirectUrl: flags['oidc-redirect-url'],
        flow: flags['fulcio-auth-flow'],
        provider: flags['oidc-provider'],
        ambient: !flags['oidc-disable-ambient-providers'],
        interactive: host.terminal.stdinIsTty,
        signal,
      })
      return token
    },
  }
}

async function oidcPorts(host: Host, { fetch, confirm }: IdentityAsk): Promise<Parameters<typeof obtainIdentity>[0]> {
  const { nodeIdentityFiles } = await import('#clients/oidc/node-files')
  const { grpcOverUnixSocket } = await import('#clients/oidc/grpc-unix')
  const { listenOnLoopback } = await import('#clients/oidc/loopback-listener')
  return {
    fetch,
    env: host.environment,
    files: nodeIdentityFiles,
    call: grpcOverUnixSocket,
    timers: systemTimers,
    clock: host.clock,
    random: randomBytes,
    listen: listenOnLoopback,
    dialogue: {
      browser: async (url) => {
        await confirm()
        const opened = await host.openBrowser(url)
        host.terminal.note(opened ? `Your browser will now be opened to:\n${url}` : `Open this address in a browser:\n${url}`)
      },
      code: async ({ url, completeUrl, code, seconds }) => {
        if (host.terminal.stdinIsTty) await confirm()
        host.terminal.note(`Enter the verification code ${code} in your browser at: ${completeUrl ?? url}`)
        host.terminal.note(`Code will be valid for ${String(seconds)} seconds`)
      },
    },
  }
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** A token, or a file that holds one. */
export async function readToken(host: Host, given: string): Promise<string> {
  if (JWT.test(given)) return given
  return asText(await host.files.read(given), 'the file with the identity token').trim()
}
