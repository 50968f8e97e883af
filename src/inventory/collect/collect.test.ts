import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContentReader } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import type { JsonObject } from '#encoding/json'
import { createFakeCluster, type FakeCluster, type FakeClusterOptions } from '#testing/kubernetes/fake-cluster'
import { collectCluster } from './cluster.js'
import { imagesOfText } from './image-list.js'
import { imagesOfManifests } from './manifests.js'
import { runningImage } from './pod.js'
import { resolveSightings } from './resolve.js'
import type { Sighting } from './sighting.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const OTHER = `sha256:${'cd'.repeat(32)}`

for (const [id, expected] of [
  [`docker.io/library/nginx@${DIGEST}`, 'docker.io/library/nginx'],
  [`docker-pullable://nginx@${DIGEST}`, 'nginx'],
  [`registry.example.com:5000/a/b@${DIGEST}`, 'registry.example.com:5000/a/b'],
  [`docker://${DIGEST}`, undefined],
  [DIGEST, undefined],
  ['nginx:latest', undefined],
  [`nginx@sha256:${'AB'.repeat(32)}`, undefined],
  ['', undefined],
  [undefined, undefined],
  [{ id: 1 }, undefined],
] as const) {
  test(`what runs, by the id ${JSON.stringify(id)}: ${String(expected)}`, () => {
    assert.equal(runningImage(id)?.repository, expected)
  })
}

test('a list of names', () => {
  const names = imagesOfText('# ours\n\n nginx:1 \r\nghcr.io/a/b@sha256:x\n').map(({ name }) => name)
  assert.deepEqual(names, ['nginx:1', 'ghcr.io/a/b@sha256:x'])
})

describe('manifests', () => {
  test('containers of every kind, image volumes, lists; documents of other kinds have none', async () => {
    const text = `
kind: CronJob
metadata: {name: job, namespace: ops}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: one}]}}}}}
---
kind: List
items:
- kind: Pod
  metadata: {name: p}
  spec:
    initContainers: [{name: i, image: two}]
    containers: [{name: c, image: three}]
    volumes: [{name: v, image: {reference: four}}]
- kind: ConfigMap
  data: {image: none}
`
    const found = await imagesOfManifests(text, 'x.yaml')
    assert.deepEqual(
      found.map(({ name, workload }) => [name, workload?.kind, workload?.name, workload?.container]),
      [
        ['one', 'CronJob', 'job', 'a'],
        ['two', 'Pod', 'p', 'i'],
        ['three', 'Pod', 'p', 'c'],
        ['four', 'Pod', 'p', 'v'],
      ],
    )
  })

  test('an image that is no text is not left out', async () => {
    const [found] = await imagesOfManifests('kind: Pod\nspec: {containers: [{name: a, image: {x: 1}}]}', 'x.yaml')
    assert.equal(found?.name, '{"x":1}')
  })

  for (const text of ['a: "', 'a: &a [*a]\n', '- 1', '__proto__: {}']) {
    test(`refused: ${text}`, async () => {
      await assert.rejects(imagesOfManifests(text, 'x.yaml'), { code: 'POLICY_DOCUMENT' })
    })
  }
})

const meta = (name: string, owner?: readonly [string, string]): JsonObject => ({
  name,
  namespace: 'prod',
  ...(owner === undefined
    ? {}
    : { ownerReferences: [{ apiVersion: 'v1', kind: owner[0], name: owner[1], uid: 'u', controller: true }] }),
})
const pod = (name: string, owner: readonly [string, string] | undefined, more: JsonObject = {}): JsonObject => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: meta(name, owner),
  spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app:1' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID: `app@${DIGEST}` }] },
  ...more,
})

function clusterWith(objects: readonly JsonObject[], options: FakeClusterOptions = {}): FakeCluster {
  const cluster = createFakeCluster(options)
  for (const object of objects) cluster.put(object)
  return cluster
}

describe('a cluster', () => {
  const NODE = {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: 'node-1' },
    status: { nodeInfo: { operatingSystem: 'linux', architecture: 'arm64' } },
  }
  const REPLICA_SET = { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: meta('web-1', ['Deployment', 'web']) }
  const JOB = { kind: 'Job', apiVersion: 'batch/v1', metadata: meta('nightly-1', ['CronJob', 'nightly']) }
  const CRON_JOB = {
    kind: 'CronJob',
    apiVersion: 'batch/v1',
    metadata: meta('weekly'),
    spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'w', image: 'weekly:1' }] } } } } },
  }
  const OBJECTS = [
    NODE,
    REPLICA_SET,
    JOB,
    CRON_JOB,
    pod('web-1-a', ['ReplicaSet', 'web-1']),
    pod('nightly-1-a', ['Job', 'nightly-1']),
    pod('db-0', ['StatefulSet', 'db']),
    pod('alone', undefined),
    pod('done', undefined, { status: { phase: 'Succeeded' } }),
    pod('failed', undefined, { status: { phase: 'Failed' } }),
    pod('waiting', undefined, { status: { phase: 'Pending' } }),
  ]
  const owners = (sightings: readonly Sighting[]): readonly string[] =>
    sightings
      .map(({ workload }) => `${workload?.namespace ?? ''}/${workload?.kind ?? ''}/${workload?.name ?? ''}`)
      .sort()

  test('pods by whom they belong to, on which platform they run, and cron jobs that wait', async () => {
    const { sightings, notes, source } = await collectCluster(clusterWith(OBJECTS).api, { namespaces: [] })
    assert.deepEqual(owners(sightings), [
      'prod/CronJob/nightly',
      'prod/CronJob/weekly',
      'prod/Deployment/web',
      'prod/Pod/alone',
      'prod/Pod/waiting',
      'prod/StatefulSet/db',
    ])
    const web = sightings.find(({ workload }) => workload?.name === 'web')
    assert.deepEqual([web?.platform, web?.running?.digest], ['linux/arm64', DIGEST])
    assert.equal(sightings.find(({ workload }) => workload?.name === 'waiting')?.running, undefined)
    assert.deepEqual([notes, source], [[], 'all namespaces'])
  })

  test('only some namespaces', async () => {
    const { sightings } = await collectCluster(clusterWith(OBJECTS).api, { namespaces: ['staging'] })
    assert.deepEqual(sightings, [])
  })

  test('what may not be read makes it less exact, and is told', async () => {
    const only = ['pods']
    const { api } = clusterWith(OBJECTS, { allows: ({ resource }) => only.includes(resource.resource) })
    const { sightings, notes } = await collectCluster(api, { namespaces: [] })
    assert.ok(owners(sightings).includes('prod/ReplicaSet/web-1'))
    assert.equal(sightings[0]?.platform, undefined)
    assert.equal(notes.length, 4)
  })

  test('pods that may not be read are no empty cluster', async () => {
    const { api } = clusterWith(OBJECTS, { allows: ({ resource }) => resource.resource !== 'pods' })
    await assert.rejects(collectCluster(api, { namespaces: [] }), { code: 'KUBERNETES_FORBIDDEN' })
    const away = clusterWith(OBJECTS)
    away.away()
    await assert.rejects(collectCluster(away.api, { namespaces: [] }))
  })

  test('owners in a circle end', async () => {
    const circle = [
      { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: meta('a', ['ReplicaSet', 'b']) },
      { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: meta('b', ['ReplicaSet', 'a']) },
      pod('p', ['ReplicaSet', 'a']),
    ]
    const { sightings } = await collectCluster(clusterWith(circle).api, { namespaces: [] })
    assert.equal(sightings.length, 1)
  })

  test('more pods than one page', async () => {
    const many = Array.from({ length: 1100 }, (_, at) => pod(`p-${String(at)}`, undefined))
    const { sightings } = await collectCluster(clusterWith(many).api, { namespaces: [] })
    assert.equal(sightings.length, 1100)
  })
})

describe('resolving', () => {
  const asked: string[] = []
  const content = {
    resolve: async (_: unknown, name: string) => {
      asked.push(name)
      if (name === 'gone') throw new RegistryError('REGISTRY_NOT_FOUND', 'there is no such tag')
      return { mediaType: '', digest: name === 'two' ? OTHER : DIGEST, size: 1 }
    },
  } as unknown as ContentReader
  const named = (name: string, more: Partial<Sighting> = {}): Sighting => ({
    name,
    workload: undefined,
    running: undefined,
    platform: undefined,
    ...more,
  })

  test('what runs counts, not what the tag says; one digest is one image', async () => {
    asked.length = 0
    const workload = (name: string) => ({ namespace: 'prod', kind: 'Deployment', name, container: 'a' })
    const { images } = await resolveSightings(content, [
      named('ghcr.io/a/app:one', { workload: workload('a'), running: { repository: 'ghcr.io/a/app', digest: OTHER } }),
      named('ghcr.io/a/app:one', { workload: workload('b') }),
      named('ghcr.io/a/app:one', { workload: workload('c') }),
      named(`ghcr.io/a/app@${DIGEST}`, { workload: workload('d') }),
    ])
    assert.deepEqual(
      images.map(({ digest, basis, workloads }) => [digest, basis, workloads.map(({ name }) => name)]),
      [
        [OTHER, 'running', ['a']],
        [DIGEST, 'pinned', ['b', 'c', 'd']],
      ],
    )
    assert.deepEqual(asked, ['one'], 'a tag is asked for once')
  })

  test('the workload’s repository first, then that of the runtime', async () => {
    const running = { repository: 'mirror.example.com/app', digest: DIGEST }
    const { images } = await resolveSightings(content, [named('ghcr.io/a/app:one', { running })])
    assert.deepEqual(
      images[0]?.repositories.map(({ registry }) => registry),
      ['ghcr.io', 'mirror.example.com'],
    )
  })

  test('a platform is known only if it is known of every place', async () => {
    const of = async (...platforms: readonly (string | undefined)[]) =>
      (
        await resolveSightings(
          content,
          platforms.map((platform) => named('a:one', { platform })),
        )
      ).images[0]?.platforms
    assert.deepEqual(await of('linux/amd64', 'linux/arm64', 'linux/amd64'), ['linux/amd64', 'linux/arm64'])
    assert.equal(await of('linux/amd64', undefined), undefined)
    assert.equal(await of(undefined, 'linux/amd64'), undefined)
  })

  test('what cannot be resolved is told, once for each name', async () => {
    const { images, unresolved } = await resolveSightings(content, [
      named('a:gone'),
      named('a:gone'),
      named('NOT A NAME'),
      named('__proto__'),
    ])
    assert.equal(images.length, 1)
    assert.deepEqual(
      unresolved.map(({ name }) => name),
      ['a:gone', 'NOT A NAME'],
    )
  })
})
