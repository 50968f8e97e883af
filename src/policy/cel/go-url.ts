/** URLs as Go reads them, which is not as browsers do: nothing is made up, and little is changed. @module */
import { encodeUtf8 } from '#encoding/utf8'
import { parseIp } from './ip-address.js'

export interface GoUrl {
  readonly scheme: string
  /** What follows the scheme where that is no path: `mailto:` and the like. */
  readonly opaque: string
  readonly user: string | undefined
  /** With the port. */
  readonly host: string
  readonly path: string
  readonly query: string | undefined
  readonly fragment: string
}

/** Whether Go takes it for what a request may ask for: an absolute URL, or a path from the root. */
export function isRequestUri(text: string): boolean {
  return text !== '' && parse(text, 'request') !== undefined
}

/** The URL of a text, or undefined if it is none, or a relative one. */
export function parseGoUrl(text: string): GoUrl | undefined {
  if (!isRequestUri(text)) return undefined
  const at = text.indexOf('#')
  const fragment = at < 0 ? '' : text.slice(at + 1)
  const url = parse(at < 0 ? text : text.slice(0, at), 'any')
  return url === undefined || unescaped(fragment) === undefined ? undefined : { ...url, fragment }
}

/** Go refuses these bytes. */
const CONTROL = /[\u0000-\u001f\u007f]/
const MAX_LENGTH = 65_536

function parse(text: string, kind: 'request' | 'any'): GoUrl | undefined {
  const nothing = { scheme: '', opaque: '', user: undefined, host: '', path: '', query: undefined, fragment: '' }
  if (text.length > MAX_LENGTH || CONTROL.test(text)) return undefined
  if (text === '*') return { ...nothing, path: '*' }
  const scheme = schemeOf(text)
  if (scheme === undefined) return undefined
  const all = scheme === '' ? text : text.slice(scheme.length + 1)
  const mark = all.indexOf('?')
  const rest = mark < 0 ? all : all.slice(0, mark)
  const query = mark < 0 ? undefined : all.slice(mark + 1)
  const start = { ...nothing, scheme: scheme.toLowerCase(), query }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...start, opaque: rest }
    if (kind === 'request' || (rest.split('/')[0] ?? '').includes(':')) return undefined
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (kind === 'any' && !rest.startsWith('///')))
  const [authority, path] = hasAuthority ? cutAtSlash(rest.slice(2)) : [undefined, rest]
  const who = authority === undefined ? { user: undefined, host: '' } : parseAuthority(authority, start.scheme)
  return who === undefined || unescaped(path) === undefined ? undefined : { ...start, ...who, path }
}

function cutAtSlash(text: string): readonly [string, string] {
  const at = text.indexOf('/')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}

/** The scheme, nothing where there is none, or undefined where there is a colon and nothing before it. */
function schemeOf(text: string): string | undefined {
  if (text.startsWith(':')) return undefined
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? ''
}

const USER = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/

function parseAuthority(
  authority: string,
  scheme: string,
): { readonly user: string | undefined; readonly host: string } | undefined {
  const at = authority.lastIndexOf('@')
  const host = parseHost(authority.slice(at + 1), scheme)
  if (host === undefined) return undefined
  if (at < 0) return { user: undefined, host }
  const user = authority.slice(0, at)
  return USER.test(user) && unescaped(user) !== undefined ? { user, host } : undefined
}

const PORT = /^(?::\d*)?$/
/** Characters of a host; beyond ASCII all of them. */
const HOST = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]*$/u

function parseHost(host: string, scheme: string): string | undefined {
  const open = host.lastIndexOf('[')
  if (open > 0 || !HOST.test(host)) return undefined
  if (open === 0) return parseLiteral(host)
  const first = host.indexOf(':')
  const last = host.lastIndexOf(':')
  // A list of hosts with ports is let pass, except where it cannot be meant.
  const colon = first !== last && scheme !== 'http' && scheme !== 'https' ? last : first
  return colon >= 0 && !PORT.test(host.slice(colon)) ? undefined : unescapedHost(host)
}

/** `[::1]:8080` */
function parseLiteral(host: string): string | undefined {
  const close = host.lastIndexOf(']')
  if (close < 0 || !PORT.test(host.slice(close + 1))) return undefined
  const inside = host.slice(1, close)
  const zone = inside.indexOf('%25')
  const address = zone < 0 ? inside : inside.slice(0, zone)
  const readable = zone < 0 ? '' : unescapedHost(inside.slice(zone))
  if (readable === undefined || readable === '%' || !isV6(address)) return undefined
  return `[${address}${readable}]${host.slice(close + 1)}`
}

function isV6(text: string): boolean {
  // One of version 4 in the dress of version 6 may stand here.
  return text.includes(':') && (parseIp(text) !== undefined || /^::ffff:[\da-f.:]+$/i.test(text))
}

/** In a host, only characters beyond ASCII are escaped, and the percent sign of a zone. */
function unescapedHost(host: string): string | undefined {
  if (/%(?!25)[0-7]/.test(host)) return undefined
  return unescaped(host)
}

/** Without `%xx`, or undefined if a percent sign is something else. */
function unescaped(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const bytes: number[] = []
  const encoded = encodeUtf8(text)
  for (let at = 0; at < encoded.length; at++) {
    const byte = encoded[at] ?? 0
    if (byte !== 0x25) bytes.push(byte)
    else {
      bytes.push(Number.parseInt(String.fromCharCode(encoded[at + 1] ?? 0, encoded[at + 2] ?? 0), 16))
      at += 2
    }
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
}

export function hostnameOf({ host }: GoUrl): string {
  const colon = portColon(host)
  const name = colon < 0 ? host : host.slice(0, colon)
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}

export function portOf({ host }: GoUrl): string {
  const colon = portColon(host)
  return colon < 0 ? '' : host.slice(colon + 1)
}

function portColon(host: string): number {
  const colon = host.lastIndexOf(':')
  return colon >= 0 && PORT.test(host.slice(colon)) ? colon : -1
}

const PATH = /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/

/** The path as it was written where that is a path, and otherwise escaped. */
export function escapedPath({ path }: GoUrl): string {
  if (PATH.test(path)) return path
  const bytes = encodeUtf8(unescaped(path) ?? path)
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    return /^[A-Za-z0-9\-_.~$&+,/:;=@]$/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** What is asked for: each name with its values. What cannot be read is left out. */
export function queryOf({ query = '' }: GoUrl): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';')) continue
    const at = part.indexOf('=')
    const [name, value] = [at < 0 ? part : part.slice(0, at), at < 0 ? '' : part.slice(at + 1)].map((text) =>
      unescaped(text.replaceAll('+', ' ')),
    )
    if (name === undefined || value === undefined) continue
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return values
}
