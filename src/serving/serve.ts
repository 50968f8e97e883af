/** The node:http adapter: a handler behind a socket, plain or TLS, with timeouts, backpressure and an orderly end. @module */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { CodedError } from '#errors'
import type { Handler } from './handler.js'
import { NodeRequest, requestUrl } from './node-request.js'
import { BytesResponse, StreamResponse } from './responses.js'

export type ServeErrorCode =
  /** Another process listens on the address. */
  | 'SERVE_ADDRESS_IN_USE'
  /** The system does not let the server listen on the address. */
  | 'SERVE_LISTEN'
  /** The certificate and the key for TLS cannot be used, or not together. */
  | 'SERVE_TLS'

/** The server could not start to listen. */
export class ServeError extends CodedError<ServeErrorCode> {
  override readonly name = 'ServeError'
}

export interface ServeOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  /** Called with what a handler threw although handlers answer for themselves; the client gets a bare 500. */
  readonly onFault: (error: unknown) => void
  readonly timeouts?: Partial<ServeTimeouts>
  /** Absent: plain HTTP. */
  readonly tls?: TlsIdentity
  /** Most connections at once; more are closed as they come. Absent: as many as the system allows. */
  readonly maxConnections?: number
}

/** What a TLS server shows of itself. */
export interface TlsIdentity {
  /** PEM: the leaf first. */
  readonly certificates: string
  /** PEM, PKCS #8. A secret. */
  readonly key: string
}

/** All in milliseconds. */
export interface ServeTimeouts {
  /** To send the request head: what stops slow-header attacks. */
  readonly headers: number
  /** To send the whole request, a large blob included. */
  readonly request: number
  /** Without a byte in either direction during a request. */
  readonly idle: number
  /** Without a request on a kept-alive connection. */
  readonly keepAlive: number
}

export const DEFAULT_TIMEOUTS: ServeTimeouts = { headers: 10_000, request: 900_000, idle: 60_000, keepAlive: 30_000 }

/** After an answer to a request that was not read to its end: how long the client has to read it. */
const LINGER_MS = 500

export interface RunningServer {
  readonly host: string
  readonly port: number
  /** `http://host:port` or `https://host:port`, no trailing slash. */
  readonly origin: string
  /**
   * Shows another certificate from the next connection on; those that are open go on.
   * @throws {@link ServeError} SERVE_TLS; the old one is then kept
   */
  renew(tls: TlsIdentity): void
  /** Serves on, and ends each connection with its next answer: nobody finds it closed who is just about to send a request. */
  drain(): void
  /** Stops accepting, lets running requests finish for `graceMs`, then cuts what is left. Safe to call twice. */
  close(graceMs: number): Promise<void>
}

/**
 * Starts to listen; resolves once connections are accepted.
 * @throws {@link ServeError} SERVE_ADDRESS_IN_USE, SERVE_TLS, or SERVE_LISTEN for anything else the system refuses.
 */
export async function serve(handler: Handler, options: ServeOptions): Promise<RunningServer> {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  const secure = options.tls === undefined ? undefined : await createTlsServer(options.tls, timeouts)
  const server = secure ?? createServer(serverOptions(timeouts))
  server.timeout = timeouts.idle
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
  let draining = false
  server.on('request', (message, response) => {
    if (draining) response.shouldKeepAlive = false
    answer(secure === undefined ? 'http' : 'https', handler, { message, response }).catch((error: unknown) => {
      options.onFault(error)
      if (response.headersSent) response.destroy()
      else
        response
          .writeHead(500, { 'content-type': 'application/json' })
          .end('{"code":500,"message":"internal server error"}')
    })
  })
  const port = await listen(server, options)
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  let closing: Promise<void> | undefined
  return {
    host: options.host,
    port,
    origin: `${secure === undefined ? 'http' : 'https'}://${host}:${String(port)}`,
    renew: (tls) => {
      usable(() => secure?.setSecureContext(secureContext(tls)))
    },
    drain: () => {
      draining = true
    },
    close: (graceMs) => {
      draining = true
      return (closing ??= shutDown(server, graceMs))
    },
  }
}

/** How often node looks for connections that are over their time; its default of half a minute would be theirs on top. */
const CHECK_MS = 1000

function serverOptions(timeouts: ServeTimeouts): ServerOptions {
  return {
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: CHECK_MS,
    keepAlive: true,
    noDelay: true,
  }
}

async function createTlsServer(tls: TlsIdentity, timeouts: ServeTimeouts): Promise<TlsServer> {
  const https = await import('node:https') // who serves plain HTTP does not load TLS
  // HTTP/1.1 alone is offered: it is what the API server asks for, so that its requests spread over replicas (kubernetes #75791).
  const options = { ...serverOptions(timeouts), ...secureContext(tls), handshakeTimeout: timeouts.headers }
  return usable(() => https.createServer(options))
}

function secureContext({ certificates, key }: TlsIdentity): { cert: string; key: string; minVersion: 'TLSv1.2' } {
  return { cert: certificates, key, minVersion: 'TLSv1.2' }
}

function usable<T>(make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new ServeError('SERVE_TLS', 'the certificate and the key for TLS cannot be used', {
      expected: 'PEM certificates, the leaf first, and the private key of the leaf',
      cause,
    })
  }
}
/** What the system's refusals mean here. */
const LISTEN_HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'low ports are for the administrator: choose one from 1024 on'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'this machine knows no such name'],
])

async function listen(server: Server, { host, port }: ServeOptions): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ServeError('SERVE_LISTEN', 'there is no such port', {
      expected: 'a port from 1 to 65535, or 0 for any free one',
      found: String(port),
    })
  }
  const listening = once(server, 'listening')
  server.listen({ host, port })
  try {
    await listening
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (code === 'EADDRINUSE') {
      throw new ServeError('SERVE_ADDRESS_IN_USE', 'the address is taken by another process', {
        found: `${host}:${String(port)}`,
        hint: 'choose another --port, or 0 for any free one',
        cause,
      })
    }
    throw new ServeError('SERVE_LISTEN', 'the address cannot be listened on', {
      found: `${host}:${String(port)}`,
      hint: LISTEN_HINTS.get(code),
      cause,
    })
  }
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : port
}

async function shutDown(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  server.closeIdleConnections()
  const cut = setTimeout(() => {
    server.closeAllConnections()
  }, graceMs)
  // A connection that becomes idle while we wait would otherwise hold us for its keep-alive time.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
  }, 20)
  await closed
  clearTimeout(cut)
  clearInterval(sweep)
}

interface Exchange {
  readonly message: IncomingMessage
  readonly response: ServerResponse
}

async function answer(scheme: 'http' | 'https', handler: Handler, { message, response }: Exchange): Promise<void> {
  const url = requestUrl(message, scheme)
  if (url === undefined || message.method === undefined || FORBIDDEN_METHODS.has(message.method)) {
    response.writeHead(400, { 'content-type': 'application/json', connection: 'close' })
    response.end('{"code":400,"message":"the request line or the host header is malformed"}')
    return
  }
  const request = new NodeRequest(url, message, () => abortWhenGone(response))
  const reply = await handler(request)
  if (response.destroyed) return
  await send(reply, message, response)
}

/** The platform's Request refuses to be built with these. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

function abortWhenGone(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (response.closed && !response.writableFinished) controller.abort()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}

async function send(reply: Response, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = headerLines(reply)
  const headless = message.method === 'HEAD' || reply.status === 204 || reply.status === 304
  if (!message.complete && hasBody(message)) leaveAfterwards(headers, response)
  if (reply instanceof BytesResponse) {
    const body = reply.bytesInMemory
    if (!reply.headers.has('content-length') && reply.status !== 204 && reply.status !== 304) {
      headers.push('content-length', String(body.length))
    }
    response.writeHead(reply.status, headers)
    if (headless || body.length === 0) response.end()
    else endWith(body, response)
    return
  }
  response.writeHead(reply.status, headers)
  const chunks: AsyncIterable<Uint8Array> | null = reply instanceof StreamResponse ? reply.chunks : reply.body
  if (headless || chunks === null) response.end()
  else await pump(chunks, response)
}

const ONE_WRITE_BYTES = 16_384

/** node:http joins the head and a small *string* body into one write; bytes would cost a gathering write (25 µs more). */
function endWith(body: Uint8Array, response: ServerResponse): void {
  if (body.length > ONE_WRITE_BYTES) response.end(body)
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1')
}

function headerLines(reply: Response): string[] {
  const lines: string[] = []
  for (const [name, value] of reply.headers) lines.push(name, value)
  return lines
}

function hasBody(message: IncomingMessage): boolean {
  return message.headers['transfer-encoding'] !== undefined || Number(message.headers['content-length'] ?? 0) > 0
}

/**
 * The handler answered before it read everything (too large, wrong type). Draining what may be gigabytes to keep the
 * connection would be a gift to an attacker; cutting it at once would lose the answer. So: a moment to read, then cut.
 */
function leaveAfterwards(headers: string[], response: ServerResponse): void {
  headers.push('connection', 'close')
  const { socket } = response
  response.once('finish', () => {
    setTimeout(() => socket?.destroy(), LINGER_MS).unref()
  })
}

/** Writes chunks no faster than the client reads, and stops the producer when the client is gone. */
async function pump(chunks: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return
    if (!response.write(chunk)) await writable(response)
  }
  response.end()
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
