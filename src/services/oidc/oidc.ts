/** The OpenID Connect issuer of a private Sigstore: one public client, people, ID tokens, and nothing else. @module */
import { isCodedError } from '#errors'
import { cors } from '#serving/cors'
import { answering } from '#serving/problems'
import { json } from '#serving/responses'
import { route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { deviceAuthorizationRoutes, devicePageRoutes } from './device-routes.js'
import { oauthShape, PROBLEMS } from './errors.js'
import { createIssuer } from './issuer.js'
import type { Issuer, OidcOptions } from './issuer.js'
import { rsaJwk } from './id-token.js'
import { messagePage } from './pages.js'
import { signInRoutes } from './sign-in-routes.js'
import { tokenRoutes } from './token-routes.js'

/** All routes of the issuer, below the path of its URL. */
export function oidcRoutes(options: OidcOptions): readonly Route[] {
  const issuer = createIssuer(options)
  const asJson = answering(PROBLEMS, oauthShape)
  const open = cors({ methods: ['GET'] })
  return [
    ...discoveryRoutes(issuer).map((one) => ({ ...one, handle: open((request) => one.handle(request, {})) })),
    ...[...deviceAuthorizationRoutes(issuer), ...tokenRoutes(issuer)].map((one) => ({
      ...one,
      handle: asJson(one.handle),
    })),
    ...[...signInRoutes(issuer), ...devicePageRoutes(issuer)].map((one) => ({ ...one, handle: asPages(one.handle) })),
  ]
}

function discoveryRoutes(issuer: Issuer): readonly Route[] {
  const { url } = issuer
  const configuration = {
    issuer: url,
    authorization_endpoint: `${url}/auth`,
    token_endpoint: `${url}/token`,
    device_authorization_endpoint: `${url}/device/code`,
    jwks_uri: `${url}/keys`,
    scopes_supported: ['openid', 'email'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'email', 'email_verified'],
    authorization_response_iss_parameter_supported: true,
  }
  return [
    route('GET', `${issuer.path}/.well-known/openid-configuration`, () => Promise.resolve(json(200, configuration))),
    route('GET', `${issuer.path}/keys`, async () => json(200, { keys: [rsaJwk(await issuer.signer)] })),
  ]
}

/** Errors on pages are pages: they are for a person. */
function asPages(handle: Route['handle']): Route['handle'] {
  return async (request, params) => {
    try {
      return await handle(request, params)
    } catch (error) {
      if (!isCodedError(error) || !isKnown(error.code)) throw error
      const { status, headers } = PROBLEMS[error.code]
      const lines = [
        sentence(error.message),
        ...(error.hint === undefined ? [] : [sentence(error.hint)]),
        `(${error.code})`,
      ]
      return messagePage(status, 'This did not work', lines, headers?.(error) ?? {})
    }
  }
}

function isKnown(code: string): code is keyof typeof PROBLEMS {
  return Object.hasOwn(PROBLEMS, code)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
