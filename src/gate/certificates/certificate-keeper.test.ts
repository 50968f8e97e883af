import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { randomBytes } from '#crypto/random'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { fakeTimers } from '#testing/fake-timers'
import { fuzzRuns } from '#testing/fuzz'
import { createFakeCluster, type FakeCluster, type FakeClusterOptions } from '#testing/kubernetes/fake-cluster'
import { INSTALLATION } from '../installation.js'
import { CertificateKeeper } from './certificate-keeper.js'
import { readCertificateState } from './certificate-secret.js'
import type { ServingCertificate } from './issue.js'
import { bundleOf } from './rotation.js'

const NAMESPACE = 'countersign-system'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const API_VERSION = 'admissionregistration.k8s.io/v1'
const TARGET = {
  service: INSTALLATION.service,
  namespace: NAMESPACE,
  validating: INSTALLATION.validatingWebhooks,
  mutating: INSTALLATION.mutatingWebhooks,
}
const CONFIGURATIONS = [
  { apiVersion: API_VERSION, resource: 'validatingwebhookconfigurations', name: TARGET.validating },
  { apiVersion: API_VERSION, resource: 'mutatingwebhookconfigurations', name: TARGET.mutating },
] as const
const SECRET = { apiVersion: 'v1', resource: 'secrets', namespace: NAMESPACE, name: INSTALLATION.certificates }

interface Installation {
  readonly cluster: FakeCluster
  readonly advance: (millis: number) => void
  /** Another replica, perhaps one that sees the cluster in its own way. */
  replica(api?: KubernetesApi): Replica
  /** What API servers believe: what stands in every configuration. */
  believed(): string
}

interface Replica {
  readonly keeper: CertificateKeeper
  readonly shown: () => ServingCertificate | undefined
  readonly troubles: readonly unknown[]
}

function install(options: FakeClusterOptions = {}): Installation {
  const time = { now: Date.UTC(2026, 0, 1) }
  const cluster = createFakeCluster({ ...options, clock: () => time.now })
  const { timers } = fakeTimers()
  for (const [kind, { name }] of [
    ['ValidatingWebhookConfiguration', CONFIGURATIONS[0]],
    ['MutatingWebhookConfiguration', CONFIGURATIONS[1]],
  ] as const) {
    const service = { name: TARGET.service, namespace: NAMESPACE }
    const webhooks = [
      { name: 'ours', clientConfig: { service } },
      { name: 'theirs', clientConfig: { service: { ...service, namespace: 'elsewhere' }, caBundle: 'dGhlaXJz' } },
    ]
    cluster.put({ apiVersion: API_VERSION, kind, metadata: { name }, webhooks })
  }
  return {
    cluster,
    advance: (millis) => {
      time.now += millis
    },
    replica: (api = cluster.api) => {
      let shown: ServingCertificate | undefined
      const troubles: unknown[] = []
      const keeper = new CertificateKeeper({
        ...{ api, target: TARGET, secret: INSTALLATION.certificates, clock: () => time.now, timers },
        random: randomBytes,
        jitter: () => 0,
        onCertificate: (certificate) => (shown = certificate),
        onTrouble: (error) => troubles.push(error),
      })
      return { keeper, shown: () => shown, troubles }
    },
    believed: () => {
      const [first = '', second = ''] = CONFIGURATIONS.map((at) => bundleIn(cluster, at, 0))
      return first.includes(second) ? second : first
    },
  }
}

function bundleIn(cluster: FakeCluster, at: (typeof CONFIGURATIONS)[number], index: number): string | undefined {
  const webhooks = cluster.get(at)?.['webhooks'] as readonly { readonly clientConfig: { readonly caBundle?: string } }[]
  const bundle = webhooks[index]?.clientConfig.caBundle
  return bundle === undefined ? undefined : decodeUtf8(decodeBase64(bundle))
}

/** Everything that a keeper asks of the API goes through a gate first. */
function through(api: KubernetesApi, gate: (verb: string) => Promise<unknown>): KubernetesApi {
  const gated =
    <A extends unknown[], T>(verb: string, ask: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      await gate(verb)
      return await ask(...args)
    }
  return {
    ...api,
    get: gated('get', api.get),
    create: gated('create', api.create),
    update: gated('update', api.update),
    patch: gated('patch', api.patch),
  }
}

function takeBundleAway(cluster: FakeCluster): void {
  const webhooks = [{ name: 'ours', clientConfig: { service: { name: TARGET.service, namespace: NAMESPACE } } }]
  const metadata = { name: TARGET.mutating }
  cluster.put({ apiVersion: API_VERSION, kind: 'MutatingWebhookConfiguration', metadata, webhooks })
}

/** Stops at a request, until it is told to go on. */
function pauseBefore(request: number): {
  readonly gate: () => Promise<void>
  readonly reached: Promise<void>
  readonly goOn: () => void
} {
  let count = 0
  let goOn = (): void => undefined
  let reach = (): void => undefined
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const paused = new Promise<void>((resolve) => (goOn = resolve))
  return {
    gate: async () => {
      if (++count !== request) return
      reach()
      await paused
    },
    reached,
    goOn: () => {
      goOn()
    },
  }
}

const isBelieved = (replica: Replica, { believed }: Installation): boolean =>
  believed().includes(replica.shown()?.authority ?? 'nothing')

describe('the keeper of the certificates', () => {
  test('makes one, announces it to our webhooks alone, and shows it', async () => {
    const installed = install()
    const replica = installed.replica()
    assert.equal(await replica.keeper.start(), replica.shown())
    assert.equal(installed.believed(), replica.shown()?.authority)
    assert.deepEqual(
      CONFIGURATIONS.map((at) => bundleIn(installed.cluster, at, 1)),
      ['theirs', 'theirs'],
    )
    const { certificate = '' } = replica.shown() ?? {}
    const data = installed.cluster.get(SECRET)?.['data'] as JsonObject
    assert.equal(data['tls.crt'], encodeBase64(encodeUtf8(certificate)))
  })

  test('replicas that start together show the same', async () => {
    const installed = install()
    const replicas = [installed.replica(), installed.replica(), installed.replica()]
    await Promise.all(replicas.map(({ keeper }) => keeper.start()))
    await Promise.all(replicas.map(({ keeper }) => keeper.look()))
    assert.equal(new Set(replicas.map(({ shown }) => shown()?.certificate)).size, 1)
  })

  test('announces the next one, shows it, and retires the old one', async () => {
    const installed = install()
    const replica = installed.replica()
    const first = await replica.keeper.start()
    installed.advance(61 * DAY)
    await replica.keeper.look()
    assert.equal(replica.shown(), first)
    assert.ok(installed.believed().startsWith(first.authority) && installed.believed() !== first.authority)
    installed.advance(9 * MINUTE)
    await replica.keeper.look()
    assert.equal(replica.shown(), first)
    installed.advance(MINUTE)
    await replica.keeper.look()
    const second = replica.shown()
    assert.ok(second !== undefined && second !== first)
    assert.equal(installed.believed(), second.authority + first.authority)
    installed.advance(HOUR)
    await replica.keeper.look()
    assert.equal(installed.believed(), second.authority)
  })

  test('the wait counts from when the API servers were told, however long that was not possible', async () => {
    let mayPatch = true
    const installed = install({ allows: ({ verb }) => verb !== 'patch' || mayPatch })
    const replica = installed.replica()
    const first = await replica.keeper.start()
    mayPatch = false
    installed.advance(61 * DAY)
    await replica.keeper.look()
    installed.advance(DAY)
    await replica.keeper.look()
    assert.ok(replica.troubles.length > 0)
    mayPatch = true
    await replica.keeper.look()
    assert.deepEqual([replica.shown(), isBelieved(replica, installed)], [first, true])
    installed.advance(10 * MINUTE)
    await replica.keeper.look()
    assert.notEqual(replica.shown(), first)
  })

  for (const request of [1, 2, 3, 4]) {
    test(`whoever is slow does not put an old bundle over a new one: before request ${String(request)}`, async () => {
      const installed = install()
      const fast = installed.replica()
      await fast.keeper.start()
      // Somebody takes the bundle away, so that the slow one has something to write.
      takeBundleAway(installed.cluster)
      const pause = pauseBefore(request)
      const seen = new Set<string>()
      const slow = installed.replica(
        through(installed.cluster.api, async () => {
          await pause.gate()
          seen.add(installed.believed())
        }),
      )
      const started = slow.keeper.start()
      await pause.reached
      installed.advance(61 * DAY)
      await fast.keeper.look()
      const announced = installed.believed()
      assert.equal(announced.split('BEGIN').length, 3)
      seen.clear()
      pause.goOn()
      await started
      assert.deepEqual([...seen, installed.believed()], [announced, announced])
    })
  }

  test('a Secret that is removed is a wish for another one, which is announced first', async () => {
    const installed = install()
    const replica = installed.replica()
    const first = await replica.keeper.start()
    installed.cluster.remove(SECRET)
    await replica.keeper.look()
    assert.deepEqual([replica.shown(), isBelieved(replica, installed)], [first, true])
    installed.advance(10 * MINUTE)
    await replica.keeper.look()
    assert.notEqual(replica.shown(), first)
    assert.equal(isBelieved(replica, installed), true)
  })

  test('a Secret that is broken is repaired', async () => {
    const installed = install()
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET.name, namespace: NAMESPACE } }
    installed.cluster.put({ ...secret, type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } })
    const replica = installed.replica()
    await replica.keeper.start()
    assert.equal(isBelieved(replica, installed), true)
  })

  test('one that nobody may announce is not shown as long as the old one is believed', async () => {
    let mayPatch = true
    const installed = install({ allows: ({ verb }) => verb !== 'patch' || mayPatch })
    const replica = installed.replica()
    const first = await replica.keeper.start()
    mayPatch = false
    installed.advance(61 * DAY)
    await replica.keeper.look()
    installed.advance(28 * DAY)
    await replica.keeper.look()
    assert.deepEqual([replica.shown(), isBelieved(replica, installed)], [first, true])
  })

  test('in whatever order replicas get on, each shows what API servers believe', async () => {
    // Everybody looks every twenty minutes at least, and an old certificate is believed for an hour.
    const steps = fc.array(fc.constantFrom(0, MINUTE, 10 * MINUTE, 20 * MINUTE), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, async (scheduler, durations) => {
        const installed = install()
        const replicas = [0, 1, 2].map(() =>
          installed.replica(through(installed.cluster.api, (verb) => scheduler.schedule(Promise.resolve(), verb))),
        )
        const check = (): void => {
          for (const replica of replicas)
            if (replica.shown() !== undefined) assert.ok(isBelieved(replica, installed), 'not believed')
          const state = readCertificateState(installed.cluster.get(SECRET) ?? {})
          // What counts as announced is.
          if (state?.next?.since !== undefined) assert.equal(installed.believed(), bundleOf(state))
        }
        await scheduler.waitFor(Promise.all(replicas.map(({ keeper }) => keeper.start())))
        installed.advance(61 * DAY)
        for (const duration of durations) {
          installed.advance(duration)
          const looks = Promise.all(replicas.map(({ keeper }) => keeper.look()))
          await scheduler.waitFor(looks, async (run) => {
            await run()
            check()
          })
        }
        for (const replica of replicas) assert.deepEqual(replica.troubles, [])
      }),
      // Each makes some twenty keys.
      { numRuns: Math.ceil(fuzzRuns() / 10) },
    )
  })
})
