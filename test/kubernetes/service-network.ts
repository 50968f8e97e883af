/**
 * The network between the API server and services, for a cluster without nodes: the API server reaches every cluster address
 * through this proxy (its egress selector), which leads to whichever endpoint is there, as kube-proxy would.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface ServiceNetwork {
  /** The file that tells the API server about it. */
  readonly egressFile: string
  /** From now on new connections may lead here. */
  add(endpoint: Endpoint): void
  /** No new connections lead here; those that are there stay, as when a pod is taken out of its service. */
  remove(endpoint: Endpoint): void
  /** Accepts connections, and delivers nothing: a service that hangs. */
  hang(): void
  /** Delivers again what comes from now on; what hung is cut. */
  resume(): void
  /** Cuts every connection, so that others are made. */
  cut(): void
  /** How many connections were made. */
  readonly connections: number
  stop(): Promise<void>
}

export async function startServiceNetwork(folder: string): Promise<ServiceNetwork> {
  const socket = join(folder, 'egress.sock')
  const endpoints: Endpoint[] = []
  const open = new Set<Duplex>()
  const hanging = new Set<Duplex>()
  let isHanging = false
  let connections = 0
  const server = createServer()
  server.on('connect', (_request: IncomingMessage, client: Duplex) => {
    connections++
    open.add(client)
    client.once('close', () => open.delete(client))
    client.on('error', () => undefined)
    if (isHanging) {
      hanging.add(client)
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      return
    }
    // One after the other, so that every endpoint is used.
    const endpoint = endpoints.shift()
    if (endpoint === undefined) {
      client.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')
      return
    }
    endpoints.push(endpoint)
    const backend = connect(endpoint.port, endpoint.host)
    open.add(backend)
    backend.once('connect', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.pipe(backend).pipe(client)
    })
    backend.once('error', () => {
      client.destroy()
    })
    backend.once('close', () => {
      open.delete(backend)
      client.destroy()
    })
    client.once('close', () => {
      backend.destroy()
    })
  })
  server.listen(socket)
  await once(server, 'listening')
  const egressFile = join(folder, 'egress.json')
  await writeFile(egressFile, JSON.stringify(egressConfiguration(socket)))
  const cut = (): void => {
    for (const each of open) each.destroy()
  }
  const isAt = (a: Endpoint, b: Endpoint): boolean => a.host === b.host && a.port === b.port
  return {
    egressFile,
    add: (endpoint) => {
      endpoints.push(endpoint)
    },
    remove: (endpoint) => {
      const at = endpoints.findIndex((each) => isAt(each, endpoint))
      if (at >= 0) endpoints.splice(at, 1)
    },
    cut,
    hang: () => {
      isHanging = true
      // Connections that are kept open would lead past it.
      cut()
    },
    resume: () => {
      isHanging = false
      for (const each of hanging) each.destroy()
      hanging.clear()
    },
    get connections() {
      return connections
    },
    stop: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

function egressConfiguration(udsName: string): object {
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName } } }
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  }
}
