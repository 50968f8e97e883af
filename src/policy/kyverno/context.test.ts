/** What rules take from elsewhere: loaded when it is come across, bounded, and never guessed. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import { documentsOf } from '#testing/policy/kyverno'
import { podOf } from '#testing/policy/reviews'
import { loadJmesPath } from '../jmespath/expression.js'
import type { ClusterReader } from '../internal/cluster.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import type { PlanServices } from '../internal/policy.js'
import { readContext } from './context.js'
import { requestVariable } from './request-data.js'
import { Scope } from './scope.js'

const DIGEST = `sha256:${'a'.repeat(64)}`
const CHILD = `sha256:${'b'.repeat(64)}`

interface Seen {
  readonly asked: string[]
}

function services(more: Partial<ClusterReader> = {}, documents: readonly JsonObject[] = []): PlanServices & Seen {
  const asked: string[] = []
  const cluster = clusterOfDocuments(documents)
  return {
    asked,
    cluster: {
      ...cluster,
      get: (of, name, signal) => {
        asked.push(`${of.resource} ${of.namespace ?? ''}/${name}`)
        return cluster.get(of, name, signal)
      },
      call: (path, call) => {
        asked.push(`${call.method} ${path} ${JSON.stringify(call.body ?? null)}`)
        return Promise.resolve({ items: [{ name: 'a' }, { name: 'b' }] })
      },
      globalContext: (name, projection) => Promise.resolve({ name, projection: projection ?? null }),
      ...more,
    },
    clock: () => 0,
    signal: new AbortController().signal,
    resolve: ({ reference }) => Promise.resolve({ repository: reference, digest: DIGEST }),
    manifest: ({ digest }) =>
      Promise.resolve(
        digest === CHILD
          ? { layers: [] }
          : {
              manifests: [
                { digest: DIGEST, platform: { os: 'linux', architecture: 'arm64' } },
                { digest: CHILD, platform: { os: 'linux', architecture: 'amd64' } },
              ],
            },
      ),
    configs: () => Promise.resolve(new Map<string, JsonValue>([['linux/amd64', { config: { User: '0' } }]])),
  }
}

async function evaluated(
  entries: string,
  expression: string,
  given: PlanServices = services(),
  namespace?: string,
): Promise<JsonValue> {
  const compile = await loadJmesPath()
  const complaints = new Complaints()
  const [document] = await documentsOf(`{context: [${entries}]}`)
  const context = readContext(new Fields(document!, '', complaints), { compile, namespace })
  complaints.throwIfAny('')
  const scope = Scope.of({ request: requestVariable(podOf('a')) }).and(context.map((entry) => entry.bind(given)))
  const compiled = compile(expression)
  return await scope.evaluate((data) => compiled.evaluate(data, () => 0))
}

const CONFIG_MAP = '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n, labels: {l: m}}, data: {a: b}}'

describe('entries', () => {
  test('a ConfigMap', async () => {
    const given = services({}, await documentsOf(CONFIG_MAP))
    const entry = '{name: c, configMap: {name: c, namespace: n}}'
    assert.equal(await evaluated(entry, 'c.data.a', given), 'b')
    assert.equal(await evaluated(entry, 'c.metadata.labels.l', given), 'm')
    const named = "{name: c, configMap: {name: '{{ which }}', namespace: n}}"
    assert.equal(await evaluated(`{name: which, variable: {value: c}}, ${named}`, 'c.data.a', given), 'b')
    await assert.rejects(evaluated('{name: c, configMap: {name: gone, namespace: n}}', 'c', given), {
      code: 'POLICY_CLUSTER',
      message: /failed to load context entry c: /,
    })
  })

  test('a call of the API server', async () => {
    const given = services()
    const entry =
      "{name: pods, apiCall: {urlPath: '/api/v1/namespaces/{{request.namespace}}/pods', jmesPath: 'length(items)'}}"
    assert.equal(await evaluated(entry, 'pods', given), 2)
    const post =
      "{name: ok, apiCall: {urlPath: /apis/x/y, method: POST, data: [{key: spec, value: {n: '{{ request.namespace }}'}}]}}"
    await evaluated(post, 'ok', given)
    assert.deepEqual(given.asked, [
      'GET /api/v1/namespaces/default/pods null',
      'POST /apis/x/y {"spec":{"n":"default"}}',
    ])
    const failing = services({ call: () => Promise.reject(new PolicyError('POLICY_CLUSTER', 'no')) })
    assert.equal(await evaluated('{name: a, apiCall: {urlPath: /api/v1/x, default: none}}', 'a', failing), 'none')
    await assert.rejects(evaluated('{name: a, apiCall: {urlPath: /api/v1/x}}', 'a', failing), {
      code: 'POLICY_CLUSTER',
    })
    const late = services({ call: () => Promise.reject(new PolicyError('POLICY_DEADLINE', 'late')) })
    await assert.rejects(evaluated('{name: a, apiCall: {urlPath: /api/v1/x, default: none}}', 'a', late), {
      code: 'POLICY_DEADLINE',
    })
  })

  test('a call of a service is refused by name', async () => {
    const entry = '{name: a, apiCall: {method: POST, service: {url: https://evil.example}}}'
    await assert.rejects(evaluated(entry, 'a'), { code: 'POLICY_UNSUPPORTED', message: /apiCall\.service/ })
    assert.equal(await evaluated(entry, 'request.namespace'), 'default')
  })

  test('an image of a registry', async () => {
    const entry =
      "{name: i, imageRegistry: {reference: 'ghcr.io/a/{{request.namespace}}:1', jmesPath: '{user: configData.config.User, of: resolvedImage, listed: length(manifestList.manifests), layers: manifest.layers}'}}"
    assert.deepEqual(await evaluated(entry, 'i'), {
      user: '0',
      of: `ghcr.io/a/default@${DIGEST}`,
      listed: 2,
      layers: [],
    })
    await assert.rejects(evaluated("{name: i, imageRegistry: {reference: 'A B'}}", 'i'), { code: 'POLICY_IMAGE' })
  })

  test('a global entry, or a projection of it', async () => {
    assert.deepEqual(await evaluated('{name: g, globalReference: {name: all}}', 'g'), { name: 'all', projection: null })
    assert.equal(await evaluated('{name: g, globalReference: {name: all.part, jmesPath: projection}}', 'g'), 'part')
  })

  test('a variable', async () => {
    for (const [entry, expression, expected] of [
      ['{name: a, variable: {value: {b: [1, 2]}}}', 'a.b[1]', 2],
      ["{name: a, variable: {value: '{{ request.namespace }}-x'}}", 'a', 'default-x'],
      ['{name: a, variable: {jmesPath: request.namespace}}', 'a', 'default'],
      ['{name: a, variable: {value: {b: c}, jmesPath: b}}', 'a', 'c'],
      ['{name: a, variable: {jmesPath: request.gone, default: d}}', 'a', 'd'],
      ["{name: a, variable: {value: {b: c}, jmesPath: gone, default: '{{ request.namespace }}'}}", 'a', 'default'],
      ['{name: a, variable: {value: x}}, {name: b, variable: {jmesPath: "to_upper(a)"}}', 'b', 'X'],
      ['{name: a, variable: {value: x}}, {name: a, variable: {value: "{{ a }}y"}}', 'a', 'xy'],
    ] as const) {
      assert.deepEqual(await evaluated(entry, expression), expected, entry)
    }
    await assert.rejects(evaluated('{name: a, variable: {jmesPath: request.gone}}', 'a'), { code: 'POLICY_CONTEXT' })
    await assert.rejects(evaluated('{name: a, variable: {jmesPath: "b"}}, {name: b, variable: {value: 1}}', 'a'), {
      code: 'POLICY_CONTEXT',
    })
  })
})

describe('laziness', () => {
  test('nothing is asked for that is not come across', async () => {
    const given = services({}, await documentsOf(CONFIG_MAP))
    const entries = '{name: c, configMap: {name: c, namespace: n}}, {name: gone, configMap: {name: gone, namespace: n}}'
    assert.equal(await evaluated(entries, 'request.namespace || gone.data', given), 'default')
    assert.deepEqual(given.asked, [])
    assert.equal(await evaluated(entries, 'c.data.a', given), 'b')
    assert.deepEqual(given.asked, ['configmaps n/c'])
  })

  test('one question however often it is come across', async () => {
    const compile = await loadJmesPath()
    const given = services({}, await documentsOf(CONFIG_MAP))
    const [document] = await documentsOf('{context: [{name: c, configMap: {name: c, namespace: n}}]}')
    const context = readContext(new Fields(document!, '', new Complaints()), { compile, namespace: undefined })
    const scope = Scope.of({}).and(context.map((entry) => entry.bind(given)))
    const expression = compile('[c.data.a, c.data.a]')
    const once = (): Promise<JsonValue> => scope.evaluate((data) => expression.evaluate(data, () => 0))
    await Promise.all([once(), once(), scope.with({ other: 1 }).evaluate((data) => expression.evaluate(data, () => 0))])
    assert.deepEqual(given.asked, ['configmaps n/c'])
  })

  test('an error of one evaluation is not that of another', async () => {
    const scope = Scope.of({ a: 1 })
    await assert.rejects(
      scope.evaluate(() => {
        throw new TypeError('mine')
      }),
      TypeError,
    )
    assert.equal(await scope.evaluate(() => 2), 2)
  })
})
