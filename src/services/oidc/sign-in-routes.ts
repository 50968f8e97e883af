/** The authorization endpoint and the sign-in page behind it. @module */
import { readForm } from '#serving/body'
import { empty } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { checkAuthorization, codeRedirect, denial } from './authorization.js'
import type { AuthorizationRequest } from './authorization.js'
import { IssuerError, PROBLEMS } from './errors.js'
import { markup } from './html.js'
import type { Issuer } from './issuer.js'
import { page, signInFields } from './pages.js'
import { Parameters } from './parameters.js'
import type { User } from './users.js'

export const MAX_FORM_BYTES = 16_384

export function signInRoutes(issuer: Issuer): readonly Route[] {
  return [route('GET', `${issuer.path}/auth`, showSignIn), route('POST', `${issuer.path}/auth/sign-in`, signIn)]

  function showSignIn(request: Request): Promise<Response> {
    issuer.forms.checkHost(request)
    const checked = checkAuthorization(new Parameters(queryOf(request)), issuer)
    if (checked.kind === 'refused') return Promise.resolve(seeOther(checked.location))
    const handle = issuer.newToken()
    issuer.authorizations.set(handle, checked.request)
    return Promise.resolve(signInPage(request, { handle, authorization: checked.request }))
  }

  async function signIn(request: Request): Promise<Response> {
    issuer.forms.checkHost(request)
    const form = new Parameters(await readForm(request, MAX_FORM_BYTES))
    issuer.forms.check(request, form)
    const handle = form.require('request')
    const authorization = issuer.authorizations.get(handle)
    if (authorization === undefined) {
      throw new IssuerError('ISSUER_FORM_EXPIRED', 'this page was open for too long', {
        hint: 'begin again from the program that wants you to sign in',
      })
    }
    if (form.get('answer') === 'no') {
      issuer.authorizations.delete(handle)
      return seeOther(denial(authorization, issuer))
    }
    const answer = await authenticate(issuer, form)
    if ('error' in answer)
      return signInPage(request, { handle, authorization, email: form.get('email'), error: answer.error })
    // Taken, not read: of two answers that arrive together one gets the code.
    if (issuer.authorizations.take(handle) === undefined)
      throw new IssuerError('ISSUER_FORM_EXPIRED', 'this page was answered already')
    const code = issuer.newToken()
    issuer.codes.set(code, { request: authorization, user: answer.user })
    return seeOther(codeRedirect(authorization, code, issuer))
  }

  function signInPage(request: Request, shown: ShownSignIn): Response {
    const { cookie, formToken } = issuer.forms.begin(request)
    const target = new URL(shown.authorization.redirectUri)
    const fields = signInFields({
      action: `${issuer.path}/auth/sign-in`,
      formToken,
      hidden: { request: shown.handle },
      asksPassword: issuer.users.asksPassword,
      email: shown.email,
      error: shown.error?.message,
    })
    return page({
      status: shown.error === undefined ? 200 : PROBLEMS[shown.error.code].status,
      title: 'Sign in to sign',
      body: markup`<p>A program on this computer asks who you are, so that it can sign in your name.</p>
${fields}
<p><small>The answer goes to ${target.origin}. Your e-mail address becomes part of the certificate and of a log that others can read.</small></p>`,
      formTargets: [target.origin],
      headers: { 'set-cookie': cookie },
    })
  }
}

interface ShownSignIn {
  readonly handle: string
  readonly authorization: AuthorizationRequest
  readonly email?: string | undefined
  readonly error?: IssuerError
}

/** Asks the directory, and counts what goes wrong. An error here is one that the person can correct. */
export async function authenticate(issuer: Issuer, form: Parameters): Promise<{ user: User } | { error: IssuerError }> {
  const email = form.get('email') ?? ''
  const key = email.toLowerCase()
  try {
    issuer.attempts.check(key)
    const user = await issuer.users.authenticate(email, form.get('password') ?? '')
    issuer.attempts.succeed(key)
    return { user }
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error
    if (error.code === 'ISSUER_CREDENTIALS') issuer.attempts.fail(key)
    return { error }
  }
}

/** 303, not 302: the browser must not send the form on to the client. */
function seeOther(location: string): Response {
  return empty(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
}
