import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inParallel, untilAborted } from './parallel.js'

interface Gate {
  readonly promise: Promise<string>
  readonly resolve: (value: string) => void
  readonly reject: (reason: Error) => void
}

/** Promises that a test settles by hand. */
function gates(count: number): readonly Gate[] {
  return Array.from({ length: count }, () => {
    let resolve: Gate['resolve'] = () => undefined
    let reject: Gate['reject'] = () => undefined
    const promise = new Promise<string>((yes, no) => {
      resolve = yes
      reject = no
    })
    return { promise, resolve, reject }
  })
}

const turn = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('so many at once and no more, and the order is kept', async () => {
  const all = gates(4)
  const begun: number[] = []
  const result = inParallel(all, 2, async ({ promise }) => {
    begun.push(begun.length)
    return await promise
  })
  await turn()
  assert.equal(begun.length, 2)
  for (const [index, { resolve }] of [...all.entries()].reverse()) resolve(String(index))
  assert.deepEqual(await result, ['0', '1', '2', '3'])
  assert.deepEqual(await inParallel([], 2, async () => await Promise.resolve()), [])
})

test('the first error is thrown once the others have come to rest, and nothing more is begun', async () => {
  const all = gates(4)
  const begun: number[] = []
  const stopped: boolean[] = []
  let settled = false
  const result = inParallel(all, 2, async ({ promise }, signal) => {
    begun.push(begun.length)
    await promise
    stopped.push(signal.aborted)
    return 'done'
  })
  result.then(undefined, () => {
    settled = true
  })
  await turn()
  all[0]?.reject(new Error('first'))
  await turn()
  assert.equal(settled, false)
  all[1]?.resolve('')
  await assert.rejects(result, { message: 'first' })
  assert.deepEqual(stopped, [true])
  assert.equal(begun.length, 2)
})

test('pieces end where another one has failed', async () => {
  const controller = new AbortController()
  const seen: number[] = []
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; ; i++) yield await Promise.resolve(Uint8Array.of(i))
  }
  await assert.rejects(
    async () => {
      for await (const [first] of untilAborted(pieces(), controller.signal)) {
        seen.push(first ?? -1)
        if (first === 2) controller.abort(new Error('another'))
      }
    },
    { message: 'another' },
  )
  assert.deepEqual(seen, [0, 1, 2])
})
