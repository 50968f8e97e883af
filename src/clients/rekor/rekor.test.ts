import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import type { JsonValue } from '#encoding/json'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { hashedRekordV1Spec } from '#formats/rekor-entry/body-v1'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork, type SeenRequest } from '#testing/fake-fetch'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { createRekorClient, type RekorClient } from './rekor.js'

const UUID = `${'0'.repeat(15)}1${'a'.repeat(64)}`
const BODY = Buffer.from('{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}').toString('base64')
const HASH = 'ab'.repeat(32)
const PROOF = { checkpoint: 'note', hashes: [HASH], logIndex: 1, rootHash: HASH, treeSize: 2 }
const ENTRY = {
  body: BODY,
  integratedTime: 1_700_000_000,
  logID: HASH,
  logIndex: 7,
  verification: { inclusionProof: PROOF, signedEntryTimestamp: 'AAAA' },
}

async function proposal(): Promise<JsonValue> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const data = encodeUtf8('artifact')
  const spec = hashedRekordV1Spec({
    digest: { algorithm: 'sha256', value: digest('sha256', data) },
    signature: { signature: await key.sign(data), verifier: { kind: 'public-key', spki: key.publicKey.spki } },
  })
  return { apiVersion: '0.0.1', kind: 'hashedrekord', spec }
}

function setUp(respond: (request: SeenRequest) => FakeAnswer): { client: RekorClient; network: FakeNetwork } {
  const network = fakeNetwork(respond)
  return { client: createRekorClient({ fetch: network.fetch, baseUrl: 'https://rekor.example' }), network }
}

test('an entry is logged, found again, read back and searched for', async () => {
  const world = await startVirtualSigstore()
  const client = createRekorClient({ fetch: world.fetch, baseUrl: world.url })
  const proposed = await proposal()
  const first = await client.create(proposed)
  const second = await client.create(proposed)
  assert.deepEqual([first.created, second.created], [true, false])
  assert.equal(second.uuid, first.uuid)
  assert.deepEqual(second.entry.canonicalizedBody, first.entry.canonicalizedBody)
  assert.equal((await client.entryByIndex(first.entry.logIndex)).uuid, first.uuid)
  assert.equal(first.url, `${world.url}/api/v1/log/entries/${first.uuid}`)
  assert.equal((await client.info()).treeSize, 1n)
  assert.match(await client.publicKey(), /^-----BEGIN PUBLIC KEY-----/)
  const hash = `sha256:${encodeHex(digest('sha256', encodeUtf8('artifact')))}`
  assert.deepEqual(await client.search({ hash }), [first.uuid])
  assert.deepEqual(await client.search({ email: 'nobody@example.com' }), [])
  assert.deepEqual(
    (await client.find(proposed)).map(({ uuid }) => uuid),
    [first.uuid],
  )
  assert.deepEqual(await client.find(await proposal()), [])
  await assert.rejects(client.entryByIndex(99n), { code: 'REKOR_NOT_FOUND' })
  await world.close()
})

test('a 409 leads to the entry, by its header or by its text', async () => {
  for (const conflict of [
    { status: 409, headers: { location: `/api/v1/log/entries/${UUID}` } },
    { status: 409, headers: { location: `https://evil.example/api/v1/log/entries/${UUID.slice(16)}?apiKey=x` } },
    json({ code: 409, message: `an equivalent entry already exists in the transparency log with UUID ${UUID}` }, 409),
  ]) {
    const { client, network } = setUp(({ method }) => (method === 'POST' ? conflict : json({ [UUID]: ENTRY })))
    assert.equal((await client.create({})).created, false)
    assert.equal(network.requests[1]?.url.host, 'rekor.example')
  }
})

for (const location of ['', '/api/v1/log/entries/', `/x/${'a'.repeat(63)}`, `/x/${'a'.repeat(70)}`, '/x/../../etc']) {
  test(`a 409 with Location "${location.slice(0, 30)}" helps nobody`, async () => {
    const { client } = setUp(() => ({ status: 409, headers: { location }, body: '{}' }))
    await assert.rejects(client.create({}), { code: 'REKOR_RESPONSE' })
  })
}

for (const [status, code] of [
  [400, 'REKOR_REFUSED'],
  [404, 'REKOR_NOT_FOUND'],
  [413, 'REKOR_TOO_LARGE'],
  [422, 'REKOR_REFUSED'],
  [429, 'REKOR_UNAVAILABLE'],
  [502, 'REKOR_UNAVAILABLE'],
] as const) {
  test(`status ${String(status)} is ${code}, with the log’s reason`, async () => {
    const { client } = setUp(() => json({ code: status, message: 'because' }, status))
    for (const call of [
      client.create({}),
      client.entryByIndex(1n),
      client.search({}),
      client.info(),
      client.publicKey(),
    ]) {
      await assert.rejects(call, { code, found: `status ${String(status)}: because` })
    }
  })
}

for (const uuid of ['', 'x', '../log', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(80)}/`]) {
  test(`"${uuid.slice(0, 12)}" never gets into an address`, async () => {
    const { client, network } = setUp(() => json({ [UUID]: ENTRY }))
    await assert.rejects(client.entryByUuid(uuid), { code: 'REKOR_NOT_FOUND' })
    assert.equal(network.requests.length, 0)
  })
}

const BROKEN: readonly (readonly [string, unknown])[] = [
  ['nothing', {}],
  ['two entries', { [UUID]: ENTRY, [UUID.replace('1', '2')]: ENTRY }],
  ['a name that is no ID', { hello: ENTRY }],
  ['an array', [ENTRY]],
  ['no body', { [UUID]: { ...ENTRY, body: undefined } }],
  ['a body that is no base64', { [UUID]: { ...ENTRY, body: '!' } }],
  ['a body that is no entry', { [UUID]: { ...ENTRY, body: 'e30=' } }],
  ['a log ID that is too short', { [UUID]: { ...ENTRY, logID: 'ab' } }],
  ['a negative index', { [UUID]: { ...ENTRY, logIndex: -1 } }],
  ['no time', { [UUID]: { ...ENTRY, integratedTime: undefined } }],
  [
    'a proof with a short hash',
    { [UUID]: { ...ENTRY, verification: { inclusionProof: { ...PROOF, hashes: ['ab'] } } } },
  ],
  ['a proof that is text', { [UUID]: { ...ENTRY, verification: { inclusionProof: 'x' } } }],
  ['a promise that is a number', { [UUID]: { ...ENTRY, verification: { signedEntryTimestamp: 1 } } }],
]
for (const [what, answer] of BROKEN) {
  test(`an answer with ${what} is no entry`, async () => {
    await assert.rejects(setUp(() => json(answer, 201)).client.create({}), { code: 'REKOR_RESPONSE' })
  })
}

test('a search that answers something else is told of', async () => {
  for (const answer of [{}, ['x'], [1], 'x']) {
    await assert.rejects(setUp(() => json(answer)).client.search({}), { code: 'REKOR_RESPONSE' })
  }
})
