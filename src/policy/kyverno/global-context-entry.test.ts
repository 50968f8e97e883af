import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { projectionOf, readGlobalContextEntry } from './global-context-entry.js'

const LIST = { kubernetesResource: { version: 'v1', resource: 'configmaps', namespace: 'signers' } }
const CALL = { apiCall: { urlPath: '/api/v1/namespaces?limit=5', refreshInterval: '90s' } }

const entry = (spec: JsonValue): JsonObject => ({
  apiVersion: 'kyverno.io/v2',
  kind: 'GlobalContextEntry',
  metadata: { name: 'signers' },
  spec,
})

describe('where the value of an entry is from', () => {
  test('a list of resources', async () => {
    const { source } = await readGlobalContextEntry(entry(LIST))
    assert.deepEqual(source, {
      kind: 'list',
      of: { apiVersion: 'v1', resource: 'configmaps', namespace: 'signers' },
    })
    const apps = { kubernetesResource: { group: 'apps', version: 'v1', resource: 'deployments' } }
    const { source: everywhere } = await readGlobalContextEntry(entry(apps))
    assert.deepEqual(everywhere, {
      kind: 'list',
      of: { apiVersion: 'apps/v1', resource: 'deployments', namespace: undefined },
    })
  })

  test('a question to the API server, asked anew now and then', async () => {
    const { source } = await readGlobalContextEntry(entry(CALL))
    const path = '/api/v1/namespaces?limit=5'
    assert.deepEqual(source, { kind: 'call', path, call: { method: 'GET' }, refreshMillis: 90_000 })
    const post = { urlPath: '/apis/x/v1/y', method: 'POST', data: [{ key: 'a', value: { b: 1 } }] }
    const { source: posted } = await readGlobalContextEntry(entry({ apiCall: post }))
    assert.deepEqual(posted, {
      kind: 'call',
      path: '/apis/x/v1/y',
      call: { method: 'POST', body: { a: { b: 1 } } },
      refreshMillis: 600_000,
    })
  })
})

const REFUSED: readonly (readonly [string, JsonValue, string])[] = [
  ['no specification', null, 'POLICY_FIELD'],
  ['no source', {}, 'POLICY_FIELD'],
  ['both sources', { ...LIST, ...CALL }, 'POLICY_FIELD'],
  ['an unknown field', { ...LIST, resource: 'pods' }, 'POLICY_FIELD'],
  ['no resource', { kubernetesResource: { version: 'v1' } }, 'POLICY_FIELD'],
  ['no version', { kubernetesResource: { resource: 'pods' } }, 'POLICY_FIELD'],
  ['no group', { kubernetesResource: { version: 'v1beta1', resource: 'pods' } }, 'POLICY_FIELD'],
  ['a call of a service', { apiCall: { service: { url: 'http://metadata/' } } }, 'POLICY_UNSUPPORTED'],
  ['no address', { apiCall: { method: 'GET' } }, 'POLICY_FIELD'],
  ['an address beyond the API', { apiCall: { urlPath: '/../secrets' } }, 'POLICY_FIELD'],
  ['an address elsewhere', { apiCall: { urlPath: 'https://evil.example/api/v1' } }, 'POLICY_FIELD'],
  ['an address with variables', { apiCall: { urlPath: '/api/v1/{{ request.namespace }}' } }, 'POLICY_FIELD'],
  ['another method', { apiCall: { urlPath: '/api/v1/pods', method: 'DELETE' } }, 'POLICY_FIELD'],
  ['data without POST', { apiCall: { urlPath: '/api/v1/pods', data: [{ key: 'a', value: 1 }] } }, 'POLICY_FIELD'],
  ['no interval', { apiCall: { urlPath: '/api/v1/pods', refreshInterval: '0s' } }, 'POLICY_FIELD'],
  ['an interval that is none', { apiCall: { urlPath: '/api/v1/pods', refreshInterval: 'soon' } }, 'POLICY_FIELD'],
  ['a projection without a name', { ...LIST, projections: [{ jmesPath: 'a' }] }, 'POLICY_FIELD'],
  ['a projection that is no expression', { ...LIST, projections: [{ name: 'a', jmesPath: '[' }] }, 'POLICY_FIELD'],
]
for (const [name, spec, code] of REFUSED) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(readGlobalContextEntry(entry(spec)), { code })
  })
}

test('a projection is what its expression finds; one that finds nothing, or is not there, is an error', async () => {
  const projections = [
    { name: 'first', jmesPath: '[0].name' },
    { name: 'none', jmesPath: '[9].name' },
  ]
  const read = await readGlobalContextEntry(entry({ ...LIST, projections }))
  const found = { value: [{ name: 'ann' }], clock: () => 0 }
  assert.equal(projectionOf(read, 'first', found), 'ann')
  for (const name of ['none', 'other', '', '__proto__'])
    assert.throws(() => projectionOf(read, name, found), { code: 'POLICY_CLUSTER' })
})

test('any specification is an entry or a coded error', async () => {
  const any = fc.jsonValue({ maxDepth: 3 })
  const spec = fc.record(
    {
      kubernetesResource: fc.oneof(any, fc.record({ group: any, version: any, resource: any }, { requiredKeys: [] })),
      apiCall: fc.oneof(
        any,
        fc.record({ urlPath: fc.string(), data: any, refreshInterval: any }, { requiredKeys: [] }),
      ),
      projections: any,
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(any, spec), async (value) => {
      try {
        await readGlobalContextEntry(entry(value as JsonValue))
      } catch (error) {
        assert.ok(isCodedError(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
