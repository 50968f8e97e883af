import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeTimers } from '#testing/fake-timers'
import { budgetMillis, withDeadline } from './deadline.js'
import { answerOf } from './decision.js'
import { InFlight } from './in-flight.js'

for (const [text, millis] of [
  [null, 9000],
  ['10s', 9000],
  ['1s', 800],
  ['500ms', 400],
  ['30s', 29_000],
  ['1h', 29_000],
  ['0s', 9000],
  ['-5s', 9000],
  ['', 9000],
  ['soon', 9000],
  ['1e9s', 9000],
  ['9'.repeat(400) + 's', 9000],
] as const) {
  test(`a webhook's timeout of ${String(text).slice(0, 20)} leaves ${String(millis)} ms`, () => {
    assert.equal(budgetMillis(text), millis)
  })
}

test('the time is over when it is over, and when nobody waits any longer', async () => {
  const { timers, advance } = fakeTimers()
  const untilOver = (gone: AbortSignal): Promise<string> =>
    withDeadline(
      { millis: 100, timers, caller: { signal: gone } },
      ({ signal }) =>
        new Promise((resolve) => {
          if (signal.aborted) resolve('over at once')
          signal.addEventListener('abort', () => {
            resolve('over')
          })
        }),
    )
  const waiting = untilOver(new AbortController().signal)
  await advance(100)
  assert.equal(await waiting, 'over')
  const leaving = new AbortController()
  const left = untilOver(leaving.signal)
  leaving.abort()
  assert.equal(await left, 'over')
  assert.equal(await untilOver(AbortSignal.abort()), 'over at once')
})

test('whoever asks for no signal makes none, and is told all the same that the time is over', async () => {
  const { timers, advance } = fakeTimers()
  let asked = 0
  const caller = {
    get signal() {
      asked++
      return new AbortController().signal
    },
  }
  let goOn: () => void = () => undefined
  const held = new Promise<void>((resolve) => (goOn = resolve))
  const seen = withDeadline({ millis: 100, timers, caller }, async (deadline) => {
    const before = deadline.over
    await held
    return [before, deadline.over, asked, deadline.signal.aborted]
  })
  await advance(100)
  goOn()
  assert.deepEqual(await seen, [false, true, 0, true])
})

test('more requests than there may be are refused, and those before them are not', async () => {
  const inFlight = new InFlight({ requests: 2, bytes: 100 })
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const running = [inFlight.withRequest(() => held), inFlight.withRequest(() => held)]
  await assert.rejects(
    inFlight.withRequest(() => held),
    { code: 'ADMISSION_OVERLOADED' },
  )
  release()
  await Promise.all(running)
  assert.equal(inFlight.requests, 0)
})

test('bodies take memory while their request is judged, and give it back, whatever happens', async () => {
  const inFlight = new InFlight({ requests: 10, bytes: 100 })
  for (let round = 0; round < 3; round++) {
    await assert.rejects(
      inFlight.withRequest(async ({ take }) => {
        take(60)
        await assert.rejects(
          inFlight.withRequest(async (body) => {
            body.take(41)
            return Promise.resolve()
          }),
          { code: 'ADMISSION_OVERLOADED' },
        )
        throw new Error('judged badly')
      }),
      /judged badly/,
    )
  }
})

test('an answer is of a size that the API server passes on', () => {
  const denial = { code: 400, reason: 'BadRequest', message: `${'x'.repeat(16_383)}💥${'y'.repeat(1_000_000)}` }
  const warnings = Array.from({ length: 500 }, () => `two\nlines\u0007 ${'w'.repeat(5000)}`)
  const auditAnnotations = { policies: 'p'.repeat(1_000_000) }
  const patch = [{ op: 'replace' as const, path: '/a', value: 'b' }]
  const answer = JSON.stringify(answerOf({ uid: 'u', denial, warnings, auditAnnotations, patch }))
  assert.ok(answer.length < 60_000, String(answer.length))
  assert.ok(!answer.includes('\\u0007') && !answer.includes('\\n'))
  // Half a character would be none.
  assert.ok(!/\\ud83d(?!\\u)/i.test(answer))
  assert.ok(!answer.includes('"patch"'))
})
