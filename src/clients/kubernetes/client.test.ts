import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { createFakeCluster, type FakeCluster } from '#testing/kubernetes/fake-cluster'
import { statusResponse } from '#testing/kubernetes/statuses'
import type { KubernetesApi } from './api.js'
import { createDiscovery } from './discovery.js'
import { KubernetesError } from './kubernetes-error.js'
import type { ObjectAddress } from './object.js'

const KEY: ObjectAddress = { apiVersion: 'v1', resource: 'secrets', namespace: 'team-a', name: 'key' }
const SECRETS = { apiVersion: 'v1', resource: 'secrets' }

function secret(name: string, value = 'x', namespace = 'team-a'): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: { value } }
}

function clusterWith(...names: readonly string[]): FakeCluster {
  const cluster = createFakeCluster()
  for (const name of names) cluster.put(secret(name))
  return cluster
}

function refusing(status: number, message: string, reason?: string): KubernetesApi {
  const options = reason === undefined ? {} : { reason }
  return createFakeCluster({ intercept: () => statusResponse(status, message, options) }).api
}

test('an object is made, read, replaced and deleted', async () => {
  const { api } = createFakeCluster()
  const made = await api.create({ ...SECRETS, namespace: 'team-a' }, secret('key'))
  assert.deepEqual(await api.get(KEY), made)
  const changed = await api.update(KEY, { ...made, data: { value: 'y' } })
  assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion)
  assert.deepEqual((await api.get(KEY))['data'], { value: 'y' })
  await api.delete(KEY)
  await assert.rejects(api.get(KEY), { code: 'KUBERNETES_NOT_FOUND' })
})

test('what has changed meanwhile is not overwritten', async () => {
  const { api } = clusterWith('key')
  const seen = await api.get(KEY)
  await api.patch(KEY, { kind: 'merge', body: { data: { value: 'theirs' } } })
  await assert.rejects(api.update(KEY, { ...seen, data: {} }), { code: 'KUBERNETES_CONFLICT' })
  const stale = { resourceVersion: seen.metadata.resourceVersion ?? '' }
  await assert.rejects(api.delete(KEY, stale), { code: 'KUBERNETES_CONFLICT' })
  await assert.rejects(api.delete(KEY, { uid: 'another' }), { code: 'KUBERNETES_CONFLICT' })
  assert.deepEqual((await api.get(KEY))['data'], { value: 'theirs' })
})

test('a second one of the same name is told from a conflict', async () => {
  const { api } = clusterWith('key')
  const creating = api.create({ ...SECRETS, namespace: 'team-a' }, secret('key'))
  await assert.rejects(creating, { code: 'KUBERNETES_EXISTS' })
})

test('applied fields are ours, others stay, and what others own is not taken', async () => {
  const { api } = clusterWith()
  const of = { fieldManager: 'us' }
  await api.apply(KEY, { ...secret('key'), data: { a: '1', b: '1' } }, of)
  await api.apply(KEY, { ...secret('key'), data: { a: '1' } }, of)
  await api.apply(KEY, { ...secret('key'), data: { c: '1' } }, { fieldManager: 'them' })
  assert.deepEqual((await api.get(KEY))['data'], { a: '1', c: '1' })
  const taking = { ...secret('key'), data: { c: '2' } }
  await assert.rejects(api.apply(KEY, taking, of), { code: 'KUBERNETES_CONFLICT' })
  await api.apply(KEY, taking, { ...of, force: true })
  assert.deepEqual((await api.get(KEY))['data'], { c: '2' })
})

test('JSON patches are whole or nothing', async () => {
  const { api } = clusterWith('key')
  const body = [
    { op: 'add', path: '/data/a', value: 'z' },
    { op: 'test', path: '/data/value', value: 'other' },
  ]
  await assert.rejects(api.patch(KEY, { kind: 'json', body }), { code: 'KUBERNETES_INVALID' })
  await api.patch(KEY, { kind: 'json', body: body.slice(0, 1) })
  assert.deepEqual((await api.get(KEY))['data'], { value: 'x', a: 'z' })
})

test('the status is written apart', async () => {
  const { api, put } = createFakeCluster()
  const at = { apiVersion: 'apps/v1', resource: 'deployments', namespace: 'default', name: 'web' }
  const metadata = { name: 'web', namespace: 'default' }
  put({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1 }, status: { replicas: 1 } })
  await api.patch(at, { kind: 'merge', body: { spec: { replicas: 2 }, status: { replicas: 9 } } })
  await api.patch(
    at,
    { kind: 'merge', body: { spec: { replicas: 9 }, status: { replicas: 2 } } },
    { subresource: 'status' },
  )
  const { spec, status } = await api.get(at)
  assert.deepEqual([spec, status], [{ replicas: 2 }, { replicas: 2 }])
})

test('a list is read page by page, of one state', async () => {
  const names = Array.from({ length: 1201 }, (_, index) => `s${String(index).padStart(4, '0')}`)
  const { api, requests } = clusterWith(...names)
  const { items, resourceVersion } = await api.list(SECRETS)
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    names,
  )
  assert.ok(items.every(({ kind, apiVersion }) => kind === 'Secret' && apiVersion === 'v1'))
  assert.equal(resourceVersion, '1301')
  assert.equal(requests.length, 3)
})

test('pages that are no longer kept mean beginning again, at last in one answer', async () => {
  const names = Array.from({ length: 600 }, (_, index) => `s${String(index)}`)
  let limits: (string | null)[] = []
  const cluster = createFakeCluster({
    intercept: (request) => {
      limits = [...limits, new URL(request.url).searchParams.get('limit')]
      cluster.expirePages()
      return undefined
    },
  })
  for (const name of names) cluster.put(secret(name))
  const { items } = await cluster.api.list(SECRETS)
  assert.equal(items.length, 600)
  assert.deepEqual(limits, ['500', '500', '500', '500', null])
})

test('selectors are the server’s to apply', async () => {
  const { api } = clusterWith('a', 'b')
  const { items } = await api.list(SECRETS, { fieldSelector: 'metadata.name=b' })
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['b'],
  )
})

for (const [status, reason, code] of [
  [400, 'BadRequest', 'KUBERNETES_INVALID'],
  [401, 'Unauthorized', 'KUBERNETES_UNAUTHORIZED'],
  [403, 'Forbidden', 'KUBERNETES_FORBIDDEN'],
  [404, 'NotFound', 'KUBERNETES_NOT_FOUND'],
  [409, 'Conflict', 'KUBERNETES_CONFLICT'],
  [409, 'AlreadyExists', 'KUBERNETES_EXISTS'],
  [410, 'Expired', 'KUBERNETES_EXPIRED'],
  [410, 'Gone', 'KUBERNETES_EXPIRED'],
  [422, 'Invalid', 'KUBERNETES_INVALID'],
  [429, 'TooManyRequests', 'KUBERNETES_THROTTLED'],
  [500, 'InternalError', 'KUBERNETES_UNAVAILABLE'],
  [504, 'Timeout', 'KUBERNETES_UNAVAILABLE'],
] as const) {
  test(`${String(status)} ${reason} is ${code}`, async () => {
    await assert.rejects(refusing(status, 'no', reason).get(KEY), { code })
  })
}

test('a denial keeps its lines, and the message of the error does not', async () => {
  const said = 'admission webhook "x" denied the request: \n\nresource Pod/default/a was blocked\n\np:\n  r: no\n'
  const denied = await refusing(400, said)
    .get(KEY)
    .catch((error: unknown) => error)
  assert.ok(denied instanceof KubernetesError)
  assert.equal(denied.status?.message, said)
  assert.ok(!denied.message.includes('\n'))
})

test('a refusal of somebody who is no API server is judged by its status', async () => {
  const { api } = createFakeCluster({ intercept: () => new Response('<html>', { status: 503 }) })
  await assert.rejects(api.get(KEY), { code: 'KUBERNETES_UNAVAILABLE' })
})

for (const [name, answer] of [
  ['a page', () => new Response('<html>')],
  ['another list', () => Response.json({ kind: 'Secret', apiVersion: 'v1', metadata: {} })],
  ['a list without a version', () => Response.json({ kind: 'SecretList', apiVersion: 'v1', metadata: {}, items: [] })],
  [
    'an item without a name',
    () => Response.json({ kind: 'SecretList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [{}] }),
  ],
  [
    'the same page for ever',
    () =>
      Response.json({
        kind: 'SecretList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '1', continue: 'x' },
        items: [{ metadata: { name: 'a' } }],
      }),
  ],
] as const) {
  test(`${name} is no list`, async () => {
    const { api } = createFakeCluster({ intercept: answer })
    await assert.rejects(api.list(SECRETS), (error: { code?: string }) =>
      ['KUBERNETES_ANSWER', 'HTTP_JSON'].includes(error.code ?? ''),
    )
  })
}

for (const path of [
  'api/v1/pods',
  '//evil.example/api',
  '/api/v1/../../../x',
  '/api/%2e%2e/%2e%2e/x',
  'https://evil.example/',
  '/api/v1#x',
]) {
  test(`the address ${path} does not leave the server`, async () => {
    const seen: string[] = []
    const { api } = createFakeCluster({
      intercept: (request) => {
        seen.push(new URL(request.url).host)
        return Response.json({})
      },
    })
    await api.call(path, { method: 'GET' }).catch((error: unknown) => {
      assert.equal((error as KubernetesError).code, 'KUBERNETES_INVALID')
    })
    assert.ok(seen.every((host) => host === 'kubernetes.example'))
  })
}

for (const name of ['', '.', '..', 'a/b', 'a%2fb']) {
  test(`an object called ${JSON.stringify(name)} is not asked for`, async () => {
    const { api, requests } = createFakeCluster()
    await assert.rejects(api.get({ ...KEY, name }), { code: 'KUBERNETES_INVALID' })
    assert.equal(requests.length, 0)
  })
}

test('warnings are passed on, quotes and commas and all', async () => {
  const warnings: string[] = []
  const { api } = createFakeCluster({
    intercept: () =>
      Response.json(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } },
        { headers: { warning: '299 - "a, \\"b\\"", 299 countersign "c"' } },
      ),
  })
  await api.create({ ...SECRETS, namespace: 'team-a' }, {}, { onWarning: (text) => warnings.push(text) })
  assert.deepEqual(warnings, ['a, "b"', 'c'])
})

test('a kind has its plural, and one that comes later is found', async () => {
  let now = 0
  const { api, put, requests } = createFakeCluster()
  const discovery = createDiscovery(api, () => now)
  assert.equal((await discovery.resourceOf('apps/v1', 'Deployment'))?.resource, 'deployments')
  await discovery.resourceOf('apps/v1', 'ReplicaSet')
  assert.equal(requests.length, 1)
  assert.equal(await discovery.resourceOf('kyverno.io/v1', 'Policy'), undefined)
  put({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'policies.kyverno.io' },
    spec: {
      group: 'kyverno.io',
      scope: 'Namespaced',
      names: { plural: 'policies', kind: 'Policy' },
      versions: [{ name: 'v1' }],
    },
  })
  now += 3000
  assert.deepEqual(await discovery.resourceOf('kyverno.io/v1', 'Policy'), {
    apiVersion: 'kyverno.io/v1',
    resource: 'policies',
    kind: 'Policy',
    namespaced: true,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  })
})

test('groups are told with the version that the server prefers', async () => {
  const groups = await createFakeCluster().api.groups()
  assert.deepEqual(groups.slice(0, 2), [
    { name: '', apiVersions: ['v1'] },
    { name: 'apps', apiVersions: ['apps/v1'] },
  ])
})
