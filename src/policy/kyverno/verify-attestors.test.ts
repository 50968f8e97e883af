/** Attestors of Kyverno's policies against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import { encodePem } from '#encoding/pem'
import { HttpError } from '#clients/http/http-error'
import type { TestSigner } from '#testing/policy/bench'
import { compileText, judged, ruleOf } from '#testing/policy/kyverno'
import { podOf } from '#testing/policy/reviews'
import {
  openKyvernoVerifying,
  ISSUER,
  pem,
  quoted,
  keyed,
  unlogged,
  keyless,
  refs,
  by,
} from '#testing/policy/kyverno-verifying'

const { bench, ann, bob, key, otherKey, imageBy, verdict, admitted, denied } = await openKyvernoVerifying()

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
          ? Promise.resolve({ key: key.key.publicKey })
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
