import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, json, type FakeAnswer } from '#testing/fake-fetch'
import { printable, readReason } from './reason.js'

async function reason(answer: FakeAnswer): Promise<string> {
  return await readReason(await fakeNetwork(() => answer).fetch('https://a.example/'))
}

test('the reason is found in every form that services use', async () => {
  assert.equal(await reason(json({ code: 3, message: 'bad token', details: [] }, 400)), 'status 400: bad token')
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', metadata: { message: 'it has expired' } }]
  assert.equal(await reason(json({ message: 'bad token', details }, 400)), 'status 400: bad token: it has expired')
  for (const odd of [[], [1], [{}], [{ metadata: 1 }], [{ metadata: { message: 1 } }], {}]) {
    assert.equal(await reason(json({ message: 'bad token', details: odd }, 400)), 'status 400: bad token')
  }
  assert.equal(await reason(json({ error: 'slow_down', error_description: 'wait' }, 400)), 'status 400: wait')
  assert.equal(await reason(json({ errors: [{ code: 'DENIED', message: 'no' }] }, 403)), 'status 403: DENIED: no')
  assert.equal(await reason(json('plain', 500)), 'status 500: plain')
  assert.equal(await reason({ status: 502, body: 'upstream gone\n' }), 'status 502: upstream gone')
})

test('a page, nothing, and too much give the status alone', async () => {
  const page = { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' }
  assert.equal(await reason(page), 'status 502')
  assert.equal(await reason({ status: 500 }), 'status 500')
  assert.equal(await reason({ status: 500, body: 'x'.repeat(70_000) }), 'status 500')
  assert.equal(await reason(json([1], 400)), 'status 400')
})

test('tokens, control characters and length do not come through', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'
  assert.equal(printable(`token ${token} expired`), 'token (token) expired')
  assert.equal(printable('Authorization: Bearer abc.def'), 'Authorization: Bearer (secret)')
  assert.equal(printable('a\u001b[31mred\u0000\nb\u202ec'), 'a [31mred b c')
  assert.equal(printable('y'.repeat(1000)).length, 301)
})
