/** Getting an identity token: from the surroundings, or from a person at a browser. @module */
import { grpcOverUnixSocket } from '#clients/oidc/grpc-unix'
import { type IdentityRequest, obtainIdentity, requireSource } from '#clients/oidc/identity'
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
  const { token } = await obtainIdentity(oidcPorts(host, ask), requestOf(host, ask))
  return token
}

/** Fails at once where nothing in the surroundings and nobody at a terminal could give a token. @throws OidcError */
export async function requireLogin(host: Host, ask: LoginAsk): Promise<void> {
  await requireSource(oidcPorts(host, ask), requestOf(host, ask))
}

function requestOf(host: Host, { flags, issuer, clientSecret, signal }: LoginAsk): IdentityRequest {
  return {
    issuer,
    clientId: flags['oidc-client-id'],
    clientSecret,
    redirectUrl: flags['oidc-redirect-url'],
    flow: flags['fulcio-auth-flow'],
    provider: flags['oidc-provider'],
    ambient: !flags['oidc-disable-ambient-providers'],
    interactive: host.terminal.stdinIsTty,
    signal,
  }
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
