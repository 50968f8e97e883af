import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { fetchKmsKey } from '#clients/kms/kms'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import type { KnownKey } from '#policy/internal/attestor'
import { clusterImagePolicy, openGateBench, pod, type GateBench } from '#testing/gate/gate-bench'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN } from '#testing/kms/fake-services'
import { openKeyServices, type KeyServices } from '#testing/kms/key-services'
import { KMS_REFRESH } from './snapshot/kms-keys.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const AWS = `awskms:///arn:aws:kms:eu-central-1:111122223333:key/${ID}`
const GOOGLE_KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const VAULT = 'hashivault://cosign'
const SIGSTORE = '/validations/sigstore?timeout=10s'
const KYVERNO = '/validations/kyverno?timeout=10s'

const byKey = (kms: string): JsonObject => ({ key: { kms, hashAlgorithm: 'sha256' } })

const kyverno = (name: string, keys: JsonObject, namespace?: string): JsonObject => ({
  apiVersion: 'kyverno.io/v1',
  kind: namespace === undefined ? 'ClusterPolicy' : 'Policy',
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  spec: {
    validationFailureAction: 'Enforce',
    rules: [
      {
        name: 'by-us',
        match: { any: [{ resources: { kinds: ['Pod'] } }] },
        verifyImages: [{ imageReferences: ['ghcr.io/*'], mutateDigest: false, attestors: [{ entries: [{ keys }] }] }],
      },
    ],
  },
})

const imageValidating = (kms: string): JsonObject => ({
  apiVersion: 'policies.kyverno.io/v1',
  kind: 'ImageValidatingPolicy',
  metadata: { name: 'validating' },
  spec: {
    validationActions: ['Deny'],
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    matchImageReferences: [{ glob: 'ghcr.io/acme/*' }],
    attestors: [{ name: 'us', cosign: { key: { kms } } }],
    validations: [
      { expression: 'images.containers.map(image, verifyImageSignatures(image, [attestors.us])).all(e, e > 0)' },
    ],
  },
})

interface Opened extends GateBench {
  readonly services: KeyServices
  readonly image: string
  /** Questions that were asked so far. */
  readonly looks: readonly Promise<KnownKey>[]
  /** Puts the key of the image's signer, or another one, where all addresses above lead to. */
  readonly putKey: (whose: 'signer' | 'other') => void
}

async function open(t: TestContext): Promise<Opened> {
  const services = await openKeyServices()
  const ports = services.ports({ endpoints: 'known' })
  const looks: Promise<KnownKey>[] = []
  const bench = await openGateBench({
    kmsKey: (uri, signal) => {
      const look = fetchKmsKey(ports, uri, signal).then(({ publicKey, algorithm }) => ({ key: publicKey, algorithm }))
      looks.push(look)
      return look
    },
  })
  t.after(async () => {
    await bench.close()
    await services.close()
  })
  const { images } = bench
  const holders = { signer: await images.keyHolder(), other: await images.keyHolder() }
  const image = images.pushImage('ghcr.io/acme/app:1')
  await images.sign(image, holders.signer)
  const putKey: Opened['putKey'] = (whose) => {
    const { key } = holders[whose]
    services.keys.aws.set(ID, { id: ID, key })
    services.keys.google.set(GOOGLE_KEY, [{ key }])
    services.keys.azure.set('cosign', [{ key }])
    services.keys.vault.set('cosign', [{ key }])
  }
  return { ...bench, services, image, putKey, looks }
}

/** The next look at the keys goes through sockets, which no clock of a test knows of. */
async function later({ time, looks }: Opened): Promise<void> {
  await time.advance(KMS_REFRESH)
  await Promise.allSettled(looks)
}

describe('a key at a key management service', () => {
  test('in every language that names one: another key denies, the right one admits', async (t) => {
    const opened = await open(t)
    const { apply, review, image, putKey, services } = opened
    putKey('other')
    await apply(
      clusterImagePolicy('cip', byKey(AWS)),
      kyverno('kms', { kms: `gcpkms://${GOOGLE_KEY}` }),
      kyverno('public-keys', { publicKeys: 'azurekms://team.vault.azure.net/cosign' }),
      imageValidating(VAULT),
    )
    const denied = await review(SIGSTORE, pod(image))
    assert.equal(denied.allowed, false)
    assert.match(denied.status?.message ?? '', new RegExp(`expects: key ${AWS.slice(0, 20)}`))
    for (const policy of ['kms', 'public-keys', 'validating']) {
      const { allowed, auditAnnotations } = await review(KYVERNO, pod(image))
      assert.equal(allowed, false)
      assert.match(JSON.stringify(auditAnnotations), new RegExp(`\\b${policy}(?:/by-us)?=denied`))
    }
    putKey('signer')
    await later(opened)
    for (const path of [SIGSTORE, KYVERNO]) {
      const { allowed, status } = await review(path, pod(image))
      assert.ok(allowed, status?.message)
    }
    assert.ok(services.requests.some((line) => line.includes('vault.azure.net')))
  })

  test('that signs with RSA-PSS alone: what it signed admits, another digest than it signs denies', async (t) => {
    const { apply, review, images, services, cluster, settle } = await open(t)
    const holder = await images.keyHolder('rsa-sign-pss-2048-sha256')
    services.keys.google.set(GOOGLE_KEY, [{ key: holder.key, algorithm: 'RSA_SIGN_PSS_2048_SHA256' }])
    const image = images.pushImage('ghcr.io/acme/pss:1')
    await images.sign(image, holder)
    await apply(clusterImagePolicy('pss', byKey(`gcpkms://${GOOGLE_KEY}`)))
    const { allowed, status } = await review(SIGSTORE, pod(image))
    assert.ok(allowed, status?.message)
    await apply(clusterImagePolicy('pss', { key: { kms: `gcpkms://${GOOGLE_KEY}`, hashAlgorithm: 'sha512' } }))
    assert.equal((await review(SIGSTORE, pod(image))).allowed, false)
    // The same key, of which nobody says how it signs, signs by PKCS #1 v1.5.
    const pem = Buffer.from(publicKeyToPem(holder.key.publicKey)).toString('base64')
    const metadata = { name: 'pss', namespace: 'countersign-system' }
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata, data: { 'cosign.pub': pem } })
    await apply(clusterImagePolicy('pss', { key: { secretRef: { name: 'pss' } } }))
    assert.equal((await review(SIGSTORE, pod(image))).allowed, false)
    cluster.remove({ apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies', name: 'pss' })
    await settle()
  })

  test('one question for all policies and reviews', async (t) => {
    const { apply, review, image, putKey, services } = await open(t)
    putKey('signer')
    await apply(
      clusterImagePolicy('one', byKey(VAULT)),
      clusterImagePolicy('two', byKey(VAULT)),
      kyverno('three', { kms: VAULT }),
    )
    const reviews = await Promise.all(
      [SIGSTORE, KYVERNO, SIGSTORE, KYVERNO, SIGSTORE].map((path) => review(path, pod(image))),
    )
    assert.ok(reviews.every(({ allowed }) => allowed))
    assert.deepEqual(services.requests, ['GET vault.test/v1/transit/keys/cosign'])
  })

  for (const [name, answer, words] of [
    ['is not there', undefined, /has no such key/],
    ['may not be read', () => new Response('no', { status: 403 }), /does not allow it/],
    ['is at a service that is down', () => new Response('no', { status: 503 }), /cannot answer now/],
    ['comes from elsewhere', () => Response.redirect('http://evil.test/', 307), /redirects where it must not/],
    ['is a page', () => new Response('<html>'), /is not JSON/],
  ] as const) {
    test(`denies when it ${name}, and no policy but its own`, async (t) => {
      const { apply, review, image, services, images } = await open(t)
      if (answer !== undefined) services.override = answer
      const other = images.pushImage('quay.io/acme/app:1')
      await apply(
        clusterImagePolicy('by-key', byKey(VAULT), { images: [{ glob: 'ghcr.io/**' }] }),
        clusterImagePolicy('others', { static: { action: 'pass' } }, { images: [{ glob: 'quay.io/**' }] }),
      )
      const denied = await review(SIGSTORE, pod(image))
      assert.equal(denied.allowed, false)
      assert.match(denied.status?.message ?? '', words)
      assert.equal((await review(SIGSTORE, pod(other))).allowed, true)
    })
  }

  test('is its last good form while the service is down, and the log says so', async (t) => {
    const opened = await open(t)
    const { apply, review, image, putKey, services, log } = opened
    putKey('signer')
    await apply(clusterImagePolicy('by-key', byKey(VAULT)))
    assert.equal((await review(SIGSTORE, pod(image))).allowed, true)
    services.override = () => new Response('no', { status: 503 })
    await later(opened)
    assert.equal((await review(SIGSTORE, pod(image))).allowed, true)
    assert.ok(log.some(({ key }) => key === VAULT))
  })

  test('is obeyed when it was replaced: what verified with the old one before does not any longer', async (t) => {
    const opened = await open(t)
    const { apply, review, image, putKey } = opened
    putKey('signer')
    await apply(clusterImagePolicy('by-key', byKey(VAULT)))
    for (let count = 0; count < 3; count++) assert.equal((await review(SIGSTORE, pod(image))).allowed, true)
    putKey('other')
    await later(opened)
    assert.equal((await review(SIGSTORE, pod(image))).allowed, false)
  })

  test('denies once it was deleted, although it verified before', async (t) => {
    const opened = await open(t)
    const { apply, review, image, putKey, services } = opened
    putKey('signer')
    await apply(clusterImagePolicy('by-key', byKey(VAULT)))
    assert.equal((await review(SIGSTORE, pod(image))).allowed, true)
    services.keys.vault.clear()
    await later(opened)
    const denied = await review(SIGSTORE, pod(image))
    assert.match(denied.status?.message ?? '', /Vault has no such key/)
  })

  test('a policy of a namespace lures no login to a host of its own', async (t) => {
    const { apply, review, image, services } = await open(t)
    for (const [index, kms] of [
      `awskms://evil.test/arn:aws:kms:eu-central-1:111122223333:key/${ID}`,
      'azurekms://evil.test/cosign',
      'azurekms://team.vault.azure.net.evil.test/cosign',
    ].entries()) {
      await apply(kyverno(`lure-${String(index)}`, { kms }, 'default'))
      assert.equal((await review(KYVERNO, pod(image))).allowed, false)
    }
    assert.deepEqual(services.requests, [])
  })

  test('no login stands in any message, log line or metric', async (t) => {
    const opened = await open(t)
    const { apply, review, image, services, log, metrics } = opened
    const echo = (request: Request): Response | undefined => {
      const headers = JSON.stringify([...request.headers])
      return /metadata|169\.254/.test(request.url) ? undefined : new Response(headers, { status: 400 })
    }
    services.override = echo
    const uris = [AWS, `gcpkms://${GOOGLE_KEY}`, 'azurekms://team.vault.azure.net/cosign', VAULT]
    await apply(...uris.map((uri, index) => clusterImagePolicy(`by-${String(index)}`, byKey(uri))))
    const denied = await review(SIGSTORE, pod(image))
    const told = JSON.stringify([denied, log]) + (await metrics())
    for (const secret of [
      AWS_LOGIN.AWS_SECRET_ACCESS_KEY,
      AWS_LOGIN.AWS_ACCESS_KEY_ID,
      GOOGLE_TOKEN,
      AZURE_TOKEN,
      VAULT_TOKEN,
    ])
      assert.ok(!told.includes(secret), secret)
    assert.match(told, /status 400/)
  })
})
