import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, inOrder, type FakeAnswer } from '#testing/fake-fetch'
import { fakeTimers, type FakeTimers } from '#testing/fake-timers'
import type { FetchInit } from './fetch.js'
import { HttpError, isHttpError } from './http-error.js'
import { DEFAULT_RETRY, retryAfterMillis, withRetries } from './retry.js'

const RESET = new HttpError('HTTP_RESET', 'reset')
const URL = 'https://log.example/x'

interface Run {
  readonly status: number | string
  readonly requests: number
  readonly time: FakeTimers
  readonly notices: readonly string[]
}

async function run(answers: readonly FakeAnswer[], init?: FetchInit, random = 0): Promise<Run> {
  const network = fakeNetwork(inOrder(...answers))
  const time = fakeTimers()
  time.autoAdvance()
  const notices: string[] = []
  const ports = {
    timers: time.timers,
    clock: time.clock,
    random: () => random,
    onRetry: (text: string) => notices.push(text),
  }
  const fetch = withRetries(network.fetch, DEFAULT_RETRY, ports)
  let status: number | string
  try {
    status = (await fetch(URL, init)).status
  } catch (error) {
    status = isHttpError(error) ? error.code : 'unknown'
  }
  return { status, requests: network.requests.length, time, notices }
}

test('a busy host is asked again until it answers', async () => {
  const { status, requests, time } = await run([{ status: 503 }, RESET, { status: 429 }, { status: 200 }])
  assert.equal(status, 200)
  assert.equal(requests, 4)
  assert.deepEqual(time.started, [125, 250, 500])
})

test('the pauses are jittered by as much again', async () => {
  const { time } = await run([{ status: 502 }, { status: 504 }, { status: 200 }], {}, 0.5)
  assert.deepEqual(time.started, [187.5, 375])
})

test('a host that stays down gives its last answer', async () => {
  const { status, requests } = await run([503, 503, 503, 503, 502].map((code) => ({ status: code })))
  assert.equal(status, 502)
  assert.equal(requests, 5)
})

test('a connection that is always cut gives its error', async () => {
  const { status, requests } = await run([RESET, RESET, RESET, RESET, RESET])
  assert.equal(status, 'HTTP_RESET')
  assert.equal(requests, 5)
})

for (const status of [400, 401, 403, 404, 409, 412, 413, 422, 501]) {
  test(`status ${String(status)} is an answer, not a reason to ask again`, async () => {
    assert.equal((await run([{ status }])).requests, 1)
  })
}

for (const code of ['HTTP_DNS', 'HTTP_TLS', 'HTTP_CONNECT', 'HTTP_TIMEOUT', 'HTTP_ABORTED', 'HTTP_CA'] as const) {
  test(`${code} does not go away by itself`, async () => {
    const result = await run([new HttpError(code, 'no')])
    assert.deepEqual([result.status, result.requests], [code, 1])
  })
}

test('a 500 passes for reads, and is an answer for everything else', async () => {
  assert.equal((await run([{ status: 500 }, { status: 200 }])).status, 200)
  assert.equal((await run([{ status: 500 }], { method: 'PUT', body: 'x' })).status, 500)
})

test('a POST is sent once', async () => {
  assert.equal((await run([{ status: 503 }], { method: 'POST', body: 'x' })).requests, 1)
})

test('a POST that the caller vouches for is sent again', async () => {
  const { status, requests } = await run([{ status: 503 }, { status: 201 }], {
    method: 'POST',
    body: 'x',
    repeatable: true,
  })
  assert.deepEqual([status, requests], [201, 2])
})

test('a PUT that the caller wants to look before is sent once', async () => {
  assert.equal((await run([{ status: 503 }], { method: 'PUT', body: 'x', repeatable: false })).requests, 1)
})

test('a streamed body is gone after the first attempt', async () => {
  const body = (async function* () {
    yield await Promise.resolve(new Uint8Array([1]))
  })()
  assert.equal((await run([{ status: 503 }], { method: 'PUT', body, repeatable: true })).requests, 1)
})

test('a host that asks for a pause gets it', async () => {
  const { time, status } = await run([{ status: 429, headers: { 'retry-after': '7' } }, { status: 200 }])
  assert.deepEqual([time.started, status], [[7000], 200])
})

test('a host that asks for too long a pause gets its answer returned', async () => {
  const { status, requests } = await run([{ status: 429, headers: { 'retry-after': '3600' } }])
  assert.deepEqual([status, requests], [429, 1])
})

test('notices name the host and the reason, not the path', async () => {
  const { notices } = await run([{ status: 503 }, { status: 200 }])
  assert.deepEqual(notices, ['log.example: status 503, trying again in 0.1 s'])
})

test('an abort ends the pause at once', async () => {
  const time = fakeTimers()
  const network = fakeNetwork(() => ({ status: 503 }))
  const ports = { timers: time.timers, clock: time.clock, random: () => 0 }
  const controller = new AbortController()
  const pending = withRetries(network.fetch, DEFAULT_RETRY, ports)(URL, { signal: controller.signal })
  const outcome = assert.rejects(pending, { code: 'HTTP_ABORTED' })
  await time.advance(1)
  controller.abort()
  await outcome
  assert.equal(network.requests.length, 1)
})

test('Retry-After is seconds or a date, and anything else is nothing', () => {
  const now = Date.UTC(2026, 0, 1)
  assert.equal(retryAfterMillis('120', now), 120_000)
  assert.equal(retryAfterMillis('Thu, 01 Jan 2026 00:00:10 GMT', now), 10_000)
  assert.equal(retryAfterMillis('Wed, 31 Dec 2025 00:00:10 GMT', now), 0)
  for (const nonsense of [null, '', '-1', '1.5', 'soon', '1e9', '99999999999', 'Thu GMT']) {
    assert.equal(retryAfterMillis(nonsense, now), undefined)
  }
})
