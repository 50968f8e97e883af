/** One identity token, from wherever there is one: the surroundings first, then a person. @module */
import { findAmbientToken, hasAmbientProvider } from './ambient.js'
import { loginWithBrowser, SCOPE } from './browser-flow.js'
import { loginWithDevice } from './device-flow.js'
import { askTokenEndpoint, discoverIssuer, type OidcClient } from './issuer.js'
import { OidcError } from './oidc-error.js'
import type { AmbientPorts, LoginPorts } from './ports.js'
import { checkToken } from './token.js'

/** cosign's `--fulcio-auth-flow`. */
export type AuthFlow = 'normal' | 'device' | 'client_credentials' | 'token'

/** How an identity is to be had. */
export interface IdentityRequest extends Omit<OidcClient, 'issuer'> {
  /** Undefined if no issuer is configured; then only ambient tokens will do. */
  readonly issuer: string | undefined
  /** How to sign in where nothing is found; undefined is with a browser, if somebody is at a terminal. */
  readonly flow?: AuthFlow | undefined
  readonly redirectUrl?: string | undefined
  /** Only this ambient provider. */
  readonly provider?: string | undefined
  /** Look around at all. */
  readonly ambient: boolean
  /** Somebody is at a terminal. Without, no login is started that nobody could finish. */
  readonly interactive: boolean
  readonly signal?: AbortSignal | undefined
}

/** A token, and how it was had: an ambient provider's name, or the flow. */
export interface ObtainedIdentity {
  /** Secret. */
  readonly token: string
  readonly source: string
}

/** @throws OidcError, HttpError; without a terminal and without ambient credentials at once: OIDC_NO_IDENTITY */
export async function obtainIdentity(
  ports: AmbientPorts & LoginPorts,
  request: IdentityRequest,
): Promise<ObtainedIdentity> {
  const { flow, provider = '' } = request
  // As in cosign, also before a flow that was chosen: the flow is for where there is nothing to find.
  if (request.ambient || provider !== '') {
    const found = await findAmbientToken(ports, { audience: request.clientId, provider })
    if (found !== undefined) return { token: found.token, source: found.provider }
  }
  if (flow === 'token') {
    throw new OidcError('OIDC_FLOW', 'the token flow needs a token', { hint: 'Pass it with --identity-token.' })
  }
  if (flow === undefined && !request.interactive) throw nobody(ports, request)
  const login = { ...request, issuer: requireIssuer(request) }
  if (flow === 'client_credentials') return { token: await loginWithSecret(ports, login), source: flow }
  if (flow === 'device') return { token: await loginWithDevice(ports, login), source: flow }
  if (!request.interactive) throw nobody(ports, request)
  return { token: await loginWithBrowser(ports, login), source: 'browser' }
}

/**
 * Fails where {@link obtainIdentity} could only fail: before services are asked, keys made and passwords typed for nothing.
 * @throws OidcError OIDC_NO_IDENTITY
 */
export async function requireSource(ports: AmbientPorts, request: IdentityRequest): Promise<void> {
  const { flow, provider = '', interactive } = request
  if (interactive || provider !== '' || (flow !== undefined && flow !== 'normal')) return
  if (!request.ambient || !(await hasAmbientProvider(ports))) throw nobody(ports, request)
}

/** The client's own identity, without a person (RFC 6749 §4.4). */
async function loginWithSecret(
  { fetch }: LoginPorts,
  client: OidcClient & { readonly signal?: AbortSignal | undefined },
): Promise<string> {
  if ((client.clientSecret ?? '') === '') {
    throw new OidcError('OIDC_FLOW', 'the client credentials flow needs a client secret', {
      hint: 'Name its file with --oidc-client-secret-file.',
    })
  }
  const { token } = await discoverIssuer(fetch, client.issuer)
  const form = { grant_type: 'client_credentials', scope: SCOPE }
  const answer = await askTokenEndpoint(fetch, token, { client, form, signal: client.signal })
  if (answer.kind === 'tokens') {
    // Issuers differ in where they put it; of an opaque access token the check makes an error.
    return checkToken(answer.idToken === '' ? answer.accessToken : answer.idToken, 'the identity issuer')
  }
  throw new OidcError('OIDC_LOGIN', 'the identity issuer gives no token', {
    found: [answer.error, answer.description].filter((part) => part !== '').join(': '),
  })
}

function requireIssuer({ issuer }: IdentityRequest): string {
  if (issuer !== undefined && issuer !== '') return issuer
  throw new OidcError('OIDC_FLOW', 'no identity issuer to sign in at', {
    expected: 'an OIDC service in the signing configuration, or --oidc-issuer',
  })
}

/** What is missing, by where we are; the first that fits. */
const SURROUNDINGS: readonly { readonly variable: string; readonly missing: string; readonly hint: string }[] = [
  {
    variable: 'GITHUB_ACTIONS',
    missing: 'ACTIONS_ID_TOKEN_REQUEST_URL',
    hint: 'This is GitHub Actions without permission to get a token: add `permissions: { id-token: write }` to the job. (Pull requests from forks never have it.)',
  },
  {
    variable: 'GITLAB_CI',
    missing: 'SIGSTORE_ID_TOKEN',
    hint: 'This is GitLab CI: add `id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }` to the job.',
  },
  {
    variable: 'BUILDKITE',
    missing: 'BUILDKITE_AGENT_ACCESS_TOKEN',
    hint: 'This is Buildkite: the agent’s access token has to be in the environment of this command.',
  },
  {
    variable: 'CIRCLECI',
    missing: 'SIGSTORE_ID_TOKEN',
    hint: 'This is CircleCI: get a token with `circleci run oidc get --claims \'{"aud":"sigstore"}\'` and pass it as SIGSTORE_ID_TOKEN.',
  },
]

function nobody({ env }: AmbientPorts, { ambient }: IdentityRequest): OidcError {
  const here = SURROUNDINGS.find(({ variable }) => (env[variable] ?? '') !== '')
  return new OidcError('OIDC_NO_IDENTITY', 'there is no identity to sign with, and nobody at a terminal to sign in', {
    expected:
      'an identity token from the surroundings (--identity-token, SIGSTORE_ID_TOKEN, a CI system, a cloud, a token file)',
    found: !ambient ? 'ambient providers switched off' : here === undefined ? 'none' : `no ${here.missing}`,
    hint:
      here?.hint ??
      'Pass a token with --identity-token or SIGSTORE_ID_TOKEN, use --key, or choose --fulcio-auth-flow=device to sign in on another device.',
  })
}
