import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadlineOf } from './deadline.js'
import { Turns } from './turns.js'

/** A clock that work moves on. */
function worked(): { readonly clock: () => number; readonly work: (millis: number) => number } {
  let now = 0
  return { clock: () => now, work: (millis) => (now += millis) }
}

test('others have a turn between two long pieces', async () => {
  const { clock, work } = worked()
  const turns = new Turns(clock, deadlineOf(new AbortController().signal))
  const seen: string[] = []
  setImmediate(() => seen.push('another'))
  const piece = (name: string) => turns.take(() => seen.push(name) + work(1_000))
  await Promise.all([piece('first'), piece('second')])
  assert.deepEqual(seen, ['first', 'another', 'second'])
})

test('short pieces are not held up', async () => {
  const { clock, work } = worked()
  const turns = new Turns(clock, deadlineOf(new AbortController().signal))
  const seen: string[] = []
  setImmediate(() => seen.push('another'))
  await Promise.all(['first', 'second', 'third'].map((name) => turns.take(() => seen.push(name) + work(1))))
  assert.deepEqual(seen, ['first', 'second', 'third'])
})

test('what has not begun when the time is over does not begin', async () => {
  const { clock, work } = worked()
  const ending = new AbortController()
  const turns = new Turns(clock, deadlineOf(ending.signal))
  // As a timer does: it comes only if it is let.
  setImmediate(() => {
    ending.abort()
  })
  const pieces = [1, 2, 3].map((piece) => turns.take(() => piece + work(1_000) * 0))
  const outcomes = await Promise.allSettled(pieces)
  assert.deepEqual(
    outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : outcome.value,
    ),
    [1, 'POLICY_DEADLINE', 'POLICY_DEADLINE'],
  )
})

test('one that fails does not stop the next', async () => {
  const turns = new Turns(() => 0, deadlineOf(new AbortController().signal))
  const broken = turns.take(() => {
    throw new TypeError('broken')
  })
  const next = turns.take(() => 'done')
  await assert.rejects(broken, TypeError)
  assert.equal(await next, 'done')
})
