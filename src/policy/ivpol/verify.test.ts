/** Image validating policies against signed images; the attacks first. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { openPolicyBench, type PolicyBench, type SignOptions, type TestSigner } from '#testing/policy/bench'
import { judged, policyOf } from '#testing/policy/ivpol'
import type { Judging, PolicyText } from '#testing/policy/ivpol'
import { podOf, reviewOf } from '#testing/policy/reviews'
import { issueLoggedCertificate } from '#testing/pki/ct-log'
import { leafSpec } from '#testing/pki/certificate'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import type { ReviewVerdict } from '../engine/verdict.js'
import { PolicyError } from '../internal/policy-error.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import type { Review } from '../internal/review.js'

const ISSUER = 'https://accounts.example.com'
const SCAN = 'https://example.com/scan/v1'

let bench: PolicyBench
let ann: TestSigner
let key: TestSigner & { readonly key: { readonly publicKey: Parameters<typeof publicKeyToPem>[0] } }
let other: typeof key
let serial = 0

before(async () => {
  bench = await openPolicyBench()
  ann = await bench.person('ann@example.com', ISSUER, { githubWorkflowTrigger: 'push' })
  key = await bench.keyHolder()
  other = await bench.keyHolder()
})

interface Signing {
  readonly by: TestSigner
  readonly as?: SignOptions
}

/** A new image that these signed, by tag and by digest. */
async function imageBy(
  ...signers: readonly (TestSigner | Signing)[]
): Promise<{ readonly tagged: string; readonly pinned: string }> {
  const tagged = `ghcr.io/acme/app:v${String(serial++)}`
  const pinned = bench.pushImage(tagged, [{ os: 'linux', architecture: 'amd64', name: tagged }])
  for (const each of signers) {
    const { by, as } = 'by' in each ? each : { by: each, as: {} }
    await bench.sign(pinned, by, as)
  }
  return { tagged, pinned }
}

const pem = (holder: typeof key): string => publicKeyToPem(holder.key.publicKey)
const keyed = (holder: typeof key, more: JsonObject = {}): JsonObject => ({
  name: 'key',
  cosign: { key: { data: pem(holder) }, ctlog: { insecureIgnoreTlog: true }, ...more },
})
const keyless = (identity: JsonObject, more: JsonObject = {}): JsonObject => ({
  name: 'people',
  cosign: { keyless: { identities: [{ issuer: ISSUER, ...identity }] }, ...more },
})

const EACH = (attestor: string): string =>
  `images.containers.map(i, verifyImageSignatures(i, [attestors.${attestor}])).all(n, n > 0)`
const SIGNED_BY_KEY: JsonValue = [{ expression: EACH('key'), message: 'not signed' }]
const SIGNED_BY_PEOPLE: JsonValue = [{ expression: EACH('people'), message: 'not signed' }]

async function verdictOn(
  review: Review,
  text: PolicyText | readonly PolicyText[],
  more: Partial<Judging> = {},
): Promise<ReviewVerdict> {
  const policies = await Promise.all([text].flat().map(policyOf))
  return await judged(policies, review, { ports: bench.ports(), ...more })
}

async function admitted(
  review: Review,
  text: PolicyText | readonly PolicyText[],
  more: Partial<Judging> = {},
): Promise<ReviewVerdict> {
  const verdict = await verdictOn(review, text, more)
  assert.equal(verdict.message, '')
  assert.ok(verdict.allowed)
  assert.ok(verdict.rules.length > 0, 'no policy was asked')
  return verdict
}

async function denied(
  review: Review,
  text: PolicyText | readonly PolicyText[],
  message: string | RegExp,
  more: Partial<Judging> = {},
): Promise<ReviewVerdict> {
  const verdict = await verdictOn(review, text, more)
  assert.ok(!verdict.allowed, 'it was admitted')
  if (typeof message === 'string') assert.equal(verdict.message, message)
  else assert.match(verdict.message, message)
  assert.deepEqual(verdict.pins, [])
  return verdict
}

const keyPolicy = (more: JsonObject = {}): PolicyText => ({
  spec: { attestors: [keyed(key)], validations: SIGNED_BY_KEY, ...more },
})

describe('what must not pass', () => {
  test('an image that nobody signed, or somebody else', async () => {
    await denied(podOf((await imageBy()).tagged), keyPolicy(), 'Policy test failed: not signed')
    await denied(podOf((await imageBy(other)).tagged), keyPolicy(), 'Policy test failed: not signed')
    await denied(podOf((await imageBy(ann)).tagged), keyPolicy(), 'Policy test failed: not signed')
  })

  test('one image of two that is not signed, in whatever group of containers', async () => {
    const [good, bad] = [await imageBy(key), await imageBy()]
    await denied(podOf(good.tagged, bad.tagged), keyPolicy(), 'Policy test failed: not signed')
    const pod = (group: string): Review =>
      reviewOf('Pod', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'a', image: good.pinned }], [group]: [{ name: 'b', image: bad.pinned }] },
      })
    const unverified = `Policy test failed: image ${bad.pinned} is not verified: no policy performed a signature or attestation check on it`
    for (const group of ['initContainers', 'ephemeralContainers']) await denied(pod(group), keyPolicy(), unverified)
  })

  test('an image volume that no expression looks at', async () => {
    const [good, bad] = [await imageBy(key), await imageBy()]
    const pod = reviewOf('Pod', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: {
        containers: [{ name: 'a', image: good.pinned }],
        volumes: [{ name: 'v', image: { reference: bad.pinned } }],
      },
    })
    await denied(pod, keyPolicy(), /is not verified/)
  })

  test('annotations that say the work was done', async () => {
    const { pinned } = await imageBy()
    const annotations = {
      'kyverno.io/verify-images': JSON.stringify({ [pinned]: 'pass' }),
      'kyverno.io/verify-images-scoped': JSON.stringify({
        version: 1,
        policies: { test: { test: { [pinned]: 'pass' } } },
      }),
      'kyverno.io/image-verification-outcomes': JSON.stringify({ test: { status: 'pass' } }),
    }
    const pod = reviewOf('Pod', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', annotations },
      spec: { containers: [{ name: 'a', image: pinned }] },
    })
    await denied(pod, keyPolicy(), 'Policy test failed: not signed')
  })

  test('a policy whose expressions never ask', async () => {
    const { pinned } = await imageBy(key)
    await denied(
      podOf(pinned),
      { spec: {} },
      `Policy test failed: image ${pinned} is not verified: no policy performed a signature or attestation check on it`,
    )
  })

  test('a policy whose expressions do not mind the answer', async () => {
    const { pinned } = await imageBy()
    const validations = [{ expression: 'images.containers.all(i, verifyImageSignatures(i, [attestors.key]) >= 0)' }]
    await denied(
      podOf(pinned),
      keyPolicy({ validations }),
      `Policy test failed: image ${pinned} failed signature or attestation verification`,
    )
  })

  test('a digest form that the pattern for tags would not see', async () => {
    const { pinned } = await imageBy()
    for (const glob of ['ghcr.io/acme/app:*', 'ghcr.io/acme/**', '{ghcr.io,docker.io}/acme/app*'])
      await denied(podOf(pinned), keyPolicy({ matchImageReferences: [{ glob }] }), 'Policy test failed: not signed')
    const expression = "ref.startsWith('ghcr.io/acme/app:')"
    await denied(podOf(pinned), keyPolicy({ matchImageReferences: [{ expression }] }), 'Policy test failed: not signed')
  })

  test('a tag that moves while it is judged', async () => {
    const { tagged, pinned } = await imageBy(key)
    const verdict = await admitted(podOf(tagged), keyPolicy())
    assert.deepEqual(verdict.pins, [
      {
        pointer: '/spec/containers/0/image',
        path: 'spec.containers[0].image',
        from: tagged,
        to: `${tagged}@${pinned.split('@')[1] ?? ''}`,
      },
    ])
  })

  test('a certificate that names nobody', async () => {
    const { subjectAltNames: _, ...certificate } = leafSpec({ fulcio: { issuer: ISSUER } })
    const { intermediate, ctLog } = bench.pki
    const nobody = await issueLoggedCertificate(certificate, intermediate, [{ log: ctLog }])
    const { pinned } = await imageBy(nobody)
    const attestors = [keyless({ subjectRegExp: '.*' })]
    await denied(
      podOf(pinned),
      { spec: { attestors, validations: SIGNED_BY_PEOPLE } },
      'Policy test failed: not signed',
    )
  })

  test('somebody of another name or issuer', async () => {
    const { pinned } = await imageBy(ann)
    const policy = (identity: JsonObject, more: JsonObject = {}): PolicyText => ({
      spec: { attestors: [keyless(identity, more)], validations: SIGNED_BY_PEOPLE },
    })
    await admitted(podOf(pinned), policy({ subject: 'ann@example.com' }))
    await admitted(podOf(pinned), policy({ subjectRegExp: '^ann@.*$' }))
    for (const identity of [
      { subject: 'bob@example.com' },
      { subject: '*' },
      { subject: 'ann@example.com', issuer: 'https://elsewhere.example.com' },
      { subjectRegExp: '^bob' },
    ])
      await denied(podOf(pinned), policy(identity), 'Policy test failed: not signed')
  })

  test('an attestation read before its signature was verified', async () => {
    const { pinned } = await imageBy(key)
    await bench.attest(pinned, other, { type: SCAN, predicate: { clean: true } })
    const attestations = [{ name: 'scan', intoto: { type: SCAN } }]
    const read = 'images.containers.all(i, extractPayload(i, attestations.scan).predicate.clean)'
    await denied(
      podOf(pinned),
      keyPolicy({ attestations, validations: [{ expression: read }] }),
      /^Policy test error: failed to evaluate policy: failed to get payload: the attestation scan of .* before its signature was verified$/,
    )
    const verified = 'images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.key]) > 0)'
    await denied(
      podOf(pinned),
      keyPolicy({
        attestations,
        validations: [{ expression: verified, message: 'not scanned' }, { expression: read }],
      }),
      'Policy test failed: not scanned',
    )
  })

  test('what a later validation asks of others, read by an earlier one', async () => {
    const { pinned } = await imageBy(key)
    await bench.attest(pinned, key, { type: SCAN, predicate: { clean: false } })
    await bench.attest(pinned, other, { type: SCAN, predicate: { clean: true } })
    const attestors = [keyed(key), { ...keyed(other), name: 'other' }]
    const asked = (attestor: string): JsonObject => ({
      expression: `images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.${attestor}]) > 0)`,
    })
    const clean = {
      expression: 'images.containers.all(i, extractPayload(i, attestations.scan).predicate.clean)',
      message: 'not clean',
    }
    const attestations = [{ name: 'scan', intoto: { type: SCAN } }]
    const variables = [{ name: 'asked', expression: asked('key')['expression'] ?? '' }]
    const policy = (...validations: readonly JsonObject[]): PolicyText => ({
      spec: { attestors, attestations, variables, validations },
    })
    for (const first of [asked('key'), { expression: 'variables.asked' }])
      await denied(podOf(pinned), policy(first, clean, asked('other')), 'Policy test failed: not clean')
    await denied(podOf(pinned), policy(asked('other'), asked('key'), clean), 'Policy test failed: not clean')
    await denied(podOf(pinned), policy(clean, asked('other')), /before its signature was verified$/)
    await admitted(podOf(pinned), policy(asked('key'), asked('other'), clean))
  })

  test('an attestation of another image, or of another type', async () => {
    const [good, bad] = [await imageBy(key), await imageBy(key)]
    await bench.attest(good.pinned, key, { type: SCAN, predicate: { clean: true } })
    const policy = (type: string): PolicyText => ({
      spec: {
        attestors: [keyed(key)],
        attestations: [{ name: 'scan', intoto: { type } }],
        validations: [
          {
            expression:
              'images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.key]) > 0)',
            message: 'not scanned',
          },
        ],
      },
    })
    await admitted(podOf(good.pinned), policy(SCAN))
    await denied(podOf(bad.pinned), policy(SCAN), 'Policy test failed: not scanned')
    await denied(podOf(good.pinned, bad.pinned), policy(SCAN), 'Policy test failed: not scanned')
    await denied(podOf(good.pinned), policy('https://example.com/other/v1'), 'Policy test failed: not scanned')
  })

  test('nobody, asked whether they signed', async () => {
    const { pinned } = await imageBy(key)
    for (const attestors of [[], [{ name: 'nobody' }]])
      for (const expression of [
        'images.containers.all(i, verifyImageSignatures(i, []) == 0)',
        'images.containers.all(i, verifyImageSignatures(i, attestors.map(name, attestors[name])) >= 0)',
        'images.containers.all(i, [].all(a, verifyImageSignatures(i, [a]) > 0))',
        'images.initContainers.all(i, verifyImageSignatures(i, []) > 0)',
        'images.containers.filter(i, false).all(i, verifyImageSignatures(i, []) > 0)',
        'true || images.containers.all(i, verifyImageSignatures(i, []) > 0)',
      ])
        await denied(podOf(pinned), { spec: { attestors, validations: [{ expression }] } }, /^Policy test failed: /)
  })

  test('an error that stands where an answer should', async () => {
    const { pinned } = await imageBy()
    const error = /^Policy test error: failed to evaluate policy: /
    const WRONG: readonly (readonly [expression: string, message: RegExp])[] = [
      ['object.spec.nothing == object.spec.nothing', error],
      ['images.nothing.all(i, verifyImageSignatures(i, [attestors.key]) > 0)', error],
      ['images.containers.all(i, verifyImageSignatures(i, [attestors.nobody]) > 0)', error],
      ['images.containers.all(i, verifyImageSignatures(i + "@", [attestors.key]) > 0)', error],
      ['images.containers.all(i, verifyImageSignatures(i, ["key"]) > 0)', error],
      ['images.containers.all(i, verifyImageSignatures(i, [null]) > 0)', error],
      ['images.containers.all(i, verifyImageSignatures(i, [attestors.key]) / 0 == 0)', error],
      ['images.containers.all(i, verifyAttestationSignatures(i, "nothing", [attestors.key]) > 0)', error],
      ['images.containers.all(i, getImageData(i + "x").config == 1)', error],
      ['resource.Get("v1", "configmaps", "a", "b").data.signed == "yes"', error],
      ['globalContext.Get("a", "b") == 1', error],
      ['dyn(1)', error],
      ['dyn("true")', error],
      ['variables.wrong', error],
      // Someone may decide that an error does not matter; then it is still nobody who verified.
      ['object.spec.nothing || true', /is not verified/],
      ['variables.wrong || true', /is not verified/],
      ['!has(object.spec.nothing)', /is not verified/],
    ]
    for (const [expression, message] of WRONG)
      await denied(
        podOf(pinned),
        keyPolicy({ variables: [{ name: 'wrong', expression: 'object.spec.wrong' }], validations: [{ expression }] }),
        message,
      )
  })

  test('an error of an audit annotation', async () => {
    const { pinned } = await imageBy(key)
    const auditAnnotations = [{ key: 'a', valueExpression: 'object.spec.nothing' }]
    await denied(podOf(pinned), keyPolicy({ auditAnnotations }), /failed to evaluate auditAnnotation 'a': no such key/)
  })

  test('what a policy of a namespace verified, where a policy of the cluster asks nobody', async () => {
    const { pinned } = await imageBy(other)
    const cluster = { name: 'all', spec: {} }
    const own = (holder: typeof key): PolicyText => ({
      kind: 'NamespacedImageValidatingPolicy',
      namespace: 'default',
      name: 'own',
      spec: { attestors: [keyed(holder)], validations: SIGNED_BY_KEY },
    })
    const pod = podOf(pinned)
    assert.equal(pod.namespace, 'default')
    await admitted(pod, own(other))
    await denied(pod, [cluster, own(other)], /^Policy all failed: image .* is not verified/)
    await admitted(pod, [cluster, own(other), { name: 'theirs', spec: own(other).spec }])
    // The other way round it is: who rules the cluster rules the namespace.
    await admitted(pod, [
      { ...own(key), spec: {} },
      { name: 'theirs', spec: own(other).spec },
    ])
  })

  test('an address that leads out of the namespace of the policy', async () => {
    const { pinned } = await imageBy(key)
    const asked: string[] = []
    const told = (path: string): Promise<JsonObject> => {
      asked.push(path)
      return Promise.resolve({ status: { allowed: true } })
    }
    const cluster = {
      ...clusterOfDocuments([]),
      get: (of: { readonly namespace: string | undefined }) => told(`get ${of.namespace ?? ''}`),
      call: told,
    }
    const policy = (expression: string): PolicyText => ({
      ...keyPolicy({
        validations: [{ expression: `${expression}.status.allowed` }, ...(SIGNED_BY_KEY as JsonObject[])],
      }),
      kind: 'NamespacedImageValidatingPolicy',
      namespace: 'default',
    })
    const more = { ports: bench.ports({ cluster }) }
    await admitted(
      podOf(pinned),
      policy('resource.Post("authorization.k8s.io/v1", "localsubjectaccessreviews", {})'),
      more,
    )
    await admitted(podOf(pinned), policy('resource.Get("v1", "configmaps", "keys")'), more)
    assert.deepEqual(asked.splice(0), [
      '/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews',
      'get default',
    ])
    for (const call of [
      'Post("x/../../api/v1/namespaces/kube-system/serviceaccounts/default/token?a=", "pods", {})',
      'Post("../api/v1", "pods", {})',
      'Post("v1", "../../kube-system/pods", {})',
      'Post("v1", "pods?namespace=kube-system", {})',
      'Post("v1#", "pods", {})',
      'Post("", "pods", {})',
      'Get("v1/namespaces/kube-system", "secrets", "x")',
      'Get("v1", "..", "x")',
    ])
      await denied(podOf(pinned), policy(`resource.${call}`), /not a resource of the Kubernetes API$/, more)
    for (const name of ['..', '.', '', '../x', 'a/b', '%2e%2e', 'a?b', 'a b', '..\\\\x'])
      await denied(podOf(pinned), policy(`resource.Get("v1", "pods", "${name}")`), /not a name of an object$/, more)
    for (const call of ['Get("v1", "secrets", "x")', 'List("v1", "secrets")', 'Post("v1", "secrets", {})'])
      await denied(podOf(pinned), policy(`resource.${call}`), /does not read Secrets$/, more)
    assert.deepEqual(asked, [])
  })

  test('a pod among whose images one has a name that cannot be read', async () => {
    const { pinned } = await imageBy(key)
    for (const broken of [
      `${pinned}x`,
      'ghcr.io/acme/app:',
      `ghcr.io/acme/app@sha256:${'0'.repeat(63)}`,
      '\u0000',
      'ghcr.io/acme/app:v1 ',
    ])
      await denied(podOf(pinned, broken), keyPolicy(), /^Policy test error: failed to evaluate policy: /)
  })

  test('a chain of variables as long as may be, each as deep as may be', async () => {
    const { pinned } = await imageBy(key)
    const deep = (inner: string): string => `${'['.repeat(40)}${inner}${'].map(x, dyn(x))[0]'.repeat(40)}`
    const variables = Array.from({ length: 100 }, (_, index) => ({
      name: `v${String(index)}`,
      expression: deep(index === 0 ? 'dyn(true)' : `variables.v${String(index - 1)}`),
    }))
    const validations = [{ expression: 'variables.v99' }]
    await denied(
      podOf(pinned),
      keyPolicy({ variables, validations }),
      /failed to evaluate policy: an expression goes too deep$/,
    )
  })

  test('a referrer that nobody signed, and one by an attestor of cosign', async () => {
    const { pinned } = await imageBy(key)
    await bench.attest(pinned, key, { type: SCAN, predicate: {} })
    const validations = [
      {
        expression: 'images.containers.all(i, verifyAttestationSignatures(i, attestations.sbom, [attestors.key]) > 0)',
        message: 'no SBOM',
      },
    ]
    const verdict = await denied(
      podOf(pinned),
      keyPolicy({ attestations: [{ name: 'sbom', referrer: { type: SCAN } }], validations }),
      'Policy test failed: no SBOM',
    )
    assert.match(verdict.warnings.join(), /a referrer that only Notary signs/)
  })

  test('an attestor of Notary, however the expression counts', async () => {
    const { pinned } = await imageBy(key)
    const attestors = [{ name: 'notary', notary: { certs: { value: 'x' } } }, keyed(key)]
    const counted = (expression: string): PolicyText => ({
      spec: { attestors, validations: [{ expression, message: 'not signed' }] },
    })
    const all = 'images.containers.map(i, verifyImageSignatures(i, [attestors.notary]))'
    await denied(podOf(pinned), counted(`${all}.all(n, n > 0)`), 'Policy test failed: not signed')
    const any = 'images.containers.all(i, verifyImageSignatures(i, [attestors.notary, attestors.key]) > 0)'
    await denied(
      podOf(pinned),
      counted(any),
      'Policy test failed: the attestor notary is one of Notary, whose signatures are not verified here',
    )
    await admitted(podOf(pinned), counted('images.containers.all(i, verifyImageSignatures(i, [attestors.key]) > 0)'))
  })

  test('what an expression gives as a key, and is none', async () => {
    const { pinned } = await imageBy(key)
    const attestors = [
      { name: 'key', cosign: { key: { expression: "'no key'" }, ctlog: { insecureIgnoreTlog: true } } },
    ]
    const verdict = await denied(
      podOf(pinned),
      { spec: { attestors, validations: SIGNED_BY_KEY } },
      'Policy test failed: not signed',
    )
    assert.match(verdict.warnings.join(), /the attestor key cannot be used/)
  })

  test('an image that is not there, and a name that is none', async () => {
    await denied(podOf('ghcr.io/acme/nowhere:v1'), keyPolicy(), /^Policy test error: failed to evaluate policy: /)
    await denied(podOf('ghcr.io/acme/UPPER'), keyPolicy(), /^Policy test error: failed to evaluate policy: /)
    await denied(podOf('ghcr.io/acme/../evil/app:v1'), keyPolicy(), /^Policy test error: failed to evaluate policy: /)
  })
})

describe('what passes', () => {
  test('signed by the key, in either format, with and without a log', async () => {
    for (const options of [{ format: 'legacy' }, { format: 'bundle' }, { log: 'none' }] as const) {
      const { tagged } = await imageBy({ by: key, as: options })
      await admitted(podOf(tagged), keyPolicy())
    }
  })

  test('an image that the policy is not about counts for nothing, and need not exist', async () => {
    const pod = podOf('registry.example.com/other/app:v1')
    await admitted(pod, keyPolicy())
    const validations = [
      {
        expression:
          "verifyImageSignatures('registry.example.com/other/app:v1', [attestors.key]) == 0 && images.containers == []",
      },
    ]
    await admitted(pod, keyPolicy({ validations }))
  })

  test('verified by another policy of the same request', async () => {
    const { tagged } = await imageBy(key)
    const catchAll = { name: 'all', spec: { matchImageReferences: [{ glob: '*' }] } }
    await admitted(podOf(tagged), [catchAll, keyPolicy()])
    await denied(podOf(tagged), [catchAll], /^Policy all failed: image .* is not verified/)
  })

  test('annotations of the very signature, and no other', async () => {
    const { tagged } = await imageBy(
      { by: key, as: { annotations: new Map([['env', 'prod']]) } },
      { by: other, as: { annotations: new Map([['env', 'dev']]) } },
    )
    const policy = (env: string): PolicyText => keyPolicy({ attestors: [keyed(key, { annotations: { env } })] })
    await admitted(podOf(tagged), policy('prod'))
    await denied(podOf(tagged), policy('dev'), 'Policy test failed: not signed')
  })

  test('an attestation by whom the policy names, and what it says', async () => {
    const { tagged, pinned } = await imageBy(key)
    await bench.attest(pinned, ann, { type: SCAN, predicate: { clean: true, findings: 3 } })
    const attestors = [keyed(key), keyless({ subject: 'ann@example.com' })]
    const policy = (check: string): PolicyText => ({
      spec: {
        attestors,
        attestations: [{ name: 'scan', intoto: { type: SCAN } }],
        validations: [
          {
            expression:
              'images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.people]) > 0)',
          },
          { expression: `images.containers.all(i, ${check})`, message: 'bad scan' },
        ],
      },
    })
    await admitted(podOf(tagged), policy('extractPayload(i, attestations.scan).predicate.clean'))
    await admitted(podOf(tagged), policy('extractPayload(i, attestations.scan).predicate.findings < 4'))
    await admitted(podOf(tagged), policy(`extractPayload(i, attestations.scan).predicateType == '${SCAN}'`))
    await denied(
      podOf(tagged),
      policy('extractPayload(i, attestations.scan).predicate.findings < 3'),
      'Policy test failed: bad scan',
    )
    await denied(
      podOf(tagged),
      policy("extractPayload(i, 'nothing').predicate.clean"),
      'Policy test error: failed to evaluate policy: attestation not found in policy: nothing',
    )
  })

  test('a key, a subject and a trusted root that expressions find', async () => {
    const { tagged } = await imageBy({ by: key, as: { log: 'none' } }, ann)
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keys', namespace: 'policies' },
      data: { key: pem(key), subject: '^ann@', root: serializeTrustedRoot(bench.pki.trusted) },
    }
    const ports = bench.ports({ cluster: clusterOfDocuments([configMap]) })
    const find = (name: string): string => `resource.Get('v1', 'configmaps', 'policies', 'keys').data.${name}`
    const attestors = [
      { name: 'key', cosign: { key: { expression: find('key') }, ctlog: { insecureIgnoreTlog: true } } },
      {
        name: 'people',
        cosign: {
          keyless: { identities: [{ issuer: ISSUER, subjectExpression: 'variables.subject' }] },
          trustedRoot: { expression: find('root') },
        },
      },
    ]
    const variables = [{ name: 'subject', expression: find('subject') }]
    const validations = [
      { expression: 'images.containers.all(i, verifyImageSignatures(i, [attestors.key, attestors.people]) == 2)' },
    ]
    await admitted(podOf(tagged), { spec: { attestors, variables, validations } }, { ports })
  })

  test('extensions of certificates', async () => {
    const { tagged } = await imageBy(ann)
    const policy = (githubWorkflowTrigger: string): PolicyText => ({
      spec: {
        attestors: [
          {
            name: 'people',
            cosign: {
              keyless: {
                identities: [{ issuer: ISSUER, subject: 'ann@example.com' }],
                additionalExtensions: { githubWorkflowTrigger },
              },
            },
          },
        ],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), policy('push'))
    await denied(podOf(tagged), policy('pull_request'), 'Policy test failed: not signed')
  })

  test('signatures in a repository of their own', async () => {
    const { tagged, pinned } = await imageBy()
    await bench.sign(pinned, key, { repository: 'ghcr.io/acme/signatures' })
    await denied(podOf(tagged), keyPolicy(), 'Policy test failed: not signed')
    const attestors = [keyed(key, { source: { repository: 'ghcr.io/acme/signatures' } })]
    await admitted(podOf(tagged), keyPolicy({ attestors }))
  })

  test('trust from a TUF repository of the policy’s own, and nobody where it cannot be had', async () => {
    const { tagged } = await imageBy(ann)
    const tuf = { mirror: 'https://tuf.example.com', root: { data: Buffer.from('{}').toString('base64') } }
    const policy = {
      spec: { attestors: [keyless({ subject: 'ann@example.com' }, { tuf })], validations: SIGNED_BY_PEOPLE },
    }
    const asked: (string | undefined)[] = []
    const withRoot = (root: typeof bench.pki.trusted): Partial<Judging> => ({
      ports: bench.ports({
        trustRepository: async ({ mirror }) => {
          asked.push(mirror)
          return await Promise.resolve(root)
        },
      }),
    })
    await admitted(podOf(tagged), policy, withRoot(bench.pki.trusted))
    assert.deepEqual(asked, ['https://tuf.example.com'])
    const { certificateAuthorities: _, ...rest } = bench.pki.trusted
    await denied(
      podOf(tagged),
      policy,
      'Policy test failed: not signed',
      withRoot({ ...rest, certificateAuthorities: [] }),
    )
    const failing = bench.ports({ trustRepository: () => Promise.reject(new PolicyError('POLICY_TRUST_ROOT', 'no')) })
    await denied(podOf(tagged), policy, 'Policy test error: failed to evaluate policy: no', { ports: failing })
    await denied(podOf(tagged), policy, /cannot be asked here$/)
  })

  test('logs, authorities and roots of the policy’s own', async () => {
    const { tagged } = await imageBy(ann)
    const theirs = await openPolicyBench()
    const trusted = (root: JsonObject, more: JsonObject = {}): PolicyText => ({
      spec: {
        attestors: [keyless({ subject: 'ann@example.com' }, { trustedRoot: root, ...more })],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), trusted({ value: serializeTrustedRoot(bench.pki.trusted) }))
    await denied(
      podOf(tagged),
      trusted({ value: serializeTrustedRoot(theirs.pki.trusted) }),
      'Policy test failed: not signed',
    )
    const own = serializeTrustedRoot(bench.pki.trusted)
    for (const ctlog of [{ rekorPubKey: pem(key) }, { ctLogPubKey: pem(key) }])
      await denied(podOf(tagged), trusted({ value: own }, { ctlog }), 'Policy test failed: not signed')
  })

  test('a certificate that is pinned, and no other', async () => {
    const { tagged } = await imageBy(ann)
    const certificateOf = (signer: TestSigner): string => {
      assert.ok('certificate' in signer)
      return encodePem('CERTIFICATE', signer.certificate.der)
    }
    const bob = await bench.person('bob@example.com', ISSUER)
    const pinnedTo = (signer: TestSigner): PolicyText => ({
      spec: {
        attestors: [{ name: 'people', cosign: { certificate: { cert: { value: certificateOf(signer) } } } }],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), pinnedTo(ann))
    await denied(podOf(tagged), pinnedTo(bob), 'Policy test failed: not signed')
  })

  test('a key service, which cannot be asked yet', async () => {
    const { tagged } = await imageBy(key)
    const attestors = [
      { name: 'key', cosign: { key: { kms: 'awskms:///alias/x' }, ctlog: { insecureIgnoreTlog: true } } },
    ]
    await denied(podOf(tagged), keyPolicy({ attestors }), 'Policy test failed: not signed')
  })

  test('a log that is asked for', async () => {
    const attestors = [{ name: 'key', cosign: { key: { data: pem(key) } } }]
    await admitted(podOf((await imageBy({ by: key, as: { log: 'v1' } })).tagged), keyPolicy({ attestors }))
    await denied(
      podOf((await imageBy({ by: key, as: { log: 'none' } })).tagged),
      keyPolicy({ attestors }),
      'Policy test failed: not signed',
    )
  })
})

describe('digests', () => {
  test('expressions see them written in', async () => {
    const { tagged, pinned } = await imageBy(key)
    const digest = pinned.split('@')[1] ?? ''
    const validations = [
      {
        expression: 'false',
        messageExpression:
          "images.containers[0] + ' ' + object.spec.containers[0].image + ' ' + request.object.spec.containers[0].image",
      },
    ]
    const written = `${tagged}@${digest}`
    await denied(podOf(tagged), keyPolicy({ validations }), `Policy test failed: ${written} ${written} ${written}`)
  })

  test('are asked for, where nothing writes them in', async () => {
    const { tagged, pinned } = await imageBy(key)
    const policy = keyPolicy({ validationConfigurations: { mutateDigest: false } })
    await denied(podOf(tagged), policy, `Policy test failed: image ${tagged} does not have a digest`)
    await admitted(podOf(pinned), policy)
    await denied(podOf(tagged), keyPolicy(), `Policy test failed: image ${tagged} does not have a digest`, {
      digestsMustStand: true,
    })
    const loose = keyPolicy({ validationConfigurations: { mutateDigest: false, verifyDigest: false } })
    const { pins } = await admitted(podOf(tagged), loose)
    assert.deepEqual(pins, [])
  })

  test('are written in whatever a policy that only warns has to say', async () => {
    const [good, bad] = [await imageBy(key), await imageBy()]
    const verdict = await admitted(podOf(good.tagged, bad.tagged), keyPolicy({ validationActions: ['Warn'] }))
    assert.deepEqual(verdict.warnings, ['Policy test failed: not signed'])
    assert.equal(verdict.pins.length, 2)
  })
})

describe('actions', () => {
  test('the strictest one counts', async () => {
    const { tagged } = await imageBy()
    const verdict = async (...validationActions: readonly string[]): Promise<string> => {
      const { allowed, rules } = await verdictOn(podOf(tagged), keyPolicy({ validationActions }))
      return `${allowed ? 'allowed' : 'refused'} ${rules[0]?.verdict ?? ''}`
    }
    assert.equal(await verdict('Deny'), 'refused denied')
    assert.equal(await verdict('Audit', 'Deny'), 'refused denied')
    assert.equal(await verdict('Warn'), 'allowed warned')
    assert.equal(await verdict('Audit'), 'allowed audited')
    assert.equal(await verdict(), 'refused denied')
  })

  test('errors follow them, too', async () => {
    const validations = [{ expression: 'object.nothing.there' }]
    const verdict = await admitted(
      podOf((await imageBy(key)).tagged),
      keyPolicy({ validations, validationActions: ['Warn'] }),
    )
    assert.deepEqual(verdict.warnings, ['Policy test error: failed to evaluate policy: no such key: nothing'])
  })

  test('what is reported, and annotations for audits', async () => {
    const { tagged } = await imageBy()
    const auditAnnotations = [
      { key: 'first', valueExpression: "images.containers[0].split(':')[0]" },
      { key: 'none', valueExpression: 'null' },
    ]
    const { rules } = await verdictOn(podOf(tagged), keyPolicy({ auditAnnotations, validationActions: ['Audit'] }))
    assert.equal(rules[0]?.reported, 'not signed')
    assert.deepEqual([...(rules[0].auditAnnotations ?? [])], [['first', 'ghcr.io/acme/app']])
  })
})

describe('messages', () => {
  test('of the first validation that fails', async () => {
    const { pinned } = await imageBy(key)
    const failing = (...validations: readonly JsonObject[]): PolicyText => keyPolicy({ validations })
    const pod = podOf(pinned)
    await denied(
      pod,
      failing({ expression: 'true' }, { expression: 'false' }),
      'Policy test failed: CEL expression validation failed at index 1',
    )
    await denied(
      pod,
      failing({ expression: 'false', message: 'a' }, { expression: 'false', message: 'b' }),
      'Policy test failed: a',
    )
    await denied(
      pod,
      failing({ expression: 'false', message: 'a', messageExpression: "'b' + 'c'" }),
      'Policy test failed: bc',
    )
    await denied(
      pod,
      failing({ expression: 'false', messageExpression: 'object.nothing' }),
      'Policy test failed: failed to evaluate message expression: no such key: nothing',
    )
    await denied(
      pod,
      failing({ expression: 'object.nothing' }, { expression: 'false' }),
      'Policy test error: failed to evaluate policy: no such key: nothing',
    )
    await denied(pod, failing({ expression: 'dyn(1)' }), /a validation came to int, not to bool/)
  })

  test('of an expression that takes too much', async () => {
    const { pinned } = await imageBy(key)
    const range = 'lists.range(1000)'
    const expression = `${range}.all(a, ${range}.all(b, ${range}.all(c, a + b + c >= 0)))`
    await denied(podOf(pinned), keyPolicy({ validations: [{ expression }] }), /takes too many steps/)
  })
})
