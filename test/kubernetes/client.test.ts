import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemTimers } from '#clients/http/timers'
import { createDiscovery } from '#clients/kubernetes/discovery'
import { startResourceCache, type ResourceCache } from '#clients/kubernetes/resource-cache'
import type { JsonObject } from '#encoding/json'
import { startCluster, type TestCluster } from './cluster.js'
import { Opened } from './opened.js'

const CONFIG_MAPS = { apiVersion: 'v1', resource: 'configmaps', namespace: 'default' }
const opened = new Opened()
let cluster: TestCluster

before(async () => {
  cluster = opened.add(await startCluster())
})
after(() => opened.stop())

function configMap(name: string, value: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { value } }
}

function startCache(): ResourceCache {
  return startResourceCache({
    api: cluster.admin,
    of: CONFIG_MAPS,
    clock: () => Date.now(),
    timers: systemTimers,
    random: () => Math.random(),
  })
}

/** Resolves once a cache is as it should be. */
async function until(cache: ResourceCache, holds: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (holds()) {
        leave()
        resolve()
      }
    }
    const leave = cache.onChange(check)
    check()
  })
}

test('objects are made, applied, patched and deleted, and refusals have their codes', async () => {
  const { admin } = cluster
  const at = { ...CONFIG_MAPS, name: 'a' }
  const made = await admin.create(CONFIG_MAPS, configMap('a', '1'))
  await assert.rejects(admin.create(CONFIG_MAPS, configMap('a', '1')), { code: 'KUBERNETES_EXISTS' })
  await admin.patch(at, { kind: 'json', body: [{ op: 'replace', path: '/data/value', value: '2' }] })
  await assert.rejects(admin.update(at, { ...made, data: {} }), { code: 'KUBERNETES_CONFLICT' })
  const applied = admin.apply(at, configMap('a', '3'), { fieldManager: 'us' })
  await assert.rejects(applied, { code: 'KUBERNETES_CONFLICT' })
  const forced = await admin.apply(at, configMap('a', '3'), { fieldManager: 'us', force: true })
  assert.deepEqual(forced['data'], { value: '3' })
  const misspelt = { ...configMap('a', '3'), dada: {} }
  await assert.rejects(admin.update(at, misspelt, { strict: true }), { code: 'KUBERNETES_INVALID' })
  const nobody = await admin.update(at, { ...configMap('a', '4') }, { dryRun: true })
  assert.deepEqual([nobody['data'], (await admin.get(at))['data']], [{ value: '4' }, { value: '3' }])
  await assert.rejects(admin.delete(at, { uid: 'another' }), { code: 'KUBERNETES_CONFLICT' })
  await admin.delete(at)
  await assert.rejects(admin.get(at), { code: 'KUBERNETES_NOT_FOUND' })
  await assert.rejects(admin.list({ apiVersion: 'none/v1', resource: 'nones' }), { code: 'KUBERNETES_NOT_FOUND' })
})

test('who may do nothing is told so, and who is nobody as well', async () => {
  const alice = await cluster.connect('alice')
  await assert.rejects(alice.list(CONFIG_MAPS), { code: 'KUBERNETES_FORBIDDEN' })
  const file = join(cluster.folder, 'stranger')
  const access = { server: cluster.server, 'certificate-authority': cluster.certificates.ca }
  const context = { name: 'x', context: { cluster: 'x', user: 'x' } }
  const users = [{ name: 'x', user: { token: 'nobody' } }]
  await writeFile(file, JSON.stringify({ clusters: [{ name: 'x', cluster: access }], users, contexts: [context] }))
  const stranger = await cluster.connect('x', file)
  await assert.rejects(stranger.list(CONFIG_MAPS), { code: 'KUBERNETES_UNAUTHORIZED' })
})

test('a client certificate logs in, and an unknown authority is not trusted', async () => {
  const root = await cluster.connect('root')
  assert.equal((await root.get({ apiVersion: 'v1', resource: 'namespaces', name: 'default' })).kind, 'Namespace')
  const file = join(cluster.folder, 'untrusted')
  const other = { server: cluster.server, 'certificate-authority': cluster.certificates.admin.certificate }
  const context = { name: 'x', context: { cluster: 'x' } }
  await writeFile(file, JSON.stringify({ clusters: [{ name: 'x', cluster: other }], contexts: [context] }))
  const untrusting = await cluster.connect('x', file)
  await assert.rejects(untrusting.list(CONFIG_MAPS), { code: 'HTTP_TLS' })
})

test('a service account’s token is read anew when it is replaced', async () => {
  const { admin } = cluster
  const accounts = { apiVersion: 'v1', resource: 'serviceaccounts', namespace: 'default' }
  await admin.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'gate' } })
  const path = join(cluster.folder, 'token')
  const renew = async (): Promise<void> => {
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: 'gate' },
      spec: { expirationSeconds: 600 },
    }
    const issued = await admin.call('/api/v1/namespaces/default/serviceaccounts/gate/token', {
      method: 'POST',
      body: request,
    })
    const { status } = issued as { status: { token: string } }
    await writeFile(`${path}.new`, status.token)
    await rename(`${path}.new`, path)
  }
  const file = join(cluster.folder, 'service-account')
  const access = { server: cluster.server, 'certificate-authority': cluster.certificates.ca }
  const context = { name: 'x', context: { cluster: 'x', user: 'x' } }
  const users = [{ name: 'x', user: { tokenFile: 'token' } }]
  await writeFile(file, JSON.stringify({ clusters: [{ name: 'x', cluster: access }], users, contexts: [context] }))
  const gate = await cluster.connect('x', file)
  await writeFile(path, 'expired')
  await assert.rejects(gate.list(CONFIG_MAPS), { code: 'KUBERNETES_UNAUTHORIZED' })
  await renew()
  const message = /system:serviceaccount:default:gate/
  await assert.rejects(gate.list(CONFIG_MAPS), { code: 'KUBERNETES_FORBIDDEN', message })
})

test('kinds have their plurals', async () => {
  const discovery = createDiscovery(cluster.admin, () => Date.now())
  const found = await discovery.resourceOf('apps/v1', 'Deployment')
  assert.deepEqual([found?.resource, found?.namespaced], ['deployments', true])
  assert.equal(await discovery.resourceOf('kyverno.io/v1', 'Policy'), undefined)
  assert.ok((await cluster.admin.groups()).some(({ name }) => name === 'apiextensions.k8s.io'))
})

test('a list of several pages is one state', async () => {
  const names = Array.from({ length: 600 }, (_, index) => `page-${String(index)}`)
  await Promise.all(names.map((name) => cluster.admin.create(CONFIG_MAPS, configMap(name, 'x'))))
  const { items } = await cluster.admin.list(CONFIG_MAPS)
  const listed = new Set(items.map(({ metadata }) => metadata.name))
  assert.ok(names.every((name) => listed.has(name)))
})

test('a cache follows the server, outlives it, and makes up for what happened meanwhile', async () => {
  const cache = startCache()
  await cache.whenSynced()
  await cluster.admin.create(CONFIG_MAPS, configMap('kept', '1'))
  await until(cache, () => cache.get('kept', 'default') !== undefined)
  await cluster.killApiServer()
  assert.deepEqual(cache.get('kept', 'default')?.['data'], { value: '1' })
  await cluster.startApiServer()
  await cluster.admin.patch({ ...CONFIG_MAPS, name: 'kept' }, { kind: 'merge', body: { data: { value: '2' } } })
  await until(cache, () => JSON.stringify(cache.get('kept', 'default')?.['data']) === '{"value":"2"}')
  await cluster.admin.delete({ ...CONFIG_MAPS, name: 'kept' })
  await until(cache, () => cache.get('kept', 'default') === undefined)
  assert.equal(cache.state().contact, 'current')
  await cache.stop()
})
