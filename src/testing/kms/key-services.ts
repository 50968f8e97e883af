/** Key management services behind a socket, under their own names, and the ports to ask them through. @module */
import { createHttpClient } from '#clients/http/client'
import { createConnections } from '#clients/http/connections'
import type { Fetch } from '#clients/http/fetch'
import { createNodeFetch } from '#clients/http/node-fetch'
import type { KmsPorts } from '#clients/kms/kms-key'
import { serve } from '#serving/serve'
import type { Handler } from '#serving/handler'
import { fakeTimers } from '../fake-timers.js'
import { AWS_LOGIN, emptyKeys, fakeServices, VAULT_TOKEN, type FakeKeys } from './fake-services.js'

export interface KeyServices {
  readonly keys: FakeKeys
  /** To any of their hosts. */
  readonly fetch: Fetch
  /** `METHOD host/path` of each request. */
  readonly requests: string[]
  /** Answers in place of the services while it gives an answer. */
  override: (request: Request) => Response | undefined
  ports(others?: Partial<KmsPorts>): KmsPorts
  close(): Promise<void>
}

/** What the environment says of all four. */
export const LOGINS: Readonly<Record<string, string>> = {
  ...AWS_LOGIN,
  AWS_REGION: 'eu-central-1',
  VAULT_ADDR: 'http://vault.test',
  VAULT_TOKEN,
}

/** A request goes to the host that it names, whoever listens there: so everything but TLS is as with the real ones. */
export async function openKeyServices(): Promise<KeyServices> {
  const keys = emptyKeys()
  const services = fakeServices(keys)
  const requests: string[] = []
  const handler: Handler = async (request) => {
    const { host, pathname } = new URL(request.url)
    requests.push(`${request.method} ${host}${pathname}`)
    return opened.override(request) ?? (await services(request))
  }
  const server = await serve(handler, {
    host: '127.0.0.1',
    port: 0,
    onFault: (error) => {
      throw error
    },
  })
  const connections = createConnections({}, () => Promise.reject(new Error('no TLS in this test')))
  const direct = createNodeFetch(connections)
  const transport: Fetch = async (address, init = {}) => {
    const url = new URL(address)
    const headers = { ...init.headers, host: url.host }
    return await direct(`${server.origin}${url.pathname}${url.search}`, { ...init, headers })
  }
  const timers = fakeTimers()
  timers.autoAdvance()
  const { fetch } = createHttpClient({
    env: {},
    clock: fakeTimers().clock,
    userAgent: 'test',
    random: () => 0,
    retry: { attempts: 1 },
    transport,
  })
  const opened: KeyServices = {
    keys,
    fetch,
    requests,
    override: () => undefined,
    ports: (others = {}) => ({
      fetch,
      machineFetch: fetch,
      vaultFetch: fetch,
      env: LOGINS,
      clock: () => Date.UTC(2026, 0, 2),
      readText: () => Promise.reject(new Error('this test has no files')),
      vaultTokenFile: () => Promise.resolve(undefined),
      endpoints: 'any',
      timers: timers.timers,
      ...others,
    }),
    close: async () => {
      connections.close()
      await server.close(0)
    },
  }
  return opened
}
