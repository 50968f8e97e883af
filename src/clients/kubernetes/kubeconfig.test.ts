import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { AccessFiles, ClusterAccess } from './cluster-access.js'
import { findAccess, type AccessOptions } from './find-access.js'

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const HOME = { HOME: '/home/me' }
const DEFAULT = '/home/me/.kube/config'

function files(contents: Readonly<Record<string, string>>): AccessFiles {
  return {
    read: (path) => {
      const text = contents[path]
      return Promise.resolve(text === undefined ? undefined : encodeUtf8(text))
    },
  }
}

/** A kubeconfig of one context. */
function config({ cluster = 'server: https://one.example:6443', user = 'token: t', extra = '' } = {}): string {
  return `apiVersion: v1
kind: Config
current-context: one
contexts: [{name: one, context: {cluster: c, user: u, namespace: team-a}}]
clusters:
- name: c
  cluster:
    ${cluster.replaceAll('\n', '\n    ')}
users:
- name: u
  user:
    ${user.replaceAll('\n', '\n    ')}
${extra}`
}

async function access(text: string, options: AccessOptions = {}): Promise<ClusterAccess> {
  return await findAccess(options, HOME, files({ [DEFAULT]: text }))
}

test('the current context says which cluster, user and namespace', async () => {
  assert.deepEqual(await access(config()), {
    server: 'https://one.example:6443',
    tls: { ca: undefined, certificate: undefined, key: undefined, serverName: undefined, insecureSkipVerify: false },
    credential: { kind: 'token', token: 't' },
    impersonation: {},
    proxyUrl: undefined,
    namespace: 'team-a',
  })
})

test('certificates stand in it, or in files beside it', async () => {
  const inline = encodeBase64(encodeUtf8(PEM))
  const found = await access(
    config({
      cluster: `server: https://one.example/base/\ncertificate-authority: ca.pem\ntls-server-name: n`,
      user: `client-certificate-data: ${inline}\nclient-key: keys/k.pem`,
    }),
  )
  assert.deepEqual(found.tls, {
    ca: { kind: 'file', path: '/home/me/.kube/ca.pem' },
    certificate: { kind: 'text', pem: PEM },
    key: { kind: 'file', path: '/home/me/.kube/keys/k.pem' },
    serverName: 'n',
    insecureSkipVerify: false,
  })
  assert.equal(found.server, 'https://one.example/base')
})

test('data comes before a file, and a file of a token before a token', async () => {
  const inline = encodeBase64(encodeUtf8(PEM))
  const found = await access(
    config({
      cluster: `server: https://one.example\ncertificate-authority: /none\ncertificate-authority-data: ${inline}`,
      user: 'token: old\ntokenFile: fresh',
    }),
  )
  assert.deepEqual(found.tls.ca, { kind: 'text', pem: PEM })
  assert.deepEqual(found.credential, { kind: 'token-file', path: '/home/me/.kube/fresh' })
})

test('passwords, proxies, skipped verification and impersonation are understood', async () => {
  const found = await access(
    config({
      cluster: 'server: https://one.example\nproxy-url: http://proxy.example:3128\ninsecure-skip-tls-verify: true',
      user: 'username: me\npassword: secret\nas: somebody\nas-uid: "7"\nas-groups: [admins]',
    }),
  )
  assert.equal(found.proxyUrl, 'http://proxy.example:3128')
  assert.equal(found.tls.insecureSkipVerify, true)
  assert.deepEqual(found.credential, { kind: 'basic', username: 'me', password: 'secret' })
  assert.deepEqual(found.impersonation, {
    'Impersonate-User': 'somebody',
    'Impersonate-Uid': '7',
    'Impersonate-Group': 'admins',
  })
})

test('a credential plugin is a program on PATH, or beside the file', async () => {
  const exec = (command: string): string =>
    `exec: {apiVersion: client.authentication.k8s.io/v1, command: ${command}, args: [get-token], env: [{name: A, value: b}], provideClusterInfo: true}`
  const program = async (command: string): Promise<unknown> =>
    (await access(config({ user: exec(command) }))).credential
  assert.deepEqual(await program('login'), {
    kind: 'program',
    program: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'login',
      args: ['get-token'],
      env: { A: 'b' },
      installHint: undefined,
      provideClusterInfo: true,
    },
  })
  const beside = (await program('./bin/login')) as { program: { command: string } }
  assert.equal(beside.program.command, '/home/me/.kube/./bin/login')
})

test('several files are one configuration, in which the first word counts', async () => {
  const contents = files({
    '/a': 'current-context: two\nclusters: [{name: c, cluster: {server: "https://first.example"}}]',
    '/b': `${config()}\n`,
    '/c': 'contexts: [{name: two, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "https://last.example"}}]',
  })
  const found = await findAccess({}, { KUBECONFIG: '/a:/b:/missing::/c' }, contents)
  assert.equal(found.server, 'https://first.example')
  assert.deepEqual(found.credential, { kind: 'token', token: 't' })
  assert.equal(found.namespace, 'default')
  const one = await findAccess({ context: 'one', namespace: 'n' }, { KUBECONFIG: '/a:/b' }, contents)
  assert.equal(one.namespace, 'n')
})

test('a pod knows its own cluster, unless it is told of another', async () => {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount'
  const env = { ...HOME, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const contents = files({ [`${folder}/token`]: 't', [`${folder}/namespace`]: 'gate\n', [DEFAULT]: config() })
  const found = await findAccess({}, env, contents)
  assert.deepEqual(
    [found.server, found.namespace, found.credential, found.tls.ca],
    [
      'https://[fd00::1]:443',
      'gate',
      { kind: 'token-file', path: `${folder}/token` },
      { kind: 'file', path: `${folder}/ca.crt` },
    ],
  )
  assert.equal((await findAccess({ context: 'one' }, env, contents)).server, 'https://one.example:6443')
  const named = { ...env, KUBECONFIG: DEFAULT }
  assert.equal((await findAccess({}, named, contents)).server, 'https://one.example:6443')
  await assert.rejects(findAccess({}, env, files({})), { code: 'KUBERNETES_CONFIG' })
})

for (const [name, text, options] of [
  ['no current context', 'kind: Config', {}],
  ['a context that is not there', config(), { context: 'two' }],
  ['a cluster that is not there', config(), { cluster: 'd' }],
  ['a user that is not there', config(), { user: 'v' }],
  ['no server', config({ cluster: 'proxy-url: x' }), {}],
  ['a server that is no address', config({ cluster: 'server: one' }), {}],
  ['a server of another kind', config({ cluster: 'server: ftp://one' }), {}],
  ['a list for a text', config({ cluster: 'server: [https://one.example]' }), {}],
  ['a text for a flag', config({ cluster: 'server: https://one\ninsecure-skip-tls-verify: "yes"' }), {}],
  [
    'an authority that is ignored',
    config({ cluster: 'server: https://one\ncertificate-authority: x\ninsecure-skip-tls-verify: true' }),
    {},
  ],
  ['a certificate without its key', config({ user: 'client-certificate: x' }), {}],
  ['a key without its certificate', config({ user: 'client-key-data: QUFB' }), {}],
  ['data that is no base64', config({ user: 'client-key-data: "%%"\nclient-certificate: x' }), {}],
  ['a provider of old', config({ user: 'auth-provider: {name: gcp}' }), {}],
  ['a plugin of an old version', config({ user: 'exec: {apiVersion: x/v1, command: c}' }), {}],
  ['a plugin without a command', config({ user: 'exec: {apiVersion: client.authentication.k8s.io/v1}' }), {}],
  [
    'a plugin that wants a person',
    config({ user: 'exec: {apiVersion: client.authentication.k8s.io/v1, command: c, interactiveMode: Always}' }),
    {},
  ],
  [
    'a plugin with an environment of numbers',
    config({ user: 'exec: {apiVersion: client.authentication.k8s.io/v1, command: c, env: [{name: A, value: 1}]}' }),
    {},
  ],
  ['more impersonation than there is', config({ user: 'as: x\nas-groups: [a, b]' }), {}],
  ['a list of contexts that is none', 'contexts: {}', {}],
  ['an entry without a name', 'clusters: [{cluster: {}}]', {}],
  ['another kind', 'kind: Pod', {}],
  ['no YAML', '{', {}],
  ['nothing', '', {}],
] as const) {
  test(`a kubeconfig with ${name} is refused`, async () => {
    await assert.rejects(access(text, options), { code: 'KUBERNETES_CONFIG' })
  })
}

test('no kubeconfig and no pod is said', async () => {
  await assert.rejects(findAccess({}, {}, files({})), { code: 'KUBERNETES_CONFIG' })
  await assert.rejects(findAccess({}, HOME, files({})), { code: 'KUBERNETES_CONFIG' })
})

test('no text in a kubeconfig is more than a refusal, and none shows a secret', async () => {
  const scalar = fc.oneof(fc.string(), fc.constantFrom('hunter2', 'c', 'u', 'https://x', 'QUFB'))
  const value = fc.oneof(scalar, fc.integer(), fc.boolean(), fc.constant(null), fc.array(scalar, { maxLength: 2 }))
  const names = [
    ...['server', 'certificate-authority', 'certificate-authority-data', 'client-certificate-data', 'client-key-data'],
    ...['token', 'tokenFile', 'username', 'password', 'exec', 'as', 'as-groups', 'proxy-url', 'tls-server-name'],
  ]
  const entry = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 })
  await fc.assert(
    fc.asyncProperty(entry, entry, async (cluster, user) => {
      const text = JSON.stringify({
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user }],
      })
      try {
        assert.equal(typeof (await access(text)).server, 'string')
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
        assert.ok(!JSON.stringify([error.message, error.expected, error.found, error.hint]).includes('hunter2'))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('any bytes are a kubeconfig or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      await assert.rejects(access(text), isCodedError)
    }),
    { numRuns: fuzzRuns() },
  )
})
