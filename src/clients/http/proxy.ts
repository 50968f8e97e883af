/** Which proxy, if any, stands before a host: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl and Go read them. @module */
import { HttpError } from './http-error.js'

/** The environment, as a process gives it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A proxy to go through. */
export interface Proxy {
  /** `http:` or `https:`, the way to the proxy itself. */
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number
  /** The value of a Proxy-Authorization header; secret. */
  readonly authorization: string | undefined
}

/**
 * The proxy for a URL, or undefined for a direct connection. Loopback is never proxied, nor are the metadata services of clouds,
 * whose answers are secrets of this machine.
 * @throws {@link HttpError} HTTP_PROXY if the variable cannot be understood: going around it silently would be worse.
 */
export function proxyFor(url: URL, env: Environment): Proxy | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = variable(env, name)
  if (value === '' || isOfThisMachine(url.hostname) || isExempt(url, variable(env, 'NO_PROXY'))) return undefined
  return parseProxy(name, value)
}

function isOfThisMachine(hostname: string): boolean {
  return isLoopbackHost(hostname) || hostname.startsWith('169.254.') || hostname === 'metadata.google.internal'
}

/** Whether a URL's host name means this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bare(hostname)
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function variable(env: Environment, name: string): string {
  return (env[name.toLowerCase()] ?? env[name] ?? '').trim()
}

function parseProxy(name: string, value: string): Proxy {
  const url = tryUrl(value.includes('://') ? value : `http://${value}`)
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new HttpError('HTTP_PROXY', `the proxy in ${name} cannot be used`, {
      expected: 'http://host:port or https://host:port',
      // The value may hold a password, so only its scheme is shown.
      found: url === undefined ? 'something that is not an address' : `a ${url.protocol}// address`,
      hint: `Correct ${name}, or exempt the host with NO_PROXY.`,
    })
  }
  const { protocol, username, password } = url
  const port = url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port)
  const credentials = `${percentDecode(username)}:${percentDecode(password)}`
  return {
    protocol,
    hostname: bare(url.hostname),
    port,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  }
}

/** People write a password as it is; a percent sign in it that begins no escape is meant as one. */
function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

function tryUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

/** NO_PROXY: `*`, `host`, `.domain`, `*.domain`, `host:port`, an address, or a CIDR block. A name also covers what is below it. */
function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname)
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const block = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(entry)
  if (block !== null) return inBlock(host, block[1] ?? '', Number(block[2]))
  const withPort = /^(.*[^:]):(\d{1,5})$/.exec(entry)
  const isName = withPort !== null && !(withPort[1] ?? '').replace(/^\[.*\]$/, '').includes(':')
  if (isName && withPort[2] !== port) return false
  const name = bare(isName ? (withPort[1] ?? '') : entry).replace(/^\*?\./, '')
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function inBlock(host: string, base: string, bits: number): boolean {
  const address = ipv4(host)
  const start = ipv4(base)
  if (address === undefined || start === undefined || bits > 32) return false
  const size = 2 ** (32 - bits)
  return Math.floor(address / size) === Math.floor(start / size)
}

function ipv4(text: string): number | undefined {
  const parts = text.split('.').map(Number)
  const valid = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
  return valid ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined
}

function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}
