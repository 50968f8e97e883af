import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { TestCluster } from './cluster.js'
import { Opened } from './opened.js'
import { startClusterAndImages } from './world.js'
import { install, sharedPolicy, startReplica, type Replica } from './gate.js'
import type { SignedImages } from './images.js'
import { applyFile, applyObject, createNamespace } from './objects.js'
import { ask, collectionOf, cronJob, deployment, eventually, job, pod, type Outcome } from './workloads.js'

const ANN = 'ann@example.com'
const BOB = 'bob@example.com'
const API_VERSION = 'policies.kyverno.io/v1'
const FOLDER = 'kyverno-image-validating-policies'
const SCAN = 'https://example.com/scan'

const opened = new Opened()
let cluster: TestCluster
let images: SignedImages
let replica: Replica
/** Signed by Ann; with a statement of hers that it is clean, or that it is not. */
let clean: string
let dirty: string
let bobs: string
let bare: string

before(async () => {
  ;[cluster, images] = await startClusterAndImages(opened, { controllers: true })
  await install(cluster, '--policies', 'kyverno')
  clean = await images.push('acme/clean', 'signed, clean', [ANN])
  await images.attest('acme/clean', clean, { type: SCAN, predicate: { clean: true }, signer: ANN })
  dirty = await images.push('acme/dirty', 'signed, not clean', [ANN])
  await images.attest('acme/dirty', dirty, { type: SCAN, predicate: { clean: false }, signer: ANN })
  bobs = await images.push('acme/bobs', 'by another', [BOB])
  bare = await images.push('acme/bare', 'not signed')
  await createNamespace(cluster, 'team-a', {})
  await createNamespace(cluster, 'team-b', {})
  const flags = [...images.admissionFlags, '--exceptions-from', 'team-b']
  replica = opened.add(await startReplica(cluster, { flags }))
  await eventually(
    () => tryOut(pod('a', 'ghcr.io/other/app')),
    ({ allowed }) => allowed,
  )
})
after(() => opened.stop())

const PODS: JsonObject = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
}

function policy(spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ImageValidatingPolicy',
    metadata: { name: 'signed-by-ann' },
    spec: {
      matchConstraints: PODS,
      matchImageReferences: [{ glob: 'ghcr.io/acme/*' }],
      attestors: [{ name: 'ann', cosign: { keyless: { identities: [{ issuer: images.issuer, subject: ANN }] } } }],
      validations: [
        {
          expression: 'images.containers.all(i, verifyImageSignatures(i, [attestors.ann]) > 0)',
          message: 'Ann has to sign it',
        },
      ],
      ...spec,
    },
  }
}

function tryOut(object: JsonObject, namespace = 'team-a'): Promise<Outcome> {
  return ask(cluster.admin, object, { namespace, dryRun: true })
}

const bad = (): Promise<Outcome> => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`))

async function without(object: JsonObject): Promise<void> {
  const { name, namespace } = object['metadata'] as { readonly name: string; readonly namespace?: string }
  await cluster.admin.delete({ ...collectionOf(object, namespace), name })
  await eventually(bad, ({ allowed, warnings }) => allowed && warnings.length === 0)
}

describe('policies of images in CEL', () => {
  test('an image that nobody has signed is refused, in the words of the policy', async () => {
    await applyObject(cluster, policy())
    const { seen } = await eventually(bad, ({ allowed }) => !allowed)
    assert.match(
      seen.message,
      /^admission webhook "(?:mutate|validate)\.kyverno\.svc-fail" denied the request: Policy signed-by-ann failed: Ann has to sign it/,
    )
  })

  test('one that Ann signed is admitted, and runs under the digest that was verified', async () => {
    const { allowed, message, object } = await tryOut(pod('a', 'ghcr.io/acme/clean:latest'))
    assert.equal(allowed, true, message)
    assert.ok(JSON.stringify(object).includes(`"image":"ghcr.io/acme/clean:latest@${clean}"`), JSON.stringify(object))
  })

  test('who else signed does not help, nor does one good image among others', async () => {
    const byBob = await tryOut(pod('a', `ghcr.io/acme/bobs@${bobs}`))
    assert.deepEqual([byBob.allowed, byBob.message.includes('Ann has to sign it')], [false, true], byBob.message)
    const mixed = await tryOut(pod('a', `ghcr.io/acme/clean@${clean}`, `ghcr.io/acme/bare@${bare}`))
    assert.equal(mixed.allowed, false)
  })

  test('an image that the policy is not about is let be', async () => {
    const { allowed, message } = await tryOut(pod('a', 'ghcr.io/other/app:v1'))
    assert.equal(allowed, true, message)
  })

  for (const [kind, make] of [
    ['Deployment', deployment],
    ['Job', job],
    ['CronJob', cronJob],
  ] as const) {
    test(`a policy of pods guards a ${kind} where it says so`, async () => {
      const controllers = ['deployments', 'jobs', 'cronjobs']
      await applyObject(cluster, policy({ autogen: { podControllers: { controllers } } }))
      const refused = await eventually(
        () => tryOut(make('a', `ghcr.io/acme/bare@${bare}`)),
        ({ allowed }) => !allowed,
      )
      assert.match(refused.seen.message, /Ann has to sign it/)
      const good = await tryOut(make('a', `ghcr.io/acme/clean@${clean}`))
      assert.equal(good.allowed, true, good.message)
    })
  }

  test('what Ann says of an image decides', async () => {
    const expression = `images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.ann]) > 0 &&
      extractPayload(i, attestations.scan).predicate.clean)`
    const validations = [{ expression, message: 'it is not clean' }]
    await applyObject(cluster, policy({ attestations: [{ name: 'scan', intoto: { type: SCAN } }], validations }))
    const refused = await eventually(
      () => tryOut(pod('a', `ghcr.io/acme/dirty@${dirty}`)),
      ({ allowed }) => !allowed,
    )
    assert.match(refused.seen.message, /it is not clean/)
    const good = await tryOut(pod('a', `ghcr.io/acme/clean@${clean}`))
    assert.equal(good.allowed, true, good.message)
  })

  test('warning and auditing refuse nothing; a warning reaches whoever asked', async () => {
    await applyObject(cluster, policy({ validationActions: ['Warn'] }))
    const warned = await eventually(bad, ({ allowed }) => allowed)
    assert.match(warned.seen.warnings.join('\n'), /Ann has to sign it/)
    await applyObject(cluster, policy({ validationActions: ['Audit'] }))
    await eventually(bad, ({ allowed, warnings }) => allowed && warnings.length === 0)
  })

  test('an exception excuses whom it names', async () => {
    await applyObject(cluster, policy())
    await eventually(bad, ({ allowed }) => !allowed)
    const exception = {
      apiVersion: API_VERSION,
      kind: 'PolicyException',
      metadata: { name: 'excused', namespace: 'team-b' },
      spec: {
        policyRefs: [{ name: 'signed-by-ann', kind: 'ImageValidatingPolicy' }],
        matchConditions: [{ name: 'name', expression: "object.metadata.name == 'excused'" }],
      },
    }
    await applyObject(cluster, exception)
    await eventually(
      () => tryOut(pod('excused', `ghcr.io/acme/bare@${bare}`)),
      ({ allowed }) => allowed,
    )
    assert.equal((await bad()).allowed, false)
    await without(policy())
  })

  test('a policy of a namespace guards that namespace alone', async () => {
    const namespaced = {
      ...policy(),
      kind: 'NamespacedImageValidatingPolicy',
      metadata: { name: 'team-a-only', namespace: 'team-a' },
    }
    await applyObject(cluster, namespaced)
    await eventually(bad, ({ allowed }) => !allowed)
    const elsewhere = await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`), 'team-b')
    assert.equal(elsewhere.allowed, true, elsewhere.message)
    await without(namespaced)
  })

  test('a policy of others, unchanged: what else is in the cluster decides', async () => {
    await createNamespace(cluster, 'default', {})
    await applyFile(cluster, `${FOLDER}/context/resource/pod.yaml`)
    await applyFile(cluster, `${FOLDER}/context/resource/policy.yaml`)
    const apply = async (path: string): Promise<{ readonly code: number; readonly stderr: string }> => {
      const input = await sharedPolicy(`${FOLDER}/context/resource/${path}`)
      return await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { input })
    }
    const { seen } = await eventually(
      () => apply('negative.yaml'),
      ({ code }) => code !== 0,
    )
    assert.match(seen.stderr, /Policy ivpol-resource-lookup-sample failed: Deployment labels must be env=prod/)
    const good = await apply('positive.yaml')
    assert.equal(good.code, 0, good.stderr)
  })

  test('a policy that could not be used is refused when it is applied', async () => {
    const input = await sharedPolicy(`${FOLDER}/validation-checks/invalid-action/policy.yaml`)
    const invalid = await cluster.kubectl(['apply', '-f', '-'], { input })
    assert.notEqual(invalid.code, 0)
    assert.match(invalid.stderr, /validationActions\[0\]: Unsupported value: "test"/)
    const wrong = policy({ validations: [{ expression: 'images.containers.all(i, nothing(i))' }] })
    const applied = await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(wrong) })
    assert.notEqual(applied.code, 0)
    assert.match(applied.stderr, /spec\.validations\[0\]\.expression: .*undeclared reference to 'nothing'/)
  })

  test('nothing was asked of the cluster that the roles do not give', () => {
    assert.ok(!/forbidden/i.test(replica.log()), replica.log())
  })
})
