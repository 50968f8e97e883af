import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterOfDocuments } from './cluster-of-documents.js'

const { signal } = new AbortController()
const keys = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'keys', namespace: 'a' }, data: { key: 'x' } }
const cluster = clusterOfDocuments([keys, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } }])
const configMaps = (namespace?: string) => ({ apiVersion: 'v1', resource: 'configmaps', namespace })

test('objects are found by kind, namespace and name', async () => {
  assert.equal(await cluster.get(configMaps('a'), 'keys', signal), keys)
  assert.equal((await cluster.list(configMaps(), signal)).length, 2)
  assert.equal((await cluster.list(configMaps('default'), signal)).length, 1)
})

for (const [name, ask] of [
  ['another namespace', () => cluster.get(configMaps('b'), 'keys', signal)],
  ['another kind', () => cluster.get({ ...configMaps('a'), resource: 'secrets' }, 'keys', signal)],
  ['another version', () => cluster.get({ ...configMaps('a'), apiVersion: 'v2' }, 'keys', signal)],
  ['an empty list', () => cluster.list(configMaps('b'), signal)],
  ['a call', () => cluster.call('/api/v1/pods', { method: 'GET' }, signal)],
  ['a global context entry', () => cluster.globalContext('x', undefined, signal)],
] as const) {
  test(`what is not among the documents is not known to be absent: ${name}`, async () => {
    await assert.rejects(ask(), { code: 'POLICY_CLUSTER' })
  })
}
