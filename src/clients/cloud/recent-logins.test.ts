import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Expiring, RecentLogins } from './recent-logins.js'

const MINUTE = 60_000

/** Counts how often it is asked. */
function logins(lives: readonly (number | undefined)[]): {
  readonly at: (minutes: number) => Promise<number>
} {
  let now = 0
  let asked = 0
  const kept = new RecentLogins(() => now)
  const ask = async (): Promise<Expiring & { readonly number: number }> => {
    const life = lives[Math.min(asked, lives.length - 1)]
    return { number: asked++, expires: life === undefined ? undefined : now + life * MINUTE }
  }
  return {
    at: async (minutes) => {
      now = minutes * MINUTE
      return (await kept.get('one', ask)).number
    },
  }
}

for (const [name, life, same, other] of [
  ['that runs out is asked for five minutes before', 10, 4.9, 5],
  ['that holds for long is asked for every quarter of an hour', 720, 14.9, 15],
  ['of which nobody said how long it holds, every minute', undefined, 0.9, 1],
  ['that is about to run out, at once', 5, 0, 0],
  ['that has run out, at once', -5, 0, 0],
] as const) {
  test(`a login ${name}`, async () => {
    const { at } = logins([life])
    assert.equal(await at(0), 0)
    if (same > 0) assert.equal(await at(same), 0)
    assert.equal(await at(other), 1)
  })
}

test('whoever comes while one is asked for waits for it, and one that fails is asked for again', async () => {
  const kept = new RecentLogins(() => 0)
  let asked = 0
  const fail = async (): Promise<Expiring> => {
    asked++
    throw new Error('no')
  }
  const both = await Promise.allSettled([kept.get('one', fail), kept.get('one', fail)])
  assert.deepEqual([asked, ...both.map(({ status }) => status)], [1, 'rejected', 'rejected'])
  await assert.rejects(kept.get('one', fail))
  assert.equal(asked, 2)
})

test('one name does not get the login of another', async () => {
  const kept = new RecentLogins(() => 0)
  const give = (token: string) => async () => ({ token, expires: Infinity })
  assert.equal((await kept.get('one', give('a'))).token, 'a')
  assert.equal((await kept.get('two', give('b'))).token, 'b')
  assert.equal((await kept.get('one', give('c'))).token, 'a')
})
