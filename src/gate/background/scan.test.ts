import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { CompiledException } from '#policy/internal/exception'
import { fakeTimers } from '#testing/fake-timers'
import type { FakeTimers } from '#testing/fake-timers'
import { createFakeCluster } from '#testing/kubernetes/fake-cluster'
import type { FakeCluster } from '#testing/kubernetes/fake-cluster'
import type { FakeResource } from '#testing/kubernetes/resources'
import { createReviewPorts } from '../review-ports.js'
import { Documents } from '../snapshot/documents.js'
import type { Snapshot } from '../snapshot/snapshot.js'
import { Lease } from './lease.js'
import { BackgroundScan } from './scan.js'
import { progressOnLease } from './scan-progress.js'

const AT = { namespace: 'here', name: 'background' }
const LEASE = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases', ...AT }
const HOUR = 3_600_000
const CONTROLLERS: FakeResource = {
  apiVersion: 'v1',
  resource: 'replicationcontrollers',
  kind: 'ReplicationController',
  namespaced: true,
  status: true,
}

/** Policies that say nothing, and yet are others than those of another name. */
const policies = (contentHash: string): Snapshot => ({
  generation: 1,
  policies: new Map(),
  exceptions: [{ contentHash } as CompiledException],
  exceptionProblems: [],
  unmatched: new Map(),
  health: [],
  namespace: () => undefined,
})

const podOf = (namespace: string, name: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, uid: `uid-${namespace}-${name}` },
  spec: { containers: [] },
})

describe('a scan that is interrupted', () => {
  let time: FakeTimers
  let cluster: FakeCluster
  let documents: Documents
  let snapshot: Snapshot
  let seen: string[]
  let troubles: unknown[]
  let stopping: AbortController
  /** What requests are answered instead. */
  let failing: (request: Request) => boolean

  beforeEach(() => {
    time = fakeTimers()
    failing = () => false
    cluster = createFakeCluster({
      clock: time.clock,
      resources: [CONTROLLERS],
      intercept: (request) => (failing(request) ? new Response('{}', { status: 500 }) : undefined),
    })
    documents = new Documents()
    snapshot = policies('one')
    seen = []
    troubles = []
    stopping = new AbortController()
    cluster.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...AT } })
    for (const namespace of ['b', 'a', 'c']) place(namespace, 'one', 'two')
  })
  afterEach(() => {
    stopping.abort()
  })

  function place(namespace: string, ...pods: readonly string[]): void {
    documents.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    for (const name of pods) cluster.put(podOf(namespace, name))
  }

  /** One resource a second. */
  function start(): BackgroundScan {
    const refuse = (): Promise<never> => Promise.reject(new Error('nothing is asked here'))
    const ports = createReviewPorts(
      { manifest: refuse, blob: refuse, referrers: refuse, resolve: refuse, exists: refuse } as never,
      { trustRoot: refuse, key: refuse, cluster: {} as never, clock: time.clock },
    )
    const scan = new BackgroundScan({
      api: cluster.api,
      documents,
      snapshot: () => snapshot,
      portsFor: () => ports,
      scope: () => Promise.resolve((family, namespace) => family === 'sigstore' && nameIn(namespace) !== 'unguarded'),
      progress: progressOnLease(cluster.api, AT),
      onFinding: ({ subject }) => seen.push(`${subject.namespace ?? ''}/${subject.name}`),
      onTrouble: (error) => troubles.push((error as { code?: string }).code),
      clock: time.clock,
      timers: time.timers,
      jitter: () => 0.5,
      interval: HOUR,
      perSecond: 1,
    })
    void scan.run(stopping.signal)
    return scan
  }

  async function pass(seconds: number): Promise<void> {
    for (let each = 0; each < seconds; each++) await time.advance(1000)
  }

  /** The process ends, and another one takes its place. */
  async function restart(): Promise<void> {
    stopping.abort()
    await pass(1)
    stopping = new AbortController()
    start()
  }

  function annotations(): Readonly<Record<string, unknown>> {
    return cluster.get(LEASE)?.metadata.annotations ?? {}
  }

  const ALL = ['a/one', 'a/two', 'b/one', 'b/two', 'c/one', 'c/two']

  test('undisturbed: each once, in order, and an hour later again', async () => {
    start()
    await pass(30)
    assert.deepEqual(seen, ALL)
    assert.equal(annotations()['countersign.dev/scan-cursor'], '')
    await time.advance(HOUR)
    await pass(30)
    assert.deepEqual(seen, [...ALL, ...ALL])
    assert.deepEqual(troubles, [])
  })

  test('it goes on with the namespace that it was in, and the pass counts from its beginning', async () => {
    start()
    await pass(3)
    assert.deepEqual(seen.at(-1)?.slice(0, 2), 'b/')
    const begun = annotations()['countersign.dev/scan-begun']
    const before = seen.length
    await restart()
    await pass(30)
    assert.deepEqual(seen.slice(before), ['b/one', 'b/two', 'c/one', 'c/two'])
    assert.deepEqual(
      [annotations()['countersign.dev/scan-begun'], annotations()['countersign.dev/scan-cursor']],
      [begun, ''],
    )
    await time.advance(HOUR - 60_000)
    await pass(60)
    assert.deepEqual(seen.slice(before + 4), ALL)
  })

  test('it is over if nothing but that was left to be said', async () => {
    start()
    failing = (request) => request.method === 'PATCH' && annotations()['countersign.dev/scan-cursor'] === 'c'
    await pass(15)
    assert.equal(annotations()['countersign.dev/scan-cursor'], 'c')
    failing = () => false
    await restart()
    await pass(60)
    assert.deepEqual(seen, ALL)
    assert.equal(annotations()['countersign.dev/scan-cursor'], '')
  })

  test('other policies: it begins anew', async () => {
    start()
    await pass(3)
    const before = seen.length
    stopping.abort()
    snapshot = policies('two')
    await restart()
    await pass(30)
    assert.deepEqual(seen.slice(before), ALL)
  })

  test('policies that change in the middle: what was passed is looked at again afterwards', async () => {
    start()
    await pass(3)
    snapshot = policies('two')
    await pass(40)
    assert.deepEqual(seen, [...ALL, ...ALL])
  })

  test('namespaces that came and went meanwhile', async () => {
    start()
    await pass(3)
    const before = seen.length
    stopping.abort()
    documents.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
    documents.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'b' } })
    place('ab', 'new')
    place('bb', 'new')
    place('unguarded', 'new')
    await restart()
    await pass(30)
    assert.deepEqual(seen.slice(before), ['ab/new', 'bb/new', 'c/one', 'c/two'])
  })

  for (const [what, request] of [
    ['progress that cannot be written', 'PATCH'],
    ['progress that cannot be read', 'GET'],
  ] as const) {
    test(`${what}: it is told, nothing is left out, and it goes on when it can be again`, async () => {
      start()
      await pass(1)
      failing = ({ method, url }) => method === request && url.includes('/leases/')
      await pass(60)
      const during = seen.length
      failing = () => false
      await restart()
      await pass(60)
      for (const name of ALL) assert.ok(seen.slice(request === 'PATCH' ? during : 0).includes(name), name)
      assert.equal(annotations()['countersign.dev/scan-cursor'], '')
      assert.ok(troubles.includes('KUBERNETES_UNAVAILABLE'))
    })
  }

  test('an API server that is away between two kinds: the rest is looked at in this pass', async () => {
    failing = ({ url }) => url.includes('/namespaces/b/pods')
    start()
    await pass(60)
    assert.deepEqual(seen, ['a/one', 'a/two', 'c/one', 'c/two'])
    assert.notEqual(troubles.length, 0)
    failing = () => false
    await time.advance(HOUR)
    await pass(30)
    assert.deepEqual(seen.slice(4), ALL)
  })

  test('a verdict that was not waited for is told to nobody', async () => {
    start()
    const gone = stopping
    const current = snapshot
    let looks = 0
    snapshot = new Proxy(current, {
      get: (target, name) => {
        if (name === 'policies' && ++looks === 2) gone.abort()
        return Reflect.get(target, name) as unknown
      },
    })
    await pass(10)
    assert.equal(gone.signal.aborted, true)
    assert.deepEqual(seen, [])
  })

  const NOTES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a beginning far ahead', { 'countersign.dev/scan-begun': '999999999999999' }],
    ['a beginning that is no time', { 'countersign.dev/scan-begun': 'yesterday' }],
    ['a cursor of other policies', { 'countersign.dev/scan-cursor': 'b', 'countersign.dev/scan-policies': 'x' }],
    ['a cursor beyond everything', { 'countersign.dev/scan-cursor': 'zz', 'countersign.dev/scan-policies': '{own}' }],
  ]
  for (const [what, notes] of NOTES) {
    test(`${what}: all are looked at within an interval`, async () => {
      start()
      await pass(30)
      const own = String(annotations()['countersign.dev/scan-policies'])
      stopping.abort()
      await pass(1)
      seen.length = 0
      const written = Object.entries({ 'countersign.dev/scan-policies': own, ...notes })
      const given = Object.fromEntries(written.map(([name, value]) => [name, value.replace('{own}', own)]))
      cluster.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...AT, annotations: given } })
      await restart()
      await pass(30)
      await time.advance(HOUR)
      await pass(30)
      assert.deepEqual(new Set(seen), new Set(ALL))
    })
  }

  test('pages that are no longer kept: a namespace with many is gone through to its end, each once', async () => {
    const many = Array.from({ length: 250 }, (_, each) => `p${String(each).padStart(3, '0')}`)
    place('b', ...many)
    start()
    for (let each = 0; each < 30; each++) {
      await pass(10)
      cluster.expirePages()
    }
    assert.deepEqual(
      seen.filter((name) => name.startsWith('b/')),
      ['b/one', 'b/two', ...many.map((name) => `b/${name}`)].sort(),
    )
    assert.deepEqual(troubles, [])
  })

  test('pages that are never kept: it is told, and the scan goes on with the next namespace', async () => {
    place('b', ...Array.from({ length: 150 }, (_, each) => `p${String(each)}`))
    failing = ({ url }) => {
      if (url.includes('continue=')) cluster.expirePages()
      return false
    }
    start()
    await pass(200)
    assert.deepEqual(seen.slice(-2), ['c/one', 'c/two'])
    assert.deepEqual(troubles, ['KUBERNETES_EXPIRED'])
  })

  test('how far it has come outlasts the renewals and the change of the holder', async () => {
    const progress = progressOnLease(cluster.api, AT)
    const { signal } = new AbortController()
    const hold = (holder: string): Lease =>
      new Lease({
        ...{ ...AT, api: cluster.api, holder, clock: time.clock, timers: time.timers },
        jitter: () => 0.5,
        onHeld: () => undefined,
        onLost: () => undefined,
        onTrouble: (error) => troubles.push(error),
      })
    const first = hold('first')
    first.start()
    await pass(1)
    const written = { begun: 5, generation: 'one', cursor: 'b' }
    await progress.store(written, signal)
    await pass(60)
    await first.close()
    const second = hold('second')
    second.start()
    await pass(60)
    assert.equal(second.isHeld, true)
    assert.deepEqual(await progress.load(signal), written)
    await second.close()
    assert.deepEqual(troubles, [])
  })
})

function nameIn({ metadata }: JsonObject): unknown {
  return (metadata as JsonObject | undefined)?.['name']
}
