/** Requests to one API server as one user: certificates and logins are renewed while it is used. @module */
import type { Clock } from '#time'
import { discardBody } from '../http/body.js'
import { createHttpClient, type HttpClient } from '../http/client.js'
import type { Fetch, FetchInit, FetchResponse, Timers } from '../http/fetch.js'
import { isHttpError } from '../http/http-error.js'
import type { Environment } from '../http/proxy.js'
import type { TlsChoices } from '../http/tls-options.js'
import type { Trace } from '../http/trace.js'
import { nodeProgramRunner, type ProgramRunner } from '../programs.js'
import { nodeAccessFiles, type AccessFiles, type ClusterAccess } from './cluster-access.js'
import { createCredentialSource, type Login } from './credential-source.js'
import { createTlsMaterial } from './tls-material.js'

/** What a process brings to its connection with a cluster. */
export interface ConnectionPorts {
  readonly env: Environment
  readonly clock: Clock
  /** A number in [0, 1). */
  readonly random: () => number
  readonly userAgent: string
  readonly files?: AccessFiles
  readonly runner?: ProgramRunner
  readonly timers?: Timers
  readonly trace?: Trace
  /** The one-hop fetch underneath; by default node's own. */
  readonly transport?: Fetch
}

export interface ClusterConnection {
  readonly access: ClusterAccess
  /** A request that is answered soon. `path` is below the server's address. */
  readonly request: Fetch
  /** A request whose answer goes on for minutes, on connections of its own, never repeated. */
  readonly stream: Fetch
  readonly close: () => void
}

/** A watch that says nothing for so long is dead; bookmarks come every minute. */
const STREAM_IDLE_MILLIS = 90_000
const ANSWER_MILLIS = 30_000
/** Watches hold their connections; one for each thing that is watched must be possible. */
const MAX_STREAMS = 256

/** @throws in its requests: HttpError, KubernetesError KUBERNETES_CREDENTIALS, KUBERNETES_CONFIG; a status of 400 and above is a response. */
export function createConnection(access: ClusterAccess, ports: ConnectionPorts): ClusterConnection {
  const { clock, env, files = nodeAccessFiles, runner = nodeProgramRunner } = ports
  const credentials = createCredentialSource(access, { clock, env, files, runner })
  const material = createTlsMaterial(access.tls, { clock, files })
  const pool = createPool((tls) => openClients(access, ports, tls))

  const attempt = async (use: keyof Clients, path: string, init: LoggedIn): Promise<FetchResponse> => {
    const clients = pool.clientsFor(await material.current(init.login))
    try {
      return await clients[use].fetch(`${access.server}${path}`, init)
    } catch (error) {
      if (!isHttpError(error) || error.code !== 'HTTP_TLS') throw error
      // The authority, or our certificate, may have been replaced since it was read.
      const renewed = pool.clientsFor(await material.renew(init.login))
      if (renewed === clients) throw error
      return await renewed[use].fetch(`${access.server}${path}`, init)
    }
  }
  const send = async (use: keyof Clients, path: string, init: FetchInit): Promise<FetchResponse> => {
    const login = await credentials.current()
    const response = await attempt(use, path, logIn(init, login, access))
    if (response.status !== 401) return response
    credentials.reject(login)
    const next = await credentials.current().catch(async (error: unknown) => {
      await discardBody(response)
      throw error
    })
    if (next.authorization === login.authorization && next.certificate === login.certificate) return response
    await discardBody(response)
    return await attempt(use, path, logIn(init, next, access))
  }
  return {
    access,
    request: (path, init = {}) => send('requests', path, init),
    stream: (path, init = {}) => send('streams', path, init),
    close: () => {
      pool.close()
    },
  }
}

interface LoggedIn extends FetchInit {
  readonly login: Login
}

function logIn(init: FetchInit, login: Login, { impersonation }: ClusterAccess): LoggedIn {
  const { authorization } = login
  const headers = { ...init.headers, ...impersonation, ...(authorization !== undefined && { authorization }) }
  // A redirect would take the request to where the cluster's certificate does not vouch.
  return { redirect: 'error', ...init, headers, login }
}

interface Clients {
  readonly requests: HttpClient
  readonly streams: HttpClient
}

interface Pool {
  clientsFor(tls: TlsChoices): Clients
  close(): void
}

/**
 * Clients for the certificates of the moment. Those that were replaced are not cut: what is under way ends by itself, and
 * idle connections close after seconds.
 */
function createPool(open: (tls: TlsChoices) => Clients): Pool {
  let current: { readonly tls: TlsChoices; readonly clients: Clients } | undefined
  const closing = new Set<() => void>()
  return {
    clientsFor: (tls) => {
      if (current?.tls !== tls) {
        const clients = open(tls)
        closing.add(() => {
          clients.requests.close()
          clients.streams.close()
        })
        current = { tls, clients }
      }
      return current.clients
    },
    close: () => {
      for (const close of closing) close()
    },
  }
}

function openClients(access: ClusterAccess, ports: ConnectionPorts, tls: TlsChoices): Clients {
  const { clock, random, userAgent, timers, trace, transport } = ports
  const common = {
    clock,
    random,
    userAgent,
    tls,
    env: environmentFor(access, ports.env),
    ...(timers !== undefined && { timers }),
    ...(trace !== undefined && { trace }),
    ...(transport !== undefined && { transport }),
  }
  return {
    requests: createHttpClient({ ...common, timeouts: { answerMillis: ANSWER_MILLIS } }),
    streams: createHttpClient({
      ...common,
      timeouts: { answerMillis: ANSWER_MILLIS, idleMillis: STREAM_IDLE_MILLIS },
      retry: { attempts: 1 },
      maxConnections: MAX_STREAMS,
    }),
  }
}

/** A cluster's own proxy is for it alone, and no exemption of the environment applies to it. */
function environmentFor({ proxyUrl }: ClusterAccess, env: Environment): Environment {
  if (proxyUrl === undefined) return env
  const { no_proxy: _lower, NO_PROXY: _upper, ...rest } = env
  return { ...rest, http_proxy: proxyUrl, https_proxy: proxyUrl }
}
