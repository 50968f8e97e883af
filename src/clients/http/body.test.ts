import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, type FakeAnswer } from '#testing/fake-fetch'
import { discardBody, readBytes, readJson, readText } from './body.js'
import type { FetchResponse } from './fetch.js'

const LIMITS = { limit: 8, what: 'it' }

async function answer(fake: FakeAnswer): Promise<FetchResponse> {
  return await fakeNetwork(() => fake).fetch('https://a.example/')
}

test('a body within the limit is read whole', async () => {
  assert.equal((await readBytes(await answer({ body: '12345678' }), LIMITS)).length, 8)
  assert.deepEqual(await readJson(await answer({ body: '{"a":1}' }), LIMITS), { a: 1 })
})

test('a body over the limit is refused, declared or not', async () => {
  await assert.rejects(readBytes(await answer({ body: '123456789' }), LIMITS), { code: 'HTTP_TOO_LARGE' })
  const declared = await answer({ body: '1', headers: { 'content-length': '9' } })
  await assert.rejects(readBytes(declared, LIMITS), { code: 'HTTP_TOO_LARGE' })
})

test('a body shorter than declared is refused', async () => {
  const short = await answer({ body: '123', headers: { 'content-length': '4' } })
  await assert.rejects(readBytes(short, LIMITS), { code: 'HTTP_TRUNCATED' })
})

for (const [name, body] of [
  ['not JSON', '{"a":'],
  ['a page', '<html>'],
  ['nothing', ''],
  ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
] as const) {
  test(`JSON that is ${name} is refused`, async () => {
    await assert.rejects(readJson(await answer({ body }), LIMITS), { code: 'HTTP_JSON' })
  })
}

test('text that is not UTF-8 is refused', async () => {
  await assert.rejects(readText(await answer({ body: new Uint8Array([0xc0]) }), LIMITS), { code: 'HTTP_JSON' })
})

test('a body nobody wants is dropped, however it ends', async () => {
  const broken = (async function* () {
    yield await Promise.resolve(new Uint8Array([1]))
    throw new Error('cut')
  })()
  await discardBody(await answer({ body: broken }))
  let pulled = 0
  const endless = (async function* () {
    for (;;) {
      pulled++
      yield await Promise.resolve(new Uint8Array(1024))
    }
  })()
  await discardBody(await answer({ body: endless }))
  assert.ok(pulled < 100)
})
