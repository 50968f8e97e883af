import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { CORE_SCHEMA, loadAll } from 'js-yaml'
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { must, run } from '../interop/processes.js'
import { controlPlane } from './cluster.js'

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')
const CHART = resolve(import.meta.dirname, '../../../deploy/helm/countersign')

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'))
})
after(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What the chart renders to, by kind and name. */
async function rendered(values: JsonObject): Promise<ReadonlyMap<string, JsonObject>> {
  const file = join(folder, 'values.json')
  await writeFile(file, JSON.stringify(values))
  const helm = ['helm', 'template', 'countersign', CHART, '--namespace', 'countersign-system', '--values', file]
  return byName(loadAll(await must(controlPlane(), helm), { schema: CORE_SCHEMA }) as JsonValue[])
}

async function printed(...flags: readonly string[]): Promise<ReadonlyMap<string, JsonObject>> {
  const list = JSON.parse(await must(COUNTERSIGN, ['manifests', '--output', 'json', ...flags])) as {
    readonly items: JsonValue[]
  }
  return byName(list.items)
}

function byName(documents: readonly JsonValue[]): ReadonlyMap<string, JsonObject> {
  return new Map(
    documents.filter(isJsonObject).map((document) => {
      const { metadata, kind } = document
      const name = isJsonObject(metadata) ? metadata['name'] : undefined
      assert.ok(typeof kind === 'string' && typeof name === 'string')
      return [`${kind} ${name}`, document]
    }),
  )
}

const TRUST = JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' })
const WORKFLOWS = 'Workflow.argoproj.io=image:spec.templates.*.container.image'
const ROLLOUTS = 'Rollout.argoproj.io=spec.template.spec'

const CASES: readonly (readonly [name: string, values: JsonObject, flags: readonly string[]])[] = [
  ['nothing said', {}, []],
  ['no keeping of definitions', { crds: { keep: false } }, []],
  ['its namespace', { createNamespace: true }, []],
  [
    'opt-in',
    { enforce: 'opt-in', excludeNamespaces: ['z', 'a'] },
    ['--enforce', 'opt-in', '--exclude-namespace', 'z,a'],
  ],
  ['opt-out', { enforce: 'opt-out', policies: ['kyverno'] }, ['--enforce', 'opt-out', '--policies', 'kyverno']],
  ['no pinning', { pinDigests: 'none', policies: ['sigstore'] }, ['--pin-digests', 'none', '--policies', 'sigstore']],
  [
    'pinning everywhere',
    { pinDigests: 'all', webhookTimeoutSeconds: 30 },
    ['--pin-digests', 'all', '--webhook-timeout', '30s'],
  ],
  ['kinds of others', { crds: { kyverno: false, reports: false } }, ['--crds', 'sigstore']],
  ['cert-manager', { certManager: true, networkPolicy: true }, ['--cert-manager', '--network-policy']],
  ['little privilege', { pullSecrets: false, replicas: 1 }, ['--pull-secrets=false', '--replicas', '1']],
  [
    'custom kinds',
    { customKinds: [WORKFLOWS, ROLLOUTS], arguments: ['--mirror=a=b'] },
    ['--custom-kind', WORKFLOWS, '--custom-kind', ROLLOUTS, '--argument', '--mirror=a=b'],
  ],
  [
    'another image',
    { image: { repository: 'registry.example/c', digest: `sha256:${'a'.repeat(64)}` } },
    ['--image', `registry.example/c@sha256:${'a'.repeat(64)}`],
  ],
]

for (const [name, values, flags] of CASES) {
  test(`the chart is what the command prints: ${name}`, async () => {
    const [chart, manifests] = [await rendered(values), await printed(...flags)]
    const ours = new Map(manifests)
    if (values['createNamespace'] !== true) ours.delete('Namespace countersign-system')
    const keeps = !isJsonObject(values['crds']) || values['crds']['keep'] !== false
    assert.deepEqual([...chart.keys()].sort(), [...ours.keys()].sort())
    for (const [key, document] of chart) {
      const isDefinition = key.startsWith('CustomResourceDefinition ')
      const { metadata } = document as { readonly metadata: JsonObject }
      const { annotations, ...rest } = metadata
      if (isDefinition) assert.deepEqual(annotations, keeps ? { 'helm.sh/resource-policy': 'keep' } : undefined, key)
      assert.deepEqual(isDefinition ? { ...document, metadata: rest } : document, ours.get(key), key)
    }
  })
}

test('a trust root is the same text in both', async () => {
  const file = join(folder, 'trusted_root.json')
  await writeFile(file, `${TRUST}\n`)
  const ours = await printed('--trusted-root', file)
  const chart = await rendered({ trustedRoot: `${TRUST}\n` })
  for (const key of ['ConfigMap countersign-trusted-root', 'Deployment countersign-admission']) {
    assert.deepEqual(chart.get(key), ours.get(key))
  }
})

for (const [name, values] of [
  ['a value that there is not', { replica: 3 }],
  ['an enforcement that there is not', { enforce: 'always' }],
  ['no replica', { replicas: 0 }],
  ['a digest that is none', { image: { digest: 'latest' } }],
  ['nobody’s policies', { policies: [] }],
  ['a minute for a verdict', { webhookTimeoutSeconds: 60 }],
] as const) {
  test(`the chart refuses ${name}`, async () => {
    const file = join(folder, 'refused.json')
    await writeFile(file, JSON.stringify(values))
    const { code, stderr } = await run(controlPlane(), ['helm', 'template', 'x', CHART, '--values', file])
    assert.notEqual(code, 0)
    assert.match(stderr, /don't meet the specifications of the schema/)
  })
}

test('helm has nothing against it', async () => {
  await must(controlPlane(), ['helm', 'lint', '--strict', CHART])
})
