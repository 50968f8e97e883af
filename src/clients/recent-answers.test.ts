import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentAnswers } from './recent-answers.js'

/** Answers that are given when the test says so. */
function questions() {
  const asked: { readonly answer: (value: string) => void; readonly fail: () => void }[] = []
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      asked.push({
        answer: resolve,
        fail: () => {
          reject(new Error('no'))
        },
      })
    })
  return { asked, ask }
}

test('a question is asked once, however many ask, and its answer is known from then on', async () => {
  const { asked, ask } = questions()
  const answers = new RecentAnswers(10)
  const both = Promise.all([answers.get('a', ask), answers.get('a', ask)])
  asked[0]?.answer('x')
  assert.deepEqual(await both, ['x', 'x'])
  assert.equal(await answers.get('a', ask), 'x')
  assert.equal(asked.length, 1)
})

test('what failed fails for all who wait, and is asked again', async () => {
  const { asked, ask } = questions()
  const answers = new RecentAnswers(10)
  const both = Promise.allSettled([answers.get('a', ask), answers.get('a', ask)])
  asked[0]?.fail()
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  const again = answers.get('a', ask)
  asked[1]?.answer('y')
  assert.equal(await again, 'y')
})

test('an answer that has lived its time is not believed any longer', async () => {
  let now = 0
  const answers = new RecentAnswers(10, { clock: () => now, millis: 5 })
  let count = 0
  const ask = (): Promise<number> => Promise.resolve(++count)
  assert.equal(await answers.get('a', ask), 1)
  now = 4
  assert.equal(await answers.get('a', ask), 1)
  now = 5
  assert.equal(await answers.get('a', ask), 2)
})

test('a late failure does not take away the answer that came in its place', async () => {
  let now = 0
  const { asked, ask } = questions()
  const answers = new RecentAnswers(10, { clock: () => now, millis: 5 })
  const slow = answers.get('a', ask)
  now = 10
  const next = answers.get('a', ask)
  asked[1]?.answer('new')
  asked[0]?.fail()
  await assert.rejects(slow)
  assert.equal(await next, 'new')
  assert.equal(await answers.get('a', ask), 'new')
})

test('what was used longest ago is forgotten', async () => {
  const answers = new RecentAnswers(1)
  let count = 0
  const ask = (): Promise<number> => Promise.resolve(++count)
  await answers.get('a', ask)
  await answers.get('b', ask)
  assert.equal(await answers.get('a', ask), 3)
})
