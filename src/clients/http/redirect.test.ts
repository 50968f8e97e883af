import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, type FakeAnswer, type SeenRequest } from '#testing/fake-fetch'
import type { FetchInit } from './fetch.js'
import { withRedirects } from './redirect.js'

const SECRET = { authorization: 'Bearer s', cookie: 'c', accept: 'a' }

function to(location: string, status = 302): FakeAnswer {
  return { status, headers: { location } }
}

async function follow(
  first: FakeAnswer,
  init: FetchInit = {},
  url = 'https://a.example/x',
): Promise<{ status: number; last: SeenRequest }> {
  const network = fakeNetwork((_request, index) => (index === 0 ? first : { status: 200 }))
  const { status } = await withRedirects(network.fetch)(url, init)
  const last = network.requests.at(-1)
  assert.ok(last)
  return { status, last }
}

test('a redirect within the origin keeps the credentials', async () => {
  const { last } = await follow(to('/y'), { headers: SECRET })
  assert.equal(last.url.href, 'https://a.example/y')
  assert.equal(last.headers['authorization'], 'Bearer s')
})

for (const location of ['https://b.example/y', 'https://a.example:8443/y', '//b.example/y']) {
  test(`a redirect to ${location} loses the credentials and nothing else`, async () => {
    const { last } = await follow(to(location, 307), { headers: SECRET })
    assert.deepEqual(last.headers, { accept: 'a' })
  })
}

test('credentials do not come back on the way home', async () => {
  const stations = ['https://b.example/', 'https://a.example/y']
  const network = fakeNetwork((_request, index) => (stations[index] === undefined ? {} : to(stations[index])))
  await withRedirects(network.fetch)('https://a.example/x', { headers: SECRET })
  assert.equal(network.requests.at(-1)?.headers['authorization'], undefined)
})

for (const [location, from] of [
  ['http://a.example/y', 'https://a.example/x'],
  ['http://127.0.0.1/y', 'https://a.example/x'],
  ['file:///etc/passwd', 'http://a.example/x'],
  ['ftp://a.example/', 'http://a.example/x'],
  ['http://[bad', 'http://a.example/x'],
] as const) {
  test(`a redirect from ${from} to ${location} is refused`, async () => {
    await assert.rejects(follow(to(location), {}, from), { code: 'HTTP_REDIRECT' })
  })
}

test('a user name in a redirect is not used', async () => {
  const { last } = await follow(to('https://user:pw@b.example/y'))
  assert.equal(last.url.href, 'https://b.example/y')
})

test('going round in circles ends', async () => {
  const network = fakeNetwork(() => to('/x'))
  await assert.rejects(withRedirects(network.fetch)('https://a.example/x'), { code: 'HTTP_REDIRECT' })
  assert.equal(network.requests.length, 11)
})

test('307 and 308 repeat the request, 303 and an old 302 ask anew', async () => {
  const init = { method: 'POST', body: 'data', headers: { 'Content-Type': 'text/plain', accept: 'a' } }
  const kept = (await follow(to('/y', 308), init)).last
  assert.deepEqual([kept.method, kept.body.length], ['POST', 4])
  const turned = (await follow(to('/y', 303), init)).last
  assert.deepEqual([turned.method, turned.body.length, turned.headers], ['GET', 0, { accept: 'a' }])
  assert.equal((await follow(to('/y', 302), init)).last.method, 'GET')
  assert.equal((await follow(to('/y', 302), { method: 'PUT', body: 'data' })).last.method, 'PUT')
  assert.equal((await follow(to('/y', 303), { method: 'HEAD' })).last.method, 'HEAD')
})

test('a stream cannot be sent to a second place', async () => {
  const body = (async function* () {
    yield await Promise.resolve(new Uint8Array([1]))
  })()
  await assert.rejects(follow(to('/y', 307), { method: 'PUT', body }), { code: 'HTTP_REDIRECT' })
})

test('manual and error do as they say', async () => {
  assert.equal((await follow(to('/y'), { redirect: 'manual' })).status, 302)
  await assert.rejects(follow(to('/y'), { redirect: 'error' }), { code: 'HTTP_REDIRECT' })
})

test('a 302 without a Location is an answer like any other', async () => {
  assert.equal((await follow({ status: 302 })).status, 302)
})
