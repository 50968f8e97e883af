/**
 * ImageValidatingPolicies of Kyverno's own tests (`../shared/policies` beside the checkout, where there is one), and what its other
 * scenarios are about with attestors that can be verified here: who is admitted, who is refused and in which words.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { evaluate } from '#policy/engine/evaluate'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { compileException, compilePolicy } from '#policy/front-ends'
import type { ClusterReader } from '#policy/internal/cluster'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments } from '#policy/internal/documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import { reviewOfResource } from '#policy/internal/review-of-resource'
import { openPolicyBench, type PolicyBench } from '#testing/policy/bench'

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
]

interface Judging {
  readonly bench: PolicyBench
  readonly policies: readonly CompiledPolicy[]
  readonly exceptions?: readonly JsonObject[]
  readonly cluster?: ClusterReader
  readonly digestsMustStand?: boolean
}

async function judge(document: JsonObject, judging: Judging): Promise<ReviewVerdict> {
  counts.cases++
  const { bench, policies, exceptions = [], cluster, digestsMustStand = false } = judging
  return await evaluate({
    policies,
    exceptions: await Promise.all(exceptions.map(compileException)),
    review: reviewOfResource(document),
    ports: bench.ports(cluster === undefined ? {} : { cluster }),
    signal: AbortSignal.timeout(20_000),
    digestsMustStand,
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

/** The scenario names an image of another platform by a digest that cannot be had here. */
function withArmImage(document: JsonObject, bench: PolicyBench): JsonObject {
  const text = JSON.stringify(document)
  if (!text.includes('arm64v8/busybox')) return document
  const image = bench.pushImage('arm64v8/busybox:latest', [{ os: 'linux', architecture: 'arm64' }])
  return JSON.parse(text.replace(/arm64v8\/busybox@sha256:[0-9a-f]{64}/, image)) as JsonObject
}
