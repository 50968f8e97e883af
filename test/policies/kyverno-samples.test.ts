/**
 * Policies as people write them, each with an image that it admits and with one that it does not: what Kyverno's documentation, its
 * library of policies and the rest of its own tests ask for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { Review } from '#policy/internal/review'
import {
  openPolicyBench,
  type PolicyBench,
  type SignOptions,
  type TestClaim,
  type TestSigner,
} from '#testing/policy/bench'
import { compileText, documentsOf, judged } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'

const GITHUB = 'https://token.actions.githubusercontent.com'
const DAY = 86_400_000

let bench: PolicyBench
let key: TestSigner
let second: TestSigner
let stranger: TestSigner

before(async () => {
  bench = await openPolicyBench()
  key = await bench.keyHolder()
  second = await bench.keyHolder()
  stranger = await bench.keyHolder()
})

const pem = (signer: TestSigner): string => publicKeyToPem(signer.key.publicKey)
const indented = (text: string, by: number): string => text.trim().replaceAll('\n', `\n${' '.repeat(by)}`)
const unlogged: SignOptions = { log: 'none' }

/** An image under this very name. */
function push(name: string): string {
  return bench.pushImage(name, [{ os: 'linux', architecture: 'amd64', name }])
}

async function signed(name: string, ...by: readonly TestSigner[]): Promise<string> {
  const image = push(name)
  for (const signer of by) await bench.sign(image, signer, 'certificate' in signer ? {} : unlogged)
  return name
}

async function attested(name: string, signer: TestSigner, claim: TestClaim): Promise<string> {
  await bench.attest(push(name), signer, claim)
  return name
}

interface Asked {
  readonly documents?: string
  readonly ports?: Partial<EnginePorts>
}

async function ask(policy: string, review: Review, { documents, ports = {} }: Asked = {}): Promise<ReviewVerdict> {
  const cluster = clusterOfDocuments(documents === undefined ? [] : await documentsOf(documents))
  return await judged([await compileText(policy)], review, { ports: { ...bench.ports({ cluster }), ...ports } })
}

async function admits(policy: string, review: Review, asked?: Asked): Promise<ReviewVerdict> {
  const verdict = await ask(policy, review, asked)
  assert.equal(verdict.allowed, true, verdict.message)
  return verdict
}

async function refuses(policy: string, review: Review, why: RegExp, asked?: Asked): Promise<void> {
  const verdict = await ask(policy, review, asked)
  assert.equal(verdict.allowed, false, 'it was admitted')
  assert.match(verdict.message, why)
}

/** What is said of an image by a policy that only reports. */
async function reported(policy: string, review: Review, asked?: Asked): Promise<readonly string[]> {
  const { rules } = await admits(policy, review, asked)
  return rules.map(({ verdict }) => verdict)
}

const POD = 'any: [{resources: {kinds: [Pod]}}]'
const spec = (rules: string, more = 'validationFailureAction: Enforce'): string =>
  `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: sample}
spec:
  ${more}
  webhookTimeoutSeconds: 30
  rules:
${rules}`

describe('signatures', () => {
  test('release images of a project, reported', async () => {
    const flux = spec(
      `  - name: verify-cosign-signature
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/fluxcd/source-controller:*", "docker.io/fluxcd/source-controller:*"]
      mutateDigest: false
      verifyDigest: false
      attestors:
      - entries:
        - keyless:
            subject: https://github.com/fluxcd/*
            issuer: ${GITHUB}
            rekor: {url: "https://rekor.sigstore.dev"}`,
      'validationFailureAction: Audit\n  background: false',
    )
    const release = await bench.person('https://github.com/fluxcd/flux/.github/workflows/r.yaml@refs/tags/v1', GITHUB)
    const other = await bench.person(
      'https://github.com/fluxcd-evil/flux/.github/workflows/r.yaml@refs/tags/v1',
      GITHUB,
    )
    const good = await signed('ghcr.io/fluxcd/source-controller:v1', release)
    assert.deepEqual(await reported(flux, podOf(good)), ['admitted'])
    const bad = await signed('docker.io/fluxcd/source-controller:v2', other)
    assert.deepEqual(await reported(flux, podOf(bad)), ['audited'])
    assert.deepEqual(await reported(flux, podOf('fluxcd/source-controller:v2')), ['audited'])
    assert.deepEqual(await reported(flux, podOf('quay.io/fluxcd/source-controller:v2')), [])
  })

  test('one policy, several rules about different images', async () => {
    const keyed = (name: string, images: string): string => `  - name: ${name}
    match: {${POD}}
    verifyImages:
    - imageReferences: ["${images}"]
      failureAction: Enforce
      attestors:
      - count: 1
        entries:
        - keys:
            publicKeys: |-
              ${indented(pem(key), 14)}
            rekor: {url: "https://rekor.sigstore.dev", ignoreTlog: true}
            ctlog: {ignoreSCT: true}
`
    const policy = spec(
      keyed('check-1', 'ghcr.io/several/app:*') + keyed('check-2', 'my.local.repo/*'),
      'background: false',
    )
    const [good, elsewhere] = [
      await signed('ghcr.io/several/app:good', key),
      await signed('my.local.repo/app:1', stranger),
    ]
    await admits(policy, podOf(good))
    await refuses(
      policy,
      podOf(good, elsewhere),
      /^failed to verify image my\.local\.repo\/app:1: .*no (?:matching )?signatures/,
    )
    await refuses(policy, podOf(await signed('ghcr.io/several/app:bad')), /no (?:matching )?signatures/)
  })

  test('a key for everybody and a key for each namespace', async () => {
    const policy = spec(`  - name: two-keys
    match: {${POD}}
    context: [{name: keys, configMap: {name: keys, namespace: default}}]
    verifyImages:
    - imageReferences: ["ghcr.io/twokeys/app*"]
      required: true
      attestors:
      - count: 2
        entries:
        - keys: {publicKeys: "{{ keys.data.production }}", rekor: {ignoreTlog: true}}
        - keys: {publicKeys: "{{ keys.data.{{request.namespace}} }}", rekor: {ignoreTlog: true}}`)
    const documents = `apiVersion: v1
kind: ConfigMap
metadata: {name: keys, namespace: default}
data:
  production: ${JSON.stringify(pem(key))}
  team-a: ${JSON.stringify(pem(second))}
  team-b: ${JSON.stringify(pem(stranger))}`
    const image = await signed('ghcr.io/twokeys/app:1', key, second)
    await admits(policy, { ...podOf(image), namespace: 'team-a' }, { documents })
    await refuses(policy, { ...podOf(image), namespace: 'team-b' }, /no (?:matching )?signatures/, { documents })
    await refuses(policy, { ...podOf(image), namespace: 'team-c' }, /keys\.data\.team-c|team-c/, { documents })
  })

  test('namespaces that ask for signatures', async () => {
    const policy = spec(
      `  - name: selected
    match:
      all:
      - resources:
          kinds: [Pod]
          namespaceSelector: {matchExpressions: [{key: signed, operator: In, values: ["true"]}]}
    verifyImages:
    - imageReferences: ["ghcr.io/selected/app:*"]
      failureAction: Enforce
      attestors: [{entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}, rekor: {ignoreTlog: true}}}]}]`,
      'failurePolicy: Fail',
    )
    const documents = `apiVersion: v1
kind: Namespace
metadata: {name: guarded, labels: {signed: "true"}}
---
apiVersion: v1
kind: Namespace
metadata: {name: free, labels: {signed: "false"}}`
    const [good, bad] = [
      await signed('ghcr.io/selected/app:good', key),
      await signed('ghcr.io/selected/app:bad', stranger),
    ]
    await admits(policy, { ...podOf(good), namespace: 'guarded' }, { documents })
    await refuses(policy, { ...podOf(bad), namespace: 'guarded' }, /no (?:matching )?signatures/, { documents })
    await admits(policy, { ...podOf(bad), namespace: 'free' }, { documents })
    await refuses(policy, { ...podOf(bad), namespace: 'unknown' }, /unknown/, { documents })
  })

  test('a key in a secret', async () => {
    const policy = spec(`  - name: secret
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/secret/app:*"]
      attestors: [{entries: [{keys: {secret: {name: testsecret, namespace: test}, rekor: {ignoreTlog: true}}}]}]`)
    const image = await signed('ghcr.io/secret/app:1', key)
    const asked: unknown[] = []
    const ports: Partial<EnginePorts> = {
      key: (source) => {
        asked.push(source)
        return Promise.resolve({ key: key.key.publicKey })
      },
    }
    await admits(policy, podOf(image), { ports })
    assert.deepEqual(asked, [{ kind: 'secret', namespace: 'test', name: 'testsecret', entry: 'cosign.pub' }])
    const gone = (): Promise<never> =>
      Promise.reject(new PolicyError('POLICY_KEY', 'there is no secret test/testsecret'))
    await refuses(policy, podOf(image), /there is no secret test\/testsecret/, { ports: { key: gone } })
  })

  test('a key at a key service that cannot be asked', async () => {
    const uri = 'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/1'
    const policy = spec(
      `  - name: verify-image
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/kms/app:*"]
      attestors: [{count: 1, entries: [{keys: {kms: "${uri}"}}]}]`,
      'validationFailureAction: Audit',
    )
    const image = await signed('ghcr.io/kms/app:1', key)
    const key2 = (): Promise<never> => Promise.reject(new PolicyError('POLICY_UNSUPPORTED', `${uri} cannot be asked`))
    assert.deepEqual(await reported(policy, podOf(image), { ports: { key: key2 } }), ['audited'])
  })

  test('a certificate authority from the API server', async () => {
    const leaf = await bench.person('ann@example.com', 'https://accounts.example.com')
    const chain = bench.pki.trusted.certificateAuthorities[0]!.chain.map(({ der }) =>
      encodePem('CERTIFICATE', der),
    ).join('')
    const policy = spec(`  - name: certificates
    match: {${POD}}
    context:
    - name: encodedCert
      apiCall: {urlPath: /api/v1/namespaces/default/secrets/my-ca-secret, method: GET, jmesPath: 'data."root-ca.pem"'}
    - name: certChain
      variable: {jmesPath: base64_decode(encodedCert)}
    verifyImages:
    - imageReferences: ["docker.io/certified/app*"]
      attestors:
      - entries: [{certificates: {certChain: "{{certChain}}", rekor: {ignoreTlog: true}, ctlog: {ignoreSCT: true}}}]`)
    const answer = (text: string): Partial<EnginePorts> => ({
      clock: () => Date.parse('2025-06-01T12:01:00Z'),
      cluster: {
        ...clusterOfDocuments([]),
        call: (path): Promise<JsonValue> => {
          assert.equal(path, '/api/v1/namespaces/default/secrets/my-ca-secret')
          return Promise.resolve({ data: { 'root-ca.pem': encodeBase64(encodeUtf8(text)) } })
        },
      },
    })
    const [good, bad] = [
      await signed('docker.io/certified/app:good', leaf),
      await signed('docker.io/certified/app:bad', key),
    ]
    await admits(policy, podOf(good), { ports: answer(chain) })
    await refuses(policy, podOf(bad), /no (?:matching )?signatures/, { ports: answer(chain) })
    const others = await openPolicyBench()
    const foreign = others.pki.trusted.certificateAuthorities[0]!.chain.map(({ der }) =>
      encodePem('CERTIFICATE', der),
    ).join('')
    await refuses(policy, podOf(good), /certificate/, { ports: answer(foreign) })
    await refuses(policy, podOf(good), /certChain|certificate|PEM/, { ports: answer('nothing') })
  })

  test('identities of another installation, its log named by a ConfigMap', async () => {
    const policy = spec(`  - name: custom
    match: {${POD}}
    context: [{name: tufvalues, configMap: {name: tufvalues, namespace: kyverno}}]
    verifyImages:
    - imageReferences: ["ghcr.io/custom/*"]
      attestors:
      - entries:
        - keyless:
            issuer: https://kubernetes.default.svc.cluster.local
            subject: https://kubernetes.io/namespaces/default/serviceaccounts/default
            rekor: {url: "{{ tufvalues.data.REKOR_URL }}"}`)
    const documents = `apiVersion: v1
kind: ConfigMap
metadata: {name: tufvalues, namespace: kyverno}
data: {REKOR_URL: "http://rekor.rekor-system.svc"}`
    const issuer = 'https://kubernetes.default.svc.cluster.local'
    const account = await bench.person('https://kubernetes.io/namespaces/default/serviceaccounts/default', issuer)
    await admits(policy, podOf(await signed('ghcr.io/custom/app:1', account)), { documents })
    await refuses(policy, podOf(await signed('ghcr.io/custom/app:2', key)), /no (?:matching )?signatures/, {
      documents,
    })
  })

  test('identities by regular expressions, and who annotated', async () => {
    const policy = spec(`  - name: check
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/patterns/*"]
      attestors:
      - entries:
        - keyless: {subjectRegExp: 'https://github\\.com/.+', issuerRegExp: 'https://token\\.actions\\.githubusercontent.+'}
          annotations: {sig: original}`)
    const workflow = await bench.person('https://github.com/a/b/.github/workflows/c.yaml@refs/heads/main', GITHUB)
    const image = push('ghcr.io/patterns/app:1')
    await bench.sign(image, workflow, { annotations: new Map([['sig', 'original']]) })
    await admits(policy, podOf(image))
    const copy = push('ghcr.io/patterns/app:2')
    await bench.sign(copy, workflow, { annotations: new Map([['sig', 'copy']]) })
    await refuses(policy, podOf(copy), /annotation/)
  })

  test('images that are left out', async () => {
    const policy = spec(
      `  - name: exclude-refs
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/*"]
      skipImageReferences: ["ghcr.io/trusted/*"]
      failureAction: Enforce
      attestors: [{count: 1, entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}, rekor: {ignoreTlog: true}}}]}]`,
      'webhookConfiguration: {failurePolicy: Fail, timeoutSeconds: 10}',
    ).replace('  webhookTimeoutSeconds: 30\n', '')
    const [left, bad] = [await signed('ghcr.io/trusted/app:1'), await signed('ghcr.io/doubted/app:1')]
    await admits(policy, podOf(left))
    await refuses(
      policy,
      podOf(left, bad),
      /^failed to verify image ghcr\.io\/doubted\/app:1: .*no (?:matching )?signatures/,
    )
  })
})

describe('attestations', () => {
  const SCAN = 'cosign.sigstore.dev/attestation/vuln/v1'
  const about = (type: string, conditions: string, images: string, who: string): string =>
    spec(`  - name: attested
    match: {${POD}}
    verifyImages:
    - imageReferences: ["${images}"]
      attestations:
      - predicateType: ${type}
        attestors: [{count: 1, entries: [{keyless: {subject: "${who}", issuer: ${GITHUB}, rekor: {url: "https://rekor.sigstore.dev"}}}]}]
        conditions:
${conditions}`)

  test('a scan that is not older than a week', async () => {
    const policy = about(
      SCAN,
      `        - all:
          - {key: "{{ time_since('','{{metadata.scanFinishedOn}}','') }}", operator: LessThanOrEquals, value: 168h}`,
      'ghcr.io/scanned/app:*',
      'https://github.com/myorg/myrepo/.github/workflows/*',
    )
    const scanner = await bench.person(
      'https://github.com/myorg/myrepo/.github/workflows/scan.yaml@refs/heads/main',
      GITHUB,
    )
    const now = bench.ports().clock()
    const scannedAt = (time: number): TestClaim => ({
      type: SCAN,
      predicate: { metadata: { scanFinishedOn: new Date(time).toISOString() } },
    })
    await admits(policy, podOf(await attested('ghcr.io/scanned/app:young', scanner, scannedAt(now - 2 * DAY))))
    await refuses(
      policy,
      podOf(await attested('ghcr.io/scanned/app:old', scanner, scannedAt(now - 9 * DAY))),
      /attestation checks failed/,
    )
    await refuses(
      policy,
      podOf(await attested('ghcr.io/scanned/app:none', scanner, { type: SCAN, predicate: {} })),
      /there is no metadata/,
    )
  })

  test('no component of a version with a known hole', async () => {
    const policy = about(
      'https://cyclonedx.org/schema',
      `        - all:
          - key: "{{ components[?name=='commons-text'].version || 'none' }}"
            operator: AllNotIn
            value: ["1.5", "1.6", "1.7", "1.8", "1.9"]`,
      'myreg.org/myrepo/someimage*',
      'mysubject@example.com',
    )
    const builder = await bench.person('mysubject@example.com', GITHUB)
    const listing = (components: JsonValue): TestClaim => ({
      type: 'https://cyclonedx.org/schema',
      predicate: { components },
    })
    const image = async (tag: string, components: JsonValue): Promise<Review> =>
      podOf(await attested(`myreg.org/myrepo/someimage:${tag}`, builder, listing(components)))
    await admits(policy, await image('newer', [{ name: 'commons-text', version: '1.10' }]))
    await admits(policy, await image('without', [{ name: 'other', version: '1.5' }]))
    await refuses(policy, await image('older', [{ name: 'commons-text', version: '1.9' }]), /attestation checks failed/)
    await refuses(
      policy,
      await image('both', [
        { name: 'commons-text', version: '1.10' },
        { name: 'commons-text', version: '1.6' },
      ]),
      /attestation checks failed/,
    )
  })

  test('a builder by regular expression', async () => {
    const id =
      'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/'
    const policy = about(
      'https://slsa.dev/provenance/v0.2',
      `        - all:
          - key: "{{ regex_match('^${id}v[0-9].[0-9].[0-9]$','{{ builder.id}}') }}"
            operator: Equals
            value: true`,
      'myreg.org/path/repo:*',
      `${id}v*`,
    )
    const generator = await bench.person(`${id}v1.2.3`, GITHUB)
    const build = (builder: string): TestClaim => ({
      type: 'https://slsa.dev/provenance/v0.2',
      predicate: { builder: { id: builder } },
    })
    await admits(policy, podOf(await attested('myreg.org/path/repo:1', generator, build(`${id}v1.2.3`))))
    await refuses(
      policy,
      podOf(await attested('myreg.org/path/repo:2', generator, build(`${id}v1.2.3-rc1`))),
      /attestation checks failed/,
    )
    // Text that tries to end the expression it is written into.
    await refuses(policy, podOf(await attested('myreg.org/path/repo:3', generator, build(`', '') || 'x`))), /./)
  })

  test('a code review', async () => {
    const type = 'https://example.com/CodeReview/v1'
    const policy = about(
      type,
      `        - all:
          - {key: "{{ repo.uri }}", operator: Equals, value: "https://git-repo.com/org/app"}
          - {key: "{{ repo.branch }}", operator: Equals, value: main}
          - {key: "{{ reviewers }}", operator: AnyIn, value: ["ana@example.com", "bob@example.com"]}`,
      'registry.io/org/app*',
      '*@example.com',
    )
    const author = await bench.person('alice@example.com', GITHUB)
    const reviewed = (reviewers: readonly string[], branch = 'main'): TestClaim => ({
      type,
      predicate: { author: 'alice', repo: { branch, uri: 'https://git-repo.com/org/app' }, reviewers },
    })
    await admits(policy, podOf(await attested('registry.io/org/app:1', author, reviewed(['bob@example.com', 'x']))))
    const bad = [reviewed([]), reviewed(['eve@example.com']), reviewed(['bob@example.com'], 'feature')]
    for (const [index, claim] of bad.entries()) {
      const image = await attested(`registry.io/org/app:bad${String(index)}`, author, claim)
      await refuses(policy, podOf(image), /attestation checks failed/)
    }
  })

  test('what GitHub attests: a bundle, its builder and its workflow', async () => {
    const policy = spec(`  - name: bundles
    match: {${POD}}
    verifyImages:
    - imageReferences: ["ghcr.io/attested/*"]
      type: SigstoreBundle
      attestations:
      - type: https://slsa.dev/provenance/v1
        attestors:
        - entries:
          - keyless:
              issuer: ${GITHUB}
              subject: https://github.com/nirmata/demo/.github/workflows/build.yaml@refs/heads/main
              additionalExtensions: {githubWorkflowTrigger: push, githubWorkflowRepository: nirmata/demo}
        conditions:
        - all:
          - key: '{{ buildDefinition.externalParameters.workflow.repository }}'
            operator: Equals
            value: https://github.com/nirmata/demo`)
    const workflow = 'https://github.com/nirmata/demo/.github/workflows/build.yaml@refs/heads/main'
    const claims = { githubWorkflowTrigger: 'push', githubWorkflowRepository: 'nirmata/demo' }
    const claim: TestClaim = {
      type: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: { externalParameters: { workflow: { repository: 'https://github.com/nirmata/demo' } } },
      },
    }
    const pushed = await bench.person(workflow, GITHUB, claims)
    const scheduled = await bench.person(workflow, GITHUB, { ...claims, githubWorkflowTrigger: 'schedule' })
    await admits(policy, podOf(await attested('ghcr.io/attested/app:1', pushed, claim)))
    await refuses(policy, podOf(await attested('ghcr.io/attested/app:2', scheduled, claim)), /extension/)
    const legacy = await attested('ghcr.io/attested/app:3', pushed, { ...claim, format: 'legacy' })
    await refuses(policy, podOf(legacy), /not found/)
  })
})

describe('other kinds', () => {
  const tekton = (kind: string, object: JsonObject, more: Partial<Review> = {}): Review =>
    reviewOf(
      kind,
      { apiVersion: 'tekton.dev/v1beta1', kind, metadata: { name: 'x' }, ...object },
      {
        kind: { group: 'tekton.dev', version: 'v1beta1', kind },
        ...more,
      },
    )

  test('bundles of pipelines, written as in Kyverno’s first years', async () => {
    const policy = spec(`  - name: check-signature
    match: {resources: {kinds: [PipelineRun]}}
    imageExtractors:
      PipelineRun: [{name: pipelineruns, path: /spec/pipelineRef, value: bundle, key: name}]
    verifyImages:
    - imageReferences: ["*"]
      attestors: [{entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}, rekor: {ignoreTlog: true}}}]}]`)
    const run = (bundle: string): Review => tekton('PipelineRun', { spec: { pipelineRef: { name: 'p', bundle } } })
    const { pins } = await admits(policy, run(await signed('ghcr.io/bundles/p:1', key)))
    assert.match(pins[0]?.to ?? '', /^ghcr\.io\/bundles\/p:1@sha256:[0-9a-f]{64}$/)
    await refuses(policy, run(await signed('ghcr.io/bundles/p:2')), /no (?:matching )?signatures/)
  })

  test('the status of a task, by a subresource', async () => {
    const type = 'https://grype.anchore.io/scan'
    const policy = spec(`  - name: check-scan
    match: {any: [{resources: {kinds: ["tekton.dev/v1beta1/TaskRun.status "]}}]}
    imageExtractors:
      TaskRun: [{name: status, path: "/status/taskSpec/steps/*", value: image, key: name}]
    verifyImages:
    - imageReferences: ["*"]
      attestations:
      - predicateType: ${type}
        attestors: [{entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}, rekor: {ignoreTlog: true}}}]}]
        conditions:
        - any:
          - key: "{{ matches[].vulnerability[].cvss[?metrics.impactScore > '8.0'][] | length(@) }}"
            operator: Equals
            value: 0
          - key: "{{ source.target.userInput }}"
            operator: Equals
            value: ghcr.io/known/git-init:v1`)
    const run = (image: string, subresource?: string): Review =>
      tekton(
        'TaskRun',
        { status: { taskSpec: { steps: [{ name: 's', image }] } } },
        {
          operation: 'UPDATE',
          resource: {
            group: 'tekton.dev',
            version: 'v1beta1',
            resource: 'taskruns',
            ...(subresource && { subresource }),
          },
        },
      )
    const claim = (scores: readonly JsonValue[], userInput = 'x'): TestClaim => ({
      type,
      log: 'none',
      predicate: {
        matches: [{ vulnerability: [{ cvss: scores.map((impactScore) => ({ metrics: { impactScore } })) }] }],
        source: { target: { userInput } },
      },
    })
    const none = await attested('ghcr.io/tasks/a:1', key, claim([]))
    await admits(policy, run(none, 'status'))
    const known = await attested('ghcr.io/tasks/a:2', key, claim([9], 'ghcr.io/known/git-init:v1'))
    await admits(policy, run(known, 'status'))
    const unattested = await signed('ghcr.io/tasks/a:3', key)
    await refuses(policy, run(unattested, 'status'), /attestions not found/)
    // The rule is about the subresource only.
    assert.deepEqual((await admits(policy, run(unattested))).rules, [])
  })

  test('a deployment by its kind, and what has no image yet', async () => {
    const policy = spec(`  - name: check-image
    match: {any: [{resources: {kinds: [Deployment]}}]}
    verifyImages:
    - imageReferences: ["ghcr.io/rollback*"]
      attestors: [{count: 1, entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}, rekor: {ignoreTlog: true}}}]}]`)
    const deployment = (image: string): Review =>
      reviewOf('Deployment', { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } })
    const { pins } = await admits(policy, deployment(await signed('ghcr.io/rollback/app:1', key)))
    assert.equal(pins[0]?.pointer, '/spec/template/spec/containers/0/image')
    await refuses(policy, deployment(await signed('ghcr.io/rollback/app:2')), /no (?:matching )?signatures/)
    await admits(policy, deployment(' '))
  })
})

describe('what is not there', () => {
  const policy = (more: string): string =>
    spec(
      `  - name: keys
    match: {${POD}}
    context: [{name: keys, configMap: {name: keys, namespace: other}}]
    verifyImages:
    - imageReferences: ["ghcr.io/config/*"]
      mutateDigest: false
      verifyDigest: false
      failureAction: Audit
      attestors: [{entries: [{keys: {publicKeys: "{{keys.data.key}}", rekor: {ignoreTlog: true}}}]}]`,
      more,
    )

  test('a ConfigMap: asked for only where an image is concerned', async () => {
    const image = await signed('ghcr.io/config/app:1', key)
    const other = await signed('quay.io/free/app:1')
    await refuses(policy('failurePolicy: Fail'), podOf(image), /failed to load context entry keys/)
    await admits(policy('failurePolicy: Fail'), podOf(other))
    await admits(policy('failurePolicy: Ignore'), podOf(image))
    const documents = `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: other}, data: {key: ${JSON.stringify(pem(key))}}}`
    assert.deepEqual(await reported(policy('failurePolicy: Fail'), podOf(image), { documents }), ['admitted'])
  })
})

describe('is no policy', () => {
  test('every kind at once', async () => {
    const text = spec(`  - name: wildcard
    match: {any: [{resources: {kinds: ["*"]}}]}
    verifyImages:
    - imageReferences: ["*"]
      attestors: [{entries: [{keys: {publicKeys: ${JSON.stringify(pem(key))}}}]}]`)
    await assert.rejects(compileText(text), {
      code: 'POLICY_FIELD',
      message: /wildcard policy does not support rule type/,
    })
  })
})
