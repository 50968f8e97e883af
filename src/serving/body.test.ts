import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BodyErrorCode } from './body.js'
import { bodyChunks, declaredLength, mediaType, readBody, readForm, readJson } from './body.js'
import { streamOf } from './responses.js'

function post(body: string | Uint8Array | ReadableStream<Uint8Array>, headers: Record<string, string> = {}): Request {
  return new Request('http://x/', {
    method: 'POST',
    body,
    headers,
    ...(body instanceof ReadableStream && { duplex: 'half' as const }),
  })
}

async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield await Promise.resolve(new Uint8Array(size).fill(index))
}

test('reads a body of exactly the limit, in one piece or many', async () => {
  assert.equal((await readBody(post('abcd'), { maxBytes: 4 })).length, 4)
  assert.deepEqual(await readBody(post(streamOf(pieces(3, 2))), { maxBytes: 6 }), Uint8Array.of(0, 0, 1, 1, 2, 2))
  assert.equal((await readBody(new Request('http://x/'), { maxBytes: 0 })).length, 0)
})

test('reads JSON and forms', async () => {
  assert.deepEqual(await readJson(post('{"a":[1]}'), { maxBytes: 100 }), { a: [1] })
  const form = await readForm(
    post('a=1&b=%C3%A4', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }),
    100,
  )
  assert.deepEqual(
    [...form],
    [
      ['a', '1'],
      ['b', 'ä'],
    ],
  )
})

test('stops reading a sender that goes on for ever', async () => {
  let sent = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += 1
      yield await Promise.resolve(new Uint8Array(10))
    }
  }
  await assert.rejects(readBody(post(streamOf(endless())), { maxBytes: 25 }), { code: 'BODY_TOO_LARGE' })
  assert.ok(sent <= 4, `pulled ${String(sent)} chunks`)
})

async function* broken(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(1))
  throw new Error('connection reset')
}

const REFUSED: readonly { name: string; code: BodyErrorCode; read: () => Promise<unknown> }[] = [
  { name: 'one byte too many', code: 'BODY_TOO_LARGE', read: () => readBody(post('abcde'), { maxBytes: 4 }) },
  {
    name: 'one byte too many without a declared length',
    code: 'BODY_TOO_LARGE',
    read: () => readBody(post(streamOf(pieces(5, 1))), { maxBytes: 4 }),
  },
  {
    name: 'a declared length beyond the limit',
    code: 'BODY_TOO_LARGE',
    read: () => readBody(post('', { 'content-length': '999' }), { maxBytes: 4 }),
  },
  {
    name: 'another media type',
    code: 'BODY_MEDIA_TYPE',
    read: () => readJson(post('{}', { 'content-type': 'text/html' }), { maxBytes: 4, types: ['application/json'] }),
  },
  {
    name: 'no media type',
    code: 'BODY_MEDIA_TYPE',
    read: () => readBody(post(new Uint8Array(1)), { maxBytes: 4, types: ['a/b'] }),
  },
  {
    name: 'a media type that only starts right',
    code: 'BODY_MEDIA_TYPE',
    read: () => readBody(post('', { 'content-type': 'a/bc' }), { maxBytes: 4, types: ['a/b'] }),
  },
  {
    name: 'a compressed body',
    code: 'BODY_ENCODING',
    read: () => readBody(post('x', { 'content-encoding': 'gzip' }), { maxBytes: 4 }),
  },
  {
    name: 'a client that goes away',
    code: 'BODY_INCOMPLETE',
    read: () => readBody(post(streamOf(broken())), { maxBytes: 4 }),
  },
  { name: 'broken JSON', code: 'BODY_JSON', read: () => readJson(post('{"a":'), { maxBytes: 100 }) },
  {
    name: 'JSON that is not UTF-8',
    code: 'BODY_JSON',
    read: () => readJson(post(Uint8Array.of(0x22, 0xff, 0x22)), { maxBytes: 100 }),
  },
  { name: 'no JSON at all', code: 'BODY_JSON', read: () => readJson(post(''), { maxBytes: 100 }) },
  {
    name: 'a form of another type',
    code: 'BODY_MEDIA_TYPE',
    read: () => readForm(post('a=1', { 'content-type': 'text/plain' }), 100),
  },
  {
    name: 'a form that is not UTF-8',
    code: 'BODY_TEXT',
    read: () => readForm(post(Uint8Array.of(0xff), { 'content-type': 'application/x-www-form-urlencoded' }), 100),
  },
]
for (const { name, code, read } of REFUSED) {
  test(`refuses ${name}`, async () => {
    await assert.rejects(read, { code })
  })
}

test('the error of the chunks keeps its cause for the log', async () => {
  const read = async (): Promise<void> => {
    for await (const chunk of bodyChunks(post(streamOf(broken())))) assert.equal(chunk.length, 1)
  }
  await assert.rejects(read, (error: Error) => error.cause instanceof Error)
})

test('header helpers', () => {
  assert.equal(mediaType(post('', { 'content-type': 'Text/Plain ; charset=x' })), 'text/plain')
  for (const odd of ['-1', '1e3', '0x1', '', '9'.repeat(16)])
    assert.equal(declaredLength(post('', { 'content-length': odd })), undefined, odd)
})
