import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import { leafHash } from '#formats/rekor-entry/entry-id'
import { encodeHashedRekordV2, type HashedRekordV2 } from '#formats/rekor-entry/body-v2'
import { transparencyLogEntryToJson } from '#formats/rekor-entry/log-entry-proto'
import { verifyInclusion } from '#formats/merkle/proof'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { fakeNetwork, json, type FakeAnswer, type SeenRequest } from '#testing/fake-fetch'
import { fakeTimers } from '#testing/fake-timers'
import { createTestRekor } from '#testing/pki/rekor'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { createRekorTilesClient, type RekorTilesClient } from './rekor-tiles.js'

const LOG_ID = new Uint8Array(32).fill(9)

async function proposal(text = 'artifact'): Promise<HashedRekordV2> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const data = encodeUtf8(text)
  return {
    digest: { algorithm: 'sha256', value: digest('sha256', data) },
    signature: await key.sign(data),
    verifier: { kind: 'public-key', spki: key.publicKey.spki },
    algorithm: key.algorithm,
  }
}

function provesItself({ canonicalizedBody, inclusionProof }: LogEntry): void {
  assert.ok(inclusionProof)
  const { logIndex, treeSize, hashes, rootHash } = inclusionProof
  verifyInclusion({
    leafIndex: logIndex,
    treeSize,
    leafHash: leafHash(canonicalizedBody),
    proof: hashes,
    root: rootHash,
  })
}

interface Bench {
  readonly client: RekorTilesClient
  readonly time: ReturnType<typeof fakeTimers>
  readonly lines: () => readonly string[]
}

function setUp(respond: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>, known = true): Bench {
  const network = fakeNetwork(respond)
  const time = fakeTimers()
  time.autoAdvance()
  const client = createRekorTilesClient({
    fetch: network.fetch,
    baseUrl: 'https://log.example/',
    timers: time.timers,
    ...(known && { logIdOf: () => LOG_ID }),
  })
  return { client, time, lines: network.lines }
}

test('an entry is logged, and found again instead of being logged twice', async () => {
  const world = await startVirtualSigstore()
  const client = createRekorTilesClient({ fetch: world.fetch, baseUrl: world.url, timers: fakeTimers().timers })
  const sent = await proposal()
  const first = await client.create(sent)
  provesItself(first.entry)
  assert.deepEqual(first.entry.canonicalizedBody, encodeHashedRekordV2(sent))
  const second = await client.create(sent)
  provesItself(second.entry)
  assert.deepEqual([first.created, second.created], [true, false])
  assert.deepEqual([second.entry.logIndex, second.entry.logId], [first.entry.logIndex, first.entry.logId])
  await world.close()
})

test('where a 409 says only the index, the proof is made from the tiles', async () => {
  const world = await startVirtualSigstore()
  const others = createRekorTilesClient({ fetch: world.fetch, baseUrl: world.url, timers: fakeTimers().timers })
  const sent = await proposal()
  for (let count = 0; count < 5; count++) await others.create(await proposal(String(count)))
  const { entry } = await others.create(sent)
  for (let count = 0; count < 6; count++) await others.create(await proposal(`after ${String(count)}`))
  const { client } = setUp(async ({ url, init }) => {
    const response = await world.fetch(`${world.url}${url.pathname}`, init)
    const headers = response.status === 409 ? { 'x-log-index': response.headers.get('x-log-index') ?? '' } : {}
    return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) }
  })
  const recovered = await client.create(sent)
  provesItself(recovered.entry)
  assert.equal(recovered.entry.logIndex, entry.logIndex)
  assert.deepEqual([recovered.created, recovered.entry.logId], [false, LOG_ID])
  assert.deepEqual(recovered.entry.canonicalizedBody, entry.canonicalizedBody)
  await world.close()
})

const STATUSES = [
  [400, 'REKOR_REFUSED'],
  [401, 'REKOR_REFUSED'],
  [404, 'REKOR_NOT_FOUND'],
  [405, 'REKOR_FROZEN'],
  [413, 'REKOR_TOO_LARGE'],
  [429, 'REKOR_UNAVAILABLE'],
  [500, 'REKOR_UNAVAILABLE'],
  [503, 'REKOR_UNAVAILABLE'],
] as const
for (const [status, code] of STATUSES) {
  test(`status ${String(status)} is ${code}, with the log’s reason`, async () => {
    const { client } = setUp(() => json({ code: 3, message: 'because' }, status))
    await assert.rejects(client.create(await proposal()), { code, found: `status ${String(status)}: because` })
    await assert.rejects(client.checkpoint(), { code })
  })
}

async function answerOf(change: (entry: Record<string, unknown>) => unknown): Promise<FakeAnswer> {
  const log = await createTestRekor({ version: 2 })
  const entry = transparencyLogEntryToJson(await log.append(encodeHashedRekordV2(await proposal())), {
    emitUnpopulated: true,
  })
  return json(change({ ...entry }), 201)
}

test('an answer with every field present is read', async () => {
  const answer = await answerOf((entry) => entry)
  const { entry } = await setUp(() => answer).client.create(await proposal())
  assert.equal(entry.integratedTime, undefined)
})

const BROKEN: readonly (readonly [string, (entry: Record<string, unknown>) => unknown])[] = [
  ['nothing', () => ({})],
  ['an array', () => []],
  ['no proof', ({ inclusionProof: _none, ...rest }) => rest],
  ['no log', ({ logId: _none, ...rest }) => rest],
  ['no body', ({ canonicalizedBody: _none, ...rest }) => rest],
  [
    'a proof without checkpoint',
    ({ inclusionProof, ...rest }) => ({ ...rest, inclusionProof: { ...(inclusionProof as object), checkpoint: null } }),
  ],
  ['a negative index', (entry) => ({ ...entry, logIndex: '-1' })],
  ['an index that is no number', (entry) => ({ ...entry, logIndex: 'one' })],
]
for (const [what, change] of BROKEN) {
  test(`an answer with ${what} is no entry`, async () => {
    const answer = await answerOf(change)
    await assert.rejects(setUp(() => answer).client.create(await proposal()), { code: 'REKOR_RESPONSE' })
  })
}

for (const index of [undefined, '', 'x', '-1', '1.5', '9'.repeat(20)]) {
  test(`a 409 with the index ${String(index)} helps nobody`, async () => {
    const headers: Record<string, string> = index === undefined ? {} : { 'x-log-index': index }
    const { client } = setUp(() => ({ status: 409, headers }))
    await assert.rejects(client.create(await proposal()), { code: 'REKOR_DUPLICATE' })
  })
}

/** A log that holds `count` foreign entries and says that ours is the first of them. */
function lying(count: number): (request: SeenRequest) => Promise<FakeAnswer> {
  let text = ''
  return async ({ url }) => {
    if (url.pathname.endsWith('/log/entries')) return { status: 409, headers: { 'x-log-index': '0' } }
    if (url.pathname.endsWith('/checkpoint')) {
      const log = await createTestRekor({ version: 2, size: count - 1 })
      text =
        (await log.append(encodeUtf8('{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{}}'))).inclusionProof
          ?.checkpoint ?? ''
      return { body: text }
    }
    return { body: new Uint8Array(32 * count).fill(1) }
  }
}

test('a log that claims an entry it does not hold is caught', async () => {
  await assert.rejects(setUp(lying(4)).client.create(await proposal()), { code: 'REKOR_RESPONSE' })
})

test('tiles of the wrong size and tiles that are missing are told of', async () => {
  const truth = lying(4)
  const short = setUp(async (request) =>
    request.url.pathname.includes('/tile/') ? { body: new Uint8Array(33) } : await truth(request),
  )
  await assert.rejects(short.client.create(await proposal()), { code: 'REKOR_RESPONSE' })
  const missing = setUp(async (request) =>
    request.url.pathname.includes('/tile/') ? { status: 404 } : await truth(request),
  )
  await assert.rejects(missing.client.create(await proposal()), { code: 'REKOR_NOT_FOUND' })
  assert.ok(
    missing.lines().some((line) => line.endsWith('/tile/0/000')),
    'the full tile is asked for too',
  )
})

test('an address elsewhere in a 409 is not followed', async () => {
  const truth = lying(4)
  const { client, lines } = setUp(async (request) => {
    const answer = await truth(request)
    const evil = { 'x-log-index': '0', location: 'https://evil.example/api/v2/log/entries/0' }
    return request.method === 'POST' ? { status: 409, headers: evil } : answer
  })
  await assert.rejects(client.create(await proposal()), { code: 'REKOR_RESPONSE' })
  assert.ok(lines().every((line) => line.includes('https://log.example/')))
})

test('a log whose checkpoint never covers the entry is waited for, but not for ever', async () => {
  const truth = lying(2)
  const { client, time } = setUp(async (request) => {
    return request.method === 'POST' ? { status: 409, headers: { 'x-log-index': '7' } } : await truth(request)
  })
  await assert.rejects(client.create(await proposal()), { code: 'REKOR_DUPLICATE' })
  assert.equal(time.started.length, 5)
})

test('without knowing the log a duplicate cannot be made into an entry', async () => {
  await assert.rejects(setUp(lying(4), false).client.create(await proposal()), { code: 'REKOR_DUPLICATE' })
})

for (const text of ['', 'hello', 'origin\n1\nAAAA\n', '\u0000\n']) {
  test(`${JSON.stringify(text)} is no checkpoint`, async () => {
    await assert.rejects(setUp(() => ({ body: text })).client.checkpoint(), { code: 'REKOR_RESPONSE' })
  })
}
