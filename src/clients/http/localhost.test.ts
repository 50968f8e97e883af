import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { readText } from './body.js'
import { createHttpClient } from './client.js'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function listen(host: string): Promise<number> {
  const server = createServer((request, response) => {
    response.end(`${host} ${request.headers.host ?? ''}`)
  })
  servers.push(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

const { fetch } = createHttpClient({
  env: {},
  clock: () => 0,
  random: () => 0,
  userAgent: 'test/1',
  retry: { attempts: 1 },
})

async function ask(port: number): Promise<string> {
  return await readText(await fetch(`http://localhost:${String(port)}/`), { limit: 1000, what: 'it' })
}

test('localhost is reached over IPv4, under its own name, several times over', async () => {
  const port = await listen('127.0.0.1')
  for (let i = 0; i < 3; i++) assert.equal(await ask(port), `127.0.0.1 localhost:${String(port)}`)
  assert.equal((await Promise.all([ask(port), ask(port), ask(port)])).length, 3)
})

test('localhost is reached over IPv6 where only that is listened on', async (context) => {
  const port = await listen('::1').catch(() => undefined)
  if (port === undefined) {
    context.skip('there is no IPv6 here')
    return
  }
  assert.equal(await ask(port), `::1 localhost:${String(port)}`)
})

test('nobody listening is told as such', async () => {
  const port = await listen('127.0.0.1')
  const server = servers.pop()
  await new Promise((resolve) => server?.close(resolve))
  await assert.rejects(ask(port), { code: 'HTTP_CONNECT' })
})
