import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { CodedError } from '#errors'
import type { KnownKey } from '#policy/internal/attestor'
import { fakeTimers } from '#testing/fake-timers'
import { KMS_REFRESH, KmsKeys } from './kms-keys.js'

const URI = 'hashivault://cosign'
const knownKey = async (): Promise<KnownKey> => ({
  key: (await generatePrivateKey('ecdsa-sha2-256-nistp256')).publicKey,
})
const [first, second] = [await knownKey(), await knownKey()]
const down = new CodedError('KMS_UNREACHABLE', 'nobody answers')
const denied = new CodedError('KMS_DENIED', 'not allowed')

type Answer = KnownKey | Error | Promise<KnownKey>

/** Answers with what stands in `answer` at the time. */
function open(answer: Answer) {
  const time = fakeTimers()
  const asked: string[] = []
  const stale: string[] = []
  const service = { answer }
  const keys = new KmsKeys({
    clock: time.clock,
    timers: time.timers,
    onStale: (uri) => stale.push(uri),
    load: async (uri, signal) => {
      asked.push(uri)
      const { answer: now } = service
      if (now instanceof Error) throw now
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new CodedError('HTTP_ABORTED', 'given up'))
        })
      })
      return await Promise.race([now, aborted])
    },
  })
  return { keys, service, asked, stale, time }
}

const never = new Promise<KnownKey>(() => undefined)

test('a key that never could be had is refused, and the service not asked at once again', async () => {
  const { keys, service, asked, time } = open(down)
  for (let count = 0; count < 50; count++) await assert.rejects(keys.get(URI), { code: 'KMS_UNREACHABLE' })
  assert.equal(asked.length, 1)
  await time.advance(15_000)
  service.answer = first
  assert.equal(await keys.get(URI), first)
})

test('one question for all who ask at the same time, and for those who ask later', async () => {
  let give: (key: KnownKey) => void = () => undefined
  const { keys, asked } = open(new Promise((resolve) => (give = resolve)))
  const waiting = Promise.all(Array.from({ length: 20 }, () => keys.get(URI)))
  give(first)
  assert.deepEqual(
    await waiting,
    Array.from({ length: 20 }, () => first),
  )
  assert.equal(await keys.get(URI), first)
  assert.equal(asked.length, 1)
})

test('a key that was replaced is obeyed after the next look, which nobody waits for', async () => {
  const { keys, service, time } = open(first)
  assert.equal(await keys.get(URI), first)
  service.answer = second
  assert.equal(await keys.get(URI), first)
  await time.advance(KMS_REFRESH)
  assert.equal(await keys.get(URI), second)
})

for (const problem of [down, denied, new CodedError('KMS_RESPONSE', 'odd'), new Error('a fault')]) {
  test(`the last good key stays while the service says: ${problem.message}`, async () => {
    const { keys, service, asked, stale, time } = open(first)
    await keys.get(URI)
    service.answer = problem
    for (let look = 0; look < 5; look++) {
      await time.advance(KMS_REFRESH)
      assert.equal(await keys.get(URI), first)
    }
    assert.deepEqual([asked.length, stale.length], [6, 5])
  })
}

for (const code of ['KMS_NOT_FOUND', 'KMS_KEY_USAGE', 'KMS_KEY_TYPE']) {
  test(`a key that the service has no longer (${code}) does not count any longer, also when the service goes away then`, async () => {
    const { keys, service, time } = open(first)
    await keys.get(URI)
    service.answer = new CodedError(code, 'no such key')
    await time.advance(KMS_REFRESH)
    await assert.rejects(keys.get(URI), { code })
    service.answer = down
    await time.advance(KMS_REFRESH)
    await assert.rejects(keys.get(URI), { code: 'KMS_UNREACHABLE' })
  })
}

test('a service that hangs: the key that there is is given at once, and one that there is not refused after a while', async () => {
  const { keys, service, time, stale } = open(first)
  await keys.get(URI)
  service.answer = never
  await time.advance(KMS_REFRESH)
  assert.equal(await keys.get(URI), first)
  await time.advance(10_000)
  assert.deepEqual(stale, [URI])
  const waiting = assert.rejects(keys.get('hashivault://other'), { code: 'POLICY_KEY' })
  await time.advance(10_000)
  await waiting
})

test('a key that nobody wants is not asked for, and looked at before it counts again', async () => {
  const { keys, service, asked, time } = open(first)
  await keys.get(URI)
  for (let hour = 0; hour < 36; hour++) await time.advance(KMS_REFRESH)
  const before = asked.length
  assert.ok(before <= 13, String(before))
  service.answer = second
  assert.equal(await keys.get(URI), second)
  service.answer = down
  for (let hour = 0; hour < 36; hour++) await time.advance(KMS_REFRESH)
  assert.equal(await keys.get(URI), second)
})

test('addresses that others choose do not push out keys that are in use', async () => {
  const { keys, service, asked } = open(first)
  await keys.get(URI)
  service.answer = down
  for (let count = 0; count < 3000; count++) await assert.rejects(keys.get(`hashivault://x${String(count)}`))
  asked.length = 0
  assert.equal(await keys.get(URI), first)
  assert.deepEqual(asked, [])
})

test('closed, nothing is asked any more', async () => {
  const { keys, asked, time } = open(first)
  await keys.get(URI)
  keys.close()
  await time.advance(KMS_REFRESH)
  assert.equal(asked.length, 1)
})
