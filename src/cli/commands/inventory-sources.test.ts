/** What runs: platforms, clusters, manifests, lists. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { cyclonedx, LOG4J, spdx } from '#testing/cli/bills-of-materials'
import { errorCode, openInventoryBench, succeeded } from '#testing/cli/inventory-bench'
import { createFakeCluster } from '#testing/kubernetes/fake-cluster'
import { command as inventory } from './inventory.js'

const { ann, answer, ask, attested, bench, named, take } = await openInventoryBench()

describe('images of several platforms', () => {
  let children: readonly string[]
  before(async () => {
    children = await Promise.all([bench.pushImage('multi/app'), bench.pushImage('multi/app')])
  })

  test('each platform counts; what hangs on the index counts for all of them', async () => {
    const index = await bench.pushIndex('multi/app', children)
    await attested(children[0] ?? '', cyclonedx(LOG4J))
    const name = named()
    const taken = succeeded(await take(name, [...ann, index]))
    assert.match(taken.stdout, /1 verified bill of materials; 1 unknown/)
    const found = await answer(name, ['log4j-core'])
    assert.deepEqual([found.found.length, found.unknown.length], [1, 1])
    assert.equal(found.found[0]?.components[0]?.sboms[0]?.attachedTo, 'image')
    await attested(index, spdx('pkg:npm/left-pad@1.3.0'), { type: 'spdxjson' })
    succeeded(await take(name, [...ann, index]))
    const both = await answer(name, ['left-pad'])
    assert.deepEqual([both.found.length, both.unknown.length, both.code], [2, 0, 1])
    assert.equal(both.found[0]?.components[0]?.sboms[0]?.attachedTo, 'index')
  })

  test('a running image of an index finds what hangs on the index', async () => {
    const child = await bench.pushImage('multi/running')
    const index = await bench.pushIndex('multi/running', [child])
    await attested(index, cyclonedx(LOG4J))
    const name = named()
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', image: index }] },
      status: { containerStatuses: [{ name: 'a', imageID: child }] },
    }
    succeeded(await take(name, [...ann, '-f', 'pod.json'], { 'pod.json': JSON.stringify(pod) }))
    const { found } = await answer(name, ['log4j-core'])
    assert.equal(found[0]?.digest, child.replace(/^.*@/, ''))
    assert.equal(found[0].image.digestBasis, 'running')
    assert.equal(found[0].components[0]?.sboms[0]?.attachedTo, 'index')
  })
})

describe('sources', () => {
  let image: string
  before(async () => {
    image = await bench.pushImage('source/app')
    await attested(image, cyclonedx(LOG4J))
  })

  test('a cluster: what runs, by whom it is there', async () => {
    const cluster = createFakeCluster()
    const owner = (kind: string, name: string): JsonObject => ({
      apiVersion: 'apps/v1',
      kind,
      name,
      controller: true,
      uid: name,
    })
    cluster.put({
      kind: 'ReplicaSet',
      apiVersion: 'apps/v1',
      metadata: { name: 'web-abc', namespace: 'prod', ownerReferences: [owner('Deployment', 'web')] },
    })
    const tag = image.replace(/@.*/, ':latest')
    cluster.put({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'web-abc-1', namespace: 'prod', ownerReferences: [owner('ReplicaSet', 'web-abc')] },
      spec: { containers: [{ name: 'app', image: tag }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID: image }] },
    })
    cluster.put({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'over', namespace: 'prod' },
      spec: { containers: [{ name: 'app', image: 'registry.example.com/over' }] },
      status: { phase: 'Succeeded' },
    })
    const name = named()
    const taken = await bench.run(inventory, ['--name', name, ...ann, '--cluster'], { cluster: cluster.api })
    assert.match(
      succeeded(taken).stdout,
      /^1 image in the cluster, all namespaces; 1 verified bill of materials; 0 unknown/,
    )
    const { found } = await answer(name, ['log4j-core'])
    assert.deepEqual(found[0]?.image.workloads, [
      { namespace: 'prod', kind: 'Deployment', name: 'web', container: 'app' },
    ])
    assert.equal(found[0].image.digestBasis, 'running')
  })

  test('a list, and tags as they are now', async () => {
    const name = named()
    const tag = image.replace(/@.*/, ':latest')
    const taken = succeeded(await take(name, [...ann, '--image-list', 'images'], { images: `# ours\n\n${tag}\n` }))
    assert.match(taken.stdout, /1 image by the digest that the tag has now/)
    assert.match((await ask(name, ['log4j'])).stdout, /by +the tag, as it was/)
  })

  test('a folder of manifests; what names no image at all is an error', async () => {
    const name = named()
    const pod = `{kind: Pod, apiVersion: v1, metadata: {name: p}, spec: {containers: [{name: a, image: '${image}'}]}}`
    const files = { 'deploy/a.yaml': pod, 'deploy/README': 'not a manifest' }
    succeeded(await take(name, [...ann, '-f', 'deploy'], files))
    const none = await take(named(), [...ann, '-f', 'c.yaml', '--output', 'json'], {
      'c.yaml': 'kind: ConfigMap\napiVersion: v1',
    })
    assert.equal(errorCode(none), 'INVENTORY_SOURCE')
  })

  test('names that are none, and images that are gone, are unknown', async () => {
    const name = named()
    const taken = succeeded(
      await take(name, [
        ...ann,
        image,
        'UPPER/case:1',
        'localhost:8080/gone:1',
        `localhost:8080/gone@sha256:${'a'.repeat(64)}`,
      ]),
    )
    assert.match(taken.stdout, /3 unknown/)
    assert.match(taken.stdout, /UPPER\/case:1 +IMAGE_UNRESOLVED/)
    assert.match(taken.stdout, /gone:1 +IMAGE_UNRESOLVED/)
    assert.match(taken.stdout, /gone@sha256:a{12}… +REGISTRY_FAILED/)
    assert.equal((await answer(name, ['log4j-core'])).unknown.length, 3)
  })

  test('find takes the inventory anew where images are named, and only a part of it offline', async () => {
    const name = named()
    const found = await ask(name, ['log4j-core', ...ann, '--image-list', 'images'], { images: image })
    assert.equal(found.code, 1, found.stderr)
    const before = bench.requests.length
    const open = await answer(name, ['log4j-core', '--offline', '--image-list', 'images'], {
      images: 'example.com/other:1',
    })
    assert.deepEqual([open.code, open.unknown[0]?.reason], [3, 'NOT_INDEXED'])
    assert.equal((await answer(name, ['log4j-core', '--offline', '--image-list', 'images'], { images: image })).code, 1)
    assert.equal(bench.requests.length, before)
  })
})
