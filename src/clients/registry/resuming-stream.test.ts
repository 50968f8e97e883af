import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { digestOf } from '#formats/oci/digest'
import { fakeNetwork, type FakeAnswer, type FakeNetwork, type SeenRequest } from '#testing/fake-fetch'
import { HttpError } from '../http/http-error.js'
import { anonymousKeychain } from './authenticator.js'
import { createRegistryClient } from './client.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const CONTENT = 'a layer that takes long to come'
const DIGEST = digestOf(encodeUtf8(CONTENT))

/** Text that comes and then breaks off. */
async function* cut(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  if (text !== '') yield await Promise.resolve(encodeUtf8(text))
  throw new HttpError('HTTP_TRUNCATED', 'cut off')
}

async function download(respond: (request: SeenRequest, index: number) => FakeAnswer): Promise<{
  readonly text: Promise<string>
  readonly network: FakeNetwork
}> {
  const network = fakeNetwork(respond)
  const client = createRegistryClient({ fetch: network.fetch, clock: () => 0, keychain: anonymousKeychain })
  const read = async (): Promise<string> => {
    const pieces: Uint8Array[] = []
    for await (const piece of client.openBlob(APP, { digest: DIGEST, size: CONTENT.length })) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }
  const text = read()
  text.catch(() => undefined)
  await text.then(undefined, () => undefined)
  return { text, network }
}

function ranges({ requests }: FakeNetwork): readonly (string | undefined)[] {
  return requests.map(({ headers }) => headers['range'])
}

test('what was cut off is gone on with, from the byte where it ended', async () => {
  const { text, network } = await download((request, index) => {
    if (index === 0) return { body: cut(CONTENT.slice(0, 7)) }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers['range'] ?? '')?.[1])
    const rest = CONTENT.slice(from)
    const headers = { 'content-range': `bytes ${String(from)}-${String(CONTENT.length - 1)}/${String(CONTENT.length)}` }
    return { status: 206, headers, body: index === 1 ? cut(rest.slice(0, 5)) : rest }
  })
  assert.equal(await text, CONTENT)
  assert.deepEqual(ranges(network), [undefined, 'bytes=7-', 'bytes=12-'])
})

test('a host that begins from the start again is put up with', async () => {
  const { text } = await download((_, index) => (index === 0 ? { body: cut(CONTENT.slice(0, 7)) } : { body: CONTENT }))
  assert.equal(await text, CONTENT)
})

test('a host that begins a part earlier than asked is put up with', async () => {
  const { text } = await download((_, index) =>
    index === 0
      ? { body: cut(CONTENT.slice(0, 7)) }
      : { status: 206, headers: { 'content-range': 'bytes 2-30/31' }, body: CONTENT.slice(2) },
  )
  assert.equal(await text, CONTENT)
})

for (const [what, answer, code] of [
  [
    'that goes on too late',
    { status: 206, headers: { 'content-range': 'bytes 9-30/31' }, body: CONTENT.slice(9) },
    'REGISTRY_DIGEST',
  ],
  [
    'that says where it goes on, and lies',
    { status: 206, headers: { 'content-range': 'bytes 7-30/31' }, body: CONTENT.slice(9) },
    'REGISTRY_DIGEST',
  ],
  ['that goes on with something else', { status: 206, body: 'x'.repeat(CONTENT.length - 7) }, 'REGISTRY_DIGEST'],
  ['that goes on with more', { status: 206, body: `${CONTENT.slice(7)}, and more` }, 'REGISTRY_DIGEST'],
  ['that knows nothing of it any more', { status: 404 }, 'REGISTRY_NOT_FOUND'],
  ['that knows no ranges', { status: 416 }, 'REGISTRY_REFUSED'],
] as const) {
  test(`a host ${what} is refused`, async () => {
    const { text } = await download((_, index) => (index === 0 ? { body: cut(CONTENT.slice(0, 7)) } : answer))
    await assert.rejects(text, { code })
  })
}

test('a part that was not asked for is refused', async () => {
  const { text } = await download(() => ({ status: 206, body: CONTENT }))
  await assert.rejects(text, { code: 'REGISTRY_REFUSED' })
})

test('a host that sends nothing but cuts is given up', async () => {
  const { text, network } = await download((_, index) => ({ body: cut(index === 0 ? CONTENT.slice(0, 7) : '') }))
  await assert.rejects(text, { code: 'HTTP_TRUNCATED' })
  assert.equal(network.requests.length, 4)
})

test('a blob that ends early without a cut is another one', async () => {
  const { text, network } = await download(() => ({ body: CONTENT.slice(0, 7) }))
  await assert.rejects(text, { code: 'REGISTRY_DIGEST' })
  assert.equal(network.requests.length, 1)
})
