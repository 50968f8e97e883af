/** Putting objects into a test cluster, past nothing: they go through every webhook. @module */
import type { JsonObject } from '#encoding/json'
import type { TestCluster } from './cluster.js'
import { sharedPolicy } from './gate.js'
import { collectionOf, eventually } from './workloads.js'

/** Makes it, or makes it so. */
export async function applyObject(cluster: TestCluster, object: JsonObject): Promise<void> {
  const { metadata } = object as { readonly metadata: { readonly name: string; readonly namespace?: string } }
  const at = { ...collectionOf(object, metadata.namespace), name: metadata.name }
  await cluster.admin.apply(at, object, { fieldManager: 'test', force: true })
}

/** A file of others, unchanged, as people apply it. */
export async function applyFile(cluster: TestCluster, path: string): Promise<void> {
  const input = await sharedPolicy(path)
  const { code, stderr } = await cluster.kubectl(['apply', '--validate=strict', '-f', '-'], { input })
  if (code !== 0) throw new Error(stderr)
}

/** A namespace in which pods can be made. */
export async function createNamespace(cluster: TestCluster, name: string, labels: JsonObject): Promise<void> {
  await applyObject(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  const accounts = { apiVersion: 'v1', resource: 'serviceaccounts', namespace: name }
  await eventually(
    () => cluster.admin.list(accounts),
    ({ items }) => items.length > 0,
  )
}
