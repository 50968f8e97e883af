import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import { clusterImagePolicy, pod } from '#testing/gate/gate-bench'
import { ANN, ISSUER, VALIDATE, openGate, withImages } from '#testing/gate/signed-images'

describe('what policies depend on', () => {
  const secret = (pem: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', namespace: 'countersign-system' },
    data: { 'cosign.pub': Buffer.from(pem).toString('base64') },
  })
  const BY_KEY = { key: { secretRef: { name: 'key' } } }

  test('a key in a Secret: changed it counts at once, broken the last good one, taken away none', async (t) => {
    const bench = await openGate(t)
    const { images, review, apply, cluster, settle } = bench
    const [ann, bob] = [await images.keyHolder(), await images.keyHolder()]
    const image = images.pushImage('ghcr.io/acme/app:1')
    await images.sign(image, ann)
    await apply(clusterImagePolicy('by-key', BY_KEY), secret(publicKeyToPem(bob.key.publicKey)))
    assert.equal((await review(VALIDATE, pod(image))).allowed, false)
    await apply(secret(publicKeyToPem(ann.key.publicKey)))
    assert.equal((await review(VALIDATE, pod(image))).allowed, true)
    await apply(secret('no key'))
    assert.equal((await review(VALIDATE, pod(image))).allowed, true)
    cluster.remove({ apiVersion: 'v1', resource: 'secrets', namespace: 'countersign-system', name: 'key' })
    await settle()
    const denied = await review(VALIDATE, pod(image))
    assert.match(denied.status?.message ?? '', /there is no secret countersign-system\/key/)
  })

  test('a policy that is broken later keeps its last good form; one that never was good refuses what it is about', async (t) => {
    const { review, signed, bare, apply, metrics } = await withImages(t)
    const broken = {
      ...clusterImagePolicy('signed', { keyless: { identities: [] } }),
      metadata: { name: 'signed', generation: 2 },
    }
    await apply(broken)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
    assert.match(await metrics(), /countersign_policies\{condition="last good"\} 1/)
    const never = clusterImagePolicy('never', { key: { data: 'x' } }, { images: [{ glob: 'quay.io/**' }] })
    await apply(never, clusterImagePolicy('others', { static: { action: 'pass' } }))
    const refused = await review(VALIDATE, pod('quay.io/a/b@sha256:' + 'a'.repeat(64)))
    assert.match(refused.status?.message ?? '', /failed policy: never: .*\n.*the policy never cannot be used/)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    assert.match(await metrics(), /countersign_policies\{condition="refusing"\} 1/)
  })

  test('a TrustRoot that is named counts, another does not, and one that is gone is a refusal', async (t) => {
    const { images, review, apply, cluster, settle } = await openGate(t)
    const image = images.pushImage('ghcr.io/acme/app:1')
    await images.sign(image, await images.person('ann@example.com', ISSUER))
    await apply(
      clusterImagePolicy('rooted', {
        keyless: { ...ANN.keyless, trustRootRef: 'ours' },
        ctlog: { trustRootRef: 'ours' },
      }),
    )
    const missing = await review(VALIDATE, pod(image))
    assert.match(missing.status?.message ?? '', /trustRootRef ours not found/)
    const pem = (der: Uint8Array): string =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
    const log = (key: { readonly spki: Uint8Array }): JsonObject => ({
      baseURL: 'https://log.example.com',
      hashAlgorithm: 'sha-256',
      publicKey: Buffer.from(
        `-----BEGIN PUBLIC KEY-----\n${Buffer.from(key.spki).toString('base64')}\n-----END PUBLIC KEY-----\n`,
      ).toString('base64'),
    })
    const { certificateAuthorities, ctlogs, tlogs } = images.pki.trusted
    const root = {
      apiVersion: 'policy.sigstore.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'ours' },
      spec: {
        sigstoreKeys: {
          certificateAuthorities: certificateAuthorities.map(({ chain }) => ({
            subject: { organization: 'test', commonName: 'test' },
            uri: 'https://ca.example.com',
            certChain: Buffer.from(chain.map(({ der }) => pem(der)).join('')).toString('base64'),
          })),
          ctLogs: ctlogs.map(({ key }) => log(key)),
          tLogs: tlogs.filter(({ algorithm }) => algorithm.family === 'ecdsa').map(({ key }) => log(key)),
        },
      },
    }
    await apply(root)
    const admitted = await review(VALIDATE, pod(image))
    assert.equal(admitted.allowed, true, admitted.status?.message)
    cluster.remove({ apiVersion: 'policy.sigstore.dev/v1alpha1', resource: 'trustroots', name: 'ours' })
    await settle()
    assert.equal((await review(VALIDATE, pod(image))).allowed, false)
  })
})
