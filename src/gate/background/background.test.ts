import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { publicKeyToPem } from '#crypto/public-key'
import { INSTALLATION } from '#gate/installation'
import { fakeTimers } from '#testing/fake-timers'
import { clusterImagePolicy, NAMESPACE, openGateBench, pod, type GateBench } from '#testing/gate/gate-bench'
import { createFakeCluster } from '#testing/kubernetes/fake-cluster'
import { Lease } from './lease.js'

const ISSUER = 'https://issuer.example.com'
const ANN = { keyless: { identities: [{ issuer: ISSUER, subject: 'ann@example.com' }] } }
const HOUR = 3_600_000
const LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  resource: 'leases',
  namespace: NAMESPACE,
  name: INSTALLATION.lease,
}

/** As the manifests have it: one webhook a family, and the namespaces that it guards. */
function webhooks(): JsonObject {
  const webhook = (family: string, namespaceSelector: JsonObject): JsonObject => ({
    name: family,
    namespaceSelector,
    clientConfig: { service: { name: INSTALLATION.service, namespace: NAMESPACE, path: `/validations/${family}` } },
  })
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: INSTALLATION.validatingWebhooks },
    webhooks: [
      webhook('sigstore', { matchLabels: { 'policy.sigstore.dev/include': 'true' } }),
      webhook('kyverno', {
        matchExpressions: [{ key: 'policy.sigstore.dev/exclude', operator: 'NotIn', values: ['true'] }],
      }),
    ],
  }
}

const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

const running = (name: string, place: string, image: string): JsonObject => {
  const object = pod(image)
  return { ...object, metadata: { name, namespace: place } }
}

interface Scanned extends GateBench {
  /** What each resource's report counts. */
  summary(place: string, name: string, resource?: 'pods' | 'deployments' | 'replicasets'): unknown
  /** Lets seconds go by. */
  pass(seconds: number): Promise<void>
}

async function open(t: TestContext, place: (bench: GateBench) => Promise<readonly JsonObject[]>): Promise<Scanned> {
  const bench = await openGateBench({ reports: true, scanInterval: HOUR, scanRate: 100, unstarted: true })
  t.after(() => bench.close())
  bench.cluster.put(webhooks())
  for (const object of await place(bench)) bench.cluster.put(object)
  await bench.opened.start()
  const pass = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds * 10; step++) await bench.time.advance(100)
  }
  await pass(10)
  return {
    ...bench,
    pass,
    summary: (at, name, resource = 'pods') => {
      const apiVersion = resource === 'pods' ? 'v1' : 'apps/v1'
      const uid = bench.cluster.get({ apiVersion, resource, namespace: at, name })?.metadata.uid ?? 'none'
      const reports = { apiVersion: 'wgpolicyk8s.io/v1alpha2', resource: 'policyreports', namespace: at }
      return bench.cluster.get({ ...reports, name: `sigstore-${uid}` })?.['summary']
    },
  }
}

const PASS = { pass: 1, fail: 0, warn: 0, error: 0, skip: 0 }
const FAIL = { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 }
const GUARDED = { 'policy.sigstore.dev/include': 'true' }

describe('the scan of what runs', () => {
  const cluster = async ({ images }: GateBench): Promise<readonly JsonObject[]> => {
    const signed = images.pushImage('ghcr.io/acme/app:1')
    const bare = images.pushImage('ghcr.io/acme/bare:1')
    await images.sign(signed, await images.person('ann@example.com', ISSUER))
    return [
      clusterImagePolicy('signed', ANN),
      namespace('shop', GUARDED),
      namespace('free'),
      running('good', 'shop', signed),
      running('bad', 'shop', bare),
      running('unguarded', 'free', bare),
    ]
  }

  test('what runs in guarded namespaces is reported, whatever was let in before the gate came', async (t) => {
    const { summary } = await open(t, cluster)
    assert.deepEqual(summary('shop', 'good'), PASS)
    assert.deepEqual(summary('shop', 'bad'), FAIL)
    assert.equal(summary('free', 'unguarded'), undefined)
  })

  test('a changed policy is another scan, within seconds', async (t) => {
    const { summary, apply, pass } = await open(t, cluster)
    await apply(clusterImagePolicy('signed', { static: { action: 'pass' } }))
    await pass(20)
    assert.deepEqual(summary('shop', 'bad'), PASS)
  })

  test('a tag that was moved since is judged by what runs', async (t) => {
    const { summary } = await open(t, async ({ images }) => {
      const signed = images.pushImage('ghcr.io/acme/app:1')
      await images.sign(signed, await images.person('ann@example.com', ISSUER))
      const bare = images.pushImage('ghcr.io/acme/app:1', [{ os: 'linux', architecture: 'arm64' }])
      const status = { containerStatuses: [{ name: 'c0', imageID: signed }] }
      const moved = { ...running('moved', 'shop', 'ghcr.io/acme/app:1'), status }
      return [clusterImagePolicy('signed', ANN), namespace('shop', GUARDED), moved, running('new', 'shop', bare)]
    })
    assert.deepEqual(summary('shop', 'moved'), PASS)
    assert.deepEqual(summary('shop', 'new'), FAIL)
  })

  test('an hour later it is scanned again, and not before', async (t) => {
    const { cluster: server, pass, time } = await open(t, cluster)
    const scans = (): number => server.requests.filter((line) => line === 'list batch/v1 cronjobs shop').length
    assert.equal(scans(), 1)
    await pass(60)
    assert.equal(scans(), 1)
    await time.advance(HOUR * 1.1)
    await pass(20)
    assert.equal(scans(), 2)
  })

  test('ReplicaSets of a Deployment and Jobs of a CronJob are not told of twice', async (t) => {
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web', controller: true }
    const { summary } = await open(t, async ({ images }) => {
      const bare = images.pushImage('ghcr.io/acme/bare:1')
      const template = { spec: { containers: [{ name: 'c0', image: bare }] } }
      const of = (kind: string, name: string, more: JsonObject = {}): JsonObject => ({
        apiVersion: 'apps/v1',
        kind,
        metadata: { name, namespace: 'shop', ...more },
        spec: { template },
      })
      return Promise.resolve([
        clusterImagePolicy('signed', ANN),
        namespace('shop', GUARDED),
        of('Deployment', 'web'),
        of('ReplicaSet', 'web-1', { ownerReferences: [owner] }),
      ])
    })
    assert.deepEqual(summary('shop', 'web', 'deployments'), FAIL)
    assert.equal(summary('shop', 'web-1', 'replicasets'), undefined)
  })
})

describe('the status of a policy', () => {
  const readyOf = ({ cluster }: GateBench, name: string, kyverno = false): readonly unknown[] => {
    const at = kyverno
      ? { apiVersion: 'kyverno.io/v1', resource: 'clusterpolicies', name }
      : { apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies', name }
    const status = cluster.get(at)?.['status'] as { readonly conditions?: readonly JsonObject[] } | undefined
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    return [ready?.['status'], ready?.['reason']]
  }
  const secret = (place: string, pem: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', namespace: place },
    data: { 'cosign.pub': Buffer.from(pem).toString('base64') },
  })
  const MISSING = ['False', 'InliningKeysFailed']
  const STANDS_IN = ['False', 'LastGoodKeyInForce']
  const GOOD = ['True', 'Succeeded']

  test('a key that is not there is told, and that it came, was broken, and was taken away', async (t) => {
    const bench = await open(t, () =>
      Promise.resolve([clusterImagePolicy('by-key', { key: { secretRef: { name: 'key' } } })]),
    )
    const pem = publicKeyToPem((await bench.images.keyHolder()).key.publicKey)
    assert.deepEqual(readyOf(bench, 'by-key'), MISSING)
    assert.match(await bench.metrics(), /countersign_policies\{condition="refusing"\} 1/)
    await bench.apply(secret(NAMESPACE, pem))
    await bench.pass(2)
    assert.deepEqual(readyOf(bench, 'by-key'), GOOD)
    assert.match(await bench.metrics(), /countersign_policies\{condition="in force"\} 1/)
    await bench.apply(secret(NAMESPACE, 'no key'))
    await bench.pass(2)
    assert.deepEqual(readyOf(bench, 'by-key'), STANDS_IN)
    assert.match(await bench.metrics(), /countersign_policies\{condition="last good"\} 1/)
    bench.cluster.remove({ apiVersion: 'v1', resource: 'secrets', namespace: NAMESPACE, name: 'key' })
    await bench.pass(2)
    assert.deepEqual(readyOf(bench, 'by-key'), MISSING)
  })

  test('so it is with a Secret that holds no key, and with a key in a service that nobody can ask', async (t) => {
    const bench = await open(t, () =>
      Promise.resolve([
        secret(NAMESPACE, 'no key'),
        clusterImagePolicy('by-key', { key: { secretRef: { name: 'key' } } }),
        clusterImagePolicy('by-kms', { key: { kms: 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k' } }),
      ]),
    )
    assert.deepEqual(readyOf(bench, 'by-key'), MISSING)
    assert.deepEqual(readyOf(bench, 'by-kms'), MISSING)
  })

  test('Kyverno’s keys in any namespace: one that comes later is found', async (t) => {
    const rule = (publicKeys: string): JsonObject => ({
      name: 'signed',
      match: { any: [{ resources: { kinds: ['Pod'] } }] },
      verifyImages: [{ imageReferences: ['*'], attestors: [{ entries: [{ keys: { publicKeys } }] }] }],
    })
    const bench = await open(t, () =>
      Promise.resolve([
        {
          apiVersion: 'kyverno.io/v1',
          kind: 'ClusterPolicy',
          metadata: { name: 'by-key', generation: 1 },
          spec: { rules: [rule('k8s://team-a/key')] },
        },
      ]),
    )
    const pem = publicKeyToPem((await bench.images.keyHolder()).key.publicKey)
    assert.deepEqual(readyOf(bench, 'by-key', true), MISSING)
    bench.cluster.put(secret('team-a', pem))
    await bench.pass(70)
    assert.deepEqual(readyOf(bench, 'by-key', true), GOOD)
  })

  test('says whether it is in force, and why not', async (t) => {
    const bench = await open(t, () =>
      Promise.resolve([clusterImagePolicy('good', ANN), clusterImagePolicy('bad', { key: { data: 'x' } })]),
    )
    assert.deepEqual(readyOf(bench, 'good'), GOOD)
    assert.deepEqual(readyOf(bench, 'bad'), ['False', 'Refusing'])
    await bench.apply(clusterImagePolicy('good', { key: { data: 'x' } }))
    await bench.pass(2)
    assert.deepEqual(readyOf(bench, 'good'), ['False', 'LastGoodInForce'])
  })
})

describe('which replica', () => {
  function replicas(t: TestContext) {
    const time = fakeTimers()
    const cluster = createFakeCluster({ clock: time.clock })
    const events: string[] = []
    const replica = (holder: string): Lease => {
      const lease = new Lease({
        api: cluster.api,
        namespace: NAMESPACE,
        name: INSTALLATION.lease,
        holder,
        clock: time.clock,
        timers: time.timers,
        jitter: () => 0.5,
        onHeld: () => events.push(`${holder} has it`),
        onLost: () => events.push(`${holder} lost it`),
        onTrouble: () => undefined,
      })
      t.after(() => lease.close())
      lease.start()
      return lease
    }
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) await time.advance(1000)
    }
    return { cluster, replica, pass, events }
  }

  test('one, and another one at once when it goes', async (t) => {
    const { replica, pass, events } = replicas(t)
    const first = replica('a')
    await pass(1)
    const second = replica('b')
    await pass(60)
    assert.deepEqual([first.isHeld, second.isHeld], [true, false])
    await first.close()
    await pass(11)
    assert.deepEqual([second.isHeld, events], [true, ['a has it', 'a lost it', 'b has it']])
  })

  test('one that died is waited for no longer than it may be away', async (t) => {
    const { cluster, replica, pass } = replicas(t)
    const spec = { holderIdentity: 'dead', renewTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 30 }
    cluster.put({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: INSTALLATION.lease, namespace: NAMESPACE },
      spec,
    })
    const lease = replica('a')
    await pass(25)
    assert.equal(lease.isHeld, false)
    await pass(20)
    assert.equal(lease.isHeld, true)
    assert.equal((cluster.get(LEASE)?.['spec'] as JsonObject)['holderIdentity'], 'a')
  })

  test('one that cannot reach the API server gives it up before another one takes it', async (t) => {
    const { cluster, replica, pass, events } = replicas(t)
    const lease = replica('a')
    await pass(1)
    cluster.away()
    await pass(29)
    assert.deepEqual([lease.isHeld, events], [false, ['a has it', 'a lost it']])
    cluster.back()
    await pass(11)
    assert.equal(lease.isHeld, true)
  })
})
