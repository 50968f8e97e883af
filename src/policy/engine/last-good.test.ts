import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastGood } from './last-good.js'

const down = (): Promise<string> => Promise.reject(new Error('down'))

test('the last good value stands in, and that is told', async () => {
  const stale: string[] = []
  const kept = new LastGood<string>((what) => stale.push(what))
  assert.equal(await kept.load('key', () => Promise.resolve('one')), 'one')
  assert.equal(await kept.load('key', () => Promise.resolve('two')), 'two')
  assert.deepEqual(stale, [])
  assert.equal(await kept.load('key', down), 'two')
  assert.deepEqual(stale, ['key'])
})

test('what was never had is a refusal, and so is what was taken away', async () => {
  const kept = new LastGood<string>(() => undefined)
  await assert.rejects(kept.load('key', down), /down/)
  await kept.load('key', () => Promise.resolve('one'))
  await assert.rejects(kept.load('another', down), /down/)
  kept.forget('key')
  await assert.rejects(kept.load('key', down), /down/)
})

test('so many are kept, and no more', async () => {
  const kept = new LastGood<number>(() => undefined)
  for (let each = 0; each <= 10_000; each++) await kept.load(String(each), () => Promise.resolve(each))
  await assert.rejects(kept.load('0', () => Promise.reject(new Error('down'))))
  assert.equal(await kept.load('1', () => Promise.reject(new Error('down'))), 1)
})
