import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodedError } from '#errors'
import { observed } from './access-log.js'
import { cors } from './cors.js'
import { compose } from './handler.js'
import type { Handler } from './handler.js'
import { healthRoutes } from './health.js'
import { createMetrics } from './metrics.js'
import { requestId, requestIds } from './request-id.js'
import { json } from './responses.js'
import { route, router } from './routes.js'

function setUp(routes = router([route('GET', '/e/{id}', (_, { id }) => Promise.resolve(json(200, id)))])): {
  call: Handler
  lines: string[]
  faults: string[]
  metrics: ReturnType<typeof createMetrics>
} {
  const [lines, faults]: [string[], string[]] = [[], []]
  const metrics = createMetrics()
  let now = 0
  const observer = observed({
    clock: () => 0,
    elapsed: () => (now += 5),
    log: (line) => lines.push(line),
    errorLog: (line) => faults.push(line),
    metrics,
  })
  return {
    call: compose(
      routes,
      requestIds(() => 'fresh'),
      observer,
    ),
    lines,
    faults,
    metrics,
  }
}

test('a request is one line, without its query and headers', async () => {
  const { call, lines } = setUp()
  await call(
    new Request('http://x/e/1?code=s3cret', { headers: { authorization: 'Bearer s3cret', 'x-request-id': 'abc-1' } }),
  )
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      {
        time: '1970-01-01T00:00:00Z',
        level: 'info',
        request: 'abc-1',
        method: 'GET',
        path: '/e/1',
        status: 200,
        ms: 5,
      },
    ],
  )
})

test('metrics are labelled by pattern, and a made-up method or path adds no label value', async () => {
  const { call, metrics } = setUp()
  for (const [path, method] of [
    ['/e/1', 'GET'],
    ['/e/2', 'GET'],
    ['/random-1', 'GET'],
    ['/random-2', 'BREW'],
  ] as const) {
    await call(new Request(`http://x${path}`, { method }))
  }
  const text = metrics.render()
  assert.match(text, /http_requests_total\{code="200",method="GET",route="\/e\/\{id\}"\} 2/)
  assert.match(text, /method="other",route="none"/)
  assert.doesNotMatch(text, /random|BREW/)
})

test('a fault is a bare 500 outside and a line with its cause inside', async () => {
  const failing: Handler = () =>
    Promise.reject(new CodedError('DISK', 'write failed', { cause: new Error('ENOSPC at /data') }))
  const { call, faults } = setUp(failing)
  const response = await call(new Request('http://x/'))
  assert.equal(response.status, 500)
  assert.equal(await response.text(), '{"code":500,"message":"internal server error"}')
  assert.match(faults.join(''), /"code":"DISK","error":"write failed: ENOSPC at \/data"/)
})

for (const [offered, kept] of [
  ['ok_1.2-3', true],
  ['a b', false],
  ['{"x":1}', false],
  ['', false],
  ['x'.repeat(65), false],
] as const) {
  test(`request id ${JSON.stringify(offered)} is ${kept ? 'kept' : 'replaced'}`, async () => {
    let seen = ''
    const call = requestIds(() => 'fresh')((request) => {
      seen = requestId(request)
      return Promise.resolve(json(200, 0))
    })
    const response = await call(new Request('http://x/', { headers: { 'x-request-id': offered } }))
    assert.equal(seen, kept ? offered : 'fresh')
    assert.equal(response.headers.get('x-request-id'), seen)
  })
}

test('CORS opens what it applies to and nothing else', async () => {
  const call = cors({
    methods: ['GET'],
    exposedHeaders: ['etag'],
    appliesTo: (request) => !request.url.includes('/private'),
  })(() => Promise.resolve(json(200, 0)))
  const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }
  assert.equal((await call(new Request('http://x/a', preflight))).status, 204)
  const open = await call(new Request('http://x/a'))
  assert.equal(open.headers.get('access-control-allow-origin'), '*')
  assert.equal(open.headers.get('access-control-expose-headers'), 'etag')
  const closed = await call(new Request('http://x/private', preflight))
  assert.equal(closed.status, 200)
  assert.equal(closed.headers.get('access-control-allow-origin'), null)
})

test('health tells not ready from dead', async () => {
  const state: { problem?: string } = {}
  const call = router(healthRoutes(createMetrics(), () => Promise.resolve(state.problem)))
  const status = async (path: string): Promise<number> => (await call(new Request(`http://x${path}`))).status
  assert.deepEqual(await Promise.all(['/healthz', '/ping', '/readyz', '/metrics'].map(status)), [200, 200, 200, 200])
  state.problem = 'storage is read-only'
  assert.deepEqual(await Promise.all(['/healthz', '/readyz'].map(status)), [200, 503])
})
