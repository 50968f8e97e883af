/**
 * The shapes that rules have in Kyverno's documentation, its library of policies and its own tests (115 documents, read in August 2026),
 * in words of our own. Each must load, or be refused for what it is.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { encodePem } from '#encoding/pem'
import { createTestPki } from '#testing/pki/pki'
import { ruleOf, type RuleText } from '#testing/policy/kyverno'

const quoted = (text: string): string => JSON.stringify(text)
const { publicKey } = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const KEY = quoted(publicKeyToPem(publicKey))
const pki = await createTestPki()
const CERTIFICATE = quoted(encodePem('CERTIFICATE', pki.tsa.trusted.chain.at(-1)!.der))
const LOG = quoted(publicKeyToPem(pki.rekorV1.trusted.key))

const REFS = "imageReferences: ['ghcr.io/acme/*']"
const keyed = (more = ''): string => `keys: {publicKeys: ${KEY}${more}}`
const keyless = (more = ''): string =>
  `keyless: {issuer: 'https://token.actions.githubusercontent.com', subject: 'https://github.com/acme/*', rekor: {url: 'https://rekor.sigstore.dev'}${more}}`
const by = (entry: string, more = ''): string => `${REFS}, attestors: [{entries: [{${entry}}]}]${more}`
const stating = (conditions: string, type = 'type'): string =>
  `${REFS}, attestations: [{${type}: 'https://example.com/a/v1', attestors: [{entries: [{${keyless()}}]}], conditions: [{all: [${conditions}]}]}]`

const LOADED: readonly (readonly [name: string, entry: string, text?: RuleText])[] = [
  ['a key', by(keyed())],
  ['a key in the first form', `image: 'ghcr.io/acme/*', key: ${KEY}`],
  ['a key in the first form, beside references', `${REFS}, key: ${KEY}`],
  ['a key from a ConfigMap', by("keys: {publicKeys: '{{ keys.data.key }}'}"), configMap()],
  ['a key in a secret', by('keys: {secret: {name: key, namespace: keys}}')],
  ['a key in a secret, by its address', by("keys: {publicKeys: 'k8s://keys/key'}")],
  ['a key at a key service', by("keys: {publicKeys: 'gcpkms://projects/a/locations/b/keyRings/c/cryptoKeys/d'}")],
  ['a key with its algorithm', by(keyed(', signatureAlgorithm: sha512'))],
  ['a key without the log', by(keyed(', rekor: {ignoreTlog: true, url: https://r.example}, ctlog: {ignoreSCT: true}'))],
  ['a key and a time-stamp authority', by(keyed(`, rekor: {ignoreTlog: true}, ctlog: {tsaCertChain: ${CERTIFICATE}}`))],
  ['one of several keys', `${REFS}, attestors: [{count: 1, entries: [{${keyed()}}, {${keyed()}}]}]`],
  ['all of several sets', `${REFS}, attestors: [{entries: [{${keyed()}}]}, {entries: [{${keyless()}}]}]`],
  ['a set within a set', by(`attestor: {count: 1, entries: [{${keyed()}}, {${keyless()}}]}`)],
  ['a certificate', by(`certificates: {cert: ${CERTIFICATE}}`)],
  [
    'a certificate and its chain',
    by(`certificates: {cert: ${CERTIFICATE}, certChain: ${CERTIFICATE}, rekor: {url: x}}`),
  ],
  ['an identity', by(keyless())],
  [
    'an identity by patterns',
    by("keyless: {issuerRegExp: '^https://.+$', subjectRegExp: '^https://github.com/acme/.+$'}"),
  ],
  ['an identity of other roots', by(keyless(`, roots: ${CERTIFICATE}`))],
  ['an identity of another log', by(`keyless: {issuer: a, subject: b, rekor: {url: x, pubkey: ${LOG}}}`)],
  ['an identity with extensions', by(keyless(', additionalExtensions: {githubWorkflowTrigger: push}'))],
  ['annotations', by(keyed(), ', annotations: {env: prod}')],
  ['annotations of an entry', by(`${keyed()}, annotations: {env: prod}`)],
  ['signatures elsewhere', by(keyed(), ', repository: ghcr.io/acme/signatures')],
  ['signatures of an entry elsewhere', by(`${keyed()}, repository: ghcr.io/acme/signatures`)],
  [
    'digests left as they are',
    by(keyed(), ', mutateDigest: false, verifyDigest: false, required: false, useCache: false'),
  ],
  ['what is left out', by(keyed(), ", skipImageReferences: ['ghcr.io/acme/tools*']")],
  ['registry logins', by(keyed(), ', imageRegistryCredentials: {providers: [amazon, google], secrets: [login]}')],
  ['bundles', by(keyless(), ', type: SigstoreBundle')],
  ['referrers', by(keyed(), ', cosignOCI11: true')],
  ['only reported', by(keyed(), ', failureAction: Audit, mutateDigest: false')],
  ['a statement', stating("{key: '{{ scanner }}', operator: Equals, value: trivy}")],
  ['a statement in the first form', stating("{key: '{{ scanner }}', operator: Equals, value: trivy}", 'predicateType')],
  [
    'a scan not older than a week',
    stating(
      "{key: \"{{ time_since('', '{{ metadata.scanFinishedOn }}', '') }}\", operator: LessThanOrEquals, value: 168h}",
    ),
  ],
  [
    'a builder by pattern',
    stating(
      "{key: \"{{ regex_match('^https://github.com/acme/.+@refs/tags/v.+$', '{{ builder.id }}') }}\", operator: Equals, value: true}",
    ),
  ],
  [
    'no component with a hole',
    stating(
      "{key: \"{{ components[?name == 'log4j-core'].version || 'none' }}\", operator: AllNotIn, value: ['<2.17.0']}",
    ),
  ],
  ['images of a custom kind', by(keyed()), customKind('{path: /spec/steps/*/image}')],
  [
    'images of a custom kind, named and keyed',
    by(keyed()),
    customKind('{path: /spec/images/*/, name: images, value: image, key: name}'),
  ],
  [
    'images written in another way',
    by(keyed(), ', mutateDigest: false'),
    customKind('{path: /spec/url, jmesPath: "trim_prefix(@, \'docker://\')"}'),
  ],
  [
    'not when something is deleted',
    by(keyed()),
    {
      more: 'preconditions: {all: [{key: \'{{ request.operation || `"CREATE"` }}\', operator: NotEquals, value: DELETE}]}',
    },
  ],
  [
    'namespaces by their labels',
    by(keyed()),
    { match: 'all: [{resources: {kinds: [Pod], namespaceSelector: {matchLabels: {signed: "true"}}}}]' },
  ],
]

function configMap(): RuleText {
  return { more: 'context: [{name: keys, configMap: {name: keys, namespace: default}}]' }
}

function customKind(extractor: string): RuleText {
  return {
    match: 'any: [{resources: {kinds: [tekton.dev/v1beta1/Task]}}]',
    more: `imageExtractors: {Task: [${extractor}]}`,
  }
}

/** What the originals are not valid for themselves. */
const REFUSED: readonly (readonly [name: string, entry: string, why: RegExp, text?: RuleText])[] = [
  [
    'a key that is left out',
    by('keys: {publicKeys: "-----BEGIN PUBLIC KEY-----\\n...\\n-----END PUBLIC KEY-----"}'),
    /is not base64/,
  ],
  ['a key of one line', by(`keys: {publicKeys: ${KEY.replaceAll('\\n', ' ')}}`), /no whole PEM block/],
  [
    'a certificate that is left out',
    by('certificates: {cert: "-----BEGIN CERTIFICATE-----\\n<snip>\\n-----END CERTIFICATE-----"}'),
    /is not base64/,
  ],
  [
    'variables in references',
    `imageReferences: ['{{ a }}'], attestors: [{entries: [{${keyed()}}]}]`,
    /variables are not allowed/,
  ],
  [
    'digests where names are changed',
    by(keyed(), ', mutateDigest: true'),
    /jmespath may not be used/,
    customKind('{path: /spec/url, jmesPath: "trim_prefix(@, \'docker://\')"}'),
  ],
  [
    'digests where refusals are reported',
    by(keyed(), ', failureAction: Audit, mutateDigest: true'),
    /mutateDigest must be set to false/,
  ],
  [
    'not at admission',
    by(keyed()),
    /disabling admission/,
    { spec: 'validationFailureAction: Enforce, admission: false' },
  ],
  ['all kinds', by(keyed()), /wildcard policy/, { match: "any: [{resources: {kinds: ['*']}}]" }],
]

describe('loaded', () => {
  for (const [name, entry, text] of LOADED) {
    test(name, async () => {
      const { rules } = await ruleOf(entry, text)
      assert.ok(rules.length > 0)
    })
  }
})

describe('refused', () => {
  for (const [name, entry, why, text] of REFUSED) {
    test(name, async () => {
      await assert.rejects(ruleOf(entry, text), { code: 'POLICY_FIELD', message: why })
    })
  }

  test('type: Notary: the policy says so when it is loaded', async () => {
    const { warnings } = await ruleOf(by(`certificates: {cert: ${CERTIFICATE}}`, ', type: Notary'))
    assert.ok(warnings.some((each) => each.includes('type: Notary is not supported')))
  })
})
