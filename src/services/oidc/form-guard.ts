/** Forms are only taken from pages that this issuer made, in the browser that it made them for. @module */
import { sha256 } from '#crypto/digest'
import type { RandomSource } from '#crypto/random'
import { encodeBase64Url } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import { IssuerError } from './errors.js'
import type { Parameters } from './parameters.js'

const COOKIE = 'countersign-form'

export interface FormGuard {
  /** The cookie and the hidden field that belong together; a browser keeps its cookie, so that several tabs work. */
  begin(request: Request): { readonly cookie: string; readonly formToken: string }
  /** @throws IssuerError ISSUER_FORM_FORGED, or ISSUER_FORM_EXPIRED where the cookie is missing */
  check(request: Request, form: Parameters): void
  /** @throws IssuerError ISSUER_HOST if the request was sent to another host name than the issuer's */
  checkHost(request: Request): void
}

export function createFormGuard(issuer: string, random: RandomSource): FormGuard {
  const secret = random(32)
  const { origin, pathname, protocol, host } = new URL(issuer)
  const attributes = `Path=${pathname}; HttpOnly; SameSite=Strict; Max-Age=3600${protocol === 'https:' ? '; Secure' : ''}`
  // The cookie's length is fixed (checked when it is read), so a plain hash behind a secret prefix cannot be extended.
  const tokenFor = (cookie: string): string => encodeBase64Url(sha256(concatBytes(secret, encodeUtf8(cookie))))

  return {
    begin(request) {
      const value = readCookie(request) ?? encodeBase64Url(random(32))
      return { cookie: `${COOKIE}=${value}; ${attributes}`, formToken: tokenFor(value) }
    },
    check(request, form) {
      const from = request.headers.get('origin')
      // `null` is what browsers send from a page with `referrer-policy: no-referrer`, as ours are.
      const foreign = from !== null && from !== 'null' && from !== origin
      const site = request.headers.get('sec-fetch-site')
      if (foreign || (site !== null && site !== 'same-origin')) throw forged('the form comes from another site')
      const cookie = readCookie(request)
      if (cookie === undefined)
        throw new IssuerError('ISSUER_FORM_EXPIRED', 'the browser sent no cookie', {
          hint: 'allow cookies for this address and begin again',
        })
      if (form.get('form_token') !== tokenFor(cookie)) throw forged('the form was not made for this browser')
    },
    checkHost(request) {
      const found = new URL(request.url).host
      // A name that an attacker made resolve to this machine (DNS rebinding) would let his page read ours.
      if (found !== host)
        throw new IssuerError('ISSUER_HOST', 'this issuer has another name', { expected: host, found })
    },
  }
}

function readCookie(request: Request): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=', 2)
    if (name === COOKIE && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}

function forged(message: string): IssuerError {
  return new IssuerError('ISSUER_FORM_FORGED', message, {
    hint: 'begin again from the program that wants you to sign in',
  })
}
