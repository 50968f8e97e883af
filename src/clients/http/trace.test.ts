import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork } from '#testing/fake-fetch'
import { HttpError } from './http-error.js'
import { redactUrl, withTrace, type TraceEvent } from './trace.js'

const SECRETS = ['hunter2', 'tok-1', 'sig-2', 'pw-3', 'set-4']

test('no secret reaches the trace', async () => {
  const events: TraceEvent[] = []
  const network = fakeNetwork(() => ({ headers: { 'set-cookie': 'set-4', etag: '"e"', authorization: 'tok-1' } }))
  const fetch = withTrace(
    network.fetch,
    (event) => events.push(event),
    () => 0,
  )
  await fetch('https://u:pw-3@a.example/x?scope=repository:a:pull&X-Amz-Signature=sig-2&account=hunter2', {
    headers: { Authorization: 'Bearer tok-1', 'X-Custom': 'hunter2', Accept: 'text/plain' },
    body: 'hunter2',
  })
  const text = JSON.stringify(events)
  for (const secret of SECRETS) assert.ok(!text.includes(secret), secret)
  assert.ok(text.includes('scope=repository:a:pull'))
  assert.ok(text.includes('text/plain'))
  assert.equal(events.length, 2)
})

test('a failure is traced by its code and thrown on', async () => {
  const events: TraceEvent[] = []
  const network = fakeNetwork(() => new HttpError('HTTP_DNS', 'no such host'))
  const fetch = withTrace(
    network.fetch,
    (event) => events.push(event),
    () => 0,
  )
  await assert.rejects(fetch('https://a.example/'), { code: 'HTTP_DNS' })
  assert.deepEqual(events.at(-1), { kind: 'failure', method: 'GET', url: 'https://a.example/', code: 'HTTP_DNS' })
})

test('an address that is none is not shown', () => {
  assert.equal(redactUrl('tok-1'), '(not an address)')
})
