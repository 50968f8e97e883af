import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { createServer as createPlainServer, request as plainRequest, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  connect as connectSocket,
  createServer as createSocketServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { after, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { privateKeyToPem } from '#crypto/private-key'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { issueCertificate, rootSpec, type CertificateSpec, type TestCertificate } from '#testing/pki/certificate'
import { readText } from './body.js'
import { createHttpClient, type HttpOptions } from './client.js'
import { createConnections } from './connections.js'
import type { FetchResponse } from './fetch.js'
import { createNodeFetch } from './node-fetch.js'

const servers: Server[] = []
const sockets = new Set<Socket>()
after(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function client(
  options: Partial<HttpOptions> = {},
): (url: string, init?: Parameters<ReturnType<typeof createHttpClient>['fetch']>[1]) => Promise<FetchResponse> {
  const { fetch } = createHttpClient({
    env: {},
    clock: () => 0,
    random: () => 0,
    userAgent: 'test/1',
    retry: { attempts: 1 },
    ...options,
  })
  return fetch
}

async function text(response: FetchResponse): Promise<string> {
  return await readText(response, { limit: 10_000, what: 'it' })
}

/** Says what it was asked. */
const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    response.setHeader('x-two', ['a', 'b'])
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }))
  })
}

test('a request arrives as it was meant, over one connection', async () => {
  const server = createPlainServer(echo)
  let connections = 0
  server.on('connection', () => connections++)
  const port = await listen(server)
  const fetch = client()
  const ask = async (init: Parameters<typeof fetch>[1]): Promise<Record<string, never>> =>
    JSON.parse(await text(await fetch(`http://127.0.0.1:${String(port)}/a?b=c`, init))) as Record<string, never>
  const posted = (await ask({ method: 'POST', body: 'héllo', headers: { accept: 'x' } })) as Record<string, unknown>
  assert.equal(posted['body'], 'héllo')
  assert.equal(posted['url'], '/a?b=c')
  const headers = posted['headers'] as Record<string, string>
  assert.deepEqual([headers['user-agent'], headers['accept'], headers['content-length']], ['test/1', 'x', '6'])
  const stream = (async function* () {
    yield encodeUtf8('one ')
    await Promise.resolve()
    yield encodeUtf8('two')
  })()
  assert.equal(((await ask({ method: 'PUT', body: stream })) as Record<string, unknown>)['body'], 'one two')
  assert.equal(connections, 1)
  const response = await fetch(`http://127.0.0.1:${String(port)}/`)
  assert.equal(response.headers.get('X-Two'), 'a, b')
  assert.equal(((await response.json()) as Record<string, unknown>)['method'], 'GET')
})

test('a body that fails on the way fails the request', async () => {
  const port = await listen(createPlainServer(echo))
  const stream = (async function* () {
    yield encodeUtf8('one ')
    await Promise.resolve()
    throw new Error('disk')
  })()
  await assert.rejects(client()(`http://127.0.0.1:${String(port)}/`, { method: 'PUT', body: stream }), /disk/)
})

test('an early refusal is heard while the body is still being sent', async () => {
  const port = await listen(
    createPlainServer((_request, response) => {
      response.statusCode = 413
      response.end('too much')
    }),
  )
  const endless = (async function* () {
    for (;;) {
      yield new Uint8Array(65_536)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const response = await client()(`http://127.0.0.1:${String(port)}/`, { method: 'PUT', body: endless })
  assert.equal(response.status, 413)
})

test('an answer that is cut off is an error, not a short answer', async () => {
  const port = await listen(
    createPlainServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setImmediate(() => response.destroy())
    }),
  )
  await assert.rejects(async () => await text(await client()(`http://127.0.0.1:${String(port)}/`)), {
    code: 'HTTP_TRUNCATED',
  })
})

for (const [what, code, greet] of [
  ['hangs up', 'HTTP_RESET', (socket: Socket) => socket.destroy()],
  ['speaks no HTTP', 'HTTP_PROTOCOL', (socket: Socket) => socket.end('220 mail.example ESMTP\r\n')],
] as const) {
  test(`a host that ${what} is ${code}`, async () => {
    const port = await listen(
      createSocketServer((socket) => {
        socket.once('data', () => greet(socket))
      }),
    )
    await assert.rejects(client()(`http://127.0.0.1:${String(port)}/`), { code })
  })
}

test('nobody there, and no such name', async () => {
  const server = createPlainServer(echo)
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  await assert.rejects(client()(`http://127.0.0.1:${String(port)}/`), { code: 'HTTP_CONNECT' })
  await assert.rejects(client()('http://no-such-host.invalid/'), { code: 'HTTP_DNS' })
})

for (const url of ['ftp://x/', 'file:///etc/passwd', 'nonsense', 'https://user:hush@x/']) {
  test(`${url} is not asked, and not shown`, async () => {
    await assert.rejects(client()(url), (error: Error & { code?: string; found?: string }) => {
      assert.equal(error.code, 'HTTP_URL')
      assert.ok(!`${error.message} ${error.found ?? ''}`.includes('hush'))
      return true
    })
  })
}

test('a request can be called off', async () => {
  const port = await listen(createSocketServer(() => undefined))
  const controller = new AbortController()
  const pending = client()(`http://127.0.0.1:${String(port)}/`, { signal: controller.signal })
  setImmediate(() => {
    controller.abort()
  })
  await assert.rejects(pending, { code: 'HTTP_ABORTED' })
})

test('what is called off is cut: before the answer, and in the middle of it', async () => {
  for (const half of [false, true]) {
    const controller = new AbortController()
    const { promise: cut, resolve } = withResolver()
    const port = await listen(
      createPlainServer((_request, response) => {
        response.once('close', resolve)
        if (half) response.writeHead(200, { 'content-length': '100' }).write('half')
        else controller.abort()
      }),
    )
    await assert.rejects(
      async () => {
        const response = await client()(`http://127.0.0.1:${String(port)}/`, { signal: controller.signal })
        controller.abort()
        await text(response)
      },
      { code: 'HTTP_ABORTED' },
    )
    await cut
  }
})

test('a signal that outlives a request is let go of', async () => {
  const port = await listen(createPlainServer(echo))
  const connections = createConnections({}, () => Promise.reject(new Error('no TLS here')))
  const { signal } = new AbortController()
  const response = await createNodeFetch(connections)(`http://127.0.0.1:${String(port)}/`, { signal })
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  await text(response)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  connections.close()
})

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

// TLS

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const YEAR = 365 * 86_400_000

async function authority(): Promise<TestCertificate> {
  return await issueCertificate({ ...rootSpec(), notBefore: Date.now() - YEAR, notAfter: Date.now() + YEAR })
}

async function issued(ca: TestCertificate, spec: CertificateSpec): Promise<{ cert: string; key: string }> {
  const { certificate, key } = await issueCertificate(
    {
      subject: { organization: 'test', commonName: 'test' },
      keyUsage: ['digitalSignature'],
      notBefore: Date.now() - YEAR,
      notAfter: Date.now() + YEAR,
      ...spec,
    },
    ca,
  )
  return { cert: pem(certificate.der), key: privateKeyToPem(key) }
}

function pem(der: Uint8Array): string {
  return encodePem('CERTIFICATE', der)
}

const LOCALHOST: CertificateSpec = {
  extendedKeyUsage: [SERVER_AUTH],
  subjectAltNames: [
    { kind: 'dns', value: 'localhost' },
    { kind: 'ip', value: Uint8Array.of(127, 0, 0, 1) },
  ],
}

function machine(files: Readonly<Record<string, string>>): NonNullable<HttpOptions['files']> {
  return {
    readFile: (path) => Promise.resolve(encodeUtf8(files[path] ?? '')),
    readDirectory: () => Promise.resolve([]),
  }
}

test('an authority of one’s own is named by a flag or the environment, and by nothing less', async () => {
  const ca = await authority()
  const port = await listen(createTlsServer(await issued(ca, LOCALHOST), echo))
  const url = `https://127.0.0.1:${String(port)}/`
  const files = machine({ '/ca': pem(ca.certificate.der), '/other': pem((await authority()).certificate.der) })
  await text(await client({ files, tls: { caFile: '/ca' } })(url))
  await text(await client({ files, env: { SSL_CERT_FILE: '/ca' } })(url))
  await text(await client({ tls: { insecureSkipVerify: true } })(url))
  await assert.rejects(client()(url), { code: 'HTTP_TLS' })
  await assert.rejects(client({ files, tls: { caFile: '/other' } })(url), { code: 'HTTP_TLS' })
  await assert.rejects(client({ files, tls: { caFile: '/none' } })(url), { code: 'HTTP_CA' })
})

test('an authority that the machine trusts will do, unless another was chosen', async () => {
  const ca = await authority()
  const port = await listen(createTlsServer(await issued(ca, LOCALHOST), echo))
  const url = `https://127.0.0.1:${String(port)}/`
  const system = '/etc/pki/tls/certs/ca-bundle.crt'
  const files = machine({ [system]: pem(ca.certificate.der), '/other': pem((await authority()).certificate.der) })
  const fetch = client({ files })
  await text(await fetch(url))
  await text(await fetch(url, { method: 'POST', body: 'x' }))
  await assert.rejects(client({ files, tls: { caFile: '/other' } })(url), { code: 'HTTP_TLS' })
  await assert.rejects(client({ files, env: { SSL_CERT_FILE: '/other' } })(url), { code: 'HTTP_TLS' })
  await assert.rejects(client({ files: machine({}) })(url), { code: 'HTTP_TLS' })
})

for (const [what, spec] of [
  ['another host’s certificate', { subjectAltNames: [{ kind: 'dns', value: 'other.example' }] }],
  ['an expired certificate', { notAfter: Date.now() - 1000 }],
  ['a certificate for something else', { extendedKeyUsage: [CLIENT_AUTH] }],
] as const) {
  test(`${what} is refused`, async () => {
    const ca = await authority()
    const port = await listen(createTlsServer(await issued(ca, { ...LOCALHOST, ...spec }), echo))
    const fetch = client({ files: machine({ '/ca': pem(ca.certificate.der) }), tls: { caFile: '/ca' } })
    await assert.rejects(fetch(`https://127.0.0.1:${String(port)}/`), { code: 'HTTP_TLS' })
  })
}

test('another name can be asked for, and is then what is checked', async () => {
  const ca = await authority()
  const spec: CertificateSpec = { ...LOCALHOST, subjectAltNames: [{ kind: 'dns', value: 'registry.corp' }] }
  const port = await listen(createTlsServer(await issued(ca, spec), echo))
  const files = machine({ '/ca': pem(ca.certificate.der) })
  const url = `https://127.0.0.1:${String(port)}/`
  await text(await client({ files, tls: { caFile: '/ca', serverName: 'registry.corp' } })(url))
  await assert.rejects(client({ files, tls: { caFile: '/ca', serverName: 'other.corp' } })(url), { code: 'HTTP_TLS' })
})

test('a client certificate is shown where it is asked for', async () => {
  const ca = await authority()
  const options = {
    ...(await issued(ca, LOCALHOST)),
    ca: pem(ca.certificate.der),
    requestCert: true,
    rejectUnauthorized: false,
  }
  const port = await listen(
    createTlsServer(options, (request, response) => {
      response.end(String((request.socket as TLSSocket).authorized))
    }),
  )
  const own = await issued(ca, { extendedKeyUsage: [CLIENT_AUTH] })
  const files = machine({ '/ca': pem(ca.certificate.der), '/c': own.cert, '/k': own.key })
  const url = `https://127.0.0.1:${String(port)}/`
  const shown = { caFile: '/ca', clientCertificateFile: '/c', clientKeyFile: '/k' }
  assert.equal(await text(await client({ files, tls: shown })(url)), 'true')
  assert.equal(await text(await client({ files, tls: { caFile: '/ca' } })(url)), 'false')
})

test('plain HTTP to a TLS port and TLS to a plain port are told apart', async () => {
  const ca = await authority()
  const tls = await listen(createTlsServer(await issued(ca, LOCALHOST), echo))
  await assert.rejects(client()(`http://127.0.0.1:${String(tls)}/`), (error: Error & { code?: string }) =>
    ['HTTP_RESET', 'HTTP_PROTOCOL'].includes(error.code ?? ''),
  )
  const plain = await listen(createPlainServer(echo))
  await assert.rejects(client()(`https://127.0.0.1:${String(plain)}/`), { code: 'HTTP_TLS' })
})

// Proxies: the hosts have names that only the proxy knows, since loopback is never proxied.

async function startProxy(target: number, seen: string[], password?: string): Promise<number> {
  const allowed = (header: string | undefined): boolean =>
    password === undefined || header === `Basic ${Buffer.from(`me:${password}`).toString('base64')}`
  const proxy = createPlainServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.host ?? ''}`)
    const onward = plainRequest(
      { host: '127.0.0.1', port: target, path: '/', headers: { host: request.headers.host } },
      (answer) => {
        answer.pipe(response)
      },
    )
    onward.end()
  })
  proxy.on('connect', (request: { url?: string; headers: Record<string, string | undefined> }, socket: Socket) => {
    seen.push(`CONNECT ${request.url ?? ''}`)
    sockets.add(socket)
    if (!allowed(request.headers['proxy-authorization'])) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const onward = connectSocket(target, '127.0.0.1')
    sockets.add(onward)
    onward.on('error', () => undefined)
    socket.pipe(onward).pipe(socket)
  })
  return await listen(proxy)
}

test('TLS goes through a tunnel, over one of them, with the host’s own certificate', async () => {
  const ca = await authority()
  const spec: CertificateSpec = { ...LOCALHOST, subjectAltNames: [{ kind: 'dns', value: 'rekor.test' }] }
  const port = await listen(createTlsServer(await issued(ca, spec), echo))
  const seen: string[] = []
  const proxy = await startProxy(port, seen, 'p:w')
  const files = machine({ '/ca': pem(ca.certificate.der) })
  const env = { HTTPS_PROXY: `http://me:p%3Aw@127.0.0.1:${String(proxy)}` }
  const fetch = client({ files, env, tls: { caFile: '/ca' } })
  const answer = JSON.parse(await text(await fetch('https://rekor.test/x'))) as { headers: Record<string, string> }
  assert.equal(answer.headers['host'], 'rekor.test')
  assert.equal(answer.headers['proxy-authorization'], undefined, 'the proxy’s password stays with the proxy')
  await text(await fetch('https://rekor.test/y'))
  assert.deepEqual(seen, ['CONNECT rekor.test:443'])
  await assert.rejects(fetch('https://other.test/'), { code: 'HTTP_TLS' })
})

test('a proxy that wants a password, or is not there, is told of', async () => {
  const proxy = await startProxy(1, [], 'hush')
  const wrong = client({ env: { https_proxy: `http://me:no@127.0.0.1:${String(proxy)}` } })
  await assert.rejects(wrong('https://rekor.test/'), (error: Error & { code?: string; hint?: string }) => {
    assert.equal(error.code, 'HTTP_PROXY')
    assert.ok(!JSON.stringify([error.message, error.hint]).includes('me:no'))
    return true
  })
  await assert.rejects(client({ env: { https_proxy: 'http://127.0.0.1:1' } })('https://rekor.test/'), {
    code: 'HTTP_PROXY',
  })
})

test('plain HTTP goes to the proxy with its whole address', async () => {
  const port = await listen(createPlainServer(echo))
  const seen: string[] = []
  const proxy = await startProxy(port, seen)
  const fetch = client({ env: { http_proxy: `127.0.0.1:${String(proxy)}` } })
  await text(await fetch('http://metadata.test/x?y=z'))
  assert.deepEqual(seen, ['GET http://metadata.test/x?y=z metadata.test'])
})
