/** The shapes that Kyverno's documents of ImageValidatingPolicies have, in our own words: each loads, or is refused for what it is. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { encodePem } from '#encoding/pem'
import { generatePrivateKey } from '#crypto/private-key'
import { policyOf } from '#testing/policy/ivpol'
import { createTestPki } from '#testing/pki/pki'

const { publicKey } = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const KEY = encodePem('PUBLIC KEY', publicKey.spki)
const pki = await createTestPki()
const CERTIFICATE = encodePem('CERTIFICATE', pki.trusted.certificateAuthorities[0]!.chain[0]!.der)

const cosign = (of: JsonObject): JsonObject => ({ name: 'a', cosign: of })
const GITHUB = {
  issuer: 'https://token.actions.githubusercontent.com',
  subjectRegExp: '^https://github\\.com/acme/.*$',
}
const KEYLESS = cosign({ keyless: { identities: [GITHUB] } })
const BY_KEY = cosign({ key: { data: KEY } })
const valid = (...expressions: readonly string[]): JsonObject => ({
  validations: expressions.map((expression) => ({ expression })),
})
const SIGNED = 'images.containers.map(image, verifyImageSignatures(image, [attestors.a])).all(count, count > 0)'
const ATTESTED =
  'images.containers.map(i, verifyAttestationSignatures(i, attestations.bom, [attestors.a])).all(n, n > 0)'
const bom = { name: 'bom', intoto: { type: 'https://cyclonedx.org/bom' } }
const signed = (attestor: JsonObject, more: JsonObject = {}): JsonObject => ({
  attestors: [attestor],
  ...valid(SIGNED),
  ...more,
})
const attested = (...expressions: readonly string[]): JsonObject => ({
  attestors: [KEYLESS],
  attestations: [bom],
  ...valid(ATTESTED, ...expressions),
})

describe('loaded', () => {
  const LOADED: readonly (readonly [name: string, spec: JsonObject, warning?: RegExp])[] = [
    ['a key in the policy', signed(BY_KEY)],
    ['a key of another digest', signed(cosign({ key: { data: KEY, hashAlgorithm: 'sha512' } }))],
    [
      'a key from an expression',
      signed(cosign({ key: { expression: 'variables.key' } }), {
        variables: [{ name: 'key', expression: 'resource.Get("v1", "configmaps", "keys", "cosign").data.key' }],
      }),
    ],
    ['an identity', signed(KEYLESS)],
    [
      'several identities',
      signed(cosign({ keyless: { identities: [GITHUB, { issuerRegExp: '.*', subject: 'ann@example.com' }] } })),
    ],
    [
      'an identity from an expression',
      signed(
        cosign({
          keyless: {
            identities: [{ issuer: 'https://a.example', subjectExpression: 'object.metadata.annotations.owner' }],
          },
        }),
      ),
    ],
    [
      'a log, and none',
      signed(
        cosign({
          key: { data: KEY },
          ctlog: { url: 'https://rekor.sigstore.dev', insecureIgnoreTlog: true, insecureIgnoreSCT: true },
        }),
      ),
    ],
    ['a certificate', signed(cosign({ certificate: { cert: { value: CERTIFICATE } } }))],
    ['a chain', signed(cosign({ certificate: { certChain: { value: CERTIFICATE } } }))],
    ['annotations', signed(cosign({ key: { data: KEY }, annotations: { team: 'a' } }))],
    [
      'signatures elsewhere',
      signed(cosign({ key: { data: KEY }, source: { repository: 'ghcr.io/acme/signatures', tagPrefix: 'v' } })),
    ],
    [
      'a TUF repository',
      signed(cosign({ keyless: { identities: [GITHUB] }, tuf: { mirror: 'https://tuf.acme.example' } })),
    ],
    [
      'one of several attestors',
      {
        attestors: [KEYLESS, { ...BY_KEY, name: 'b' }],
        ...valid('images.containers.all(i, verifyImageSignatures(i, [attestors.a, attestors.b]) >= 1)'),
      },
    ],
    [
      'every group of images',
      {
        attestors: [KEYLESS],
        ...valid(
          '[images.containers, images.initContainers, images.ephemeralContainers].all(g, g.all(i, verifyImageSignatures(i, [attestors.a]) > 0))',
        ),
      },
    ],
    [
      'all groups put together',
      {
        attestors: [KEYLESS],
        ...valid(
          '(images.containers + images.?initContainers.orValue([])).all(i, verifyImageSignatures(i, [attestors.a]) > 0)',
        ),
      },
    ],
    ['an attestation', attested()],
    [
      'what it says',
      attested("images.containers.all(i, extractPayload(i, attestations.bom).bomFormat == 'CycloneDX')"),
    ],
    [
      'what it says of a part',
      attested(
        "images.containers.all(i, extractPayload(i, attestations.bom).predicate.components.exists(c, c.name == 'openssl' && semver(c.version).isGreaterThan(semver('3.0.0'))))",
      ),
    ],
    [
      'what it does not say',
      attested(
        "images.containers.all(i, !extractPayload(i, attestations.bom).predicate.vulnerabilities.exists(v, v.ratings.exists(r, r.severity == 'critical')))",
      ),
    ],
    [
      'how old it may be',
      attested(
        'images.containers.all(i, time.now() - timestamp(extractPayload(i, attestations.bom).predicate.time) < duration("168h"))',
      ),
    ],
    ['Notary', signed({ name: 'a', notary: { certs: { value: CERTIFICATE } } }), /Notary/],
    [
      'Notary, with time stamps',
      signed({ name: 'a', notary: { certs: { value: CERTIFICATE }, tsaCerts: { value: CERTIFICATE } } }),
      /Notary/,
    ],
    [
      'an attestation of Notary',
      {
        attestors: [{ name: 'a', notary: { certs: { value: CERTIFICATE } } }],
        attestations: [{ name: 'bom', referrer: { type: 'sbom/cyclone-dx' } }],
        ...valid(ATTESTED),
      },
      /Notary/,
    ],
    ['a key at a KMS', signed(cosign({ key: { kms: 'awskms:///alias/cosign' } }))],
    [
      'images by their registry',
      signed(KEYLESS, { matchImageReferences: [{ expression: "image(ref).registry() == 'ghcr.io'" }] }),
    ],
    [
      'images by glob and expression',
      signed(KEYLESS, { matchImageReferences: [{ glob: 'ghcr.io/*' }, { expression: "ref.startsWith('quay.io/')" }] }),
    ],
    [
      'conditions',
      signed(KEYLESS, {
        matchConditions: [{ name: 'prod', expression: "object.metadata.?labels.env.orValue('') == 'prod'" }],
      }),
    ],
    [
      'a selector of namespaces',
      signed(KEYLESS, {
        matchConstraints: {
          namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] },
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      }),
    ],
    [
      'images of another kind',
      {
        attestors: [KEYLESS],
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['tekton.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['tasks'] },
          ],
        },
        images: [{ name: 'steps', expression: 'object.spec.steps.map(s, s.image)' }],
        ...valid('images.steps.all(i, verifyImageSignatures(i, [attestors.a]) > 0)'),
      },
    ],
    [
      'any JSON',
      {
        evaluation: { mode: 'JSON' },
        attestors: [KEYLESS],
        images: [{ name: 'bases', expression: 'object.stages.map(s, s.from)' }],
        ...valid('images.bases.all(i, verifyImageSignatures(i, [attestors.a]) > 0)'),
      },
    ],
    [
      'what an image is configured to be',
      valid("images.containers.all(i, image.GetMetadata(i).config.config.User != '0')"),
    ],
    [
      'labels of an image',
      valid("images.containers.all(i, 'org.opencontainers.image.source' in image.GetMetadata(i).config.config.Labels)"),
    ],
    ['a digest', valid('images.containers.all(i, image(i).containsDigest())')],
    [
      'a message of its own',
      {
        attestors: [KEYLESS],
        validations: [{ expression: SIGNED, messageExpression: "'not signed: ' + images.containers.join(', ')" }],
      },
    ],
    [
      'audit annotations',
      signed(KEYLESS, { auditAnnotations: [{ key: 'images', valueExpression: "images.containers.join(', ')" }] }),
    ],
    ['warnings alone', signed(KEYLESS, { validationActions: ['Warn'] })],
    [
      'digests as they are',
      signed(KEYLESS, { validationConfigurations: { mutateDigest: false, verifyDigest: false, required: false } }),
    ],
    [
      'logins',
      signed(KEYLESS, {
        credentials: { providers: ['amazon', 'google'], secrets: ['login'], allowInsecureRegistry: false },
      }),
    ],
    [
      'chosen controllers',
      signed(KEYLESS, { autogen: { podControllers: { controllers: ['deployments', 'cronjobs'] } } }),
    ],
    ['another time-out', signed(KEYLESS, { failurePolicy: 'Ignore', webhookConfiguration: { timeoutSeconds: 15 } })],
    [
      'requests or what runs',
      signed(KEYLESS, { evaluation: { admission: { enabled: true }, background: { enabled: false } } }),
    ],
    ['an entry of the global context', valid('globalContext.Get("allowed", "") != null')],
    [
      'names by service account',
      valid("parseServiceAccount(request.userInfo.username).Namespace != 'default' || true"),
    ],
  ]
  for (const [name, spec, warning] of LOADED) {
    test(name, async () => {
      const { rules, warnings } = await policyOf({ spec })
      assert.ok(rules.length > 0)
      if (warning === undefined) assert.deepEqual(warnings, [])
      else assert.match(warnings.join('\n'), warning)
    })
  }
})

describe('refused', () => {
  const REFUSED: readonly (readonly [name: string, spec: JsonObject, message: RegExp])[] = [
    ['a request to any address', valid('http.Get("https://allowed.acme.example").ok'), /'http' is not supported/],
    ['chance', valid('random("[a-z]{8}") != ""'), /'random' is not supported/],
    ['digests that are broken', valid('md5("a") != ""'), /'md5' is not supported/],
    [
      'what a user may do',
      valid('authorizer.group("").resource("pods").check("get").allowed()'),
      /'authorizer' is not supported/,
    ],
    [
      'files of the machine',
      signed(cosign({ keyless: { identities: [GITHUB] }, tuf: { root: { path: '/etc/root.json' } } })),
      /tuf\.root\.path: Forbidden/,
    ],
    [
      'an attestor that is not there',
      { attestors: [KEYLESS], ...valid('images.containers.all(i, verifyImageSignatures(i, [attestor.a]) > 0)') },
      /undeclared reference to 'attestor'/,
    ],
    ['a verdict that is none', valid('size(images.containers)'), /expected to be of type bool/],
    [
      'an action that is none',
      signed(KEYLESS, { validationActions: ['Enforce'] }),
      /validationActions\[0\]: Unsupported value/,
    ],
    ['two kinds of attestor', { attestors: [{ name: 'a', cosign: {}, notary: {} }] }, /attestors\[0\]/],
    ['two attestors of a name', { attestors: [KEYLESS, BY_KEY] }, /expected names to be different/],
    ['an attestation of no kind', { attestors: [KEYLESS], attestations: [{ name: 'bom' }] }, /attestations\[0\]/],
    [
      'a glob and an expression',
      signed(KEYLESS, { matchImageReferences: [{ glob: '*', expression: 'true' }] }),
      /glob or expression|exactly one/,
    ],
    ['a key that is none', signed(cosign({ key: { data: 'none' } })), /key/],
    [
      'a pattern that is none',
      signed(cosign({ keyless: { identities: [{ issuer: 'a', subjectRegExp: '(' }] } })),
      /subjectRegExp/,
    ],
    ['fields of ClusterPolicy', signed(KEYLESS, { background: true }), /unknown field "spec\.background"/],
  ]
  for (const [name, spec, message] of REFUSED) {
    test(name, async () => {
      await assert.rejects(policyOf({ spec }), (error: unknown) => {
        assert.ok(isCodedError(error) && error.code === 'POLICY_FIELD', String(error))
        assert.match(error.message, message)
        return true
      })
    })
  }
})
