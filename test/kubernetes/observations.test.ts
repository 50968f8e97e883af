import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Collection, KubernetesObject } from '#clients/kubernetes/object'
import type { JsonObject } from '#encoding/json'
import type { TestCluster } from './cluster.js'
import { install, metrics, NAMESPACE as GATE, startReplica, type Replica } from './gate.js'
import type { SignedImages } from './images.js'
import { applyObject, createNamespace } from './objects.js'
import { Opened } from './opened.js'
import { startClusterAndImages } from './world.js'
import { ask, collectionOf, eventually, pod, type Outcome } from './workloads.js'

const NAMESPACE = 'team-a'
const ANN = 'ann@example.com'
const REPORTS: Collection = { apiVersion: 'wgpolicyk8s.io/v1alpha2', resource: 'policyreports', namespace: NAMESPACE }

const opened = new Opened()
let cluster: TestCluster
let images: SignedImages
let replicas: readonly Replica[] = []
let signed: string
let bare: string

before(async () => {
  ;[cluster, images] = await startClusterAndImages(opened, { controllers: true })
  signed = await images.push('acme/app', 'signed', [ANN])
  bare = await images.push('acme/bare', 'not signed')
  await createNamespace(cluster, NAMESPACE, { 'policy.sigstore.dev/include': 'true' })
  // They were here before the gate.
  for (const [name, image] of [
    ['good', `ghcr.io/acme/app@${signed}`],
    ['bad', `ghcr.io/acme/bare@${bare}`],
  ] as const) {
    const made = await ask(cluster.admin, pod(name, image), { namespace: NAMESPACE })
    assert.equal(made.allowed, true, made.message)
  }
  await install(cluster, '--policies', 'sigstore')
  await applyObject(cluster, policy('signed'))
  const flags = [...images.admissionFlags, '--scan-interval', '10s', '--scan-rate', '100']
  const start = async (): Promise<Replica> => opened.add(await startReplica(cluster, { flags }))
  replicas = await Promise.all([start(), start()])
})
after(() => opened.stop())

function policy(name: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name },
    spec: {
      images: [{ glob: 'ghcr.io/acme/**' }],
      authorities: [{ keyless: { identities: [{ issuer: images.issuer, subject: ANN }] } }],
      ...spec,
    },
  }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

async function ready(name: string): Promise<Condition | undefined> {
  const { status } = await cluster.admin.get({ ...collectionOf(policy(name)), name })
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Condition[] }
  return conditions.find(({ type }) => type === 'Ready')
}

/** The result of the report on a pod. */
async function reported(name: string): Promise<JsonObject | undefined> {
  const { items } = await cluster.admin.list(REPORTS)
  const about = ({ scope }: KubernetesObject): boolean =>
    (scope as { readonly name?: string } | undefined)?.name === name
  return items.find(about)
}

/** What it says in short. */
async function counted(name: string): Promise<string> {
  const report = await reported(name)
  if (report === undefined) return 'no report'
  const { pass = 0, fail = 0 } = report['summary'] as { readonly pass?: number; readonly fail?: number }
  return `${String(pass)} passed, ${String(fail)} failed`
}

describe('what the gate tells', () => {
  test('whether a policy is enforced stands in its status', async () => {
    const { seen } = await eventually(
      () => ready('signed'),
      (condition) => condition !== undefined,
    )
    assert.equal(seen?.status, 'True', JSON.stringify(seen))
  })

  test('a policy whose text is missing says so, and refuses, until it is there', async () => {
    const configMapRef = { name: 'texts', key: 'policy' }
    const about = [{ glob: 'ghcr.io/acme/app*' }]
    const anybody = [{ static: { action: 'pass' } }]
    const broken = policy('unwritten', { images: about, authorities: anybody, policy: { type: 'cue', configMapRef } })
    await applyObject(cluster, broken)
    const { seen } = await eventually(
      () => ready('unwritten'),
      (condition) => condition?.status === 'False',
    )
    assert.match(seen?.message ?? '', /there is no ConfigMap texts with policy/)
    const look = (): Promise<Outcome> =>
      ask(cluster.admin, pod('a', `ghcr.io/acme/app@${signed}`), { namespace: NAMESPACE, dryRun: true })
    const { allowed, message } = await look()
    assert.deepEqual([allowed, message.includes('failed policy: unwritten')], [false, true], message)
    const metadata = { name: 'texts', namespace: GATE }
    await applyObject(cluster, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { policy: 'kind: string' } })
    await eventually(look, (outcome) => outcome.allowed)
    await eventually(
      () => ready('unwritten'),
      (condition) => condition?.status === 'True',
    )
    await cluster.admin.delete({ ...collectionOf(broken), name: 'unwritten' })
  })

  test('what runs already is judged, and reported', async () => {
    // A pass that began before the policy of the test before was gone may have reported on it.
    await eventually(
      () => Promise.all([counted('good'), counted('bad')]),
      ([good, bad]) => good === '1 passed, 0 failed' && bad === '0 passed, 1 failed',
    )
    assert.match(JSON.stringify(await reported('bad')), /no signatures found/)
  })

  test('a policy that changes is a reason to judge it again', async () => {
    const signer = (subject: string): JsonObject => ({
      authorities: [{ keyless: { identities: [{ issuer: images.issuer, subject }] } }],
    })
    await applyObject(cluster, policy('signed', signer('bob@example.com')))
    await eventually(
      () => counted('good'),
      (counts) => counts === '0 passed, 1 failed',
    )
    await applyObject(cluster, policy('signed'))
    await eventually(
      () => counted('good'),
      (counts) => counts === '1 passed, 0 failed',
    )
  })

  test('a report goes with what it is about', async () => {
    await cluster.admin.delete({ apiVersion: 'v1', resource: 'pods', namespace: NAMESPACE, name: 'bad' })
    await eventually(
      () => reported('bad'),
      (report) => report === undefined,
    )
  })

  test('a denial is an event, on the policy', async () => {
    const { allowed } = await ask(cluster.admin, pod('denied', `ghcr.io/acme/bare@${bare}`), { namespace: NAMESPACE })
    assert.equal(allowed, false)
    const { seen } = await eventually(
      async () => (await cluster.admin.list({ apiVersion: 'v1', resource: 'events' })).items,
      (events) => events.some(({ reason }) => reason === 'PolicyViolation'),
    )
    const event = seen.find(({ reason }) => reason === 'PolicyViolation')
    assert.match(JSON.stringify(event), /team-a\/denied/)
    assert.match(JSON.stringify(event), /"kind":"ClusterImagePolicy"/)
  })

  test('decisions are counted', async () => {
    const text = (await Promise.all(replicas.map(metrics))).join('\n')
    for (const series of [
      'countersign_admission_requests_total{outcome="allowed",phase="mutating"}',
      'countersign_admission_requests_total{outcome="allowed",phase="validating"}',
      'countersign_admission_requests_total{outcome="denied",phase="mutating"}',
      'countersign_policies{condition="in force"}',
      'countersign_told_total{outcome="written",what="event"}',
      'countersign_told_total{outcome="written",what="report"}',
    ])
      assert.match(text, new RegExp(`^${series.replace(/[{}]/g, '\\$&')} [1-9]`, 'm'))
    assert.match(text, /^countersign_policy_results_total\{.*policy="signed".*\} [1-9]/m)
  })

  test('when the replica that does the background work dies, another goes on', async () => {
    const working = replicas.filter((replica) => replica.log().includes('this replica does the background work'))
    assert.equal(working.length, 1)
    for (const replica of working) {
      cluster.network.remove(replica.endpoint)
      await replica.stop()
    }
    await applyObject(cluster, policy('later', { images: [{ glob: 'ghcr.io/later/**' }] }))
    const { seen } = await eventually(
      () => ready('later'),
      (condition) => condition !== undefined,
    )
    assert.equal(seen?.status, 'True')
  })

  test('nothing was asked of the cluster that the roles do not give', () => {
    assert.deepEqual(
      replicas.filter((replica) => /forbidden/i.test(replica.log())).map((replica) => replica.log()),
      [],
    )
  })
})
