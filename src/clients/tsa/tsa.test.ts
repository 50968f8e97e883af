import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import { randomBytes } from '#crypto/random'
import { encodeUtf8 } from '#encoding/utf8'
import { parseTimestampRequest, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import { fakeNetwork, type FakeAnswer, type SeenRequest } from '#testing/fake-fetch'
import { createTestTsa, type StampOptions, type TestTsa } from '#testing/pki/tsa'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { requestTimestamp } from './tsa.js'

const DATA = encodeUtf8('signature')

async function ask(respond: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>): Promise<Uint8Array> {
  const { fetch } = fakeNetwork(respond)
  return await requestTimestamp(
    { fetch, url: 'https://tsa.example/api/v1/timestamp', random: randomBytes },
    { data: DATA },
  )
}

async function stamped(
  tsa: TestTsa,
  { body }: SeenRequest,
  change: StampOptions & { readonly data?: Uint8Array } = {},
): Promise<FakeAnswer> {
  const { nonce } = parseTimestampRequest(body)
  assert.ok(nonce)
  return { body: await tsa.stamp(change.data ?? DATA, { nonce, ...change }) }
}

test('a timestamp is for the data, whatever the digest', async () => {
  const world = await startVirtualSigstore()
  const service = { fetch: world.fetch, url: `${world.url}/api/v1/timestamp`, random: randomBytes }
  for (const name of ['sha256', 'sha384', 'sha512'] as const) {
    const { token } = parseTimestampResponse(await requestTimestamp(service, { data: DATA, digest: name }))
    assert.deepEqual(token?.info.imprint, { digest: name, hash: digest(name, DATA) })
  }
  await world.close()
})

test('only the digest leaves, with a positive nonce, and certificates are asked for', async () => {
  const tsa = await createTestTsa()
  await ask(async (request) => {
    const { imprint, nonce, certificates } = parseTimestampRequest(request.body)
    assert.deepEqual([imprint.hash, certificates], [digest('sha256', DATA), true])
    assert.ok((nonce?.[0] ?? 0) >= 0x40 && (nonce?.[0] ?? 0xff) < 0x80)
    return await stamped(tsa, request)
  })
})

test('an old server’s 201 is a timestamp too', async () => {
  const tsa = await createTestTsa()
  await ask(async (request) => ({ ...((await stamped(tsa, request)) as object), status: 201 }))
})

const CHANGES: readonly (readonly [string, StampOptions & { readonly data?: Uint8Array }])[] = [
  ['another nonce', { nonce: Uint8Array.of(0x41) }],
  ['other data', { data: encodeUtf8('other') }],
  ['another digest', { imprintDigest: 'sha512' }],
]
for (const [what, change] of CHANGES) {
  test(`a timestamp for ${what} is refused`, async () => {
    const tsa = await createTestTsa()
    await assert.rejects(
      ask(async (request) => await stamped(tsa, request, change)),
      { code: 'TSA_MISMATCH' },
    )
  })
}

test('a timestamp without the nonce is refused', async () => {
  const tsa = await createTestTsa()
  await assert.rejects(
    ask(async () => ({ body: await tsa.stamp(DATA) })),
    { code: 'TSA_MISMATCH' },
  )
})

test('a rejection says why', async () => {
  const tsa = await createTestTsa()
  await assert.rejects(
    ask(async (request) => await stamped(tsa, request, { rejection: 'badAlg' })),
    { code: 'TSA_REFUSED' },
  )
})

for (const [answer, code] of [
  [{ body: '' }, 'TSA_RESPONSE'],
  [{ body: '<html>' }, 'TSA_RESPONSE'],
  [{ body: Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00) }, 'TSA_RESPONSE'],
  [{ status: 400, body: 'bad' }, 'TSA_REFUSED'],
  [{ status: 404 }, 'TSA_REFUSED'],
  [{ status: 415 }, 'TSA_REFUSED'],
  [{ status: 429 }, 'TSA_UNAVAILABLE'],
  [{ status: 500 }, 'TSA_UNAVAILABLE'],
  [{ body: new Uint8Array(300_000) }, 'HTTP_TOO_LARGE'],
] as const) {
  test(`${JSON.stringify(answer).slice(0, 50)} is ${code}`, async () => {
    await assert.rejects(
      ask(() => answer),
      { code },
    )
  })
}
