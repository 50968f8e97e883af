import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { TestCluster } from './cluster.js'
import { Opened } from './opened.js'
import { startClusterAndImages } from './world.js'
import { install, sharedPolicies, startReplica, type Replica } from './gate.js'
import { startSignedImages, type SignedImages } from './images.js'
import { applyFile, applyObject, createNamespace } from './objects.js'
import {
  ask,
  collectionOf,
  cronJob,
  deployment,
  eventually,
  job,
  outcomeOf,
  pod,
  SECONDS,
  type Outcome,
} from './workloads.js'

const NAMESPACE = 'team-a'
const ANN = 'ann@example.com'
const BOB = 'bob@example.com'

const opened = new Opened()
let cluster: TestCluster
let images: SignedImages
let replicas: readonly Replica[] = []
let signed: string
let bare: string

before(async () => {
  ;[cluster, images] = await startClusterAndImages(opened, { controllers: true })
  await install(cluster)
  signed = await images.push('acme/app', 'signed', [ANN])
  bare = await images.push('acme/bare', 'not signed')
  await createNamespace(cluster, NAMESPACE, { 'policy.sigstore.dev/include': 'true' })
  await createNamespace(cluster, 'unguarded', {})
  await apply(policy('signed'))
})
after(() => opened.stop())

const apply = (object: JsonObject): Promise<void> => applyObject(cluster, object)

function policy(name: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name },
    spec: {
      images: [{ glob: 'ghcr.io/acme/**' }],
      authorities: [{ name: 'ann', keyless: { identities: [{ issuer: images.issuer, subject: ANN }] } }],
      ...spec,
    },
  }
}

function tryOut(object: JsonObject): Promise<Outcome> {
  return ask(cluster.admin, object, { namespace: NAMESPACE, dryRun: true })
}

describe('the gate in a cluster', () => {
  test('as long as nobody answers, what is guarded is refused', async () => {
    const { allowed, message } = await tryOut(pod('a', 'ghcr.io/acme/app:latest'))
    assert.deepEqual(
      [allowed, message.includes('failed calling webhook "policy.sigstore.dev"')],
      [false, true],
      message,
    )
    const elsewhere = await ask(cluster.admin, pod('a', 'x'), { namespace: 'kube-system', dryRun: true })
    assert.equal(elsewhere.allowed, true, elsewhere.message)
  })

  test('two replicas come up, with the rights that they are given', async () => {
    const flags = images.admissionFlags
    const start = async (): Promise<Replica> => opened.add(await startReplica(cluster, { flags }))
    replicas = await Promise.all([start(), start()])
    const { seen } = await eventually(
      () => tryOut(pod('a', 'ghcr.io/acme/app:latest')),
      ({ message }) => !message.includes('failed calling webhook'),
    )
    assert.equal(seen.allowed, true, seen.message)
  })

  test('a signed image is admitted, and runs under the digest that was verified', async () => {
    const { allowed, object, message } = await tryOut(pod('a', 'ghcr.io/acme/app:latest'))
    assert.equal(allowed, true, message)
    const { spec } = object as unknown as { readonly spec: { readonly containers: readonly { image: string }[] } }
    assert.equal(spec.containers[0]?.image, `ghcr.io/acme/app:latest@${signed}`)
  })

  test('an image that nobody has signed is refused, with the words that scripts know', async () => {
    const { allowed, message, code } = await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`))
    assert.equal(allowed, false)
    assert.equal(code, 400)
    const [first, ...rest] = message.split('\n')
    assert.equal(
      first,
      'admission webhook "policy.sigstore.dev" denied the request: validation failed: failed policy: signed: spec.containers[0].image',
    )
    assert.match(rest.join('\n'), new RegExp(`ghcr\\.io/acme/bare@${bare}.*no signatures found`, 's'))
  })

  test('one image of several is enough to refuse', async () => {
    const { allowed, message } = await tryOut(pod('a', `ghcr.io/acme/app@${signed}`, `ghcr.io/acme/bare@${bare}`))
    assert.deepEqual([allowed, message.includes('spec.containers[1].image')], [false, true], message)
  })

  test('an image that no policy is about is refused, as the original does', async () => {
    const { allowed, message } = await tryOut(pod('a', `ghcr.io/other/app@${signed}`))
    assert.deepEqual([allowed, message.includes('no matching policies')], [false, true], message)
  })

  test('a namespace without the label is let be', async () => {
    const outcome = await ask(cluster.admin, pod('a', `ghcr.io/acme/bare@${bare}`), {
      namespace: 'unguarded',
      dryRun: true,
    })
    assert.equal(outcome.allowed, true, outcome.message)
  })

  for (const [kind, make] of [
    ['Deployment', deployment],
    ['Job', job],
    ['CronJob', cronJob],
  ] as const) {
    test(`a ${kind} is judged by the images of its pods`, async () => {
      const good = await tryOut(make('a', `ghcr.io/acme/app@${signed}`))
      assert.equal(good.allowed, true, good.message)
      const bad = await tryOut(make('a', `ghcr.io/acme/bare@${bare}`))
      assert.equal(bad.allowed, false)
      assert.match(bad.message, /failed policy: signed: spec\.(?:template|jobTemplate)\./)
    })
  }

  test('what a deployment’s controllers make is pinned, and the deployment is as its author wrote it', async () => {
    const made = await ask(cluster.admin, deployment('web', 'ghcr.io/acme/app:latest'), { namespace: NAMESPACE })
    assert.equal(made.allowed, true, made.message)
    const pods = { apiVersion: 'v1', resource: 'pods', namespace: NAMESPACE }
    const { seen } = await eventually(
      () => cluster.admin.list(pods, { labelSelector: 'app=web' }),
      ({ items }) => items.length > 0,
    )
    assert.ok(JSON.stringify(seen.items).includes(`"image":"ghcr.io/acme/app:latest@${signed}"`))
    assert.ok(JSON.stringify(made.object).includes('"image":"ghcr.io/acme/app:latest"'))
  })

  test('wherever a pod names an image, it is judged', async () => {
    const { spec, ...rest } = pod('a', `ghcr.io/acme/app@${signed}`)
    const image = `ghcr.io/acme/bare@${bare}`
    for (const [field, more] of [
      ['spec.initContainers[0].image', { initContainers: [{ name: 'init', image }] }],
      ['spec.volumes[0].image.reference', { volumes: [{ name: 'files', image: { reference: image } }] }],
    ] as const) {
      const { allowed, message } = await tryOut({ ...rest, spec: { ...(spec as JsonObject), ...more } })
      assert.deepEqual([allowed, message.includes(field)], [false, true], message)
    }
  })

  test('ephemeral containers are judged', async () => {
    const made = await ask(cluster.admin, pod('debugged', `ghcr.io/acme/app@${signed}`), { namespace: NAMESPACE })
    assert.equal(made.allowed, true, made.message)
    const at = { apiVersion: 'v1', resource: 'pods', namespace: NAMESPACE, name: 'debugged' }
    const debug = (image: string): Promise<Outcome> => {
      const body = { spec: { ephemeralContainers: [{ name: 'debug', image }] } }
      const options = { subresource: 'ephemeralcontainers', dryRun: true }
      return outcomeOf(() => cluster.admin.patch(at, { kind: 'strategic', body }, options))
    }
    const bad = await debug(`ghcr.io/acme/bare@${bare}`)
    assert.equal(bad.allowed, false)
    assert.match(bad.message, /spec\.ephemeralContainers\[0\]\.image/)
    const good = await debug(`ghcr.io/acme/app@${signed}`)
    assert.equal(good.allowed, true, good.message)
  })

  test('a policy that warns lets in, and says why it would not have', async () => {
    await apply(policy('warning', { images: [{ glob: 'ghcr.io/acme/bare**' }], mode: 'warn' }))
    await apply(policy('signed', { images: [{ glob: 'ghcr.io/acme/app**' }] }))
    const { seen } = await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => allowed,
    )
    assert.match(seen.warnings.join('\n'), /failed policy: warning/)
    await cluster.admin.delete({ ...collectionOf(policy('warning')), name: 'warning' })
    await apply(policy('signed'))
    await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => !allowed,
    )
  })

  test('a changed policy is obeyed within seconds', async () => {
    const look = (): Promise<Outcome> => tryOut(pod('a', `ghcr.io/acme/app@${signed}`))
    const identities = [{ issuer: images.issuer, subject: BOB }]
    await apply(policy('signed', { authorities: [{ name: 'bob', keyless: { identities } }] }))
    const refused = await eventually(look, ({ allowed }) => !allowed, SECONDS)
    assert.match(refused.seen.message, /none of the expected identities matched/)
    await apply(policy('signed'))
    await eventually(look, ({ allowed }) => allowed, SECONDS)
  })

  test('a policy of others is enforced as it is: what the pod itself says', async () => {
    const digest = await images.push('sigstore/timestamp-server', 'tsa')
    await applyFile(cluster, 'policy-controller-e2e/cip-include-spec.yaml')
    const image = `ghcr.io/sigstore/timestamp-server@${digest}`
    const good = await eventually(
      () => tryOut(pod('a', image)),
      ({ allowed }) => allowed,
    )
    assert.equal(good.seen.message, '')
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'other', namespace: NAMESPACE } })
    const { spec, ...rest } = pod('a', image)
    const bad = await tryOut({ ...rest, spec: { ...(spec as JsonObject), serviceAccountName: 'other' } })
    assert.equal(bad.allowed, false)
    assert.match(bad.message, /failed evaluating cue policy for ClusterImagePolicy/)
  })

  test('a policy of others is enforced as it is: a key in a Secret, which may be replaced', async () => {
    const { digest, publicKey } = await images.pushWithKey('acme/demo', 'with a key')
    const { publicKey: another } = await images.pushWithKey('acme/other', 'with another key')
    const secret = (key: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cip-secret', namespace: 'countersign-system' },
      stringData: { 'cosign.pub': key },
    })
    await cluster.admin.delete({ ...collectionOf(policy('signed')), name: 'signed' })
    await apply(secret(publicKey))
    await applyFile(cluster, 'policy-controller-e2e/cip-key-secret.yaml')
    const look = (): Promise<Outcome> => tryOut(pod('a', `ghcr.io/acme/demo@${digest}`))
    await eventually(look, ({ allowed }) => allowed)
    await apply(secret(another))
    const refused = await eventually(look, ({ allowed }) => !allowed, SECONDS)
    assert.match(refused.seen.message, /failed policy: cip-key-secret/)
    await apply(secret(publicKey))
    await eventually(look, ({ allowed }) => allowed, SECONDS)
    await apply(policy('signed'))
  })

  test('what somebody said of an image decides', async () => {
    const type = 'https://example.com/scan'
    const clean = await images.push('scanned/clean', 'clean')
    await images.attest('scanned/clean', clean, { type, predicate: { findings: 0 }, signer: BOB })
    const dirty = await images.push('scanned/dirty', 'dirty')
    await images.attest('scanned/dirty', dirty, { type, predicate: { findings: 3 }, signer: BOB })
    const keyless = { identities: [{ issuer: images.issuer, subject: BOB }] }
    const attestations = [
      { name: 'scan', predicateType: type, policy: { type: 'cue', data: 'predicate: findings: <1' } },
    ]
    await apply(
      policy('scanned', { images: [{ glob: 'ghcr.io/scanned/**' }], authorities: [{ keyless, attestations }] }),
    )
    await eventually(
      () => tryOut(pod('a', `ghcr.io/scanned/clean@${clean}`)),
      ({ allowed }) => allowed,
    )
    const bad = await tryOut(pod('a', `ghcr.io/scanned/dirty@${dirty}`))
    assert.deepEqual([bad.allowed, bad.message.includes('failed policy: scanned')], [false, true], bad.message)
    await cluster.admin.delete({ ...collectionOf(policy('scanned')), name: 'scanned' })
  })

  test('another trust root is obeyed within seconds', async () => {
    const others = opened.add(await startSignedImages())
    const trustRoot = ({ tuf }: SignedImages): JsonObject => ({
      apiVersion: 'policy.sigstore.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'private' },
      spec: { remote: { ...tuf, targets: 'targets' } },
    })
    const look = (): Promise<Outcome> => tryOut(pod('a', `ghcr.io/acme/app@${signed}`))
    const identities = [{ issuer: images.issuer, subject: ANN }]
    const keyless = { trustRootRef: 'private', identities }
    await apply(trustRoot(others))
    await apply(policy('signed', { authorities: [{ keyless, ctlog: { trustRootRef: 'private' } }] }))
    await eventually(look, ({ allowed }) => !allowed)
    await apply(trustRoot(images))
    await eventually(look, ({ allowed }) => allowed, SECONDS)
    await apply(policy('signed'))
  })

  test('a policy that could not be used is refused when it is applied, with the words that scripts know', async () => {
    const files = (await sharedPolicies('policy-controller-invalid')).filter(({ text }) => text.includes('# ERROR:'))
    assert.ok(files.length > 15, String(files.length))
    for (const { path, text } of files) {
      const { code, stderr } = await cluster.kubectl(['apply', '--validate=strict', '-f', '-'], { input: text })
      assert.notEqual(code, 0, path)
      const expected = [...text.matchAll(/# ERROR:(.*)/g)].map(([, message = '']) => message.trim())
      for (const message of expected) assert.ok(stderr.includes(message), `${path}: ${stderr}\nlacks: ${message}`)
    }
  })

  test('nothing was asked of the cluster that the roles do not give', () => {
    assert.ok(replicas.length > 0)
    assert.deepEqual(
      replicas.filter((replica) => /forbidden/i.test(replica.log())).map((replica) => replica.log()),
      [],
    )
  })
})
