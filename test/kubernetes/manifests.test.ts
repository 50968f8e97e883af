import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { CORE_SCHEMA, loadAll } from 'js-yaml'
import { createDiscovery, type Discovery } from '#clients/kubernetes/discovery'
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { run } from '../interop/processes.js'
import { startCluster, type TestCluster } from './cluster.js'
import { Opened } from './opened.js'

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')
const POLICIES = join(process.env['SHARED'] ?? '../shared', 'policies')
const GROUPS = /^(?:policy\.sigstore\.dev|kyverno\.io|policies\.kyverno\.io|wgpolicyk8s\.io)\//
/** What has no meaning in any version; every other file must be taken as it is. */
const REFUSED: ReadonlyMap<string, RegExp> = new Map([
  ['kyverno-image-validating-policies/validation-checks/invalid-action/policy.yaml', /Unsupported value: "test"/],
])

const opened = new Opened()
let cluster: TestCluster
let discovery: Discovery
before(async () => {
  cluster = opened.add(await startCluster())
  discovery = createDiscovery(cluster.admin, () => Date.now())
})
after(() => opened.stop())

async function manifests(...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(COUNTERSIGN, ['manifests', ...flags])
  assert.equal(code, 0, stderr)
  return stdout
}

async function apply(input: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await cluster.kubectl(['apply', '--validate=strict', '-f', '-'], { input })
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '', 'without a warning')
  return stdout.trim().split('\n')
}

/** Tries to make an object, strictly; the refusal, if it is refused. */
async function refusalOf(document: JsonObject): Promise<string | undefined> {
  const { apiVersion, kind, metadata } = document
  assert.ok(typeof apiVersion === 'string' && typeof kind === 'string')
  const served = await discovery.resourceOf(apiVersion, kind)
  if (served === undefined) return 'not served'
  const namespace = served.namespaced ? 'default' : undefined
  const placed = {
    ...document,
    metadata: { ...(metadata as JsonObject), ...(namespace !== undefined && { namespace }) },
  }
  try {
    await cluster.admin.create({ ...served, namespace }, placed, { dryRun: true, strict: true })
    return undefined
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.message
  }
}

interface PolicyDocument {
  readonly path: string
  readonly document: JsonObject
}

/** Whole objects of the kinds that are defined; files of expectations hold parts of some. */
function policyDocuments(): readonly PolicyDocument[] {
  const paths = readdirSync(POLICIES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'))
  return paths.sort().flatMap((path) => {
    const documents = loadAll(readFileSync(join(POLICIES, path), 'utf8'), { schema: CORE_SCHEMA }) as JsonValue[]
    return documents.flatMap((document) => {
      const isWhole = isJsonObject(document) && isJsonObject(document['spec']) && isJsonObject(document['metadata'])
      const { apiVersion } = isWhole ? document : {}
      return isWhole && typeof apiVersion === 'string' && GROUPS.test(apiVersion) ? [{ path, document }] : []
    })
  })
}

test('kubectl applies the manifests, strictly, and again without a change', async () => {
  const input = await manifests()
  await apply(input)
  // kubectl sends the selector of a disruption budget again, whatever it is.
  const changed = (await apply(input)).filter(
    (line) => !line.endsWith(' unchanged') && !line.startsWith('poddisruption'),
  )
  assert.deepEqual(changed, [])
})

test('every choice is something that the API server takes', async () => {
  const choices = [
    ['--crds', 'sigstore', '--enforce', 'opt-in', '--pin-digests', 'none', '--policies', 'sigstore', '-n', 'a'],
    ['--crds', 'kyverno', '--enforce', 'opt-out', '--exclude-namespace', 'x,y', '--network-policy', '-n', 'b'],
    [
      '--crds',
      'none',
      '--pull-secrets=false',
      '--custom-kind',
      'Workflow.argoproj.io=spec',
      '-n',
      'c',
      '--replicas',
      '1',
    ],
  ]
  for (const choice of choices) {
    // There is nobody whom the webhooks of the installation before could ask.
    await cluster.kubectl(['delete', 'mutatingwebhookconfigurations,validatingwebhookconfigurations', '--all'])
    await apply(await manifests(...choice))
  }
})

test('unchanged policies are taken, strictly, in every version', async () => {
  const documents = policyDocuments()
  assert.ok(documents.length > 80, String(documents.length))
  for (const { path, document } of documents) {
    const refusal = await refusalOf(document)
    const expected = REFUSED.get(path)
    if (expected === undefined) assert.equal(refusal, undefined, path)
    else assert.match(refusal ?? '', expected, path)
  }
})

test('a misspelt field is refused, wherever it stands', async () => {
  const policy = (spec: JsonObject, apiVersion: string, kind: string): JsonObject => ({
    apiVersion,
    kind,
    metadata: { name: 'p' },
    spec,
  })
  const cip = 'policy.sigstore.dev/v1beta1'
  const match = { any: [{ resources: { kinds: ['Pod'] } }] }
  const misspelt = [
    policy({ image: [] }, cip, 'ClusterImagePolicy'),
    policy({ authorities: [{ keyless: { identities: [{ isuer: 'x' }] } }] }, cip, 'ClusterImagePolicy'),
    policy({ sigstoreKey: {} }, 'policy.sigstore.dev/v1alpha1', 'TrustRoot'),
    policy({ rules: [{ name: 'r', match, verifyImage: [] }] }, 'kyverno.io/v1', 'ClusterPolicy'),
    policy({ rules: [{ name: 'r', match, verifyImages: [{ requierd: true }] }] }, 'kyverno.io/v2beta1', 'Policy'),
    policy({ attestors: [], validations: [], validationAction: [] }, 'policies.kyverno.io/v1', 'ImageValidatingPolicy'),
  ]
  for (const document of misspelt) assert.match((await refusalOf(document)) ?? '', /unknown field/)
})

test('a status is kept apart from the policy, and may say more than is known', async () => {
  const at = { apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies', name: 'p' }
  const spec = { images: [{ glob: '**' }], authorities: [{ static: { action: 'pass' } }] }
  await cluster.admin.create(at, {
    apiVersion: at.apiVersion,
    kind: 'ClusterImagePolicy',
    metadata: { name: 'p' },
    spec,
  })
  const condition = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }
  const status = { conditions: [condition], more: { than: 'known' } }
  const written = await cluster.admin.patch(at, { kind: 'merge', body: { status } }, { subresource: 'status' })
  assert.deepEqual([written['status'], written.metadata['generation']], [status, 1])
  const seen = await cluster.admin.get({ ...at, apiVersion: 'policy.sigstore.dev/v1alpha1' })
  assert.deepEqual([seen['spec'], seen['status']], [spec, status])
})

test('what kubectl shows of a policy is whether it is enforced', async () => {
  const { stdout, stderr } = await cluster.kubectl(['get', 'cip', 'p'])
  assert.match(stdout, /^NAME +MODE +READY +REASON +AGE\np +True +/, stderr)
})
