/** Kyverno's policies against signed images; the attacks first. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { HttpError } from '#clients/http/http-error'
import { leafSpec } from '#testing/pki/certificate'
import { issueLoggedCertificate } from '#testing/pki/ct-log'
import { openPolicyBench, type PolicyBench, type SignOptions, type TestSigner } from '#testing/policy/bench'
import { compileText, documentsOf, judged, ruleOf, type RuleText } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { EnginePorts } from '../engine/ports.js'
import type { ReviewVerdict } from '../engine/verdict.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import type { CompiledPolicy } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { compileKyvernoException } from './exception.js'

const ISSUER = 'https://accounts.example.com'
const VULN = 'https://example.com/scan/v1'

let bench: PolicyBench
let ann: TestSigner
let bob: TestSigner
let key: TestSigner
let otherKey: TestSigner
let serial = 0

before(async () => {
  bench = await openPolicyBench()
  ann = await bench.person('ann@example.com', ISSUER, { githubWorkflowTrigger: 'push' })
  bob = await bench.person('bob@example.com', ISSUER)
  key = await bench.keyHolder()
  otherKey = await bench.keyHolder()
})

/** A new image that these signed. */
async function imageBy(...signers: readonly (TestSigner | readonly [TestSigner, SignOptions])[]): Promise<string> {
  const name = `ghcr.io/acme/app:${String(serial++)}`
  const image = bench.pushImage(name, [{ os: 'linux', architecture: 'amd64', name }])
  for (const each of signers) {
    if ('key' in each) await bench.sign(image, each)
    else await bench.sign(image, ...each)
  }
  return image
}

async function attested(...claims: readonly (readonly [TestSigner, JsonObject])[]): Promise<string> {
  const image = await imageBy()
  for (const [signer, predicate] of claims) await bench.attest(image, signer, { type: VULN, predicate })
  return image
}

const pem = (signer: TestSigner): string => publicKeyToPem(signer.key.publicKey)
const quoted = (text: string): string => JSON.stringify(text)
const keyed = (signer: TestSigner, more = ''): string => `keys: {publicKeys: ${quoted(pem(signer))}${more}}`
const unlogged = ', rekor: {ignoreTlog: true}'
const keyless = (subject = 'ann@example.com', more = ''): string =>
  `keyless: {issuer: '${ISSUER}', subject: '${subject}'${more}}`
const refs = (pattern = 'ghcr.io/acme/*'): string => `imageReferences: ['${pattern}']`
const by = (entry: string, more = ''): string => `${refs()}, attestors: [{entries: [{${entry}}]}]${more}`
const attestation = (entry: string, more = ''): string =>
  `${refs()}, attestations: [{type: '${VULN}', attestors: [{entries: [{${entry}}]}]${more}}]`

async function verdict(
  policies: readonly CompiledPolicy[],
  review: Review,
  documents: readonly JsonObject[] = [],
): Promise<ReviewVerdict> {
  return await judged(policies, review, { ports: bench.ports({ cluster: clusterOfDocuments(documents) }) })
}

async function admitted(entry: string, image: string, text: RuleText = {}): Promise<ReviewVerdict> {
  const result = await verdict([await ruleOf(entry, text)], podOf(image))
  assert.equal(result.allowed, true, result.message)
  assert.ok(result.rules.length > 0, 'no rule was asked')
  return result
}

async function denied(entry: string, image: string, why: RegExp, text: RuleText = {}): Promise<ReviewVerdict> {
  const result = await verdict([await ruleOf(entry, text)], podOf(image))
  assert.equal(result.allowed, false, 'it was admitted')
  assert.match(result.message, why)
  assert.deepEqual(result.pins, [])
  return result
}

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
    const tag = `ghcr.io/acme/app:${String(serial - 1)}`
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
    const { warnings } = await admitted(skipping, `ghcr.io/acme/app:${String(serial - 1)}`)
    assert.match(
      warnings.join(),
      /^policy p\.r: skipping image reference image ghcr\.io\/acme\/app:\d+, policy p ruleName r$/,
    )
  })
})

describe('attestors', () => {
  test('the sample as it is written: the installation’s own trust serves', async () => {
    const policy = await compileText(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-signed-images}
spec:
  validationFailureAction: Enforce
  rules:
    - name: signed
      match: {any: [{resources: {kinds: [Pod]}}]}
      verifyImages:
        - imageReferences: ["registry.example.net/*"]
          attestors:
            - entries: [{keyless: {issuer: '${ISSUER}', subject: ann@example.com}}]`)
    const image = bench.pushImage('registry.example.net/app:1', [{ name: 'sample' }])
    const before = await verdict([policy], podOf('registry.example.net/app:1'))
    assert.equal(
      before.message,
      'failed to verify image registry.example.net/app:1: .attestors[0].entries[0].keyless: no signatures found',
    )
    await bench.sign(image, ann)
    const after = await verdict([policy], podOf('registry.example.net/app:1'))
    assert.equal(after.allowed, true, after.message)
    assert.equal(after.pins[0]?.to, `registry.example.net/app:1@${image.replace(/.*@/, '')}`)
    const elsewhere = await verdict([policy], podOf('quay.io/other/app:1'))
    assert.deepEqual(elsewhere.rules, [])
  })

  test('somebody else', async () => {
    await denied(
      by(keyless()),
      await imageBy(bob),
      /\.attestors\[0\]\.entries\[0\]\.keyless: subject mismatch: expected ann@example\.com, received bob@example\.com$/,
    )
    await denied(
      by("keyless: {issuer: 'https://other.example', subject: 'ann@*'}"),
      await imageBy(ann),
      /issuer mismatch: expected https:\/\/other\.example, received https:\/\/accounts\.example\.com$/,
    )
    const { rules } = await denied(by(keyless()), await imageBy(bob), /subject mismatch/)
    assert.deepEqual(rules[0]?.signers, [{ subjects: ['bob@example.com'], issuer: ISSUER }])
    assert.match(rules[0].expected.join(), /ann@example\.com/)
  })

  test('wildcards and patterns of identities', async () => {
    const image = await imageBy(ann)
    await admitted(by("keyless: {issuer: 'https://*.example.com', subject: 'a?n@*'}"), image)
    await admitted(by(`keyless: {issuerRegExp: 'accounts\\.example', subjectRegExp: 'ann@'}`), image)
    await admitted(by(`keyless: {issuer: '${ISSUER}', subject: nobody, subjectRegExp: '^ann'}`), image)
    await denied(by(`keyless: {issuer: '${ISSUER}', subjectRegExp: '^nn'}`), image, /subject mismatch: expected \^nn/)
    await denied(
      by(`keyless: {issuer: '${ISSUER}', issuerRegExp: 'other', subject: '*'}`),
      image,
      /issuer mismatch: expected other/,
    )
    await denied(by(`keyless: {issuer: 'ACCOUNTS', subject: '*'}`), image, /issuer mismatch/)
  })

  test('additional extensions', async () => {
    const image = await imageBy(ann)
    await admitted(by(keyless('ann@example.com', ', additionalExtensions: {githubWorkflowTrigger: pu*}')), image)
    await admitted(by(keyless('ann@example.com', ', additionalExtensions: {1.3.6.1.4.1.57264.1.2: push}')), image)
    await admitted(by(`keyless: {subject: '*', additionalExtensions: {oidcIssuer: '${ISSUER}'}}`), image)
    await denied(
      by(keyless('ann@example.com', ', additionalExtensions: {githubWorkflowTrigger: pull}')),
      image,
      /extension mismatch/,
    )
    await denied(
      by(keyless('ann@example.com', ', additionalExtensions: {githubWorkflowSha: abc}')),
      image,
      /extension mismatch/,
    )
  })

  test('counts, sets and sets within sets', async () => {
    const image = await imageBy(ann, key)
    const set = (count: string, ...entries: readonly string[]): string =>
      `{${count}entries: [${entries.map((entry) => `{${entry}}`).join(', ')}]}`
    const sets = (...of: readonly string[]): string => `${refs()}, attestors: [${of.join(', ')}]`
    await admitted(sets(set('', keyless(), keyed(key))), image)
    await denied(
      sets(set('', keyless(), keyless('bob@example.com'))),
      image,
      /entries\[1\]\.keyless: .*subject mismatch/,
    )
    await admitted(sets(set('count: 1, ', keyless('bob@example.com'), keyless())), image)
    await denied(
      sets(set('count: 2, ', keyless('bob@example.com'), keyless(), keyed(otherKey))),
      image,
      /subject mismatch/,
    )
    await denied(sets(set('', keyless()), set('', keyless('bob@example.com'))), image, /\.attestors\[1\]\.entries\[0\]/)
    await admitted(sets(set('', `attestor: ${set('count: 1, ', keyed(otherKey), keyless())}`, keyed(key))), image)
    await denied(
      sets(set('', keyed(key), `attestor: ${set('', keyed(otherKey), keyless())}`)),
      image,
      /\.attestors\[0\]\.entries\[1\]\.attestor\.entries\[0\]\.keys: /,
    )
    await admitted(sets(set('count: 0, ', keyless())), image)
  })

  test('keys: several in one text, in a secret, at a key service', async () => {
    const image = await imageBy(key)
    const two = `keys: {publicKeys: ${quoted(`${pem(otherKey)}\n${pem(key)}   `)}}`
    await denied(by(two), image, /entries\[0\]\.keys: /)
    await admitted(`${refs()}, attestors: [{count: 1, entries: [{${two}}]}]`, image)
    await denied(`${refs()}, attestors: [{count: 2, entries: [{${two}}]}]`, image, /entries\[0\]\.keys/)
    const ports = bench.ports({
      key: (source) =>
        source.kind === 'secret' && source.namespace === 'keys' && source.entry === 'cosign.pub'
          ? Promise.resolve(key.key.publicKey)
          : Promise.reject(new HttpError('HTTP_CONNECT', 'it does not answer')),
    })
    for (const source of ['secret: {name: good, namespace: keys}', 'publicKeys: k8s://keys/good']) {
      const { message } = await judged([await ruleOf(by(`keys: {${source}}`))], podOf(image), { ports })
      assert.equal(message, '')
    }
    const kms = await judged([await ruleOf(by('keys: {kms: gcpkms://projects/p}'))], podOf(image), { ports })
    assert.match(kms.message, /\.attestors\[0\]\.entries\[0\]\.keys: it does not answer/)
  })

  test('the log: asked for unless it is ignored, by whose key the policy says', async () => {
    const image = await imageBy([key, { log: 'none' }])
    await denied(by(keyed(key)), image, /signature not found in transparency log/)
    await denied(by(keyed(key, ', rekor: {url: https://rekor.sigstore.dev}')), image, /transparency log/)
    await admitted(by(keyed(key, unlogged)), image)
    const logged = await imageBy(key)
    const own = publicKeyToPem(bench.pki.rekorV1.trusted.key)
    await admitted(by(keyed(key, `, rekor: {pubkey: ${quoted(own)}}`)), logged)
    await denied(by(keyed(key, `, rekor: {pubkey: ${quoted(pem(otherKey))}}`)), logged, /no matching signatures/)
    await denied(
      by(keyless('ann@example.com', unlogged)),
      await imageBy([ann, { log: 'none' }]),
      /no matching signatures/,
    )
  })

  test('time-stamps and certificate logs', async () => {
    const authority = quoted(bench.pki.tsa.trusted.chain.map(({ der }) => encodePem('CERTIFICATE', der)).join(''))
    const stamped = await imageBy([ann, { log: 'none', timestamps: [{}] }])
    const chain = (text: string): string => keyless('ann@example.com', `${unlogged}, ctlog: {tsaCertChain: ${text}}`)
    await admitted(by(chain(authority)), stamped)
    await denied(
      by(chain(quoted(encodePem('CERTIFICATE', bench.pki.root.certificate.der)))),
      stamped,
      /no matching signatures/,
    )
    const unlisted = await bench.pki.issueLeaf(
      { subjectAltNames: [{ kind: 'email', value: 'ann@example.com' }], fulcio: { issuer: ISSUER } },
      [],
    )
    const image = await imageBy(unlisted)
    await denied(by(keyless()), image, /no matching signatures/)
    await admitted(by(keyless('ann@example.com', ', ctlog: {ignoreSCT: true}')), image)
    const log = publicKeyToPem(bench.pki.ctLog.trusted.key)
    await admitted(by(keyless('ann@example.com', `, ctlog: {pubkey: ${quoted(log)}}`)), await imageBy(ann))
    await denied(
      by(keyless('ann@example.com', `, ctlog: {pubkey: ${quoted(pem(key))}}`)),
      await imageBy(ann),
      /no matching/,
    )
  })

  test('roots of the policy’s own', async () => {
    const root = quoted(encodePem('CERTIFICATE', bench.pki.root.certificate.der))
    const other = quoted(encodePem('CERTIFICATE', bench.pki.tsa.trusted.chain.at(-1)!.der))
    const image = await imageBy([ann, { format: 'legacy' }])
    await denied(by(keyless('ann@example.com', `, roots: ${other}`)), image, /no matching signatures/)
    const both = encodePem('CERTIFICATE', bench.pki.intermediate.certificate.der) + String(JSON.parse(root))
    await admitted(by(keyless('ann@example.com', `, roots: ${quoted(both)}`)), image)
    await denied(by(keyless('bob@example.com', `, roots: ${quoted(both)}`)), image, /subject mismatch/)
    // Without an identity the roots say who counts.
    await admitted(by(`keyless: {roots: ${quoted(both)}}`), image)
    await denied(by(`keyless: {roots: ${other}}`), image, /no matching signatures/)
  })

  test('certificates: one, one of a chain, any of a chain', async () => {
    const text = (signer: TestSigner): string =>
      'certificate' in signer ? quoted(encodePem('CERTIFICATE', signer.certificate.der)) : ''
    const issuer = quoted(encodePem('CERTIFICATE', bench.pki.intermediate.certificate.der))
    const image = await imageBy([ann, { format: 'legacy' }])
    await admitted(by(`certificates: {cert: ${text(ann)}}`), image)
    await admitted(by(`certificates: {cert: ${text(ann)}, certChain: ${issuer}}`), image)
    await admitted(by(`certificates: {certChain: ${issuer}}`), image)
    await denied(by(`certificates: {cert: ${text(bob)}}`), image, /entries\[0\]\.certificates: /)
    await denied(by(`certificates: {cert: ${text(bob)}, certChain: ${issuer}}`), image, /entries\[0\]\.certificates: /)
    // Signed with its key, the certificate not shown.
    await admitted(
      by(`certificates: {cert: ${text(ann)}, certChain: ${issuer}}`),
      await imageBy([{ key: ann.key }, {}]),
    )
    const base64 = quoted(Buffer.from(JSON.parse(text(ann)) as string).toString('base64'))
    await admitted(by(`certificates: {cert: ${base64}}`), image)
    const stranger = quoted(encodePem('CERTIFICATE', bench.pki.root.certificate.der))
    await assert.rejects(ruleOf(by(`certificates: {cert: ${text(ann)}, certChain: ${stranger}}`)), {
      code: 'POLICY_FIELD',
      message: /was not issued by the certChain/,
    })
  })

  test('signatures elsewhere, and of one format', async () => {
    const elsewhere = await imageBy([ann, { repository: 'registry.example.net/signatures' }])
    await denied(by(keyless()), elsewhere, /no signatures found/)
    await admitted(by(keyless(), ', repository: registry.example.net/signatures'), elsewhere)
    await admitted(
      by(`${keyless()}, repository: registry.example.net/signatures`, ', repository: ghcr.io/none'),
      elsewhere,
    )
    const legacy = await imageBy([ann, { format: 'legacy' }])
    await admitted(by(keyless()), legacy)
    await denied(by(keyless(), ', type: SigstoreBundle'), legacy, /no signatures found/)
    await admitted(by(keyless(), ', type: SigstoreBundle'), await imageBy(ann))
  })

  test('a build provenance is a signature only where bundles are asked for, an SBOM nowhere', async () => {
    const made = await imageBy()
    await bench.attest(made, ann, { type: 'https://slsa.dev/provenance/v1', predicate: {} })
    await admitted(by(keyless(), ', type: SigstoreBundle'), made)
    await denied(by(keyless(), ''), made, /no signatures found/)
    const listed = await imageBy()
    await bench.attest(listed, ann, { type: 'https://cyclonedx.org/bom', predicate: {} })
    await denied(by(keyless(), ', type: SigstoreBundle'), listed, /no signatures found/)
  })

  test('the older form', async () => {
    const image = await imageBy(ann, key)
    await admitted(`image: 'ghcr.io/acme/*', key: ${quoted(pem(key))}`, image)
    await denied(
      `image: 'ghcr.io/acme/*', key: ${quoted(pem(otherKey))}`,
      image,
      /\.attestors\[0\]\.entries\[0\]\.keys/,
    )
    await admitted(`image: 'ghcr.io/acme/*', issuer: '${ISSUER}', subject: 'ann@*'`, image)
    await denied(`image: 'ghcr.io/acme/*', issuer: '${ISSUER}', subject: 'bob@*'`, image, /subject mismatch/)
    await denied(`image: 'ghcr.io/acme/*', subject: 'ann@*'`, image, /no issuer is named/)
    await denied(`image: 'ghcr.io/acme/*', issuer: '${ISSUER}'`, image, /no subject is named/)
  })
})

describe('attestations', () => {
  const conditions = (text: string): string => `, conditions: [{all: [${text}]}]`
  const clean = conditions("{key: '{{ clean }}', operator: Equals, value: true}")

  test('every statement must satisfy, and there is one', async () => {
    await admitted(attestation(keyless(), clean), await attested([ann, { clean: true }]))
    await denied(
      attestation(keyless(), clean),
      await attested([ann, { clean: true }], [ann, { clean: false }]),
      /attestation checks failed for ghcr\.io\/acme\/app@sha256:\w+ and predicate https:\/\/example\.com\/scan\/v1: the condition \[0\]\.all\[0\] is not met$/,
    )
    await denied(attestation(keyless(), clean), await imageBy(ann), /attestions not found for predicate type/)
    await denied(attestation(keyless(), clean), await attested([bob, { clean: true }]), /subject mismatch/)
    // What a stranger adds is not what was asked for.
    await admitted(attestation(keyless(), clean), await attested([ann, { clean: true }], [bob, { clean: false }]))
  })

  test('messages of conditions, and conditions that cannot be judged', async () => {
    const told = conditions("{key: '{{ clean }}', operator: Equals, value: true, message: 'not {{ clean }}'}")
    await denied(attestation(keyless(), told), await attested([ann, { clean: 'dirty' }]), /scan\/v1: not dirty$/)
    await denied(
      attestation(keyless(), clean),
      await attested([ann, { other: 1 }]),
      /failed to check attestations: .*there is no clean/,
    )
  })

  test('a predicate does not take the place of the request', async () => {
    const asked = conditions("{key: '{{ request.namespace }}', operator: Equals, value: trusted}")
    const forged = { request: { namespace: 'trusted' }, images: {}, image: {} }
    await denied(attestation(keyless(), asked), await attested([ann, forged]), /attestation checks failed/)
  })

  test('the request, the image and the context are there', async () => {
    const asked = conditions(
      [
        "{key: '{{ request.object.metadata.name }}', operator: Equals, value: test}",
        "{key: '{{ image.registry }}/{{ image.path }}', operator: Equals, value: ghcr.io/acme/app}",
        "{key: '{{ allowed }}', operator: AnyIn, value: '{{ tools }}'}",
      ].join(', '),
    )
    const more = 'context: [{name: allowed, variable: {value: a}}]'
    await admitted(attestation(keyless(), asked), await attested([ann, { tools: ['a', 'b'] }]), { more })
    await denied(attestation(keyless(), asked), await attested([ann, { tools: ['b'] }]), /checks failed/, { more })
  })

  test('validate.deny over what was attested by name', async () => {
    const entry = (type: string): string =>
      `{name: ${type}, type: 'https://example.com/${type}', attestors: [{entries: [{${keyless()}}]}]}`
    const deny = (message: string): string =>
      `${refs()}, attestations: [${entry('one')}, ${entry('two')}], validate: {${message}deny: {conditions: {any: [{key: '{{ one.a }}', operator: NotEquals, value: '{{ two.a }}', message: differ}]}}}`
    const make = async (one: string, two: string): Promise<string> => {
      const image = await imageBy()
      await bench.attest(image, ann, { type: 'https://example.com/one', predicate: { a: one } })
      await bench.attest(image, ann, { type: 'https://example.com/two', predicate: { a: two } })
      return image
    }
    await admitted(deny(''), await make('x', 'x'))
    await denied(deny(''), await make('x', 'y'), /^validation in verifyImages failed: differ$/)
    await denied(
      deny("message: 'a is {{ one.a }}', "),
      await make('x', 'y'),
      /^validation in verifyImages failed: a is x; differ$/,
    )
    const plain = `${by(keyless())}, validate: {deny: {conditions: [{key: '{{ request.namespace }}', operator: Equals, value: default}]}}`
    await denied(plain, await imageBy(ann), /^validation in verifyImages failed: validation error: imageVerify failed$/)
  })

  test('a type must be named, by either of its fields', async () => {
    const image = await attested([ann, {}])
    await denied(
      `${refs()}, attestations: [{attestors: [{entries: [{${keyless()}}]}]}]`,
      image,
      /^\.attestations\[0\]: missing type$/,
    )
    await admitted(
      `${refs()}, attestations: [{predicateType: '${VULN}', attestors: [{entries: [{${keyless()}}]}]}]`,
      image,
    )
  })
})

describe('rules', () => {
  test('digests: written in, asked for, asked for and not written in', async () => {
    const image = await imageBy(ann)
    const tag = `ghcr.io/acme/app:${String(serial - 1)}`
    const { pins } = await admitted(by(keyless()), tag)
    assert.deepEqual(
      pins.map(({ to }) => to),
      [`${tag}@${image.replace(/.*@/, '')}`],
    )
    await denied(by(keyless(), ', mutateDigest: false'), tag, new RegExp(`^missing digest for ${tag}$`))
    await admitted(by(keyless(), ', mutateDigest: false'), image)
    assert.deepEqual((await admitted(by(keyless(), ', mutateDigest: false, verifyDigest: false'), tag)).pins, [])
    // One rule writes in what another asks for.
    const both = [
      await ruleOf(by(keyless())),
      await ruleOf(`${refs()}, mutateDigest: false, required: false`, { metadata: 'name: q' }),
    ]
    assert.equal((await verdict(both, podOf(tag))).allowed, true)
  })

  test('required: what nobody verified is not verified', async () => {
    const image = await imageBy()
    await denied(refs(), image, /^unverified image ghcr\.io\/acme\/app@sha256:/)
    await denied(`${refs()}, mutateDigest: false, verifyDigest: false`, image, /^unverified image/)
    await admitted(`${refs()}, required: false`, image)
  })

  test('failure actions: of the entry, of the policy, of a namespace', async () => {
    const image = await imageBy()
    const action = async (entry: string, spec: string, review = podOf(image)): Promise<string> =>
      (await verdict([await ruleOf(entry, { spec })], review)).rules[0]!.verdict
    const rule = by(keyless(), ', mutateDigest: false')
    assert.equal(await action(rule, 'background: true'), 'audited')
    assert.equal(await action(rule, 'validationFailureAction: enforce'), 'denied')
    assert.equal(await action(rule, 'validationFailureAction: audit'), 'audited')
    assert.equal(await action(`${rule}, failureAction: Audit`, 'validationFailureAction: Enforce'), 'audited')
    assert.equal(await action(`${rule}, failureAction: Enforce`, 'validationFailureAction: Audit'), 'denied')
    assert.equal(await action(rule, 'emitWarning: true'), 'warned')
    const overrides = (text: string): string =>
      `validationFailureAction: Audit, validationFailureActionOverrides: [{action: Enforce, ${text}}]`
    assert.equal(await action(rule, overrides('namespaces: [def*]')), 'denied')
    assert.equal(await action(rule, overrides('namespaces: [other]')), 'audited')
    assert.equal(await action(rule, overrides('namespaces: []')), 'audited')
    const labelled = overrides('namespaceSelector: {matchLabels: {a: b}}')
    const inNamespace = (labels: JsonObject): Review => ({ ...podOf(image), namespaceObject: { metadata: { labels } } })
    assert.equal(await action(rule, labelled, inNamespace({ a: 'b' })), 'denied')
    assert.equal(await action(rule, labelled, inNamespace({ a: 'c' })), 'audited')
    assert.equal(await action(rule, labelled), 'denied', 'labels that are not known may be those')
  })

  test('an entry that refuses makes the rule refuse', async () => {
    const audit = by(keyless(), ', mutateDigest: false, failureAction: Audit')
    const enforce = `{imageReferences: ['quay.io/*'], failureAction: Enforce, attestors: [{entries: [{${keyless()}}]}]}`
    await denied(`${audit}}, ${enforce.slice(0, -1)}`, await imageBy(), /no signatures found/)
  })

  test('a warning is worded as the original words it', async () => {
    const spec = 'emitWarning: true'
    const { warnings } = await admitted(by(keyless(), ', mutateDigest: false, verifyDigest: false'), await imageBy(), {
      spec,
    })
    assert.match(
      warnings.join(),
      /^policy p\.r: failed to verify image ghcr\.io\/acme\/app@sha256:\w+: \.attestors\[0\]/,
    )
  })

  test('failurePolicy decides about what cannot be asked, and about nothing else', async () => {
    const image = await imageBy()
    const unreachable: EnginePorts = {
      ...bench.ports(),
      attachments: () => Promise.reject(new HttpError('HTTP_CONNECT', 'no route')),
    }
    const rule = by(keyless(), ', mutateDigest: false')
    const outcome = async (spec: string, ports = unreachable): Promise<boolean> =>
      (await judged([await ruleOf(rule, { spec })], podOf(image), { ports })).allowed
    assert.equal(await outcome('validationFailureAction: Enforce, failurePolicy: Ignore'), true)
    assert.equal(await outcome('validationFailureAction: Enforce, failurePolicy: Fail'), false)
    assert.equal(await outcome('validationFailureAction: Audit'), false)
    assert.equal(await outcome('validationFailureAction: Audit, webhookConfiguration: {failurePolicy: Ignore}'), true)
    // An unsigned image, a registry that refuses, a name that is none: these are answers.
    const ignoring = 'validationFailureAction: Enforce, failurePolicy: Ignore'
    assert.equal(await outcome(ignoring, bench.ports()), false)
    assert.equal((await verdict([await ruleOf(rule, { spec: ignoring })], podOf('ghcr.io/acme/gone:1'))).allowed, false)
    assert.equal(
      (await verdict([await ruleOf(by(keyless()), { spec: ignoring })], podOf('ghcr.io/A B'))).allowed,
      false,
    )
  })

  test('pods of controllers are guarded as pods are', async () => {
    const image = await imageBy()
    const template = { spec: { containers: [{ name: 'a', image }] } }
    const policy = await ruleOf(by(keyless()))
    const deployment = await verdict([policy], reviewOf('Deployment', { spec: { template } }))
    assert.deepEqual(
      deployment.rules.map(({ rule, verdict: is }) => [rule, is]),
      [['autogen-r', 'denied']],
    )
    const cronjob = await verdict([policy], reviewOf('CronJob', { spec: { jobTemplate: { spec: { template } } } }))
    assert.deepEqual(
      cronjob.rules.map(({ rule, verdict: is }) => [rule, is]),
      [['autogen-cronjob-r', 'denied']],
    )
    const none = await ruleOf(by(keyless()), {
      metadata: 'name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: none}',
    })
    assert.deepEqual((await verdict([none], reviewOf('Deployment', { spec: { template } }))).rules, [])
  })

  test('every container of a pod, the later ones and image volumes', async () => {
    const [good, bad] = [await imageBy(ann), await imageBy()]
    const policy = await ruleOf(by(keyless()))
    for (const spec of [
      {
        containers: [
          { name: 'a', image: good },
          { name: 'b', image: bad },
        ],
      },
      { containers: [{ name: 'a', image: good }], initContainers: [{ name: 'b', image: bad }] },
      { containers: [{ name: 'a', image: good }], ephemeralContainers: [{ name: 'b', image: bad }] },
      { containers: [{ name: 'a', image: good }], volumes: [{ name: 'b', image: { reference: bad } }] },
    ]) {
      assert.equal((await verdict([policy], reviewOf('Pod', { spec }))).allowed, false)
    }
    const later = reviewOf(
      'Pod',
      { spec: { containers: [], ephemeralContainers: [{ name: 'b', image: bad }] } },
      { resource: { group: '', version: 'v1', resource: 'pods', subresource: 'ephemeralcontainers' } },
    )
    assert.equal((await verdict([policy], later)).allowed, false)
    const empty = reviewOf('Deployment', { spec: { template: { spec: { containers: [{ name: 'a', image: ' ' }] } } } })
    assert.equal((await verdict([policy], empty)).allowed, true)
  })

  test('preconditions', async () => {
    const image = await imageBy()
    const more = (operator: string): string =>
      `preconditions: {all: [{key: '{{ request.operation }}', operator: ${operator}, value: CREATE, message: 'not now'}]}`
    await denied(by(keyless()), image, /no signatures/, { more: more('Equals') })
    const { rules } = await admitted(by(keyless()), image, { more: more('NotEquals') })
    assert.deepEqual(
      rules.map(({ verdict: is, message }) => [is, message]),
      [['skipped', 'preconditions not met; not now']],
    )
    await denied(by(keyless()), image, /failed to evaluate preconditions: .*there is no nothing/, {
      more: "preconditions: {all: [{key: '{{ request.nothing }}', operator: Equals, value: a}]}",
    })
    await denied(by(keyless()), image, /no signatures/, {
      more: "preconditions: [{key: '{{ images.containers.*.registry }}', operator: AnyIn, value: [ghcr.io]}]",
    })
  })

  test('one rule of several', async () => {
    const image = await imageBy(ann)
    const rule = (name: string, entry: string, kinds = 'Pod'): string =>
      `{name: ${name}, match: {any: [{resources: {kinds: [${kinds}]}}]}, verifyImages: [{${entry}}]}`
    const policy = async (apply: string, ...rules: readonly string[]): Promise<CompiledPolicy> =>
      await compileText(
        `{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {validationFailureAction: Enforce, applyRules: ${apply}, rules: [${rules.join(', ')}]}}`,
      )
    const [good, bad] = [rule('a', by(keyless())), rule('b', by(keyless('bob@example.com')))]
    assert.equal((await verdict([await policy('All', good, bad)], podOf(image))).allowed, false)
    assert.equal((await verdict([await policy('One', good, bad)], podOf(image))).allowed, true)
    assert.equal((await verdict([await policy('One', bad, good)], podOf(image))).allowed, false)
    const elsewhere = rule('c', by(keyless()), 'Deployment')
    assert.equal((await verdict([await policy('One', elsewhere, bad)], podOf(image))).allowed, false)
  })

  test('a policy of a namespace is about that one', async () => {
    const image = await imageBy()
    const policy = await ruleOf(by(keyless()), { kind: 'Policy', metadata: 'name: p, namespace: team' })
    assert.deepEqual((await verdict([policy], podOf(image))).rules, [])
    assert.equal((await verdict([policy], { ...podOf(image), namespace: 'team' })).allowed, false)
  })

  test('images of custom kinds', async () => {
    const [good, bad] = [await imageBy(ann), await imageBy()]
    const text: RuleText = {
      match: 'any: [{resources: {kinds: [tekton.dev/v1/Task]}}]',
      more: "imageExtractors: {Task: [{path: '/spec/steps/*', value: image, key: name}, {path: /spec/sidecar/image}]}",
    }
    const task = (spec: JsonObject): Review =>
      reviewOf('Task', { spec }, { kind: { group: 'tekton.dev', version: 'v1', kind: 'Task' } })
    const policy = await ruleOf(by(keyless()), text)
    const judge = async (spec: JsonObject): Promise<ReviewVerdict> => await verdict([policy], task(spec))
    assert.equal((await judge({ steps: [{ name: 'a', image: good }] })).allowed, true)
    assert.equal(
      (
        await judge({
          steps: [
            { name: 'a', image: good },
            { name: 'b', image: bad },
          ],
        })
      ).allowed,
      false,
    )
    assert.equal((await judge({ sidecar: { image: bad } })).allowed, false)
    for (const odd of [
      { steps: [{ image: good }] },
      { steps: 'x' },
      { steps: [{ name: 'a', image: 5 }] },
      { sidecar: 'x' },
    ]) {
      assert.equal((await judge(odd)).allowed, false, JSON.stringify(odd))
    }
    const pinned = await judge({ steps: [{ name: 'a', image: `ghcr.io/acme/app:${String(serial - 2)}` }] })
    assert.equal(pinned.pins[0]?.pointer, '/spec/steps/0/image')
  })

  test('images that are written in another way', async () => {
    const text: RuleText = {
      match: 'any: [{resources: {kinds: [DataVolume]}}]',
      more: `imageExtractors: {DataVolume: [{path: /spec/source/registry/url, jmesPath: "trim_prefix(@, 'docker://')"}]}`,
    }
    const policy = await ruleOf(by(keyless(), ', mutateDigest: false, verifyDigest: false'), text)
    const volume = (image: string): Review =>
      reviewOf('DataVolume', { spec: { source: { registry: { url: `docker://${image}` } } } })
    assert.equal((await verdict([policy], volume(await imageBy(ann)))).allowed, true)
    assert.equal((await verdict([policy], volume(await imageBy()))).allowed, false)
  })

  test('exceptions', async () => {
    const image = await imageBy()
    const exception = async (
      excused: string,
      match = 'any: [{resources: {kinds: [Pod], names: [te*]}}]',
      more = '',
    ) => {
      const text = `{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: n}, spec: {match: {${match}}, exceptions: [${excused}]${more}}}`
      return await compileKyvernoException((await documentsOf(text))[0]!)
    }
    const policy = await ruleOf(by(keyless()))
    const outcome = async (...given: Parameters<typeof exception>): Promise<ReviewVerdict> =>
      await judged([policy], podOf(image), { ports: bench.ports(), exceptions: [await exception(...given)] })
    const excused = await outcome('{policyName: p, ruleNames: [r]}')
    assert.equal(excused.allowed, true)
    assert.match(excused.rules[0]!.message, /policy exception n\/e/)
    assert.equal((await outcome('{policyName: p, ruleNames: ["*"]}')).allowed, true)
    assert.equal((await outcome('{policyName: p, ruleNames: [other]}')).allowed, false)
    assert.equal((await outcome('{policyName: q, ruleNames: [r]}')).allowed, false)
    assert.equal((await outcome('{policyName: default/p, ruleNames: [r]}')).allowed, false)
    assert.equal(
      (await outcome('{policyName: p, ruleNames: [r]}', 'any: [{resources: {kinds: [Pod], names: [x]}}]')).allowed,
      false,
    )
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', 'any: [{}]')).allowed, false)
    const on = (name: string): string =>
      `, conditions: {all: [{key: '{{ request.object.metadata.name }}', operator: Equals, value: ${name}}]}`
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', undefined, on('test'))).allowed, true)
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', undefined, on('other'))).allowed, false)
    assert.equal(
      (await outcome('{policyName: p, ruleNames: [r]}', undefined, ', podSecurity: [{controlName: x}]')).allowed,
      false,
    )
  })
})

describe('variables', () => {
  const keys = (data: JsonObject, namespace = 'default'): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'keys', namespace },
    data,
  })
  const context = 'context: [{name: keys, configMap: {name: keys, namespace: default}}]'

  async function outcome(
    entry: string,
    more: string,
    documents: readonly JsonObject[],
    review: Review,
  ): Promise<ReviewVerdict> {
    return await verdict([await ruleOf(entry, { more })], review, documents)
  }

  test('a key from a ConfigMap, also by the namespace of the resource', async () => {
    const image = await imageBy(key)
    const of = async (expression: string, data: JsonObject): Promise<ReviewVerdict> =>
      await outcome(by(`keys: {publicKeys: '${expression}'}`), context, [keys(data)], podOf(image))
    assert.equal((await of('{{ keys.data.org }}', { org: `${pem(key)}    ` })).message, '')
    assert.equal((await of('{{ keys.data.{{request.namespace}} }}', { default: pem(key) })).message, '')
    assert.match(
      (await of('{{ keys.data.org }}', { org: pem(otherKey) })).message,
      /\.attestors\[0\]\.entries\[0\]\.keys: /,
    )
    assert.match(
      (await of('{{ keys.data.gone }}', { org: pem(key) })).message,
      /failed to substitute variables: .*there is no gone/,
    )
    assert.match(
      (await of('{{ keys.data.org }}', { org: 'no key' })).message,
      /what variables stand for cannot be used: /,
    )
    assert.match((await of('{{ keys.data.org }}', { org: '' })).message, /A public key, kms key or secret is required/)
    // What is filled in is not read as a variable again.
    assert.match(
      (await of('{{ keys.data.org }}', { org: '{{ keys.data.other }}', other: pem(key) })).message,
      /cannot be used/,
    )
    // Two keys of one text are two attestors.
    assert.equal((await of('{{ keys.data.org }}', { org: pem(key) + pem(otherKey) })).allowed, false)
  })

  test('two reviews of one policy, two keys', async () => {
    const policy = await ruleOf(by("keys: {publicKeys: '{{ keys.data.{{request.namespace}} }}'}"), { more: context })
    const documents = [keys({ default: pem(key), team: pem(otherKey) })]
    const image = await imageBy(key)
    assert.equal((await verdict([policy], podOf(image), documents)).allowed, true)
    assert.equal((await verdict([policy], { ...podOf(image), namespace: 'team' }, documents)).allowed, false)
  })

  test('identities that resources fill in stay what they are', async () => {
    const image = await imageBy(ann)
    const entry = by(`keyless: {issuer: '${ISSUER}', subject: '{{ request.object.metadata.annotations.by }}'}`)
    const pod = (by: string): Review =>
      reviewOf('Pod', { metadata: { name: 'a', annotations: { by } }, spec: { containers: [{ name: 'a', image }] } })
    assert.equal((await outcome(entry, 'reportProperties: {}', [], pod('ann@example.com'))).allowed, true)
    assert.match((await outcome(entry, 'reportProperties: {}', [], pod(''))).message, /no subject is named/)
    assert.match(
      (await outcome(entry, 'reportProperties: {}', [], pod("x' || 'ann@example.com"))).message,
      /subject mismatch/,
    )
  })

  test('a ConfigMap that is not there: refused, also where refusals are reported, unless failures are ignored', async () => {
    const image = await imageBy(key)
    const entry = by("keys: {publicKeys: '{{ keys.data.org }}'}", ', mutateDigest: false, verifyDigest: false')
    const allowed = async (spec: string): Promise<ReviewVerdict> =>
      await verdict([await ruleOf(entry, { more: context, spec })], podOf(image))
    assert.match((await allowed('validationFailureAction: Enforce')).message, /failed to load context entry keys: /)
    assert.equal((await allowed('validationFailureAction: Audit')).allowed, false)
    assert.equal((await allowed('validationFailureAction: Audit, failurePolicy: Ignore')).allowed, true)
    // Nobody asks for it where no image is selected.
    const other = await verdict([await ruleOf(entry, { more: context })], podOf('quay.io/a/b:1'))
    assert.deepEqual(other.rules, [])
  })

  test('a policy of a namespace reads nothing of others', async () => {
    const image = await imageBy(key)
    const entry = by("keys: {publicKeys: '{{ keys.data.org }}'}")
    const text: RuleText = { kind: 'Policy', metadata: 'name: p, namespace: team', more: context }
    const review = { ...podOf(image), namespace: 'team' }
    const foreign = await verdict([await ruleOf(entry, text)], review, [keys({ org: pem(key) })])
    assert.match(foreign.message, /is not of the policy's own namespace/)
    const own = await ruleOf(entry, { ...text, more: 'context: [{name: keys, configMap: {name: keys}}]' })
    assert.equal((await verdict([own], review, [keys({ org: pem(key) }, 'team')])).message, '')
  })
})
