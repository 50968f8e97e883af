/** Getting an identity token: from the surroundings, or from a person at a browser. @module */
import { grpcOverUnixSocket } from '#clients/oidc/grpc-unix'
import { obtainIdentity } from '#clients/oidc/identity'
import { listenOnLoopback } from '#clients/oidc/loopback-listener'
import { nodeIdentityFiles } from '#clients/oidc/node-files'
import { systemTimers } from '#clients/http/timers'
import { randomBytes } from '#crypto/random'
import type { Host } from '../kit/host.js'
import type { IdentityAsk } from './identity.js'

export interface LoginAsk extends IdentityAsk {
  readonly clientSecret: string | undefined
  readonly signal: AbortSignal | undefined
}

/** The token. @throws OidcError, HttpError */
export async function login(host: Host, ask: LoginAsk): Promise<string> {
  const { flags } = ask
  const { token } = await obtainIdentity(oidcPorts(host, ask), {
    issuer: ask.issuer,
    clientId: flags['oidc-client-id'],
    clientSecret: ask.clientSecret,
    redirectUrl: flags['oidc-redirect-url'],
    flow: flags['fulcio-auth-flow'],
    provider: flags['oidc-provider'],
    ambient: !flags['oidc-disable-ambient-providers'],
    interactive: host.terminal.stdinIsTty,
    signal: ask.signal,
  })
  return token
}

function oidcPorts(host: Host, { fetch, confirm }: IdentityAsk): Parameters<typeof obtainIdentity>[0] {
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
        host.terminal.note(
          opened ? `Your browser will now be opened to:\n${url}` : `Open this address in a browser:\n${url}`,
        )
      },
      code: async ({ url, completeUrl, code, seconds }) => {
        if (host.terminal.stdinIsTty) await confirm()
        host.terminal.note(`Enter the verification code ${code} in your browser at: ${completeUrl ?? url}`)
        host.terminal.note(`Code will be valid for ${String(seconds)} seconds`)
      },
    },
  }
}
