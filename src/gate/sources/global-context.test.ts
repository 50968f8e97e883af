import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { ClusterReader } from '#policy/internal/cluster'
import { PolicyError } from '#policy/internal/policy-error'
import { Documents } from '../snapshot/documents.js'
import { createGlobalContext } from './global-context.js'

const { signal } = new AbortController()

const entry = (spec: JsonObject): JsonObject => ({
  apiVersion: 'kyverno.io/v2beta1',
  kind: 'GlobalContextEntry',
  metadata: { name: 'signers' },
  spec,
})
const LIST = { kubernetesResource: { version: 'v1', resource: 'configmaps' } }
const CALL = { apiCall: { urlPath: '/api/v1/namespaces', refreshInterval: '1m' } }

describe('what global context entries hold', () => {
  let documents: Documents
  let now: number
  let asked: string[]
  let answer: () => Promise<JsonValue>
  let look: ClusterReader['globalContext']

  beforeEach(() => {
    documents = new Documents()
    now = 0
    asked = []
    answer = () => Promise.resolve({ items: [{ name: 'ann' }] })
    look = createGlobalContext({
      documents,
      clock: () => now,
      reader: {
        list: ({ resource }) => {
          asked.push(resource)
          return Promise.resolve([{ metadata: { name: 'ann' } }])
        },
        call: (path) => {
          asked.push(path)
          return answer()
        },
      },
    })
  })

  test('the resources themselves, or a projection of them', async () => {
    documents.put(entry({ ...LIST, projections: [{ name: 'names', jmesPath: '[].metadata.name' }] }))
    assert.deepEqual(await look('signers', undefined, signal), [{ metadata: { name: 'ann' } }])
    assert.deepEqual(await look('signers', 'names', signal), ['ann'])
    await assert.rejects(look('signers', 'other', signal), { code: 'POLICY_CLUSTER' })
  })

  test('a call is made once for all who ask, until it is old', async () => {
    documents.put(entry(CALL))
    await Promise.all([look('signers', undefined, signal), look('signers', undefined, signal)])
    now = 59_999
    await look('signers', undefined, signal)
    assert.equal(asked.length, 1)
    now = 60_000
    await look('signers', undefined, signal)
    assert.equal(asked.length, 2)
  })

  test('a call that fails gives no older value, and is made again', async () => {
    documents.put(entry(CALL))
    await look('signers', undefined, signal)
    now = 60_000
    answer = () => Promise.reject(new PolicyError('POLICY_CLUSTER', 'away'))
    for (let time = 0; time < 2; time++)
      await assert.rejects(look('signers', undefined, signal), { code: 'POLICY_CLUSTER' })
    assert.equal(asked.length, 3)
  })

  test('an entry that changes is asked anew; one that is taken away, or never was there, is an error', async () => {
    documents.put(entry(CALL))
    await look('signers', undefined, signal)
    documents.put(entry({ apiCall: { ...CALL.apiCall, urlPath: '/api/v1/nodes' } }))
    await look('signers', undefined, signal)
    assert.deepEqual(asked, ['/api/v1/namespaces', '/api/v1/nodes'])
    documents.delete(entry({}))
    for (const name of ['signers', 'others'])
      await assert.rejects(look(name, undefined, signal), { code: 'POLICY_CLUSTER' })
  })

  test('one that cannot be read is an error for whoever asks, and nothing is asked', async () => {
    documents.put(entry({ ...LIST, ...CALL }))
    await assert.rejects(look('signers', undefined, signal), { code: 'POLICY_FIELD' })
    documents.put(entry({ apiCall: { service: { url: 'http://10.0.0.1/' } } }))
    await assert.rejects(look('signers', undefined, signal), { code: 'POLICY_UNSUPPORTED' })
    assert.deepEqual(asked, [])
  })
})
