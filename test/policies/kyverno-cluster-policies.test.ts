/**
 * ClusterPolicies of Kyverno's own conformance tests (`../shared/policies` beside the checkout, where there is one): each as its
 * scenario has it, on images signed under the names and identities that the policies ask for.
 *
 * The policies are as they are, but for keys, certificates and digests that are nobody's to reproduce. What a report says is asserted
 * where reports are made.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { publicKeyToPem } from '#crypto/public-key'
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { evaluateAdmission } from '#policy/engine/admission'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { compilePolicy, isPolicy } from '#policy/front-ends'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments } from '#policy/internal/documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import { reviewOfResource } from '#policy/internal/review-of-resource'
import { openPolicyBench, type PolicyBench, type SignOptions, type TestSigner } from '#testing/policy/bench'

const FOLDER = join(process.cwd(), '..', 'shared', 'policies', 'kyverno-verify-images')
const there = existsSync(FOLDER)
const skip = there ? false : 'there is no ../shared/policies beside the checkout'
const counts = { scenarios: 0, resources: 0, other: 0, unsigned: 0 }

after(() => {
  if (!there) return
  const { scenarios, resources, other, unsigned } = counts
  const told = `${String(scenarios)} scenarios, ${String(resources)} resources; ${String(other)} judged otherwise on purpose; ${String(unsigned)} refused unsigned`
  process.stdout.write(`Kyverno verify-images: ${told}\n`)
})

const GITHUB = 'https://token.actions.githubusercontent.com'
const GENERATOR =
  'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/heads/main'
const SCANNER = 'https://github.com/chipzoller/zulu/.github/workflows/vulnerability-scan.yaml@refs/heads/main'
const BUILDER = 'https://github.com/chipzoller/zulu/.github/workflows/slsa-generic-keyless.yaml@refs/tags/v0.0.14'
const ATTESTER =
  'https://github.com/vishal-chdhry/artifact-attestation-example/.github/workflows/build-attested-image.yaml@refs/heads/main'
const VERIFY = 'ghcr.io/kyverno/test-verify-image'
const ZULU = 'ghcr.io/kyverno/zulu:v0.0.14'
const PROVENANCE = 'https://slsa.dev/provenance/v0.2'

interface Setting {
  readonly bench: PolicyBench
  readonly key: TestSigner
}

/** Puts an image into the registry, under the name that the resources have. */
type Prepare = (setting: Setting, image: string) => Promise<void>

const bare: Prepare = () => Promise.resolve()
const byKey =
  (options: SignOptions): Prepare =>
  async ({ bench, key }, image) => {
    await bench.sign(image, key, options)
  }
const by =
  (subject: string, options: SignOptions = {}): Prepare =>
  async ({ bench }, image) => {
    await bench.sign(image, await bench.person(subject, GITHUB), options)
  }
const attested =
  (subject: string, type: string, predicate: JsonObject): Prepare =>
  async ({ bench }, image) => {
    await bench.attest(image, await bench.person(subject, GITHUB), { type, predicate })
  }
const all =
  (...steps: readonly Prepare[]): Prepare =>
  async (setting, image) => {
    for (const step of steps) await step(setting, image)
  }

const built = attested(GENERATOR, PROVENANCE, { builder: { id: GENERATOR } })
const scanned = attested(SCANNER, 'cosign.sigstore.dev/attestation/vuln/v1', {
  scanner: { uri: 'pkg:github/aquasecurity/trivy@0.34.0' },
})
const attestedByGithub = attested(ATTESTER, 'https://slsa.dev/provenance/v1', {
  buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1' },
})

interface Scenario {
  readonly images: Readonly<Record<string, Prepare>>
  /** What the refusal says, where the scenario has one. */
  readonly refused?: RegExp
  /** Why a resource that the scenario admits is refused here. */
  readonly otherwise?: RegExp
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'configmap-context-lookup': { images: {} },
  'failure-policy-test-noconfigmap-diffimage-success': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'imageExtractors-complex': {
    images: { 'public.ecr.aws/docker/library/ubuntu:bionic': bare },
    refused:
      /^failed to verify image public\.ecr\.aws\/docker\/library\/ubuntu:bionic: \.attestors\[0\]\.entries\[0\]\.keys: no signatures found$/,
  },
  'imageExtractors-none': { images: {} },
  'keyed-basic': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none', format: 'legacy' }) } },
  'keyed-oci11': { images: { [`${VERIFY}:cosign-oci11`]: byKey({ log: 'none' }) } },
  'keyed-tsa': { images: { [`${VERIFY}:tsa`]: byKey({ timestamps: [{}] }) } },
  'keyless-attestation-regexp': { images: { [ZULU]: built } },
  'keyless-attestations-multiple-subjects-2': { images: { [ZULU]: all(built, scanned) } },
  'keyless-attestations-multiple-subjects-4': {
    images: { [ZULU]: built },
    // An attestation without attestors takes anybody whom the public Fulcio certified.
    otherwise: /^\.attestations\[0\]: no attestors are named/,
  },
  'keyless-attestations-multiple-subjects-counts-2': {
    images: { [ZULU]: all(built, scanned) },
    refused:
      /^image attestations verification failed, verifiedCount: 1, requiredCount: 2, error: \.attestations\[0\]\.attestors\[0\]\.entries\[1\]\.keyless: subject mismatch: expected https:\/\/github\.com\/chipzoller\/zulu\S+, received https:\/\/github\.com\/slsa-framework\/\S+$/,
  },
  'keyless-image-invalid-attestor': { images: { [ZULU]: by(BUILDER) } },
  'keyless-nomutatedigest-noverifydigest-norequired': {
    images: { 'ghcr.io/kyverno/zulu:latest': by(BUILDER, { format: 'legacy' }) },
  },
  'multiple-image-verification-attestations-fail': { images: { [`${VERIFY}:signed`]: bare }, refused: /type: Notary/ },
  'multiple-image-verification-attestations-trivy-vex-fail': {
    images: { [`${VERIFY}:signed`]: bare },
    refused: /type: Notary is not supported/,
  },
  'mutateDigest-noverifyDigest-norequired': { images: { [`${VERIFY}:signed-keyless`]: bare } },
  'nomutateDigest-verifyDigest-norequired': {
    images: { [`${VERIFY}:signed-keyless`]: bare },
    refused: /^missing digest for ghcr\.io\/kyverno\/test-verify-image:signed-keyless$/,
  },
  'sigstore-attestation-verification-regexp': {
    images: { 'ghcr.io/vishal-chdhry/artifact-attestation-example:artifact-attestation': attestedByGithub },
  },
  'sigstore-image-verification-test': {
    images: { 'ghcr.io/vishal-chdhry/artifact-attestation-example:artifact-attestation': attestedByGithub },
  },
  'update-multi-containers': {
    images: Object.fromEntries(
      ['6.3.3', '6.3.4', '6.3.5'].map((tag) => [`ghcr.io/stefanprodan/podinfo:${tag}`, byKey({ log: 'v1' })]),
    ),
  },
  'verify-image-background-basic': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'with-mutation': {
    images: { [`${VERIFY}:unsigned`]: bare, [`${VERIFY}:signed`]: byKey({ log: 'none' }) },
    // Another policy replaces the image first. Mutating rules are Kyverno's to enforce; see the test below.
    otherwise: /no signatures found/,
  },
}

/** One file that a scenario applies. */
interface Applied {
  readonly file: string
  readonly denied: boolean
}

interface Resource extends Applied {
  readonly value: JsonObject
}

interface Opened {
  readonly setting: Setting
  readonly digests: ReadonlyMap<string, string>
  readonly documents: readonly JsonObject[]
  readonly policies: readonly CompiledPolicy[]
  readonly applied: readonly Applied[]
  readonly asserted: readonly JsonObject[]
}

const WORKLOADS = ['Pod', 'Deployment', 'Task']

async function open(name: string, { images }: Scenario): Promise<Opened> {
  const bench = await openPolicyBench()
  const setting = { bench, key: await bench.keyHolder() }
  const digests = new Map<string, string>()
  for (const [image, prepare] of Object.entries(images)) {
    const pushed = bench.pushImage(image, [{ os: 'linux', architecture: 'amd64', image }])
    digests.set(image, pushed.replace(/.*@/, ''))
    await prepare(setting, pushed)
  }
  const documentsIn = async (file: string): Promise<readonly JsonObject[]> => {
    const text = reproducible(readFileSync(join(FOLDER, name, file), 'utf8'), setting, digests)
    return (await readDocuments(text, file)).map(({ value }) => value)
  }
  const [scenario] = await documentsIn('chainsaw-test.yaml')
  const applied = scenario === undefined ? [] : appliedFiles(scenario)
  const files = readdirSync(join(FOLDER, name)).filter(
    (file) => file.endsWith('.yaml') && file !== 'chainsaw-test.yaml',
  )
  const asserts = files.filter((file) => /assert|error|ready/.test(file))
  const others = files.filter((file) => !asserts.includes(file))
  const documents = (await Promise.all(others.map(documentsIn))).flat()
  const policies = await Promise.all(documents.filter(isPolicy).map(compiled))
  const asserted = (await Promise.all(asserts.map(documentsIn))).flat()
  return { setting, digests, documents, policies, applied, asserted }
}

async function compiled(document: JsonObject): Promise<CompiledPolicy> {
  const nothing = (): Promise<never> => Promise.reject(new PolicyError('POLICY_TEXT', 'there is no network'))
  const ports = { remoteText: nothing, configMapText: nothing, clock: () => 0 }
  return await compilePolicy(document, { failOnEmptyAuthorities: true, ports })
}

/** Keys and digests of others in a text become ours. */
function reproducible(text: string, { key, bench }: Setting, digests: ReadonlyMap<string, string>): string {
  const ours = publicKeyToPem(key.key.publicKey).trim().split('\n')
  const authority = encodePem('CERTIFICATE', bench.pki.tsa.trusted.chain.at(-1)!.der).trim().split('\n')
  const [digest = ''] = digests.values()
  return text
    .replace(/sha256:[0-9a-f]{64}/g, digest)
    .replace(/"-----BEGIN PUBLIC KEY-----[\s\S]*?PUBLIC KEY----- *"/g, JSON.stringify(ours.join('\n')))
    .replace(/^( *)-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/gm, (_, indent: string) =>
      indented(ours, indent),
    )
    .replace(
      /(tsaCertChain: \|-\n)( *)-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g,
      (...[, start, indent]) => {
        return `${String(start)}${indented(authority, String(indent))}`
      },
    )
}

function indented(lines: readonly string[], indent: string): string {
  return lines.map((line) => indent + line).join('\n')
}

function appliedFiles(scenario: JsonObject): readonly Applied[] {
  const steps = listAt(scenario['spec'], 'steps').flatMap((step) => listAt(step, 'try'))
  return steps.flatMap((step): readonly Applied[] => {
    const apply = isJsonObject(step) ? step['apply'] : undefined
    if (!isJsonObject(apply) || typeof apply['file'] !== 'string') return []
    return [{ file: apply['file'], denied: listAt(apply, 'expect').length > 0 }]
  })
}

function listAt(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  const list = isJsonObject(value) ? value[name] : undefined
  return Array.isArray(list) ? (list as readonly JsonValue[]) : []
}

async function judge({ setting, documents, policies }: Opened, resource: JsonObject): Promise<ReviewVerdict> {
  const ports = setting.bench.ports({ cluster: clusterOfDocuments(documents) })
  const review = reviewOfResource(resource)
  return await evaluateAdmission({ policies, review, ports, signal: AbortSignal.timeout(60_000), unmatched: 'allow' })
}

/** Digests that the scenario expects to find in the resource afterwards are written in. */
function assertPinned({ asserted }: Opened, resource: JsonObject, { pins }: ReviewVerdict): void {
  const expected = asserted.filter(
    ({ kind, metadata }) => kind === resource['kind'] && nameOf(metadata) === nameOf(resource['metadata']),
  )
  const names = JSON.stringify(expected.map(({ spec }) => spec ?? null)).match(/[^"]+@sha256:[0-9a-f]+/g) ?? []
  const present = JSON.stringify(resource)
  for (const name of new Set(names))
    if (!present.includes(name)) assert.deepEqual([...new Set(pins.map(({ to }) => to))], [name])
}

function nameOf(metadata: JsonValue | undefined): JsonValue | undefined {
  return isJsonObject(metadata) ? metadata['name'] : undefined
}

/** The pods and such that a scenario applies, in its order. */
async function resourcesOf(name: string, { applied, setting, digests }: Opened): Promise<readonly Resource[]> {
  const resources: Resource[] = []
  for (const { file, denied } of applied) {
    const text = readFileSync(join(FOLDER, name, file), 'utf8')
    for (const { value } of await readDocuments(reproducible(text, setting, digests), file))
      if (WORKLOADS.some((kind) => kind === value['kind'])) resources.push({ file, denied, value })
  }
  return resources
}

describe('scenarios', { skip }, () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      counts.scenarios++
      const opened = await open(name, scenario)
      assert.ok(opened.policies.length > 0)
      for (const { file, denied, value } of await resourcesOf(name, opened)) {
        counts.resources++
        const verdict = await judge(opened, value)
        const { otherwise, refused } = scenario
        if (otherwise !== undefined) counts.other++
        assert.equal(verdict.allowed, !denied && otherwise === undefined, `${file}: ${verdict.message}`)
        if (verdict.allowed) assertPinned(opened, value, verdict)
        else assert.match(verdict.message, otherwise ?? refused ?? /^$/)
      }
    })
  }
})

describe('the same images, if nobody signed them', { skip }, () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const { images } = scenario
    if (Object.values(images).every((prepare) => prepare === bare)) continue
    test(name, async () => {
      const unsigned = Object.fromEntries(Object.keys(images).map((image) => [image, bare]))
      const opened = await open(name, { images: unsigned })
      for (const { file, value } of await resourcesOf(name, opened)) {
        counts.unsigned++
        const { rules, allowed } = await judge(opened, value)
        const verdicts = rules.map(({ verdict }) => verdict)
        assert.ok(verdicts.length > 0 && !verdicts.includes('admitted'), `${file}: ${verdicts.join(', ')}`)
        assert.equal(allowed, !verdicts.includes('denied'))
      }
    })
  }
})

describe('all of them', { skip }, () => {
  test('every folder is among the scenarios', () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(SCENARIOS).sort())
  })

  test('with-mutation: once the other policy has replaced the image, it is admitted', async () => {
    const opened = await open('with-mutation', SCENARIOS['with-mutation']!)
    const [pod] = await readDocuments(
      readFileSync(join(FOLDER, 'with-mutation', 'test-pod.yaml'), 'utf8'),
      'test-pod.yaml',
    )
    const replaced = JSON.parse(JSON.stringify(pod!.value).replace(':unsigned', ':signed')) as JsonObject
    const { allowed, message } = await judge(opened, replaced)
    assert.equal(allowed, true, message)
  })
})
