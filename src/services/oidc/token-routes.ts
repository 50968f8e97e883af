/** The token endpoint: codes in, ID tokens out. @module */
import { sha256 } from '#crypto/digest'
import { decodeBase64Any } from '#encoding/base64'
import { equalBytes } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { readForm } from '#serving/body'
import { json } from '#serving/responses'
import { route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { redeemGrant } from './device.js'
import { IssuerError } from './errors.js'
import { TOKEN_LIFETIME } from './issuer.js'
import type { Issuer } from './issuer.js'
import { Parameters } from './parameters.js'
import { checkVerifier } from './pkce.js'
import { MAX_FORM_BYTES } from './sign-in-routes.js'
import { requireEmail } from './users.js'

type Grant = (form: Parameters, issuer: Issuer) => Promise<string>

const GRANTS: ReadonlyMap<string, Grant> = new Map<string, Grant>([
  ['authorization_code', redeemCode],
  ['urn:ietf:params:oauth:grant-type:device_code', redeemDeviceCode],
])

/** cosign sends `scope` twice in the device flow, so that one is let be. */
const MAY_REPEAT: ReadonlySet<string> = new Set(['scope'])

export function tokenRoutes(issuer: Issuer): readonly Route[] {
  return [
    route('POST', `${issuer.path}/token`, redeem),
    ...(issuer.localSecret === undefined ? [] : [route('POST', `${issuer.path}/local-token`, issueLocally)]),
  ]

  async function redeem(request: Request): Promise<Response> {
    const form = new Parameters(await readForm(request, MAX_FORM_BYTES), MAY_REPEAT)
    checkClient(request, form, issuer)
    const type = form.require('grant_type')
    const grant = GRANTS.get(type)
    if (grant === undefined) {
      throw new IssuerError('ISSUER_GRANT_TYPE', 'no such grant type', {
        expected: [...GRANTS.keys()].join(' or '),
        found: type.slice(0, 80),
      })
    }
    return tokenResponse(await grant(form, issuer))
  }

  /** For scripts on this machine: whoever can read the secret could as well read the keys. */
  async function issueLocally(request: Request): Promise<Response> {
    const offered = /^Bearer ([\w-]{1,128})$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
    const [found, expected] = [offered, issuer.localSecret ?? ''].map((text) => sha256(encodeUtf8(text)))
    if (found === undefined || expected === undefined || !equalBytes(found, expected))
      throw new IssuerError('ISSUER_LOCAL_SECRET', 'the local secret is wrong')
    const form = new Parameters(await readForm(request, MAX_FORM_BYTES))
    const email = requireEmail(form.require('email'))
    return tokenResponse(await issuer.idToken({ subject: email, email }, form.get('nonce')))
  }

  function tokenResponse(idToken: string): Response {
    const body = {
      id_token: idToken,
      // OAuth libraries insist on one. There is nothing here that it would open.
      access_token: issuer.newToken(),
      token_type: 'Bearer',
      expires_in: TOKEN_LIFETIME / 1000,
    }
    return json(200, body, { 'cache-control': 'no-store' })
  }
}

async function redeemCode(form: Parameters, issuer: Issuer): Promise<string> {
  // Taken before anything is checked: a code that was tried with the wrong verifier is burnt (RFC 6749 §10.5).
  const grant = issuer.codes.take(form.require('code'))
  if (grant === undefined) throw new IssuerError('ISSUER_GRANT_INVALID', 'the code is unknown, used or too old')
  if (form.get('redirect_uri') !== grant.request.redirectUri)
    throw new IssuerError('ISSUER_GRANT_INVALID', 'the code was made for another redirect address')
  checkVerifier(grant.request.challenge, form.get('code_verifier'))
  return issuer.idToken(grant.user, grant.request.nonce)
}

async function redeemDeviceCode(form: Parameters, issuer: Issuer): Promise<string> {
  const { grant, user } = redeemGrant(issuer, form.require('device_code'))
  if (grant.challenge !== undefined) checkVerifier(grant.challenge, form.get('code_verifier'))
  return issuer.idToken(user, grant.nonce)
}

/**
 * The client is public, so this identifies and does not authenticate. Go's OAuth library first tries the header with an
 * empty secret; cosign's device flow sends no client at all, and its device code says whose it is.
 */
function checkClient(request: Request, form: Parameters, issuer: Issuer): void {
  const client = form.get('client_id') ?? basicName(request)
  if (client === undefined && form.get('device_code') !== undefined) return
  if (client !== issuer.clientId)
    throw new IssuerError('ISSUER_CLIENT_UNKNOWN', 'no such client', {
      expected: issuer.clientId,
      found: client?.slice(0, 80) ?? 'none',
    })
}

function basicName(request: Request): string | undefined {
  const encoded = /^Basic ([\w+/=-]{1,512})$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  if (encoded === undefined) return undefined
  try {
    return decodeURIComponent(decodeUtf8(decodeBase64Any(encoded)).split(':', 1)[0] ?? '')
  } catch {
    return undefined
  }
}
