import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, type FakeAnswer } from '#testing/fake-fetch'
import { fakeTimers } from '#testing/fake-timers'
import { readBytes } from './body.js'
import { withTimeouts } from './timeout.js'

const OPTIONS = { answerMillis: 1000, idleMillis: 100 }
const LIMITS = { limit: 1000, what: 'it' }

async function* dripping(): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(new Uint8Array([1]))
  await new Promise<never>(() => undefined)
}

function setUp(answer: FakeAnswer): { fetch: ReturnType<typeof withTimeouts>; time: ReturnType<typeof fakeTimers> } {
  const time = fakeTimers()
  return { fetch: withTimeouts(fakeNetwork(() => answer).fetch, OPTIONS, time.timers), time }
}

test('an answer in time is passed on', async () => {
  const { fetch } = setUp({ body: 'hello' })
  assert.equal(new TextDecoder().decode(await readBytes(await fetch('https://a.example/'), LIMITS)), 'hello')
})

test('a host that never answers is given up', async () => {
  const { fetch, time } = setUp('hang')
  const outcome = assert.rejects(fetch('https://a.example/'), { code: 'HTTP_TIMEOUT' })
  await time.advance(1000)
  await outcome
})

test('a host that stops in the middle is given up', async () => {
  const { fetch, time } = setUp({ body: dripping() })
  const response = await fetch('https://a.example/')
  const outcome = assert.rejects(readBytes(response, LIMITS), { code: 'HTTP_TIMEOUT' })
  await time.advance(100)
  await outcome
})

test('the caller’s own abort is told apart from a timeout', async () => {
  const { fetch, time } = setUp('hang')
  const controller = new AbortController()
  const outcome = assert.rejects(fetch('https://a.example/', { signal: controller.signal }), { code: 'HTTP_ABORTED' })
  await time.advance(1)
  controller.abort()
  await outcome
})

test('a request that is aborted beforehand is not sent', async () => {
  const network = fakeNetwork(() => ({}))
  const fetch = withTimeouts(network.fetch, OPTIONS, fakeTimers().timers)
  await assert.rejects(fetch('https://a.example/', { signal: AbortSignal.abort() }), { code: 'HTTP_ABORTED' })
  assert.equal(network.requests.length, 0)
})

test('an abort while the body is read ends the reading', async () => {
  const { fetch, time } = setUp({ body: dripping() })
  const controller = new AbortController()
  const response = await fetch('https://a.example/', { signal: controller.signal })
  const outcome = assert.rejects(readBytes(response, LIMITS), { code: 'HTTP_ABORTED' })
  await time.advance(1)
  controller.abort()
  await outcome
})

test('a large body has the time that a slow line needs', async () => {
  const { fetch, time } = setUp('hang')
  const outcome = assert.rejects(fetch('https://a.example/', { method: 'PUT', body: new Uint8Array(640_000) }), {
    code: 'HTTP_TIMEOUT',
  })
  await time.advance(1000)
  assert.deepEqual(time.started, [11_000])
  await time.advance(10_000)
  await outcome
})
