import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fakeNetwork } from '#testing/fake-fetch'
import { fuzzRuns } from '#testing/fuzz'
import type { KubernetesApi } from './api.js'
import { createKubernetesClient } from './client.js'
import type { ClusterAccess } from './cluster-access.js'
import { parseWarnings } from './warnings.js'

/** JSON with the names that the parsers look for. */
const NAMES = [
  ...['kind', 'apiVersion', 'metadata', 'items', 'name', 'namespace', 'resourceVersion', 'continue', 'labels'],
  ...['type', 'object', 'status', 'code', 'reason', 'message', 'details', 'causes', 'retryAfterSeconds'],
  ...['groupVersion', 'resources', 'groups', 'versions', 'preferredVersion', 'verbs', 'namespaced', '__proto__'],
]
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      null,
      true,
      0,
      410,
      -1,
      1e300,
      '',
      'x',
      'v1',
      'Status',
      'PodList',
      'Pod',
      'ADDED',
      'ERROR',
      'BOOKMARK',
    ),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('tree'), { maxKeys: 5 }),
  ),
}))
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  tree.map((value) => encodeUtf8(JSON.stringify(value))),
  fc.array(tree, { maxLength: 4 }).map((values) => encodeUtf8(values.map((value) => JSON.stringify(value)).join('\n'))),
)

const AT = { apiVersion: 'v1', resource: 'pods', namespace: 'n', name: 'p' }

async function watchAll(api: KubernetesApi): Promise<number> {
  let count = 0
  for await (const _event of api.watch(AT, { resourceVersion: '1' })) count++
  return count
}

const CALLS: ReadonlyMap<string, (api: KubernetesApi) => Promise<unknown>> = new Map<
  string,
  (api: KubernetesApi) => Promise<unknown>
>([
  ['get', (api) => api.get(AT)],
  ['list', (api) => api.list(AT)],
  ['watch', watchAll],
  ['apply', (api) => api.apply(AT, {}, { fieldManager: 'x' })],
  ['delete', (api) => api.delete(AT)],
  ['resources', (api) => api.resources('v1')],
  ['groups', (api) => api.groups()],
  ['call', (api) => api.call('/x', { method: 'GET' })],
])

for (const [name, call] of CALLS) {
  test(`${name}: any answer is a value or a coded error`, async () => {
    const status = fc.constantFrom(200, 201, 400, 404, 409, 410, 429, 500)
    await fc.assert(
      fc.asyncProperty(body, status, async (answer, code) => {
        const { fetch } = fakeNetwork((_request, index) =>
          index < 50 ? { status: code, body: answer } : new Error('endless'),
        )
        const send: typeof fetch = (path, init) => fetch(`https://kube.example${path}`, init)
        const access = { server: 'https://kube.example' } as ClusterAccess
        const api = createKubernetesClient({ access, request: send, stream: send, close: () => undefined }, () => 0)
        try {
          await call(api)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })
}

test('any header is warnings or none, in linear time', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      assert.ok(parseWarnings(header).every((text) => typeof text === 'string'))
    }),
    { numRuns: fuzzRuns() },
  )
  assert.deepEqual(parseWarnings(`299 - "${'\\'.repeat(60_000)}`), [])
})
