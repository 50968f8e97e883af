import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { TestCluster } from './cluster.js'
import { Opened } from './opened.js'
import { startClusterAndImages } from './world.js'
import { install, startReplica, type Replica } from './gate.js'
import type { SignedImages } from './images.js'
import { applyFile, applyObject, createNamespace } from './objects.js'
import { ask, collectionOf, cronJob, deployment, eventually, job, pod, type Outcome } from './workloads.js'

const ANN = 'ann@example.com'
const BOB = 'bob@example.com'

const opened = new Opened()
let cluster: TestCluster
let images: SignedImages
let replica: Replica
let signed: string
let bare: string

before(async () => {
  ;[cluster, images] = await startClusterAndImages(opened, { controllers: true })
  await install(cluster, '--policies', 'kyverno')
  signed = await images.push('acme/app', 'signed', [ANN])
  bare = await images.push('acme/bare', 'not signed')
  await createNamespace(cluster, 'team-a', {})
  await createNamespace(cluster, 'team-b', {})
  replica = opened.add(await startReplica(cluster, { flags: images.admissionFlags }))
  await eventually(
    () => tryOut(pod('a', 'ghcr.io/other/app')),
    ({ allowed }) => allowed,
  )
})
after(() => opened.stop())

function policy(kind: 'ClusterPolicy' | 'Policy', change: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  const keyless = { issuer: images.issuer, subject: ANN }
  const rule = {
    name: 'signed',
    match: { any: [{ resources: { kinds: ['Pod'] } }] },
    verifyImages: [{ imageReferences: ['ghcr.io/acme/*'], attestors: [{ entries: [{ keyless }] }], ...change }],
  }
  return {
    apiVersion: 'kyverno.io/v1',
    kind,
    metadata: { name: 'require-signed-images', ...metadata },
    spec: { validationFailureAction: 'Enforce', rules: [rule] },
  }
}

async function without(object: JsonObject, namespace?: string): Promise<void> {
  await cluster.admin.delete({ ...collectionOf(object, namespace), name: 'require-signed-images' })
  await eventually(
    () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
    ({ allowed }) => allowed,
  )
}

function tryOut(object: JsonObject, namespace = 'team-a'): Promise<Outcome> {
  return ask(cluster.admin, object, { namespace, dryRun: true })
}

describe('Kyverno’s policies', () => {
  test('as they are written: signed by whom, with nothing said of logs and roots', async () => {
    await applyObject(cluster, policy('ClusterPolicy'))
    const { seen } = await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      // A policy that comes between the two phases of a request is enforced by the second.
      ({ message }) => message.includes('"mutate.kyverno.svc-fail" denied'),
    )
    assert.match(
      seen.message,
      /^admission webhook "mutate\.kyverno\.svc-fail" denied the request: \n\nresource Pod\/team-a\/a was blocked due to the following policies ?\n\nrequire-signed-images:\n {2}signed: /,
    )
    assert.match(seen.message, /failed to verify image ghcr\.io\/acme\/bare/)
    assert.match(seen.message, /\.attestors\[0\]\.entries\[0\]\.keyless/)
    const good = await tryOut(pod('a', 'ghcr.io/acme/app:latest'))
    assert.equal(good.allowed, true, good.message)
    assert.ok(JSON.stringify(good.object).includes(`"image":"ghcr.io/acme/app:latest@${signed}"`))
  })

  test('an image without a policy is let be', async () => {
    const { allowed, message } = await tryOut(pod('a', 'ghcr.io/other/app:v1'))
    assert.equal(allowed, true, message)
  })

  for (const [kind, make] of [
    ['Deployment', deployment],
    ['Job', job],
    ['CronJob', cronJob],
  ] as const) {
    test(`a policy of pods guards a ${kind}`, async () => {
      const good = await tryOut(make('a', `ghcr.io/acme/app@${signed}`))
      assert.equal(good.allowed, true, good.message)
      const bad = await tryOut(make('a', `ghcr.io/acme/bare@${bare}`))
      assert.equal(bad.allowed, false)
      assert.match(bad.message, new RegExp(`resource ${kind}/team-a/a was blocked`))
      assert.match(bad.message, /autogen-(?:cronjob-)?signed: /)
    })
  }

  test('who else signed does not help', async () => {
    const digest = await images.push('acme/bobs', 'by another', [BOB])
    const { allowed, message } = await tryOut(pod('a', `ghcr.io/acme/bobs@${digest}`))
    assert.deepEqual(
      [allowed, message.includes(`subject mismatch: expected ${ANN}, received ${BOB}`)],
      [false, true],
      message,
    )
  })

  test('an exception excuses whom it names, once exceptions are taken from there', async () => {
    const exception = {
      apiVersion: 'kyverno.io/v2',
      kind: 'PolicyException',
      metadata: { name: 'excused', namespace: 'team-b' },
      spec: {
        exceptions: [{ policyName: 'require-signed-images', ruleNames: ['signed'] }],
        match: { any: [{ resources: { kinds: ['Pod'], names: ['excused'] } }] },
      },
    }
    await applyObject(cluster, exception)
    const flags = [...images.admissionFlags, '--exceptions-from', 'team-b']
    const other = opened.add(await startReplica(cluster, { flags }))
    cluster.network.remove(replica.endpoint)
    cluster.network.cut()
    await eventually(
      () => tryOut(pod('excused', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => allowed,
    )
    assert.equal((await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`))).allowed, false)
    cluster.network.add(replica.endpoint)
    cluster.network.remove(other.endpoint)
    cluster.network.cut()
    await other.leave()
    await eventually(
      () => tryOut(pod('excused', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => !allowed,
    )
  })

  test('auditing refuses nothing', async () => {
    await applyObject(cluster, policy('ClusterPolicy', { failureAction: 'Audit', mutateDigest: false }))
    await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => allowed,
    )
    await without(policy('ClusterPolicy'))
  })

  test('a policy of a namespace guards that namespace alone', async () => {
    await applyObject(cluster, policy('Policy', {}, { namespace: 'team-a' }))
    await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => !allowed,
    )
    const elsewhere = await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`), 'team-b')
    assert.equal(elsewhere.allowed, true, elsewhere.message)
    await without(policy('Policy'), 'team-a')
  })

  test('a policy of others, unchanged: a key that stands in a ConfigMap', async () => {
    const { digest, publicKey } = await images.pushWithKey('acme/demo', 'with a key')
    const { publicKey: another } = await images.pushWithKey('acme/other', 'with another key')
    const keys = (org: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keys', namespace: 'default' },
      data: { org },
    })
    await applyObject(cluster, keys(publicKey))
    await applyFile(cluster, 'kyverno-verify-images/configmap-context-lookup/policy.yaml')
    await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => !allowed,
    )
    const look = (): Promise<Outcome> => tryOut(pod('a', `ghcr.io/acme/demo@${digest}`))
    const good = await look()
    assert.equal(good.allowed, true, good.message)
    await applyObject(cluster, keys(another))
    const { seen } = await eventually(look, ({ allowed }) => !allowed)
    assert.match(seen.message, /verify-image-with-multi-keys/)
  })

  test('nothing was asked of the cluster that the roles do not give', () => {
    assert.ok(!/forbidden/i.test(replica.log()), replica.log())
  })
})
