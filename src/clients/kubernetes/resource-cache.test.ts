import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fakeTimers, type FakeTimers } from '#testing/fake-timers'
import { fuzzRuns } from '#testing/fuzz'
import { createFakeCluster, type FakeCluster, type FakeClusterOptions } from '#testing/kubernetes/fake-cluster'
import { POLICY_RESOURCES } from '#testing/kubernetes/resources'
import { statusResponse } from '#testing/kubernetes/statuses'
import type { JsonObject } from '#encoding/json'
import type { ObjectChange } from './object-store.js'
import { startResourceCache, type ResourceCache, type ResourceCacheOptions } from './resource-cache.js'

const SECRETS = { apiVersion: 'v1', resource: 'secrets' }

function secret(name: string, value = 'x'): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'a' }, data: { value } }
}

interface Bench {
  readonly cluster: FakeCluster
  readonly time: FakeTimers
  readonly cache: ResourceCache
  /** `added a`, in order. */
  readonly told: string[]
  readonly troubles: unknown[]
  names(): readonly string[]
}

function bench(options: Partial<ResourceCacheOptions> & { readonly cluster?: FakeCluster } = {}): Bench {
  const { cluster = createFakeCluster(), ...rest } = options
  const time = fakeTimers()
  const troubles: unknown[] = []
  const told: string[] = []
  const cache = startResourceCache({
    api: cluster.api,
    of: SECRETS,
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    onTrouble: (error) => troubles.push(error),
    ...rest,
  })
  cache.onChange((changes) => told.push(...changes.map(describe)))
  return { cluster, time, cache, told, troubles, names: () => cache.list().map(({ metadata }) => metadata.name) }
}

function describe({ type, object }: ObjectChange): string {
  return `${type} ${object.metadata.name}`
}

/** Lets everything that is under way arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

function codeOf(error: unknown): string | undefined {
  return isCodedError(error) ? error.code : undefined
}

test('what is there is listed, what changes is told, once', async () => {
  const cluster = createFakeCluster()
  cluster.put(secret('a'))
  const { cache, told, names } = bench({ cluster })
  assert.equal(cache.state().synced, false)
  await cache.whenSynced()
  await cluster.whenWatched('secrets')
  cluster.put(secret('b'))
  cluster.put(secret('a', 'y'))
  cluster.remove({ ...SECRETS, namespace: 'a', name: 'b' })
  await settle()
  assert.deepEqual(told, ['added a', 'added b', 'changed a', 'removed b'])
  assert.deepEqual(names(), ['a'])
  assert.deepEqual(cache.get('a', 'a')?.['data'], { value: 'y' })
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.state().contact, 'current')
  await cache.stop()
  assert.equal(cluster.watchCount(), 0)
})

for (const how of ['end', 'cut', 'expire'] as const) {
  test(`nothing is lost or told twice over a watch that meets its ${how}`, async () => {
    const { cluster, cache, told, time } = bench()
    await cluster.whenWatched('secrets')
    cluster.put(secret('a'))
    await settle()
    cluster.endWatches(how)
    cluster.put(secret('b'))
    cluster.remove({ ...SECRETS, namespace: 'a', name: 'a' })
    await time.advance(10_000)
    await cluster.whenWatched('secrets')
    await settle()
    assert.deepEqual(told.sort(), ['added a', 'added b', 'removed a'])
    await cache.stop()
  })
}

test('a watch that is cut goes on where it was, without another list', async () => {
  const { cluster, cache, time } = bench()
  await cluster.whenWatched('secrets')
  cluster.endWatches('cut')
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  assert.equal(cluster.requests.filter((line) => line === 'list secrets').length, 1)
  await cache.stop()
})

test('a bookmark saves a list after the server has forgotten', async () => {
  const { cluster, cache, time } = bench()
  await cluster.whenWatched('secrets')
  cluster.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other', namespace: 'a' } })
  cluster.compact()
  cluster.bookmark()
  await settle()
  cluster.endWatches('end')
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  assert.equal(cluster.requests.filter((line) => line === 'list secrets').length, 1)
  await cache.stop()
})

test('what the server has forgotten is listed again, and the difference told', async () => {
  const { cluster, cache, told, time, troubles } = bench()
  await cluster.whenWatched('secrets')
  cluster.put(secret('a'))
  cluster.put(secret('b'))
  await settle()
  cluster.endWatches('cut')
  cluster.remove({ ...SECRETS, namespace: 'a', name: 'a' })
  cluster.put(secret('c'))
  cluster.compact()
  await time.advance(10_000)
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  assert.deepEqual(told, ['added a', 'added b', 'removed a', 'added c'])
  assert.deepEqual(troubles.map(codeOf), ['HTTP_TRUNCATED'])
  await cache.stop()
})

test('another object of the same name is told as another', async () => {
  const { cluster, cache, told, time } = bench()
  await cluster.whenWatched('secrets')
  cluster.put(secret('a'))
  await settle()
  cluster.endWatches('end')
  cluster.remove({ ...SECRETS, namespace: 'a', name: 'a' })
  cluster.put(secret('a'))
  cluster.compact()
  await time.advance(10_000)
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  assert.deepEqual(told, ['added a', 'removed a', 'added a'])
  await cache.stop()
})

test('the last good state stays while the server is away, and is made up for when it is back', async () => {
  const { cluster, cache, names, time, troubles } = bench()
  await cluster.whenWatched('secrets')
  cluster.put(secret('a'))
  await settle()
  cluster.away()
  for (let minute = 0; minute < 20; minute++) await time.advance(10_000)
  assert.deepEqual(names(), ['a'])
  const { contact, synced, trouble } = cache.state()
  assert.deepEqual([contact, synced, codeOf(trouble)], ['away', true, 'HTTP_CONNECT'])
  assert.ok(troubles.length > 10, 'it goes on trying')
  cluster.put(secret('b'))
  cluster.back()
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  await settle()
  assert.deepEqual(names(), ['a', 'b'])
  assert.equal(cache.state().contact, 'current')
  await cache.stop()
})

test('a server that is away from the beginning is not an empty one', async () => {
  const cluster = createFakeCluster()
  cluster.away()
  const { cache, time } = bench({ cluster })
  await time.advance(60_000)
  assert.equal(cache.state().synced, false)
  cluster.back()
  await time.advance(10_000)
  await cache.whenSynced()
  await cache.stop()
})

for (const [status, code] of [
  [403, 'KUBERNETES_FORBIDDEN'],
  [401, 'KUBERNETES_UNAUTHORIZED'],
  [503, 'KUBERNETES_UNAVAILABLE'],
  [429, 'KUBERNETES_THROTTLED'],
] as const) {
  test(`a list that is refused with ${String(status)} leaves it unsynced`, async () => {
    const { cache, time } = bench({ cluster: createFakeCluster({ intercept: () => statusResponse(status, 'no') }) })
    await time.advance(1000)
    assert.deepEqual([cache.state().synced, codeOf(cache.state().trouble)], [false, code])
    await cache.stop()
  })
}

test('a kind that is not served is empty until its definition comes', async () => {
  const of = { apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies' }
  const policy = { apiVersion: of.apiVersion, kind: 'ClusterImagePolicy', metadata: { name: 'p' } }
  const cluster = createFakeCluster()
  const { cache, time, names } = bench({ cluster, of })
  await cache.whenSynced()
  assert.deepEqual([cache.state().synced, cache.state().contact], [true, 'unserved'])
  cluster.put({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'clusterimagepolicies.policy.sigstore.dev' },
    spec: {
      group: 'policy.sigstore.dev',
      scope: 'Cluster',
      names: { plural: 'clusterimagepolicies', kind: 'ClusterImagePolicy' },
      versions: [{ name: 'v1beta1' }],
    },
  })
  cluster.put(policy)
  await time.advance(10_000)
  await cluster.whenWatched('clusterimagepolicies')
  assert.deepEqual(names(), ['p'])
  await cache.stop()
})

test('objects of a kind that is suddenly not served are kept', async () => {
  let isServed = true
  const options: FakeClusterOptions = {
    resources: POLICY_RESOURCES,
    intercept: () => (isServed ? undefined : statusResponse(404, 'the server could not find the requested resource')),
  }
  const of = { apiVersion: 'kyverno.io/v1', resource: 'clusterpolicies' }
  const { cluster, cache, names, time } = bench({ cluster: createFakeCluster(options), of })
  cluster.put({ apiVersion: 'kyverno.io/v1', kind: 'ClusterPolicy', metadata: { name: 'p' } })
  await cluster.whenWatched('clusterpolicies')
  isServed = false
  cluster.endWatches('end')
  await time.advance(60_000)
  assert.deepEqual([names(), cache.state().contact], [['p'], 'away'])
  await cache.stop()
})

test('an event that cannot be understood means listing again', async () => {
  let isBroken = false
  const cluster = createFakeCluster({
    intercept: (request) =>
      isBroken && request.url.includes('watch=true') ? new Response('{"type":"ADDED","object":{}}\n') : undefined,
  })
  const { cache, time, troubles } = bench({ cluster })
  await cluster.whenWatched('secrets')
  isBroken = true
  cluster.endWatches('end')
  await time.advance(1000)
  assert.deepEqual([...new Set(troubles.map(codeOf))], ['KUBERNETES_ANSWER'])
  isBroken = false
  cluster.put(secret('a'))
  await time.advance(10_000)
  await cluster.whenWatched('secrets')
  assert.equal(cache.list().length, 1)
  await cache.stop()
})

test('watches that end at once are not a storm', async () => {
  const cluster = createFakeCluster({
    intercept: (request) => (request.url.includes('watch=true') ? new Response('') : undefined),
  })
  const { time, cache } = bench({ cluster })
  for (let second = 0; second < 60; second++) await time.advance(1000)
  assert.ok(cluster.requests.length < 20, String(cluster.requests.length))
  await cache.stop()
})

test('a server that asks for patience gets it, but not for ever', async () => {
  const cluster = createFakeCluster({
    intercept: () => statusResponse(429, 'slow down', { retryAfterSeconds: 3600 }),
  })
  const { time, cache } = bench({ cluster })
  await time.advance(0)
  assert.equal(time.started.at(-1), 20_000)
  await cache.stop()
})

test('a fault of a listener is told, and the others hear', async () => {
  const { cluster, cache, told, troubles } = bench()
  cache.onChange(() => {
    throw new RangeError('mine')
  })
  const heard: string[] = []
  const leave = cache.onChange((changes) => heard.push(...changes.map(describe)))
  await cluster.whenWatched('secrets')
  cluster.put(secret('a'))
  await settle()
  leave()
  cluster.put(secret('b'))
  await settle()
  assert.deepEqual([told, heard, troubles.length], [['added a', 'added b'], ['added a'], 2])
  await cache.stop()
})

test('what nobody needs is not kept', async () => {
  const cluster = createFakeCluster()
  cluster.put({ ...secret('a'), metadata: { name: 'a', namespace: 'a', managedFields: [{ manager: 'x' }] } })
  const { cache } = bench({ cluster })
  await cache.whenSynced()
  assert.equal(cache.get('a', 'a')?.metadata['managedFields'], undefined)
  await cache.stop()
})

/** What may happen between a cache and its server. */
const incidents = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.integer({ max: 4, min: 0 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.integer({ max: 4, min: 0 }) }) },
  fc.record({
    do: fc.constantFrom('end', 'cut', 'expire', 'compact', 'bookmark', 'away', 'back', 'wait', 'settle'),
    name: fc.constant(0),
  }),
)

test('whatever happens, at last the cache is what the server has, and its changes add up to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(incidents, { maxLength: 30 }), async (story) => {
      const { cluster, cache, time } = bench()
      const replayed = new Map<string, string | undefined>()
      cache.onChange((changes) => {
        for (const { type, object } of changes) {
          assert.equal(type === 'added', !replayed.has(object.metadata.name), 'added once, changed or removed after')
          if (type === 'removed') replayed.delete(object.metadata.name)
          else replayed.set(object.metadata.name, object.metadata.resourceVersion)
        }
      })
      for (const [index, incident] of story.entries()) {
        const name = `s${String(incident.name)}`
        if (incident.do === 'put') cluster.put(secret(name, String(index)))
        else if (incident.do === 'remove') cluster.remove({ ...SECRETS, namespace: 'a', name })
        else if (incident.do === 'compact') cluster.compact()
        else if (incident.do === 'bookmark') cluster.bookmark()
        else if (incident.do === 'away') cluster.away()
        else if (incident.do === 'back') cluster.back()
        else if (incident.do === 'wait') await time.advance(1000)
        else if (incident.do === 'settle') await settle()
        else cluster.endWatches(incident.do)
      }
      cluster.back()
      for (let turn = 0; turn < 6; turn++) await time.advance(10_000)
      await cluster.whenWatched('secrets')
      await settle()
      const { items } = await cluster.api.list(SECRETS)
      const versions = (objects: typeof items): readonly string[] =>
        objects.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion ?? ''}`).sort()
      assert.deepEqual(versions(cache.list()), versions(items))
      assert.deepEqual([...replayed].map(([name, version]) => `${name} ${version ?? ''}`).sort(), versions(items))
      await cache.stop()
    }),
    { numRuns: Math.ceil(fuzzRuns() / 4) },
  )
})
