/**
 * ImageValidatingPolicies of Kyverno's own tests (`../shared/policies` beside the checkout, where there is one), and what its other
 * scenarios are about with attestors that can be verified here: who is admitted, who is refused and in which words.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { canonicalize } from '#encoding/jcs'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { DEFAULT_CACHE_LIMITS, VerificationCache } from '#gate/verification/verification-cache'
import { evaluate } from '#policy/engine/evaluate'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { compileException, compilePolicy } from '#policy/front-ends'
import { deadlineOf } from '#policy/internal/deadline'
import type { ClusterReader } from '#policy/internal/cluster'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments } from '#policy/internal/documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import { generatedSpecs } from '#policy/ivpol/autogen'
import { reviewOfResource } from '#policy/internal/review-of-resource'
import { openPolicyBench, type PolicyBench } from '#testing/policy/bench'
import { fakeTimers } from '#testing/fake-timers'

const FOLDER = join(process.cwd(), '..', 'shared', 'policies', 'kyverno-image-validating-policies')
const there = existsSync(FOLDER)
const skip = there ? false : 'there is no ../shared/policies beside the checkout'
const counts = { cases: 0 }

after(() => {
  if (there) process.stdout.write(`image validating policies: ${String(counts.cases)} cases\n`)
})

async function documentsOf(text: string): Promise<readonly JsonObject[]> {
  return (await readDocuments(text, 'file.yaml')).map(({ value }) => value)
}

const documentsIn = (path: string): Promise<readonly JsonObject[]> =>
  documentsOf(readFileSync(join(FOLDER, path), 'utf8'))

async function compile(document: JsonObject | undefined): Promise<CompiledPolicy> {
  assert.ok(document)
  return await compilePolicy(document, {
    failOnEmptyAuthorities: true,
    ports: {
      remoteText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'there is no network')),
      configMapText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'there is no cluster')),
      clock: () => 0,
    },
  })
}

const SIGNED = 'ghcr.io/kyverno/test-verify-image:signed'
const UNSIGNED = 'ghcr.io/kyverno/test-verify-image:unsigned'
const KEYLESS = 'ghcr.io/kyverno/test-verify-image:signed-keyless'

interface Case {
  readonly folder: string
  readonly resource: string
  readonly exception?: string
  readonly images?: readonly string[]
  readonly cluster?: (documents: readonly JsonObject[]) => ClusterReader
  /** Other files that are in the cluster. */
  readonly files?: readonly string[]
  /** The verdict on each document of the file; undefined: admitted. */
  readonly refused?: RegExp
  readonly because?: string
}

const NOTARY = 'Notary’s signatures are not verified here, so that what they would let in is refused'
const BY_NOTARY = /^Policy [\w-]+ failed: failed to verify image with notary cert$/

const CASES: readonly Case[] = [
  { folder: 'autogen/autogen-deployments-cronjobs', resource: 'bad-deployment.yaml', refused: BY_NOTARY },
  {
    folder: 'autogen/autogen-deployments-cronjobs',
    resource: 'good-deployment.yaml',
    refused: BY_NOTARY,
    because: NOTARY,
  },
  {
    folder: 'context/globalreference',
    resource: 'new-deployment.yaml',
    cluster: (documents) => ({
      ...clusterOfDocuments(documents),
      globalContext: (name, projection) => {
        assert.equal(name, 'gctxentry-apicall-projections')
        assert.equal(projection, 'test-globalcontext-apicall-correct-projections_deployment_count')
        return Promise.resolve(1)
      },
    }),
    refused:
      /^Policy ivpol-apicall-correct failed: cannot create new deployment as main-deployment already exists, variables\.dcount: 1$/,
  },
  {
    folder: 'context/imagedata/image-data-arch',
    resource: 'pod-bad.yaml',
    refused: /^Policy ivpol-image-data-arch-sample failed: image architecture is not supported: arm64$/,
  },
  { folder: 'context/imagedata/image-data-arch', resource: 'pod-good.yaml' },
  { folder: 'context/resource', resource: 'positive.yaml', files: ['pod.yaml'] },
  {
    folder: 'context/resource',
    resource: 'negative.yaml',
    files: ['pod.yaml'],
    refused: /^Policy ivpol-resource-lookup-sample failed: Deployment labels must be env=prod$/,
  },
  { folder: 'exceptions/regular', resource: 'bad-pod.yaml', exception: 'exception.yaml', refused: BY_NOTARY },
  { folder: 'exceptions/regular', resource: 'skipped-pod.yaml', exception: 'exception.yaml' },
  {
    folder: 'exceptions/regular',
    resource: 'good-pod.yaml',
    exception: 'exception.yaml',
    refused: BY_NOTARY,
    because: NOTARY,
  },
  { folder: 'match-conditions', resource: 'bad-pod.yaml', refused: BY_NOTARY },
  { folder: 'match-conditions', resource: 'good-pod.yaml', refused: BY_NOTARY, because: NOTARY },
  { folder: 'mutate-digest-disabled', resource: 'pod.yaml' },
  { folder: 'report/admission', resource: 'deployment.yaml' },
  { folder: 'report/with-exception', resource: 'bad-deployment.yaml' },
  { folder: 'report/with-exception', resource: 'skipped-deployment.yaml', exception: 'exception.yaml' },
  { folder: 'validation-actions/audit', resource: 'deployment.yaml' },
  { folder: 'validation-actions/none', resource: 'deployment.yaml', refused: BY_NOTARY },
  { folder: 'validation-rules/reject', resource: 'deployment.yaml', refused: BY_NOTARY },
]

/** What of the folder has another table below. */
const OTHER_FOLDERS = [
  'autogen/none',
  'autogen/should-not-autogen',
  'standard/cosign-attestation-extract-cache-hit',
  'validation-checks/invalid-action',
  'webhook-configuration/combined',
  'webhook-configuration/fine-grained/match-conditions',
  'webhook-configuration/fine-grained/timeout',
]

interface Judging {
  readonly bench: PolicyBench
  readonly policies: readonly CompiledPolicy[]
  readonly exceptions?: readonly JsonObject[]
  readonly cluster?: ClusterReader
  /** In the place of those of the bench. */
  readonly ports?: EnginePorts
}

async function judge(document: JsonObject, judging: Judging): Promise<ReviewVerdict> {
  counts.cases++
  const { bench, policies, exceptions = [], cluster, ports } = judging
  return await evaluate({
    policies,
    exceptions: await Promise.all(exceptions.map(compileException)),
    review: reviewOfResource(document),
    ports: ports ?? bench.ports(cluster === undefined ? {} : { cluster }),
    deadline: deadlineOf(AbortSignal.timeout(20_000)),
    digestsMustStand: false,
    unmatched: 'allow',
  })
}

/** Stand-ins under the names that the scenarios have. */
async function benchWithImages(): Promise<PolicyBench> {
  const bench = await openPolicyBench()
  for (const image of [
    SIGNED,
    UNSIGNED,
    KEYLESS,
    'registry.k8s.io/pause:latest',
    'public.ecr.aws/docker/library/busybox:latest',
  ])
    bench.pushImage(image)
  return bench
}

describe('scenarios of the original', { skip }, () => {
  for (const { folder, resource, exception, cluster, files = [], refused, because } of CASES) {
    test(`${folder} ${resource}${because === undefined ? '' : ` (${because})`}`, async () => {
      const bench = await benchWithImages()
      const [document] = await documentsIn(join(folder, 'policy.yaml'))
      const others = (await Promise.all(files.map((file) => documentsIn(join(folder, file))))).flat()
      const makeCluster = cluster ?? clusterOfDocuments
      const judging = {
        bench,
        policies: [await compile(document)],
        exceptions: exception === undefined ? [] : await documentsIn(join(folder, exception)),
        cluster: makeCluster(others),
      }
      for (const each of await documentsIn(join(folder, resource))) {
        const verdict = await judge(withArmImage(each, bench), judging)
        if (refused === undefined) assert.equal(verdict.message, '')
        else assert.match(verdict.message, refused)
        assert.equal(verdict.allowed, refused === undefined)
      }
    })
  }

  test('there is none that is not judged', () => {
    const folders = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('/chainsaw-test.yaml'))
      .map(dirname)
    const judged = new Set([...CASES.map(({ folder }) => folder), ...OTHER_FOLDERS])
    assert.deepEqual([...judged].sort(), folders.sort())
  })

  test('every policy of the folder is taken, but the one that is wrong', async () => {
    const policies = there
      ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((path) => /policy[^/]*\.yaml$/.test(path))
      : []
    assert.ok(policies.length >= 15)
    for (const path of policies) {
      for (const document of await documentsIn(path)) {
        if ('status' in document) continue
        counts.cases++
        if (path.includes('invalid-action')) {
          await assert.rejects(compile(document), (error: unknown) => {
            assert.ok(isCodedError(error) && error.code === 'POLICY_FIELD')
            assert.match(
              error.message,
              /spec\.validationActions\[0\]: Unsupported value: "test": supported values: "Deny", "Audit", "Warn"/,
            )
            return true
          })
        } else await compile(document)
      }
    }
  })
})

describe('an attestation that is judged again and again', { skip }, () => {
  const folder = 'standard/cosign-attestation-extract-cache-hit'
  const image = 'ghcr.io/kyverno/test-images/cosign:github-attestation'
  const type = 'https://slsa.dev/provenance/v1'
  const issuer = 'https://token.actions.githubusercontent.com'
  const workflow = 'https://github.com/kyverno/test-images/.github/workflows/cosign.yml@refs/heads/main'

  /** The verdicts on three of the same, one after the other, with what was verified remembered. */
  const verdicts = async (prepare: (bench: PolicyBench) => Promise<void>): Promise<readonly ReviewVerdict[]> => {
    const answers: string[] = []
    const bench = await openPolicyBench()
    await prepare(bench)
    const [document] = await documentsIn(join(folder, 'policy.yaml'))
    const [pod] = await documentsIn(join(folder, 'pod.yaml'))
    assert.ok(pod)
    const cache = new VerificationCache({ limits: DEFAULT_CACHE_LIMITS, clock: () => 0, timers: fakeTimers().timers })
    const ports = bench.ports({
      memory: cache.memoryFor(
        () => Promise.resolve('anybody'),
        (answer) => answers.push(answer),
      ),
    })
    const judging = { bench, policies: [await compile(document)], ports }
    const found = [await judge(pod, judging), await judge(pod, judging), await judge(pod, judging)]
    assert.deepEqual(answers, ['miss', 'hit', 'hit'])
    return found
  }

  test('is found, and read, every time', async () => {
    const messages = await verdicts(async (bench) => {
      const signer = await bench.person(workflow, issuer)
      await bench.attest(bench.pushImage(image), signer, { type, predicate: { buildDefinition: {} } })
    })
    assert.deepEqual(
      messages.map(({ message }) => message),
      ['', '', ''],
    )
  })

  for (const [name, message, subject, claim] of [
    ['of another workflow', 'failed to verify SLSA intoto attestation with Cosign keyless', `${workflow}x`, {}],
    [
      'of another type',
      'failed to verify SLSA intoto attestation with Cosign keyless',
      workflow,
      { type: `${type}.1` },
    ],
    [
      'without what is read',
      'failed to extract SLSA intoto attestation payload after verification',
      workflow,
      { predicate: {} },
    ],
  ] as const) {
    test(`is refused every time: ${name}`, async () => {
      const found = await verdicts(async (bench) => {
        const signer = await bench.person(subject, issuer)
        const given = { type, predicate: { buildDefinition: {} }, ...claim }
        await bench.attest(bench.pushImage(image), signer, given)
      })
      for (const verdict of found) {
        assert.equal(verdict.allowed, false)
        assert.equal(verdict.message, `Policy ivpol-cosign-attestation-extract-cache failed: ${message}`)
      }
    })
  }
})

/** What the API server puts in where nothing is written. */
const WRITTEN_BY_DEFAULT = { validationConfigurations: { mutateDigest: true, required: true, verifyDigest: true } }

describe('what is generated for controllers', { skip }, () => {
  for (const folder of ['autogen/none', 'autogen/should-not-autogen', 'autogen/autogen-deployments-cronjobs']) {
    test(folder, async () => {
      counts.cases++
      const [document] = await documentsIn(join(folder, 'policy.yaml'))
      const [check] = await documentsIn(join(folder, 'check-autogen.yaml'))
      const expected = objectIn(objectIn(objectIn(check, 'status'), 'autogen'), 'configs')
      const { rules } = await compile(document)
      const generated = new Map<string, JsonObject>(
        generatedSpecs({ ...WRITTEN_BY_DEFAULT, ...objectIn(document, 'spec') }).map(({ config, spec }) => [
          config,
          spec,
        ]),
      )
      assert.deepEqual([...generated.keys()].sort(), Object.keys(expected).sort())
      assert.equal(rules.length, 1 + generated.size)
      for (const [config, spec] of generated) assertHolds(spec, objectIn(objectIn(expected, config), 'spec'), config)
    })
  }
})

describe('what the API server would be asked to send', { skip }, () => {
  for (const [folder, files] of [
    ['webhook-configuration/combined', ['policy1-finegrained.yaml', 'policy2-basic.yaml']],
    ['webhook-configuration/fine-grained/match-conditions', ['policy.yaml']],
    ['webhook-configuration/fine-grained/timeout', ['policy.yaml']],
  ] as const) {
    test(folder, async () => {
      counts.cases++
      const webhooks = (await documentsIn(join(folder, 'webhooks.yaml'))).flatMap((each) => listIn(each, 'webhooks'))
      for (const file of files) {
        const policy = await compile((await documentsIn(join(folder, file)))[0])
        const own = webhooks.filter((webhook) => {
          const path = objectIn(objectIn(webhook, 'clientConfig'), 'service')['path']
          return typeof path === 'string' && path.endsWith(`/${policy.name}`)
        })
        assert.ok(own.length > 0, policy.name)
        for (const webhook of own) assert.deepEqual(webhookOf(policy), comparable(webhook))
      }
    })
  }
})

/** What a policy asks for, as webhooks have it; ten seconds are the original's where the policy says nothing. */
function webhookOf({ rules, webhook }: CompiledPolicy): JsonObject {
  const scopes = rules.flatMap((rule) => (rule.kind === 'program' ? [rule.scope] : []))
  return {
    failurePolicy: webhook?.failurePolicy ?? 'Fail',
    timeoutSeconds: webhook?.timeoutSeconds ?? 10,
    matchPolicy: scopes[0]?.matchPolicy ?? '',
    rules: sorted(scopes.flatMap((scope) => scope.rules.map(({ resourceNames: _, ...rule }): JsonValue => rule))),
    matchConditions: sorted(scopes.flatMap(({ matchConditions }) => matchConditions.map((each) => ({ ...each })))),
  }
}

function comparable(webhook: JsonObject): JsonObject {
  const { failurePolicy = null, timeoutSeconds = null, matchPolicy = null } = webhook
  const [rules, matchConditions] = [listIn(webhook, 'rules'), listIn(webhook, 'matchConditions')]
  return { failurePolicy, timeoutSeconds, matchPolicy, rules: sorted(rules), matchConditions: sorted(matchConditions) }
}

function sorted(values: readonly JsonValue[]): JsonValue {
  return values.map((value) => canonicalize(value)).sort()
}

/** Everything that is expected is there, as the original's tests have it. */
function assertHolds(found: JsonValue, expected: JsonValue, at: string): void {
  if (!isJsonObject(expected) || !isJsonObject(found)) {
    if (Array.isArray(expected) && Array.isArray(found)) {
      const [all, wanted] = [found as readonly JsonValue[], expected as readonly JsonValue[]]
      assert.equal(all.length, wanted.length, at)
      for (const [index, each] of wanted.entries()) assertHolds(all[index] ?? null, each, `${at}[${String(index)}]`)
    } else assert.deepEqual(found, expected, at)
    return
  }
  for (const [name, each] of Object.entries(expected)) assertHolds(found[name] ?? null, each, `${at}.${name}`)
}

function objectIn(value: JsonObject | undefined, name: string): JsonObject {
  const member = value?.[name]
  return isJsonObject(member) ? member : {}
}

function listIn(value: JsonObject, name: string): readonly JsonObject[] {
  const member = value[name]
  return Array.isArray(member) ? (member as readonly JsonValue[]).filter(isJsonObject) : []
}

/** The scenario names an image of another platform by a digest that cannot be had here. */
function withArmImage(document: JsonObject, bench: PolicyBench): JsonObject {
  const text = JSON.stringify(document)
  if (!text.includes('arm64v8/busybox')) return document
  const image = bench.pushImage('arm64v8/busybox:latest', [{ os: 'linux', architecture: 'arm64' }])
  return JSON.parse(text.replace(/arm64v8\/busybox@sha256:[0-9a-f]{64}/, image)) as JsonObject
}
