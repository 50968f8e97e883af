/** What Kyverno itself lets pass, against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { leafSpec } from '#testing/pki/certificate'
import { issueLoggedCertificate } from '#testing/pki/ct-log'
import type { SignOptions } from '#testing/policy/bench'
import { judged, ruleOf } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import {
  openKyvernoVerifying,
  ISSUER,
  VULN,
  pem,
  quoted,
  keyed,
  keyless,
  refs,
  by,
  attestation,
} from '#testing/policy/kyverno-verifying'

const { bench, ann, bob, key, otherKey, imageBy, latest, attested, verdict, admitted, denied } =
  await openKyvernoVerifying()

describe('what the original gets wrong', () => {
  test('a pattern with a tag is about digests, too', async () => {
    const image = await imageBy()
    await denied(
      `${refs('ghcr.io/acme/app:*')}, attestors: [{entries: [{${keyless()}}]}]`,
      image,
      /no signatures found/,
    )
  })

  test('a tag before a digest is not what is skipped', async () => {
    const image = await imageBy()
    const entry = by(keyless(), `, skipImageReferences: ['ghcr.io/acme/app:debug']`)
    await denied(entry, image.replace(/:.*@|@/, ':debug@'), /no signatures found/)
  })

  test('an attestation that nobody signed is none', async () => {
    const image = await imageBy()
    const { repository, digest } = { repository: 'acme/app', digest: image.replace(/.*@/, '') }
    const payload = JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: VULN,
      subject: [{ digest: { sha256: digest.slice(7) } }],
      predicate: { clean: true },
    })
    const layer = {
      mediaType: 'application/vnd.in-toto+json',
      size: payload.length,
      digest: bench.registry.putBlob(repository, payload),
    }
    const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }
    const config = {
      mediaType: 'application/vnd.oci.empty.v1+json',
      size: 2,
      digest: bench.registry.putBlob(repository, '{}'),
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: subject.mediaType,
      artifactType: layer.mediaType,
      config,
      layers: [layer],
      subject,
    }
    bench.registry.put(repository, subject.mediaType, JSON.stringify(manifest))
    await denied(
      attestation(keyless()),
      image,
      /attestions not found for predicate type https:\/\/example\.com\/scan\/v1/,
    )
  })

  test('an attestor that names nobody is nobody, wherever it stands', async () => {
    const signed = await imageBy(ann)
    const nobody = 'keyless: {rekor: {url: https://rekor.sigstore.dev}}'
    const why = /entries\[0\](\.attestor\.entries\[0\])?\.keyless: no issuer is named/
    await denied(by(nobody), signed, why)
    await denied(by(`attestor: {entries: [{${nobody}}]}`), signed, why)
    const made = await attested([ann, {}])
    await denied(attestation(nobody), made, why)
    await denied(attestation(`attestor: {entries: [{${nobody}}]}`), made, why)
    await denied(`${refs()}, attestations: [{type: '${VULN}'}]`, made, /^\.attestations\[0\]: no attestors are named/)
    await denied(by(`keyless: {issuer: '${ISSUER}'}`), signed, /no subject is named/)
    await denied(by("keyless: {subject: 'ann@example.com'}"), signed, /no issuer is named/)
    await denied(`${refs()}, annotations: {a: b}, required: false`, signed, /no attestors are named/)
    const { warnings } = await ruleOf(by(nobody))
    assert.match(
      warnings.join(),
      /spec\.rules\[0\]\.verifyImages\[0\]\.attestors\[0\]\.entries\[0\]\.keyless: no issuer/,
    )
    assert.match((await ruleOf(`${refs()}, attestations: [{type: x}]`)).warnings.join(), /every image is refused/)
  })

  test('nested attestors and keys of one text count in attestations as well', async () => {
    const made = await attested([key, {}])
    const both = `keys: {publicKeys: ${quoted(pem(key) + pem(otherKey))}}`
    await denied(attestation(both), made, /verifiedCount: 1, requiredCount: 2/)
    await denied(attestation(`attestor: {entries: [{${keyed(otherKey)}}]}`), made, /attestor\.entries\[0\]\.keys/)
    const either = `${refs()}, attestations: [{type: '${VULN}', attestors: [{count: 1, entries: [{${both}}]}]}]`
    await admitted(either, made)
  })

  test('a certificate without a name has none that matches', async () => {
    const { subjectAltNames: _, ...spec } = leafSpec({ fulcio: { issuer: ISSUER } })
    const { intermediate, ctLog } = bench.pki
    const nameless = await issueLoggedCertificate(spec, intermediate, [{ log: ctLog }])
    await denied(by(keyless('*')), await imageBy(nameless), /no matching signatures|subject mismatch/)
    await denied(
      by(`keyless: {issuer: '*', subjectRegExp: '.*'}`),
      await imageBy(nameless),
      /no matching|subject mismatch/,
    )
  })

  test('annotations are those of the signature that counts', async () => {
    const stage = (text: string): SignOptions => ({ annotations: new Map([['stage', text]]) })
    const image = await imageBy([ann, stage('test')], [bob, stage('prod')])
    await denied(by(`${keyless()}, annotations: {stage: prod}`), image, /no signature matched the required annotations/)
    await admitted(by(`${keyless()}, annotations: {stage: test}`), image)
    await denied(by(keyless(), ', annotations: {stage: prod}'), image, /no signature matched/)
    const own = by(`${keyless()}, annotations: {stage: test}`, ', annotations: {stage: prod}')
    await admitted(own, image)
    await denied(
      by(`${keyless()}, annotations: {other: x}`),
      await imageBy([ann, { format: 'legacy', ...stage('x') }]),
      /no signature matched/,
    )
    // Attestations have none: what is asked of them must not be passed over.
    await denied(
      attestation(`${keyless()}, annotations: {stage: prod}`),
      await attested([ann, {}]),
      /required annotations/,
    )
  })

  test('annotations of the resource are not believed', async () => {
    const image = await imageBy()
    const metadata = {
      name: 'test',
      annotations: {
        'kyverno.io/verify-images': JSON.stringify({ [image]: 'pass' }),
        'kyverno.io/verify-images-scoped': JSON.stringify({
          version: 1,
          policies: { '/p': { r: { [image]: 'pass' } } },
        }),
      },
    }
    const spec = { containers: [{ name: 'a', image }] }
    const policy = await ruleOf(by(keyless()))
    const create = await verdict([policy], reviewOf('Pod', { metadata, spec }))
    assert.match(create.message, /no signatures found/)
    const update = reviewOf('Pod', { metadata, spec }, { operation: 'UPDATE', oldObject: { metadata, spec } })
    assert.equal((await verdict([policy], update)).allowed, false)
  })

  test('a tag is resolved once: what was verified is what is written in', async () => {
    const image = await imageBy(ann)
    const tag = latest()
    const ports = bench.ports()
    let times = 0
    const moving = {
      ...ports,
      resolve: async (...given: Parameters<typeof ports.resolve>) => {
        const pinned = await ports.resolve(...given)
        return times++ === 0 ? pinned : { ...pinned, digest: `sha256:${'0'.repeat(64)}` }
      },
    }
    const policies = [await ruleOf(by(keyless())), await ruleOf(refs() + ', required: false')]
    const { pins, message } = await judged(policies, podOf(tag, tag), { ports: moving })
    assert.equal(message, '')
    assert.equal(times, 1)
    assert.deepEqual(
      pins.map(({ to }) => to),
      [image, image].map((each) => `${tag}@${each.replace(/.*@/, '')}`),
    )
  })

  test('the older form beside attestations is asked of the attestations', async () => {
    const entry = `image: 'ghcr.io/acme/*', key: ${quoted(pem(key))}, attestations: [{type: '${VULN}'}]`
    await denied(entry, await attested([ann, {}]), /attestations verification failed/)
    await admitted(entry, await attested([key, {}]))
  })

  test('a policy for a type that cannot be verified refuses, and says so', async () => {
    const entry = `${refs()}, type: Notary, attestors: [{entries: [{certificates: {cert: '{{ x }}'}}]}]`
    await denied(entry, await imageBy(ann), /POLICY_UNSUPPORTED: type: Notary is not supported/)
    assert.match((await ruleOf(entry)).warnings.join(), /type: Notary is not supported: every image/)
    const skipping = `${entry}, skipImageReferences: ['ghcr.io/acme/app:*']`
    const { warnings } = await admitted(skipping, latest())
    assert.match(
      warnings.join(),
      /^policy p\.r: skipping image reference image ghcr\.io\/acme\/app:\d+, policy p ruleName r$/,
    )
  })
})
