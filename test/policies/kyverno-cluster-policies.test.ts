/**
 * ClusterPolicies of Kyverno's own conformance tests (`../shared/policies` beside the checkout, where there is one, or the folder that
 * `KYVERNO_SCENARIOS` names): each as its scenario has it, on images signed under the names and identities that the policies ask for.
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
import { publicKeyFromPem, publicKeyToPem } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { evaluateAdmission } from '#policy/engine/admission'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { compilePolicy, isPolicy } from '#policy/front-ends'
import { deadlineOf } from '#policy/internal/deadline'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments } from '#policy/internal/documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import { reviewOfResource } from '#policy/internal/review-of-resource'
import { openPolicyBench } from '#testing/policy/bench'
import { bare, SCENARIOS, type Scenario, type Setting } from './kyverno-scenarios.js'

/** The whole suite is `test/conformance/chainsaw/verify-images/clusterpolicy/standard` of kyverno/kyverno. */
const FOLDER =
  process.env['KYVERNO_SCENARIOS'] ?? join(process.cwd(), '..', 'shared', 'policies', 'kyverno-verify-images')
const there = existsSync(FOLDER)
const skip = there ? false : 'there is no ../shared/policies beside the checkout'
const scenarios = Object.entries(SCENARIOS).filter(([name]) => existsSync(join(FOLDER, name)))
const counts = { scenarios: 0, resources: 0, other: 0, unsigned: 0 }

after(() => {
  if (!there) return
  const { scenarios, resources, other, unsigned } = counts
  const told = `${String(scenarios)} scenarios, ${String(resources)} resources; ${String(other)} judged otherwise on purpose; ${String(unsigned)} refused unsigned`
  process.stdout.write(`Kyverno verify-images: ${told}\n`)
})

/** One file that a scenario applies. */
interface Applied {
  readonly file: string
  readonly denied: boolean
}

interface Opened {
  readonly setting: Setting
  readonly applied: readonly (Applied & { readonly documents: readonly JsonObject[] })[]
  readonly asserted: readonly JsonObject[]
}

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
  const asserts = readdirSync(join(FOLDER, name)).filter((file) => /(?:assert|error|ready).*yaml$/.test(file))
  return {
    setting,
    applied: await Promise.all(applied.map(async (each) => ({ ...each, documents: await documentsIn(each.file) }))),
    asserted: (await Promise.all(asserts.map(documentsIn))).flat(),
  }
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
    .replace(/([^\s"'@]*)@sha256:[0-9a-f]{64}/g, (_, name: string) => `${name}@${digests.get(name) ?? digest}`)
    .replace(/LS0tLS1CRUdJTiBQVUJMSUMg[A-Za-z0-9+/=]+/g, encodeBase64(encodeUtf8(ours.join('\n'))))
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

/** What a scenario applies itself or, for policies, by a template. */
function appliedFiles(scenario: JsonObject): readonly Applied[] {
  return listAt(scenario['spec'], 'steps').flatMap((step): readonly Applied[] => {
    const use = memberOf(step, 'use')
    const byTemplate = listAt(memberOf(use, 'with'), 'bindings').flatMap((binding): readonly Applied[] => {
      const file = memberOf(binding, 'name') === 'file' ? memberOf(binding, 'value') : undefined
      return typeof file === 'string' ? [{ file, denied: false }] : []
    })
    const itself = listAt(step, 'try').flatMap((one): readonly Applied[] => {
      const apply = memberOf(one, 'apply')
      const file = memberOf(apply, 'file')
      return typeof file === 'string' ? [{ file, denied: listAt(apply, 'expect').length > 0 }] : []
    })
    return [...byTemplate, ...itself]
  })
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

function listAt(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  const list = memberOf(value, name)
  return Array.isArray(list) ? (list as readonly JsonValue[]) : []
}

/** One resource that a scenario applies, and what became of it. */
interface Judged extends Applied {
  readonly resource: JsonObject
  readonly verdict: ReviewVerdict
}

const WORKLOADS: readonly (JsonValue | undefined)[] = ['Pod', 'Deployment', 'Task']

/** Goes through the files of a scenario in its order: a policy takes the place of the one of its name, and workloads are judged. */
async function play({ setting, applied }: Opened): Promise<readonly Judged[]> {
  const policies = new Map<string, CompiledPolicy>()
  const cluster: JsonObject[] = []
  const judged: Judged[] = []
  for (const { document, ...of } of policiesFirst(applied)) {
    if (isPolicy(document)) policies.set(JSON.stringify(nameOf(document)), await compiled(document))
    else if (!WORKLOADS.includes(document['kind'])) cluster.push(document)
    else {
      const present = { policies: [...policies.values()], cluster }
      judged.push({ ...of, resource: document, verdict: await judge(setting, document, present) })
    }
  }
  assert.ok(policies.size > 0)
  return judged
}

/** What ran before there was a policy is judged when there is one, as a scan does. */
function policiesFirst(applied: Opened['applied']): readonly (Applied & { readonly document: JsonObject })[] {
  const all = applied.flatMap(({ file, denied, documents }) =>
    documents.map((document) => ({ file, denied, document })),
  )
  const first = all.findIndex(({ document }) => isPolicy(document))
  const early = all.slice(0, first).filter(({ document }) => WORKLOADS.includes(document['kind']))
  return [...all.slice(0, first + 1).filter((each) => !early.includes(each)), ...early, ...all.slice(first + 1)]
}

interface Present {
  readonly policies: readonly CompiledPolicy[]
  readonly cluster: readonly JsonObject[]
}

async function judge({ bench }: Setting, resource: JsonObject, present: Present): Promise<ReviewVerdict> {
  const ports = bench.ports({ cluster: clusterOfDocuments(present.cluster), key: keysOf(present.cluster) })
  const review = reviewOfResource(resource)
  const { policies } = present
  return await evaluateAdmission({
    policies,
    review,
    ports,
    deadline: deadlineOf(AbortSignal.timeout(60_000)),
    unmatched: 'allow',
  })
}

function keysOf(documents: readonly JsonObject[]): EnginePorts['key'] {
  return async (source) => {
    assert.ok(source.kind === 'secret')
    const secret = documents.find((each) => each['kind'] === 'Secret' && nameOf(each) === source.name)
    const encoded = memberOf(secret?.['data'], source.entry ?? '')
    assert.ok(typeof encoded === 'string', `there is no secret ${source.name}`)
    return await Promise.resolve({ key: publicKeyFromPem(decodeUtf8(decodeBase64(encoded))) })
  }
}

/** Digests that the scenario expects to find in the resource afterwards are written in. */
function assertPinned({ asserted }: Opened, { resource, verdict: { pins } }: Judged): void {
  const expected = asserted.filter((each) => each['kind'] === resource['kind'] && nameOf(each) === nameOf(resource))
  const names = JSON.stringify(expected.map(({ spec }) => spec ?? null)).match(/[^"]+@sha256:[0-9a-f]+/g) ?? []
  const present = JSON.stringify(resource)
  for (const name of new Set(names)) {
    const isLater = !present.includes(`"${name.replace(/@.*/, '')}"`)
    if (!isLater) assert.deepEqual([...new Set(pins.map(({ to }) => to))], [name])
  }
}

function nameOf(document: JsonObject): JsonValue | undefined {
  return memberOf(document['metadata'], 'name')
}

describe('scenarios', { skip }, () => {
  for (const [name, scenario] of scenarios) {
    test(name, async () => {
      counts.scenarios++
      const opened = await open(name, scenario)
      for (const judged of await play(opened)) {
        const { file, denied, verdict } = judged
        const { otherwise, refused, invalid } = scenario
        if (file === invalid) continue
        counts.resources++
        if (otherwise !== undefined) counts.other++
        assert.equal(verdict.allowed, !denied && otherwise === undefined, `${file}: ${verdict.message}`)
        if (verdict.allowed) assertPinned(opened, judged)
        else assert.match(verdict.message, otherwise ?? refused ?? /^$/)
      }
    })
  }
})

describe('the same images, if nobody signed them', { skip }, () => {
  for (const [name, scenario] of scenarios) {
    const { images } = scenario
    if (Object.values(images).every((prepare) => prepare === bare)) continue
    test(name, async () => {
      const unsigned = Object.fromEntries(Object.keys(images).map((image) => [image, bare]))
      const judged = await play(await open(name, { images: unsigned }))
      const concerned = judged.filter(({ verdict }) => verdict.rules.length > 0)
      assert.ok(concerned.length > 0)
      for (const { file, verdict } of concerned) {
        counts.unsigned++
        const verdicts = verdict.rules.map((rule) => rule.verdict)
        assert.ok(!verdicts.includes('admitted'), `${file}: ${verdicts.join(', ')}`)
        assert.equal(verdict.allowed, !verdicts.includes('denied'))
      }
    })
  }
})

describe('all of them', { skip }, () => {
  test('every folder is among the scenarios', () => {
    const folders = readdirSync(FOLDER)
    assert.deepEqual(
      folders.filter((name) => !Object.hasOwn(SCENARIOS, name)),
      [],
    )
  })

  test('with-mutation: once the other policy has replaced the image, it is admitted', async () => {
    const { setting, applied } = await open('with-mutation', SCENARIOS['with-mutation']!)
    const documents = applied.flatMap((each) => each.documents)
    const pod = documents.find(({ kind }) => kind === 'Pod')
    const replaced = JSON.parse(JSON.stringify(pod).replace(':unsigned', ':signed')) as JsonObject
    const policies = await Promise.all(documents.filter(isPolicy).map(compiled))
    const { allowed, message } = await judge(setting, replaced, { policies, cluster: documents })
    assert.equal(allowed, true, message)
  })
})
