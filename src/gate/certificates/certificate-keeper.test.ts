import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import { randomBytes } from '#crypto/random'
import { fakeTimers, type FakeTimers } from '#testing/fake-timers'
import { createFakeCluster, type FakeCluster } from '#testing/kubernetes/fake-cluster'
import { CertificateKeeper } from './certificate-keeper.js'
import type { ServingCertificate } from './issue.js'

const NAMESPACE = 'countersign-system'
const TARGET = { service: 'countersign', namespace: NAMESPACE, validating: 'countersign', mutating: 'countersign' }
const DAY = 24 * 3_600_000

interface Replica {
  readonly keeper: CertificateKeeper
  readonly shown: ServingCertificate[]
}

function configuration(kind: string): JsonObject {
  const ours = { service: { name: 'countersign', namespace: NAMESPACE, path: '/validations' } }
  const foreign = { service: { name: 'other', namespace: NAMESPACE }, caBundle: 'Zm9yZWlnbg==' }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'countersign' },
    webhooks: [
      { name: 'ours', clientConfig: ours },
      { name: 'foreign', clientConfig: foreign },
    ],
  }
}

function open(t: TestContext): {
  cluster: FakeCluster
  time: FakeTimers
  replica: (jitter: number) => Replica
  troubles: unknown[]
} {
  const time = fakeTimers()
  const cluster = createFakeCluster({ clock: time.clock })
  const troubles: unknown[] = []
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])
    cluster.put(configuration(kind))
  const replica = (jitter: number): Replica => {
    const shown: ServingCertificate[] = []
    const keeper = new CertificateKeeper({
      api: cluster.api,
      target: TARGET,
      secret: 'countersign-certificates',
      clock: time.clock,
      timers: time.timers,
      random: randomBytes,
      jitter: () => jitter,
      onCertificate: (certificate) => shown.push(certificate),
      onTrouble: (error) => troubles.push(error),
    })
    t.after(() => {
      keeper.close()
    })
    return { keeper, shown }
  }
  return { cluster, time, replica, troubles }
}

/** What API servers believe for each webhook, of the validating and then of the mutating configuration. */
function bundles(cluster: FakeCluster): readonly string[] {
  return ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'].flatMap((resource) => {
    const at = { apiVersion: 'admissionregistration.k8s.io/v1', resource, name: 'countersign' }
    const webhooks = cluster.get(at)?.['webhooks'] as readonly { clientConfig: { caBundle?: string } }[]
    return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString())
  })
}

test('three replicas that start together show one certificate, and every configuration believes it', async (t) => {
  const { cluster, replica } = open(t)
  const replicas = [replica(0), replica(0.5), replica(0.9)]
  const started = await Promise.all(replicas.map(({ keeper }) => keeper.start()))
  assert.equal(new Set(started.map(({ certificate }) => certificate)).size, 1)
  const [ours, foreign, alsoOurs] = bundles(cluster)
  assert.equal(ours, started[0]?.authority)
  assert.equal(alsoOurs, ours)
  assert.equal(foreign, 'foreign')
})

test('a certificate is announced before it is shown, and the one before it is believed until nobody shows it', async (t) => {
  const { cluster, time, replica } = open(t)
  const [one, two] = [replica(0), replica(0.9)]
  const first = await one.keeper.start()
  await two.keeper.start()
  const expiry = one.keeper.expiry ?? 0
  await time.advance(expiry - time.clock() - 30 * DAY + 1000)
  await one.keeper.look()
  // Announced, and not shown yet: an API server that has not heard of it would refuse it.
  assert.equal(one.shown.length, 1)
  const announced = bundles(cluster)[0] ?? ''
  assert.ok(announced.startsWith(first.authority) && announced.length > first.authority.length)
  await time.advance(9 * 60_000)
  await two.keeper.look()
  assert.equal(two.shown.length, 1)
  await time.advance(2 * 60_000)
  for (const { keeper } of [one, two]) await keeper.look()
  const second = one.shown.at(-1)
  assert.notEqual(second?.certificate, first.certificate)
  assert.equal(two.shown.at(-1)?.certificate, second?.certificate)
  assert.ok(bundles(cluster)[0]?.includes(first.authority))
  await time.advance(3_600_000)
  await one.keeper.look()
  assert.deepEqual([bundles(cluster)[0], bundles(cluster)[2]], [second?.authority, second?.authority])
})

test('what cannot be announced is not shown, and is tried again', async (t) => {
  const { cluster, time, replica, troubles } = open(t)
  const one = replica(0)
  await one.keeper.start()
  await time.advance((one.keeper.expiry ?? 0) - time.clock() - 20 * DAY)
  cluster.away()
  await one.keeper.look()
  await time.advance(DAY)
  await one.keeper.look()
  assert.equal(one.shown.length, 1)
  assert.ok(troubles.length > 0)
  cluster.back()
  await one.keeper.look()
  await time.advance(11 * 60_000)
  await one.keeper.look()
  assert.equal(one.shown.length, 2)
})

test('a configuration that was applied anew gets its bundle again', async (t) => {
  const { cluster, replica, time } = open(t)
  const { keeper } = replica(0)
  const { authority } = await keeper.start()
  cluster.put(configuration('ValidatingWebhookConfiguration'))
  assert.equal(bundles(cluster)[0], '')
  await time.advance(15_000)
  assert.equal(bundles(cluster)[0], authority)
})

for (const [name, data] of [
  ['empty', {}],
  ['broken', { 'tls.crt': 'eA==', 'tls.key': 'eA==', 'ca.crt': 'eA==' }],
  ['of something else', { password: 'eA==' }],
] as const satisfies readonly (readonly [string, Readonly<Record<string, JsonValue>>])[]) {
  test(`a Secret that is ${name} is filled`, async (t) => {
    const { cluster, replica } = open(t)
    const metadata = { name: 'countersign-certificates', namespace: NAMESPACE }
    cluster.put({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data })
    const { authority } = await replica(0).keeper.start()
    assert.equal(bundles(cluster)[0], authority)
  })
}
