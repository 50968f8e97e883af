import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { grpcOverUnixSocket } from './grpc-unix.js'
import { listenOnLoopback } from './loopback-listener.js'

async function agent(
  answer: (stream: ServerHttp2Stream, path: string) => void,
): Promise<{ socket: string; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'))
  const socket = join(folder, 's')
  const server: Http2Server = createServer()
  server.on('stream', (stream, headers) => {
    stream.resume()
    stream.on('end', () => {
      answer(stream, headers[':path'] ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    socket,
    close: async () => {
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}

function reply(stream: ServerHttp2Stream, status: string, message?: Uint8Array): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': status, 'grpc-message': 'no identity' })
  })
  stream.end(message === undefined ? undefined : Buffer.from([0, 0, 0, 0, message.length, ...message]))
}

async function ask(socket: string): Promise<Uint8Array> {
  return await grpcOverUnixSocket({ socket, path: '/S/M', message: Uint8Array.of(1, 2), metadata: { 'x-a': 'b' } })
}

test('an agent answers over its socket', async () => {
  const { socket, close } = await agent((stream, path) => {
    reply(stream, path === '/S/M' ? '0' : '5', Uint8Array.of(9, 8))
  })
  assert.deepEqual([...(await ask(socket))], [9, 8])
  await close()
})

for (const [what, answer] of [
  [
    'refuses',
    (stream: ServerHttp2Stream) => {
      reply(stream, '7')
    },
  ],
  [
    'sends half a message',
    (stream: ServerHttp2Stream) => {
      reply(stream, '0')
    },
  ],
  [
    'hangs up',
    (stream: ServerHttp2Stream) => {
      stream.close()
    },
  ],
] as const) {
  test(`an agent that ${what} is an error`, async () => {
    const { socket, close } = await agent(answer)
    await assert.rejects(ask(socket), { code: 'OIDC_PROVIDER' })
    await close()
  })
}

test('an agent that is not there is an error', async () => {
  await assert.rejects(ask('/nonexistent/s'), { code: 'OIDC_PROVIDER' })
})

test('the browser comes back to the listener, other requests do not count', async () => {
  const listener = await listenOnLoopback('http://localhost:0/auth/callback')
  const url = new URL(listener.redirectUrl)
  assert.notEqual(url.port, '0')
  const visit = async (path: string): Promise<number> =>
    await new Promise((resolve) => {
      get({ host: '127.0.0.1', port: url.port, path }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
    })
  assert.equal(await visit('/favicon.ico'), 404)
  assert.equal(await visit('/auth/callback?code=1&state=2'), 200)
  assert.equal((await listener.query).get('code'), '1')
  listener.close()
})

for (const address of ['https://localhost:1/', 'http://example.com:1/', 'nonsense', 'http://0.0.0.0:1/']) {
  test(`nobody listens at ${address}`, async () => {
    await assert.rejects(listenOnLoopback(address), { code: 'OIDC_FLOW' })
  })
}
