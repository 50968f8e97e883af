/** The device authorization endpoint and the page where the person types the code. @module */
import { readForm } from '#serving/body'
import { json } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { answerGrant, beginDeviceGrant, findPendingGrant, showUserCode } from './device.js'
import type { DeviceGrant } from './device.js'
import { IssuerError, PROBLEMS } from './errors.js'
import { markup } from './html.js'
import { DEVICE_LIFETIME } from './issuer.js'
import type { Issuer } from './issuer.js'
import { messagePage, page, signInFields } from './pages.js'
import { Parameters } from './parameters.js'
import { readChallenge } from './pkce.js'
import { authenticate, MAX_FORM_BYTES } from './sign-in-routes.js'

/** All guesses at user codes count together: a guesser has no name. */
const GUESSES = 'user codes'

/** The JSON endpoint that devices call; its errors are OAuth's. */
export function deviceAuthorizationRoutes(issuer: Issuer): readonly Route[] {
  return [route('POST', `${issuer.path}/device/code`, authorizeDevice)]

  async function authorizeDevice(request: Request): Promise<Response> {
    const form = new Parameters(await readForm(request, MAX_FORM_BYTES))
    if (form.require('client_id') !== issuer.clientId)
      throw new IssuerError('ISSUER_CLIENT_UNKNOWN', 'no such client', { expected: issuer.clientId })
    if (!(form.get('scope') ?? '').split(' ').includes('openid'))
      throw new IssuerError('ISSUER_SCOPE', 'the scope must have openid in it')
    const { deviceCode, grant } = beginDeviceGrant(issuer, { challenge: readChallenge(form), nonce: form.get('nonce') })
    const code = showUserCode(grant.userCode)
    return json(
      200,
      {
        device_code: deviceCode,
        user_code: code,
        verification_uri: `${issuer.url}/device`,
        verification_uri_complete: `${issuer.url}/device?user_code=${code}`,
        expires_in: DEVICE_LIFETIME / 1000,
        interval: issuer.deviceInterval,
      },
      { 'cache-control': 'no-store' },
    )
  }
}

/** The pages that people see; their errors are pages. */
export function devicePageRoutes(issuer: Issuer): readonly Route[] {
  return [route('GET', `${issuer.path}/device`, showPage), route('POST', `${issuer.path}/device`, answer)]

  function showPage(request: Request): Promise<Response> {
    issuer.forms.checkHost(request)
    const typed = new Parameters(queryOf(request)).get('user_code')
    return Promise.resolve(typed === undefined ? codePage(request) : signInPage(request, find(typed)))
  }

  async function answer(request: Request): Promise<Response> {
    issuer.forms.checkHost(request)
    const form = new Parameters(await readForm(request, MAX_FORM_BYTES))
    issuer.forms.check(request, form)
    const grant = find(form.require('user_code'))
    if (form.get('answer') === 'no') {
      answerGrant(issuer, grant, { kind: 'denied' })
      return messagePage(200, 'Cancelled', [
        'The program was told that you do not want to sign in. You can close this page.',
      ])
    }
    const outcome = await authenticate(issuer, form)
    if ('error' in outcome) return signInPage(request, grant, { email: form.get('email'), error: outcome.error })
    answerGrant(issuer, grant, { kind: 'granted', user: outcome.user })
    return messagePage(200, 'Signed in', [
      `You are signed in as ${outcome.user.email}.`,
      'Go back to the program; it goes on by itself. You can close this page.',
    ])
  }

  function find(typed: string): DeviceGrant {
    issuer.attempts.check(GUESSES)
    try {
      return findPendingGrant(issuer, typed)
    } catch (error) {
      if (error instanceof IssuerError) issuer.attempts.fail(GUESSES)
      throw error
    }
  }

  function codePage(request: Request): Response {
    return page({
      status: 200,
      title: 'Enter the code',
      body: markup`<p>The program that wants you to sign in shows a code.</p>
<form method="get" action="${issuer.path}/device">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" class="code" required maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false" autofocus>
<button type="submit">Continue</button>
</form>`,
      headers: { 'set-cookie': issuer.forms.begin(request).cookie },
    })
  }

  function signInPage(
    request: Request,
    grant: DeviceGrant,
    again: { email?: string | undefined; error?: IssuerError } = {},
  ): Response {
    const { cookie, formToken } = issuer.forms.begin(request)
    const code = showUserCode(grant.userCode)
    const fields = signInFields({
      action: `${issuer.path}/device`,
      formToken,
      hidden: { user_code: code },
      asksPassword: issuer.users.asksPassword,
      email: again.email,
      error: again.error?.message,
    })
    // Who was sent here by a stranger's link must see that it is a stranger's code (RFC 8628 §5.4).
    return page({
      status: again.error === undefined ? 200 : PROBLEMS[again.error.code].status,
      title: 'Sign in for a program',
      body: markup`<p>A program on another machine asks to sign in your name. Go on only if you started it yourself and it shows this code:</p>
<p class="code">${code}</p>
${fields}`,
      headers: { 'set-cookie': cookie },
    })
  }
}
