import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { bodyChunks, readBody } from './body.js'
import type { Handler } from './handler.js'
import { fetchInProcess } from './in-process.js'
import { answering, BODY_PROBLEMS, openapiShape } from './problems.js'
import { bytes, empty, json, stream, text } from './responses.js'
import { serve } from './serve.js'
import type { RunningServer } from './serve.js'

async function start(t: TestContext, handler: Handler, faults: unknown[] = []): Promise<RunningServer> {
  const server = await serve(handler, { host: '127.0.0.1', port: 0, onFault: (error) => faults.push(error) })
  t.after(() => server.close(0))
  return server
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function send(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<Answer> {
  const request = httpRequest(url, { method: init.method ?? 'GET', headers: init.headers ?? {}, agent: new Agent() })
  request.on('error', () => undefined)
  request.end(init.body)
  const [message] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return { status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks).toString() }
}

async function raw(server: RunningServer, head: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1')
  socket.end(head)
  let reply = ''
  for await (const chunk of socket) reply += String(chunk)
  return reply
}

test('a handler behind a socket sees method, URL, headers and body', async (t) => {
  const server = await start(t, async (request) => {
    const body = await readBody(request, { maxBytes: 100 })
    return json(201, {
      method: request.method,
      url: new URL(request.url).pathname,
      type: request.headers.get('content-type'),
      body: body.length,
    })
  })
  const answer = await send(`${server.origin}/p/../q?x=1`, {
    method: 'POST',
    headers: { 'content-type': 'a/b' },
    body: 'hello',
  })
  assert.equal(answer.status, 201)
  assert.deepEqual(JSON.parse(answer.body), { method: 'POST', url: '/q', type: 'a/b', body: 5 })
})

test('of a header that stands twice no reader sees only one value', async (t) => {
  const server = await start(t, (request) => {
    const { headers } = request
    return Promise.resolve(
      json(200, {
        type: headers.get('Content-Type'),
        has: [headers.has('X-ONE'), headers.has('x-none')],
        copied: Object.fromEntries(new Headers([...headers])),
        platform: request instanceof Request,
      }),
    )
  })
  const reply = await raw(
    server,
    'GET / HTTP/1.1\r\nhost: x\r\nContent-Type: a/b\r\ncontent-type: c/d\r\nX-One: 1\r\nconnection: close\r\n\r\n',
  )
  assert.deepEqual(JSON.parse(reply.slice(reply.indexOf('{'))), {
    type: 'a/b, c/d',
    has: [true, false],
    copied: { host: 'x', 'content-type': 'a/b, c/d', 'x-one': '1', connection: 'close' },
    platform: true,
  })
})

test('the headers of a request cannot be changed', async (t) => {
  const server = await start(t, (request) => {
    for (const change of ['append', 'set', 'delete'] as const)
      assert.throws(() => {
        request.headers[change]('x-one', '2')
      }, TypeError)
    return Promise.resolve(text(200, request.headers.get('x-one') ?? ''))
  })
  assert.equal((await send(server.origin, { headers: { 'x-one': '1' } })).body, '1')
})

test('a body whose sender goes away is incomplete, for both ways to read it', async (t) => {
  const codes: unknown[] = []
  const server = await start(t, async (request) => {
    try {
      if (request.url.endsWith('/parts')) await readBody(request, { maxBytes: 100 })
      else for await (const chunk of bodyChunks(request)) assert.ok(chunk.length < 100)
    } catch (error) {
      codes.push((error as { code?: unknown }).code)
    }
    return empty(200)
  })
  for (const path of ['/parts', '/chunks']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello`)
    await once(socket, 'connect')
    socket.end()
    await once(socket.resume(), 'close')
  }
  assert.deepEqual(codes, ['BODY_INCOMPLETE', 'BODY_INCOMPLETE'])
})

test('the web way to read a body works too', async (t) => {
  const server = await start(t, async (request) =>
    text(200, `${String(request.bodyUsed)} ${await request.text()} ${String(request.bodyUsed)}`),
  )
  assert.equal((await send(server.origin, { method: 'POST', body: 'hello' })).body, 'false hello true')
})

test('a body is read once', async (t) => {
  const faults: unknown[] = []
  const server = await start(
    t,
    async (request) => {
      await request.text()
      return text(200, await request.text())
    },
    faults,
  )
  assert.equal((await send(server.origin, { method: 'POST', body: 'hello' })).status, 500)
  assert.equal(faults.length, 1)
})

test('HEAD, 204 and 304 carry no body but their headers', async (t) => {
  const server = await start(t, (request) =>
    Promise.resolve(
      request.url.endsWith('/none')
        ? empty(204)
        : request.url.endsWith('/same')
          ? empty(304, { etag: 'x' })
          : bytes(200, new Uint8Array(7), 'a/b'),
    ),
  )
  const head = await send(`${server.origin}/a`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '7', ''])
  assert.equal((await send(`${server.origin}/none`)).headers['content-length'], undefined)
  assert.equal((await send(`${server.origin}/same`)).headers.etag, 'x')
})

test('several cookies stay several headers', async (t) => {
  const server = await start(t, () => Promise.resolve(empty(200, { 'set-cookie': ['a=1', 'b=2'] })))
  assert.deepEqual((await send(server.origin)).headers['set-cookie'], ['a=1', 'b=2'])
})

test('a stream is only produced as fast as the client reads, and stops when the client leaves', async (t) => {
  let produced = 0
  let stopped: () => void
  const ended = new Promise<void>((resolve) => (stopped = resolve))
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        produced += 1
        yield await Promise.resolve(new Uint8Array(65_536))
      }
    } finally {
      stopped()
    }
  }
  const server = await start(t, () => Promise.resolve(stream(200, endless())))
  const request = httpRequest(server.origin)
  request.end()
  const [message] = (await once(request, 'response')) as [IncomingMessage]
  await once(message, 'readable')
  assert.ok(produced < 1000, `produced ${String(produced)} chunks for a client that reads none`)
  request.destroy()
  await ended
})

test('the request signal aborts when the client leaves', async (t) => {
  let started: () => void
  const running = new Promise<void>((resolve) => (started = resolve))
  let aborted: () => void
  const gone = new Promise<void>((resolve) => (aborted = resolve))
  const server = await start(t, async (request) => {
    request.signal.addEventListener('abort', () => {
      aborted()
    })
    started()
    await gone
    return empty(200)
  })
  const request = httpRequest(server.origin)
  request.on('error', () => undefined)
  request.end()
  await running
  request.destroy()
  await gone
})

test('the request signal of a client that has left was fired before anybody asked for it', async (t) => {
  let tell: (aborted: boolean) => void
  const told = new Promise<boolean>((resolve) => (tell = resolve))
  const server = await start(t, async (request) => {
    await readBody(request, { maxBytes: 100 }).catch(() => undefined)
    // The body fails before the connection is closed.
    await new Promise((resolve) => setImmediate(resolve))
    tell(request.signal.aborted)
    return empty(200)
  })
  const request = httpRequest(server.origin, { method: 'POST', headers: { 'content-length': '10' } })
  request.on('error', () => undefined)
  request.write('12345', () => request.destroy())
  assert.equal(await told, true)
})

test('a body beyond the limit is answered, not drained', async (t) => {
  const server = await start(
    t,
    answering(
      BODY_PROBLEMS,
      openapiShape,
    )(async (request: Request) => {
      await readBody(request, { maxBytes: 10 })
      return empty(200)
    }),
  )
  const answer = await send(server.origin, { method: 'POST', body: new Uint8Array(50_000) })
  assert.deepEqual([answer.status, answer.headers.connection], [413, 'close'])
})

test('a thrown error is a bare 500', async (t) => {
  const faults: unknown[] = []
  const server = await start(t, () => Promise.reject(new Error('secret path')), faults)
  const answer = await send(server.origin)
  assert.deepEqual([answer.status, answer.body], [500, '{"code":500,"message":"internal server error"}'])
  assert.equal(faults.length, 1)
})

for (const [name, head, status] of [
  ['a host that is no host', 'GET / HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n', '400'],
  ['a target that is no path', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400'],
  ['a foreign scheme', 'GET ftp://a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', '400'],
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    '400',
  ],
  ['a head beyond the limit', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ['dot segments', 'GET /a/%2e%2e/%2E./b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '200'],
] as const) {
  test(`${name} is ${status}`, async (t) => {
    const server = await start(t, (request) =>
      Promise.resolve(text(new URL(request.url).pathname === '/b' ? 200 : 202, '')),
    )
    assert.match(await raw(server, head), new RegExp(`^HTTP/1.1 ${status} `))
  })
}

test('a taken address is said so', async (t) => {
  const server = await start(t, () => Promise.resolve(empty(200)))
  await assert.rejects(
    serve(() => Promise.resolve(empty(200)), { host: '127.0.0.1', port: server.port, onFault: () => undefined }),
    {
      code: 'SERVE_ADDRESS_IN_USE',
    },
  )
  await assert.rejects(
    serve(() => Promise.resolve(empty(200)), { host: '203.0.113.7', port: 0, onFault: () => undefined }),
    { code: 'SERVE_LISTEN', hint: 'this machine has no such address' },
  )
  for (const port of [-1, 65_536, 1.5, NaN]) {
    await assert.rejects(
      serve(() => Promise.resolve(empty(200)), { host: '127.0.0.1', port, onFault: () => undefined }),
      { code: 'SERVE_LISTEN' },
    )
  }
})

test('closing lets a running request finish', async (t) => {
  let release: () => void
  const held = new Promise<void>((resolve) => (release = resolve))
  let entered: () => void
  const inside = new Promise<void>((resolve) => (entered = resolve))
  const server = await start(t, async () => {
    entered()
    await held
    return text(200, 'done')
  })
  const answer = send(server.origin)
  await inside
  const closed = server.close(10_000)
  release!()
  assert.equal((await answer).body, 'done')
  await closed
  await assert.rejects(send(server.origin))
})

test('closing cuts a request that does not end in its grace', async (t) => {
  let entered: () => void
  const inside = new Promise<void>((resolve) => (entered = resolve))
  const server = await start(t, async (request) => {
    entered()
    for await (const chunk of bodyChunks(request)) assert.ok(chunk)
    return empty(200)
  })
  const request = httpRequest(server.origin, { method: 'POST' })
  const failed = once(request, 'error')
  request.write('x')
  await inside
  await server.close(1)
  await failed
})

test('in process: the same handler, no socket', async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Uint8Array.of(1, 2))
    yield Uint8Array.of(3)
  }
  const fetch = fetchInProcess(async (request) => bytes(200, await readBody(request, { maxBytes: 10 }), 'a/b'))
  const reply = await fetch('http://anything/x', { method: 'PUT', body: body() })
  assert.deepEqual(new Uint8Array(await reply.arrayBuffer()), Uint8Array.of(1, 2, 3))
  const streamed = await fetchInProcess(() => Promise.resolve(stream(200, body())))('http://x/')
  assert.deepEqual(await streamed.text(), '\u0001\u0002\u0003')
})

test('a server that drains goes on to answer, and ends each connection with its answer', async (t) => {
  const server = await start(t, () => Promise.resolve(text(200, 'here')))
  const agent = new Agent({ keepAlive: true })
  const ask = async (): Promise<string | undefined> => {
    const request = httpRequest(server.origin, { agent })
    request.end()
    const [message] = (await once(request, 'response')) as [IncomingMessage]
    message.resume()
    await once(message, 'end')
    return message.headers.connection
  }
  assert.equal(await ask(), 'keep-alive')
  server.drain()
  assert.equal(await ask(), 'close')
  assert.equal(await ask(), 'close')
})
