/** What image validating policies must not let pass, against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { PolicyText } from '#testing/policy/ivpol'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import { podOf, reviewOf } from '#testing/policy/reviews'
import { issueLoggedCertificate } from '#testing/pki/ct-log'
import { leafSpec } from '#testing/pki/certificate'
import type { Review } from '../internal/review.js'
import {
  openIvpolVerifying,
  ISSUER,
  SCAN,
  keyed,
  keyless,
  SIGNED_BY_KEY,
  SIGNED_BY_PEOPLE,
} from '#testing/policy/ivpol-verifying'

const { bench, ann, key, other, imageBy, admitted, denied, keyPolicy } = await openIvpolVerifying()

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
