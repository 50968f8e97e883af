import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork, type SeenRequest } from '#testing/fake-fetch'
import { fakeTimers, type FakeTimers } from '#testing/fake-timers'
import { HttpError } from '../http/http-error.js'
import type { ProgramInput, ProgramResult } from '../programs.js'
import type { ClusterAccess, ClusterCredential, CredentialProgram } from './cluster-access.js'
import { createKubernetesClient } from './client.js'
import { createConnection, type ClusterConnection } from './connection.js'
import { KubernetesError } from './kubernetes-error.js'

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const KEY_PEM = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'
const PROGRAM: CredentialProgram = {
  apiVersion: 'client.authentication.k8s.io/v1',
  command: 'login',
  args: ['get'],
  env: { REGION: 'x' },
  installHint: 'install login',
  provideClusterInfo: true,
}

interface Bench {
  readonly connection: ClusterConnection
  readonly network: FakeNetwork
  readonly time: FakeTimers
  readonly files: Map<string, string>
  readonly ran: ProgramInput[]
}

interface BenchOptions {
  readonly credential?: ClusterCredential
  readonly tls?: Partial<ClusterAccess['tls']>
  readonly access?: Partial<ClusterAccess>
  readonly files?: Readonly<Record<string, string>>
  readonly program?: () => ProgramResult | Error
}

function bench(respond: (request: SeenRequest, index: number) => FakeAnswer, options: BenchOptions = {}): Bench {
  const network = fakeNetwork(respond)
  const time = fakeTimers()
  const files = new Map(Object.entries(options.files ?? {}))
  const ran: ProgramInput[] = []
  const tls = {
    ca: undefined,
    certificate: undefined,
    key: undefined,
    serverName: undefined,
    insecureSkipVerify: false,
  }
  const access: ClusterAccess = {
    server: 'https://kube.example/base',
    tls: { ...tls, ...options.tls },
    credential: options.credential ?? { kind: 'none' },
    impersonation: {},
    proxyUrl: undefined,
    namespace: 'default',
    ...options.access,
  }
  const connection = createConnection(access, {
    env: { PATH: '/bin' },
    clock: time.clock,
    timers: time.timers,
    random: () => 0,
    userAgent: 'test',
    transport: network.fetch,
    files: { read: (path) => Promise.resolve(mapped(files.get(path), encodeUtf8)) },
    runner: {
      run: (_program, _args, input) => {
        ran.push(input)
        const result = options.program?.() ?? new Error('ENOENT')
        return result instanceof Error ? Promise.reject(result) : Promise.resolve(result)
      },
    },
  })
  return { connection, network, time, files, ran }
}

function mapped<A, B>(value: A | undefined, map: (value: A) => B): B | undefined {
  return value === undefined ? undefined : map(value)
}

function authorizations({ requests }: FakeNetwork): readonly (string | undefined)[] {
  return requests.map(({ headers }) => headers['authorization'])
}

function credential(status: object): ProgramResult {
  return {
    exitCode: 0,
    stdout: JSON.stringify({ apiVersion: PROGRAM.apiVersion, kind: 'ExecCredential', status }),
  }
}

test('a request goes below the server’s address, with who we are and for whom', async () => {
  const { connection, network } = bench(() => json({}), {
    credential: { kind: 'basic', username: 'me', password: 'pw' },
    access: { impersonation: { 'Impersonate-User': 'somebody' } },
  })
  await connection.request('/api/v1/pods?limit=1')
  assert.deepEqual(network.lines(), ['GET https://kube.example/base/api/v1/pods?limit=1'])
  const { headers = {} } = network.requests[0] ?? {}
  assert.equal(headers['authorization'], 'Basic bWU6cHc=')
  assert.equal(headers['impersonate-user'], 'somebody')
})

test('a token is read again a minute later, and at once when it is not accepted', async () => {
  let accepted = 'Bearer one'
  const { connection, network, time, files } = bench(
    ({ headers }) => json({}, headers['authorization'] === accepted ? 200 : 401),
    { credential: { kind: 'token-file', path: '/token' }, files: { '/token': 'one\n' } },
  )
  await connection.request('/a')
  files.set('/token', 'two')
  await connection.request('/b')
  await time.advance(61_000)
  accepted = 'Bearer two'
  await connection.request('/c')
  files.set('/token', 'three')
  accepted = 'Bearer three'
  assert.equal((await connection.request('/d')).status, 200)
  assert.deepEqual(authorizations(network), ['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two', 'Bearer three'])
})

test('a token that is gone for a moment is used on; one that never was is said', async () => {
  const { connection, network, time, files } = bench(() => json({}), {
    credential: { kind: 'token-file', path: '/token' },
    files: { '/token': 'one' },
  })
  await connection.request('/a')
  files.delete('/token')
  await time.advance(120_000)
  await connection.request('/b')
  assert.deepEqual(authorizations(network), ['Bearer one', 'Bearer one'])
  const empty = bench(() => json({}), { credential: { kind: 'token-file', path: '/token' }, files: { '/token': '\n' } })
  await assert.rejects(empty.connection.request('/a'), { code: 'KUBERNETES_CREDENTIALS' })
})

test('a fixed token that is not accepted is not tried twice', async () => {
  const { connection, network } = bench(() => json({}, 401), { credential: { kind: 'token', token: 't' } })
  assert.equal((await connection.request('/a')).status, 401)
  assert.equal(network.requests.length, 1)
})

test('a token cannot smuggle headers', () => {
  const smuggling = { kind: 'token', token: 'a\r\nX-Evil: 1' } as const
  assert.throws(() => bench(() => json({}), { credential: smuggling }), { code: 'KUBERNETES_CREDENTIALS' })
})

test('a credential plugin is asked once until its answer ends', async () => {
  let count = 0
  const { connection, network, time, ran } = bench(() => json({}), {
    credential: { kind: 'program', program: PROGRAM },
    access: { tls: { ...bench(() => json({})).connection.access.tls, ca: { kind: 'text', pem: PEM } } },
    program: () => {
      count++
      const expirationTimestamp = new Date(Date.UTC(2026, 0, 1, count)).toISOString()
      return credential({ token: `t${String(count)}`, expirationTimestamp })
    },
  })
  await Promise.all([connection.request('/a'), connection.request('/b')])
  await time.advance(3_595_000)
  await connection.request('/c')
  assert.deepEqual(authorizations(network), ['Bearer t1', 'Bearer t1', 'Bearer t2'])
  const { env = {} } = ran[0] ?? { stdin: '' }
  assert.deepEqual([env['PATH'], env['REGION']], ['/bin', 'x'])
  assert.deepEqual(JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? ''), {
    apiVersion: PROGRAM.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: {
        server: 'https://kube.example/base',
        'insecure-skip-tls-verify': false,
        'certificate-authority-data': Buffer.from(PEM).toString('base64'),
      },
    },
  })
})

test('a plugin’s answer that is not accepted is asked for again', async () => {
  let count = 0
  const { connection, network } = bench(
    ({ headers }) => json({}, headers['authorization'] === 'Bearer t2' ? 200 : 401),
    {
      credential: { kind: 'program', program: PROGRAM },
      program: () => credential({ token: `t${String(++count)}` }),
    },
  )
  assert.equal((await connection.request('/a')).status, 200)
  assert.deepEqual(authorizations(network), ['Bearer t1', 'Bearer t2'])
})

for (const [name, program] of [
  ['is not there', () => new Error('ENOENT')],
  ['fails', () => ({ exitCode: 1, stdout: '' })],
  ['prints a token alone', () => ({ exitCode: 0, stdout: 'hunter2' })],
  ['prints another version', () => ({ exitCode: 0, stdout: '{"kind":"ExecCredential","apiVersion":"x","status":{}}' })],
  ['prints nothing in it', () => credential({})],
  ['prints a certificate without a key', () => credential({ clientCertificateData: PEM })],
  ['prints a token of two lines', () => credential({ token: 'hunter2\nx' })],
  ['prints a time that is none', () => credential({ token: 'hunter2', expirationTimestamp: 'soon' })],
] as const) {
  test(`a plugin that ${name} is said, without what it printed`, async () => {
    const { connection } = bench(() => json({}), { credential: { kind: 'program', program: PROGRAM }, program })
    const error = await connection.request('/a').catch((caught: unknown) => caught)
    assert.ok(error instanceof KubernetesError)
    assert.equal(error.code, 'KUBERNETES_CREDENTIALS')
    assert.equal(error.hint, 'install login')
    assert.ok(!JSON.stringify([error.message, error.found, error.expected, error.cause]).includes('hunter2'))
  })
}

test('an authority that was replaced is read when it no longer fits', async () => {
  const untrusted = new HttpError('HTTP_TLS', 'not trusted')
  let isTrusted = false
  const { connection, network, files } = bench(() => (isTrusted ? json({}) : untrusted), {
    tls: { ca: { kind: 'file', path: '/ca' } },
    files: { '/ca': PEM },
  })
  await assert.rejects(connection.request('/a'), { code: 'HTTP_TLS' })
  assert.equal(network.requests.length, 1)
  files.set('/ca', `${PEM}${PEM}`)
  const { connection: second, network: other } = bench((_request, index) => (index === 0 ? untrusted : json({})), {
    tls: { ca: { kind: 'file', path: '/ca' } },
    files: { '/ca': PEM },
  })
  isTrusted = true
  await assert.rejects(second.request('/a'), { code: 'HTTP_TLS' })
  assert.equal(other.requests.length, 1, 'what did not change is not tried again')
  assert.equal((await connection.request('/b')).status, 200)
})

test('certificates that are missing are said; those that go missing are used on', async () => {
  const missing = bench(() => json({}), { tls: { ca: { kind: 'file', path: '/ca' } } })
  await assert.rejects(missing.connection.request('/a'), { code: 'KUBERNETES_CONFIG' })
  const going = bench(() => json({}), {
    tls: {
      ca: { kind: 'file', path: '/ca' },
      certificate: { kind: 'file', path: '/crt' },
      key: { kind: 'file', path: '/key' },
    },
    files: { '/ca': PEM, '/crt': PEM, '/key': KEY_PEM },
  })
  await going.connection.request('/a')
  going.files.clear()
  await going.time.advance(120_000)
  assert.equal((await going.connection.request('/b')).status, 200)
})

test('no redirect is followed: it would lead to where the certificate does not vouch', async () => {
  const { connection, network } = bench(() => ({ status: 302, headers: { location: 'https://evil.example/' } }), {
    credential: { kind: 'token', token: 't' },
  })
  await assert.rejects(connection.request('/a'), { code: 'HTTP_REDIRECT' })
  assert.equal(network.requests.length, 1)
})

test('reads are tried again as the server asks; making an object is not', async () => {
  const busy = { status: 429, headers: { 'retry-after': '1' } }
  const reading = bench((_request, index) =>
    index === 0 ? busy : json({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }),
  )
  const at = { apiVersion: 'v1', resource: 'pods', namespace: 'n', name: 'p' }
  const got = createKubernetesClient(reading.connection, () => 0).get(at)
  await reading.time.advance(2000)
  await got
  assert.equal(reading.network.requests.length, 2)
  const making = bench(() => busy)
  const created = createKubernetesClient(making.connection, () => 0).create(at, {})
  await assert.rejects(created, { code: 'KUBERNETES_THROTTLED' })
  assert.equal(making.network.requests.length, 1)
})

test('a watch that falls silent is given up', async () => {
  const silent = (async function* () {
    yield await Promise.resolve(encodeUtf8('\n'))
    await new Promise(() => undefined)
  })()
  const { connection, time } = bench(() => ({ body: silent }))
  const events = createKubernetesClient(connection, () => 0).watch(
    { apiVersion: 'v1', resource: 'pods' },
    { resourceVersion: '1' },
  )
  assert.deepEqual((await events.next()).value, { type: 'STARTED' })
  const next = assert.rejects(events.next(), { code: 'HTTP_TIMEOUT' })
  await time.advance(60_000)
  await time.advance(60_000)
  await next
})
