import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeTimers } from '#testing/fake-timers'
import { Repetition } from './timers.js'

test('it runs a pause after the last one has ended, until it is stopped', async () => {
  const time = fakeTimers()
  let runs = 0
  let end: () => void = () => undefined
  const repetition = new Repetition(
    time.timers,
    () => 100,
    () => {
      runs++
      return new Promise((resolve) => (end = resolve))
    },
  )
  repetition.start()
  await time.advance(350)
  assert.equal(runs, 1) // and has not ended
  end()
  await time.advance(100)
  assert.equal(runs, 2)
  repetition.stop()
  end()
  await time.advance(1000)
  assert.equal(runs, 2)
})

test('once stopped it does not begin', async () => {
  const time = fakeTimers()
  let runs = 0
  const repetition = new Repetition(
    time.timers,
    () => 1,
    () => {
      runs++
      return Promise.resolve()
    },
  )
  repetition.stop()
  repetition.start()
  await time.advance(10)
  assert.equal(runs, 0)
})
