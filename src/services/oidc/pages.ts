/** The pages that a person sees. They work without scripts, by keyboard, and read aloud. @module */
import { sha256 } from '#crypto/digest'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { text } from '#serving/responses'
import type { HeaderRecord } from '#serving/responses'
import { Html, markup } from './html.js'

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
body { max-width: 26rem; margin: 12vh auto 2rem; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 1rem; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem .65rem; border: 1px solid #767676; border-radius: .35rem; }
button { font: inherit; font-weight: 600; margin: 1.5rem .5rem 0 0; padding: .55rem 1.2rem; border-radius: .35rem; border: 1px solid #1f5fbf; background: #1f5fbf; color: #fff; cursor: pointer; }
button.plain { background: none; color: inherit; border-color: #767676; }
:focus-visible { outline: 3px solid #ffb000; outline-offset: 2px; }
.note { border-left: 4px solid #b58900; padding: .1rem 0 .1rem .8rem; }
.error { border-left: 4px solid #d0342c; padding: .1rem 0 .1rem .8rem; font-weight: 600; }
.code { font: 600 1.5rem/1.4 ui-monospace, monospace; letter-spacing: .12em; }
small { opacity: .85; overflow-wrap: anywhere; }
`

// As it is, not escaped: it must arrive byte for byte, or its hash in the policy would not fit.
const STYLE_ELEMENT = new Html(STYLE)
const STYLE_HASH = encodeBase64(sha256(encodeUtf8(STYLE)))

interface Page {
  readonly status: number
  readonly title: string
  readonly body: Html
  /** Where a form of the page may lead besides this server: browsers hold redirects after a form to it as well. */
  readonly formTargets?: readonly string[]
  readonly headers?: HeaderRecord
}

/** A page with headers that forbid everything it does not need. */
export function page({ status, title, body, formTargets = [], headers = {} }: Page): Response {
  // The tag is not called `html`: formatters would indent the style too, and break its hash.
  const document = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · countersign</title>
<style>${STYLE_ELEMENT}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
  return text(status, document.text, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${["'self'", ...formTargets].join(' ')}; frame-ancestors 'none'; base-uri 'none'`,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
    ...headers,
  })
}

/** What the sign-in form has to carry along. */
export interface SignInForm {
  readonly action: string
  readonly formToken: string
  readonly hidden: Readonly<Record<string, string>>
  readonly asksPassword: boolean
  readonly email?: string | undefined
  readonly error?: string | undefined
}

/** The fields that ask who somebody is. */
export function signInFields(form: SignInForm): Html {
  const hidden = Object.entries(form.hidden).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" />`,
  )
  return markup`${form.error === undefined ? undefined : markup`<p class="error" role="alert" id="error">${form.error}</p>`}
    <form method="post" action="${form.action}">
      <input type="hidden" name="form_token" value="${form.formToken}" />
      ${hidden}
      <label for="email">E-mail address</label>
      <input
        id="email"
        name="email"
        type="email"
        autocomplete="username"
        required
        maxlength="254"
        value="${form.email ?? ''}"
        ${autofocus(form.error === undefined || !form.asksPassword)}${describedBy(form.error)}
      />
      ${form.asksPassword ? passwordField(form) : undefined}
      ${form.asksPassword ? undefined : markup`<p class="note">This is a development issuer: it asks for no password and believes the address you enter.</p>`}
      <button type="submit" name="answer" value="yes">Sign in</button>
      <button type="submit" name="answer" value="no" class="plain" formnovalidate>Cancel</button>
    </form>`
}

function passwordField(form: SignInForm): Html {
  return markup`<label for="password">Password</label>
    <input
      id="password"
      name="password"
      type="password"
      autocomplete="current-password"
      required
      maxlength="1024"
      ${autofocus(form.error !== undefined)}${describedBy(form.error)}
    />`
}

function autofocus(on: boolean): Html | undefined {
  return on ? markup` autofocus` : undefined
}

function describedBy(error: string | undefined): Html | undefined {
  return error === undefined ? undefined : markup` aria-describedby="error" aria-invalid="true"`
}

/** A page that only says something. */
export function messagePage(
  status: number,
  title: string,
  lines: readonly string[],
  headers: HeaderRecord = {},
): Response {
  return page({ status, title, body: markup`${lines.map((line) => markup`<p>${line}</p>`)}`, headers })
}
