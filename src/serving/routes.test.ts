import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchedRoute, pathOf, queryOf, route, router } from './routes.js'
import { json } from './responses.js'

const handler = router([
  route('GET', '/a', () => Promise.resolve(json(200, 'a'))),
  route('POST', '/a', () => Promise.resolve(json(201, 'posted'))),
  route('GET', '/entries/{id}', (_, { id }) => Promise.resolve(json(200, { id }))),
  route('GET', '/v2/{name+}/blobs/{digest}', (_, params) => Promise.resolve(json(200, params))),
  route('GET', '/lit.eral', () => Promise.resolve(json(200, 'literal'))),
])

async function get(path: string, method = 'GET'): Promise<{ status: number; body: unknown; allow: string | null }> {
  const response = await handler(new Request(`http://x${path}`, { method }))
  return { status: response.status, body: await response.json(), allow: response.headers.get('allow') }
}

const FOUND: readonly (readonly [path: string, body: unknown])[] = [
  ['/a', 'a'],
  ['/a?x=1', 'a'],
  ['/entries/7', { id: '7' }],
  ['/entries/a%20b', { id: 'a b' }],
  ['/v2/lib/app/blobs/sha256:00', { name: 'lib/app', digest: 'sha256:00' }],
  ['/v2/blobs/blobs/x', { name: 'blobs', digest: 'x' }],
]
for (const [path, body] of FOUND) {
  test(`routes ${path}`, async () => {
    assert.deepEqual(await get(path), { status: 200, body, allow: null })
  })
}

const MISSING = [
  '/',
  '/b',
  '/a/',
  '/A',
  '/entries/',
  '/entries',
  '/entries/a/b',
  '/entries/a%2Fb',
  '/entries/%zz',
  '/entries/%00',
  '/v2//blobs/x',
  '/v2/blobs/x',
  '/v2/n/blobs/',
  '/litXeral',
  '/a%00',
  '/%61',
]
for (const path of MISSING) {
  test(`does not route ${path}`, async () => {
    assert.equal((await get(path)).status, 404)
  })
}

test('another method is 405 and says which would do', async () => {
  const { status, allow } = await get('/a', 'DELETE')
  assert.deepEqual([status, allow], [405, 'GET, POST, HEAD'])
})

test('HEAD is served by GET', async () => {
  const response = await handler(new Request('http://x/a', { method: 'HEAD' }))
  assert.equal(response.status, 200)
})

test('the matched pattern is known afterwards, not the path', async () => {
  const request = new Request('http://x/entries/secret')
  await handler(request)
  assert.equal(matchedRoute(request), '/entries/{id}')
  const lost = new Request('http://x/nowhere')
  await handler(lost)
  assert.equal(matchedRoute(lost), undefined)
})

test('a captured name cannot reach the prototype', async () => {
  const response = await router([
    route('GET', '/{__proto__}', (_, params) => Promise.resolve(json(200, Object.keys(params)))),
  ])(new Request('http://x/polluted'))
  assert.deepEqual(await response.json(), ['__proto__'])
  assert.equal('polluted' in {}, false)
})

test('pathOf and queryOf', () => {
  assert.equal(pathOf('http://h'), '/')
  assert.equal(pathOf('http://h/p?q#f'), '/p')
  assert.equal(pathOf('http://h/p#f?q'), '/p')
  assert.equal(queryOf(new Request('http://h/p?logIndex=4')).get('logIndex'), '4')
})
