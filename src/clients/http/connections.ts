/** Kept-alive connections of one process, direct and through proxies, opened on use. @module */
import type * as Http from 'node:http'
import type * as Https from 'node:https'
import type { Duplex } from 'node:stream'
import type * as Tls from 'node:tls'
import { HttpError } from './http-error.js'
import { proxyFor, type Environment, type Proxy } from './proxy.js'
import type { TlsSettings } from './tls-options.js'

/** How to reach one URL. */
export interface Route {
  readonly request: typeof Http.request
  readonly options: Http.RequestOptions
  /** Headers that the route itself needs; they go to the proxy alone. */
  readonly headers: Readonly<Record<string, string>>
}

/** A pool of connections. Idle ones do not keep the process alive. */
export interface Connections {
  route(url: URL): Promise<Route>
  close(): void
}

/** At most so many connections to one host; more only queue inside registries. */
const MAX_SOCKETS = 16

/**
 * A pool. `tls` is asked for once, when the first TLS connection is made, because making a TLS context is the
 * dearest part of starting a client.
 */
export function createConnections(
  env: Environment,
  tls: () => Promise<TlsSettings>,
  maxSockets: number = MAX_SOCKETS,
): Connections {
  const limits = { ...POOL, maxSockets }
  const agents = new Map<string, Promise<Http.Agent>>()
  const once = async (key: string, create: () => Promise<Http.Agent>): Promise<Http.Agent> => {
    const known = agents.get(key) ?? create()
    agents.set(key, known)
    return await known
  }
  return {
    route: async (url) => {
      const proxy = proxyFor(url, env)
      if (url.protocol === 'http:') return await plainRoute(url, proxy, { once, tls, limits })
      const agent = await once(`tls ${proxyKey(proxy)}`, () => tlsAgent({ tls, limits }, proxy))
      const { request } = await import('node:https')
      return { request, options: { agent, ...target(url) }, headers: {} }
    },
    close: () => {
      for (const agent of agents.values()) {
        agent.then(
          (open) => {
            open.destroy()
          },
          () => undefined,
        )
      }
      agents.clear()
    },
  }
}

interface Pool {
  /** The agent known by that key, or a new one. */
  readonly once: (key: string, create: () => Promise<Http.Agent>) => Promise<Http.Agent>
  readonly tls: () => Promise<TlsSettings>
  readonly limits: Http.AgentOptions
}

/** Loaded with the first request: in a bundle each `import()` makes another copy of the module. */
let plainHttp: Promise<typeof Http> | undefined

async function plainRoute(url: URL, proxy: Proxy | undefined, { once, tls, limits }: Pool): Promise<Route> {
  const http = await (plainHttp ??= import('node:http'))
  if (proxy === undefined) {
    const agent = await once('plain', async () => {
      const { withLocalhost } = await import('./localhost.js')
      return withLocalhost(new http.Agent(limits))
    })
    // No server name: Node would work one out for TLS although there is none.
    return {
      request: http.request,
      options: { agent, servername: '', ...target(url) } as Http.RequestOptions,
      headers: {},
    }
  }
  // To a plain proxy a request for an http URL is sent as it is, with the whole URL as its path (RFC 9112 §3.2.2).
  const { request, Agent } = proxy.protocol === 'https:' ? await import('node:https') : http
  const settings = proxy.protocol === 'https:' ? await tls() : {}
  const agent = await once(`plain ${proxyKey(proxy)}`, () =>
    Promise.resolve(new Agent({ ...limits, ...mutable(settings) })),
  )
  return {
    request,
    options: { host: proxy.hostname, port: proxy.port, path: url.href, agent },
    headers: { host: url.host, ...proxyHeaders(proxy) },
  }
}

/** After so long a silence a connection may be dead without anybody having said so (NAT, load balancers). */
const IDLE_MILLIS = 15_000
const POOL: Http.AgentOptions = { keepAlive: true, scheduling: 'lifo', timeout: IDLE_MILLIS }

function target(url: URL): Http.RequestOptions {
  return {
    protocol: url.protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
  }
}

async function tlsAgent({ tls, limits }: Omit<Pool, 'once'>, proxy: Proxy | undefined): Promise<Http.Agent> {
  const https = await import('node:https')
  const { createSecureContext, connect } = await import('node:tls')
  const { ca, cert, key, ...rest } = await tls()
  // One context for all connections: Node would otherwise parse the authorities again for each of them.
  const secureContext = createContext(createSecureContext, { ca, cert, key })
  const agent = new https.Agent({ ...limits, ...rest, secureContext })
  if (proxy === undefined) return agent
  const tunnel = async (options: Https.RequestOptions): Promise<Duplex> => {
    const socket = await openTunnel(`${String(options.host)}:${String(options.port)}`, proxy, rest)
    // The socket already leads to the host; its name is what the certificate is checked against.
    const { host, servername } = options
    const named = { ...(typeof host === 'string' && { host }), ...(servername !== undefined && { servername }) }
    return connect({ ...named, ...rest, secureContext, socket })
  }
  agent.createConnection = (options, callback) => {
    tunnel(options).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error instanceof Error ? error : new Error('tunnel failed'), NO_SOCKET),
    )
    return undefined
  }
  return agent
}

// The callback's second argument is required by its type and ignored when there is an error.
const NO_SOCKET = undefined as unknown as Duplex

function createContext(
  create: typeof Tls.createSecureContext,
  { ca, cert, key }: { ca: readonly string[] | undefined; cert: string | undefined; key: string | undefined },
): Tls.SecureContext {
  try {
    return create({
      ...(ca !== undefined && { ca: [...ca] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    })
  } catch (cause) {
    throw new HttpError('HTTP_CA', 'the certificates or the key for TLS cannot be used', {
      hint: 'Check that the files are PEM, and that the client key belongs to the client certificate.',
      cause,
    })
  }
}

/** A raw connection to `authority` through the proxy (RFC 9110 §9.3.6). */
async function openTunnel(authority: string, proxy: Proxy, tls: Partial<TlsSettings>): Promise<Duplex> {
  const { request } = (await import(proxy.protocol === 'https:' ? 'node:https' : 'node:http')) as typeof Http
  const options = { host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: authority, agent: false as const }
  const connect = request({ ...options, ...mutable(tls), headers: { host: authority, ...proxyHeaders(proxy) } })
  return await new Promise<Duplex>((resolve, reject) => {
    connect.once('connect', (response, socket) => {
      if (response.statusCode === 200) {
        resolve(socket)
        return
      }
      socket.destroy()
      reject(proxyRefused(proxy, response.statusCode ?? 0))
    })
    connect.once('response', (response) => {
      response.destroy()
      reject(proxyRefused(proxy, response.statusCode ?? 0))
    })
    connect.once('error', (cause) => {
      reject(new HttpError('HTTP_PROXY', `the proxy ${proxyName(proxy)} cannot be reached`, { cause }))
    })
    connect.end()
  })
}

function proxyRefused(proxy: Proxy, status: number): HttpError {
  return new HttpError('HTTP_PROXY', `the proxy ${proxyName(proxy)} does not let the connection through`, {
    expected: 'status 200',
    found: `status ${String(status)}`,
    hint:
      status === 407
        ? 'The proxy wants a user name and a password: HTTPS_PROXY=http://user:password@host:port'
        : 'Ask who runs the proxy to allow the host, or exempt it with NO_PROXY.',
  })
}

function proxyHeaders({ authorization }: Proxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization }
}

function proxyName({ hostname, port }: Proxy): string {
  return `${hostname}:${String(port)}`
}

function proxyKey(proxy: Proxy | undefined): string {
  return proxy === undefined ? 'direct' : `${proxy.protocol}//${proxyName(proxy)}`
}

function mutable({ ca, ...rest }: Partial<TlsSettings>): Https.AgentOptions {
  return ca === undefined ? rest : { ...rest, ca: [...ca] }
}
