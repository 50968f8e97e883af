import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { MessageBody } from './message-body.js'

async function listen(t: TestContext, answer: RequestListener): Promise<Server> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

async function ask(server: Server, agent?: Agent): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo
  const request = get({ host: '127.0.0.1', port, ...(agent !== undefined && { agent }) })
  request.on('error', () => undefined)
  const [message] = (await once(request, 'response')) as [IncomingMessage]
  return message
}

function bodyOf(message: IncomingMessage): MessageBody {
  return new MessageBody(message, (cause) => new Error('described', { cause }))
}

async function sizeOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const piece of body) size += piece.length
  return size
}

test('a body comes whole, however many pieces it has and however slowly it is read', async (t) => {
  const size = 5_000_000
  const server = await listen(t, (_, response) => response.end(Buffer.alloc(size)))
  assert.equal(await sizeOf(bodyOf(await ask(server))), size)
  let read = 0
  for await (const piece of bodyOf(await ask(server))) {
    read += piece.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(read, size)
})

test('a sender waits for a slow reader', async (t) => {
  const server = await listen(t, (_, response) => response.end(Buffer.alloc(50_000_000)))
  const message = await ask(server)
  const body = bodyOf(message)
  await body.next()
  await once(message, 'pause')
  assert.ok(message.isPaused())
  await body.return()
})

test('an empty body ends at once, and stays ended', async (t) => {
  const server = await listen(t, (_, response) => response.end())
  const body = bodyOf(await ask(server))
  assert.deepEqual([(await body.next()).done, (await body.next()).done], [true, true])
})

test('a connection whose body was read serves the next request', async (t) => {
  const server = await listen(t, (_, response) => response.end('hello'))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let connections = 0
  server.on('connection', () => connections++)
  for (let time = 0; time < 3; time++) assert.equal(await sizeOf(bodyOf(await ask(server, agent))), 5)
  assert.equal(connections, 1)
  agent.destroy()
})

test('a body that breaks off is an error, whether it is being read by then or not', async (t) => {
  const server = await listen(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half')
    setImmediate(() => response.destroy())
  })
  await assert.rejects(sizeOf(bodyOf(await ask(server))), { message: 'described' })
  const message = await ask(server)
  await new Promise((resolve) => message.once('close', resolve))
  await assert.rejects(sizeOf(bodyOf(message)), { message: 'described' })
  const body = bodyOf(message)
  await assert.rejects(body.next(), { message: 'described' })
  await assert.rejects(body.next(), { message: 'described' })
})

test('whoever leaves early gives up the connection', async (t) => {
  let tell = (): void => undefined
  const gone = new Promise<void>((resolve) => (tell = resolve))
  const server = await listen(t, (_, response) => {
    response.once('close', tell)
    response.write('endless')
  })
  const body = bodyOf(await ask(server))
  for await (const piece of body) {
    assert.equal(piece.length, 7)
    break
  }
  await gone
  assert.equal((await body.next()).done, true)
})
