/** The built program on a network like a company's: a proxy that wants a password, and authorities of its own. @module */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Server as SocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { privateKeyToPem } from '#crypto/private-key'
import { encodePem } from '#encoding/pem'
import { issueCertificate, rootSpec } from '#testing/pki/certificate'
import { countersign } from './up-process.js'

const LOGIN = 'corp:p%40ss'
const AUTHORIZATION = `Basic ${Buffer.from('corp:p@ss').toString('base64')}`
const DAY = 86_400_000

let folder: string
let plain: number
let tls: number
let proxy: number
/** What the proxy was asked for. */
const asked: string[] = []
const servers: SocketServer[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'network-'))
  const [start, end] = [Date.now() - DAY, Date.now() + DAY]
  const root = await issueCertificate(rootSpec({ notBefore: start, notAfter: end }))
  const leaf = await issueCertificate(
    {
      notBefore: start,
      notAfter: end,
      subjectAltNames: [{ kind: 'dns', value: 'registry.corp' }],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
    },
    root,
  )
  await writeFile(join(folder, 'ca.pem'), encodePem('CERTIFICATE', root.certificate.der))
  plain = await listen(createServer(registry))
  const credentials = { cert: encodePem('CERTIFICATE', leaf.certificate.der), key: privateKeyToPem(leaf.key) }
  tls = await listen(createTlsServer(credentials, registry))
  proxy = await listen(forwardProxy())
})
after(async () => {
  for (const server of servers) server.close()
  await rm(folder, { recursive: true })
})

const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: 2, digest: `sha256:${'0'.repeat(64)}` },
  layers: [],
})

/** One image that has nothing attached. */
const registry: RequestListener = (incoming, response) => {
  if (incoming.url?.startsWith('/v2/app/manifests/latest') === true) {
    response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json')
    response.setHeader('docker-content-digest', `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`)
    response.setHeader('content-length', MANIFEST.length)
    response.end(incoming.method === 'HEAD' ? undefined : MANIFEST)
    return
  }
  response.writeHead(404).end()
}

/** Lets through who has the password, to this machine whatever the name: only the proxy knows names here. */
function forwardProxy(): Server {
  const refuses = (given: string | undefined): boolean => given !== AUTHORIZATION
  const server = createServer((incoming, response) => {
    const { method = '', url = '', headers } = incoming
    asked.push(`${method} ${url}`)
    if (refuses(headers['proxy-authorization'])) {
      response.writeHead(407).end()
      return
    }
    const { port, pathname } = new URL(url)
    const outgoing = request({ host: '127.0.0.1', port, path: pathname, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.writeHead(502).end())
    incoming.pipe(outgoing)
  })
  server.on('connect', ({ url = '', headers }, socket) => {
    asked.push(`CONNECT ${url}`)
    socket.on('error', () => undefined)
    if (refuses(headers['proxy-authorization'])) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const target = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      target.pipe(socket)
      socket.pipe(target)
    })
    target.on('error', () => socket.destroy())
  })
  return server
}

async function listen(server: SocketServer): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

interface Case {
  readonly name: string
  readonly port: () => number
  readonly args?: readonly string[]
  readonly env?: () => NodeJS.ProcessEnv
  /** What the failure says; undefined where there is none. */
  readonly fails?: RegExp
  /** What the proxy has to have been asked for. */
  readonly through?: RegExp
}

const via = (login: string): NodeJS.ProcessEnv => {
  const address = `http://${login === '' ? '' : `${login}@`}127.0.0.1:${String(proxy)}`
  return { HTTP_PROXY: address, HTTPS_PROXY: address }
}
const trusting = (): NodeJS.ProcessEnv => ({ ...via(LOGIN), SSL_CERT_FILE: join(folder, 'ca.pem') })

const CASES: readonly Case[] = [
  { name: 'a name that only the proxy knows', port: () => tls, env: trusting, through: /^CONNECT registry\.corp/ },
  {
    name: 'plain HTTP, after TLS was tried',
    port: () => plain,
    args: ['--allow-http-registry'],
    env: () => via(LOGIN),
    through: /^(?:GET|HEAD) http:\/\/registry\.corp/,
  },
  { name: 'plain HTTP without leave', port: () => plain, env: () => via(LOGIN), fails: /does not speak TLS/ },
  { name: 'no password', port: () => tls, env: () => via(''), fails: /wants a user name and a password/ },
  {
    name: 'another password',
    port: () => tls,
    env: () => via('corp:wrong'),
    fails: /wants a user name and a password/,
  },
  { name: 'a password with a stray percent sign', port: () => tls, env: () => via('corp:p%ss'), fails: /407/ },
  {
    name: 'exempt from the proxy',
    port: () => tls,
    env: () => ({ ...trusting(), NO_PROXY: '.corp' }),
    fails: /is not a name that can be resolved/,
  },
  {
    name: 'a proxy that is not there',
    port: () => tls,
    env: () => ({ HTTPS_PROXY: 'http://127.0.0.1:9' }),
    fails: /cannot be reached/,
  },
  { name: 'an authority that nobody knows', port: () => tls, env: () => via(LOGIN), fails: /not trusted here/ },
  {
    name: 'the authority by flag',
    port: () => tls,
    args: ['--registry-cacert', 'ca.pem'],
    env: () => via(LOGIN),
    through: /^CONNECT/,
  },
  {
    name: 'the authority as Node has it',
    port: () => tls,
    env: () => ({ ...via(LOGIN), NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }),
  },
  {
    name: 'whoever it is, as asked for',
    port: () => tls,
    args: ['--allow-insecure-registry'],
    env: () => via(LOGIN),
  },
  {
    name: 'an authority file that is not there',
    port: () => tls,
    args: ['--registry-cacert', 'nowhere.pem'],
    env: () => via(LOGIN),
    fails: /nowhere\.pem/,
  },
]

describe('the built program asks a registry', () => {
  for (const { name, port, args = [], env, fails, through } of CASES) {
    test(name, async () => {
      asked.length = 0
      const words = args.map((word) => (word.endsWith('.pem') ? join(folder, word) : word))
      const own = { SSL_CERT_FILE: undefined, SSL_CERT_DIR: undefined, ...env?.() }
      const outcome = await countersign(['tree', ...words, `registry.corp:${String(port())}/app:latest`], own)
      assert.equal(outcome.code, fails === undefined ? 0 : 1, outcome.stderr)
      if (fails !== undefined) assert.match(outcome.stderr, fails)
      if (through !== undefined)
        assert.ok(
          asked.some((line) => through.test(line)),
          asked.join('\n'),
        )
      assert.doesNotMatch(outcome.stderr, /p@ss|p%40ss|wrong|p%ss/)
    })
  }
})
