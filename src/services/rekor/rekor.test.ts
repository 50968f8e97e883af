import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRekorClient } from '#clients/rekor/rekor'
import { digest, sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { decodeHex, encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { envelopeToJson } from '#formats/dsse/envelope'
import { preAuthEncode } from '#formats/dsse/pae'
import { verifyConsistency } from '#formats/merkle/proof'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { encodePem } from '#encoding/pem'
import { CrashFileSystem } from '#testing/crash-file-system'
import { crashStorage } from '#testing/log-harness'
import { createTestPki } from '#testing/pki/pki'
import { fsck } from '#tlog/fsck'
import { MemoryStorage } from '#tlog/memory/memory-storage'
import type { LogStorage } from '#tlog/storage'
import { verifySignedInclusion } from '#verify/log/inclusion'
import { verifyPromise } from '#verify/log/promise'
import { fetchInProcess } from '#serving/in-process'
import { router } from '#serving/routes'
import { REKOR_RULES, openRekor, rekorCheckpoints } from './rekor.js'
import type { Rekor, RekorOptions } from './rekor.js'
import { rekorRoutes } from './routes.js'

const LOG_KEY = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const SIGNER = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const TREE = 0x1234_5678_9abc_def0n
const NOW = 1_748_779_200_123
const ENTRIES = 'http://rekor/api/v1/log/entries'

const TRUSTED: TrustedLog = {
  baseUrl: 'http://rekor',
  hashAlgorithm: 'sha256',
  key: LOG_KEY.publicKey,
  algorithm: LOG_KEY.algorithm,
  validFor: { start: 0 },
  logId: LOG_KEY.publicKey.id,
}

function options(storage: LogStorage): RekorOptions {
  return { storage, key: LOG_KEY, hostname: 'rekor', treeId: TREE, clock: () => NOW, wait: () => Promise.resolve() }
}

interface TestService {
  readonly rekor: Rekor
  readonly get: (path: string) => Promise<Response>
  readonly post: (path: string, body: JsonValue | string) => Promise<Response>
  readonly client: ReturnType<typeof createRekorClient>
}

async function service(storage: LogStorage = new MemoryStorage()): Promise<TestService> {
  const rekor = await openRekor(options(storage))
  const handler = router(rekorRoutes(rekor))
  const headers = { 'content-type': 'application/json' }
  return {
    rekor,
    get: (path) => handler(new Request(`http://rekor${path}`)),
    post: (path, body) =>
      handler(
        new Request(`http://rekor${path}`, {
          method: 'POST',
          headers,
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
    client: createRekorClient({ fetch: fetchInProcess(handler), baseUrl: 'http://rekor' }),
  }
}

function pem64(key: PrivateKey): string {
  return encodeBase64(encodeUtf8(publicKeyToPem(key.publicKey)))
}

async function hashedRekord(
  artifact: string,
  key: PrivateKey = SIGNER,
  verifier: string = pem64(key),
): Promise<JsonObject> {
  const data = encodeUtf8(artifact)
  const name = key.algorithm.digest ?? 'sha256'
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: name, value: encodeHex(digest(name, data)) } },
      signature: { content: encodeBase64(await key.sign(data)), publicKey: { content: verifier } },
    },
  }
}

const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

function statement(hex: string): Uint8Array {
  return encodeUtf8(JSON.stringify({ _type: 'x', subject: [{ name: 'a', digest: { sha256: hex } }], predicate: {} }))
}

async function dsse(payload: Uint8Array, keys: readonly PrivateKey[] = [SIGNER]): Promise<JsonObject> {
  const message = preAuthEncode(PAYLOAD_TYPE, payload)
  const signatures = await Promise.all(keys.map(async (key) => ({ keyId: '', signature: await key.sign(message) })))
  const envelope = JSON.stringify(envelopeToJson({ payloadType: PAYLOAD_TYPE, payload, signatures }), undefined, 1)
  const proposedContent = { envelope, verifiers: keys.map(pem64) }
  // Go clients send the fields of the logged form along.
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent, signatures: null } }
}

async function intoto(payload: Uint8Array, key: PrivateKey = SIGNER): Promise<JsonObject> {
  const sig = encodeBase64(await key.sign(preAuthEncode(PAYLOAD_TYPE, payload)))
  const twice = (text: string): string => encodeBase64(encodeUtf8(text))
  const hash = { algorithm: 'sha256', value: '00'.repeat(32) }
  const envelope = {
    payloadType: PAYLOAD_TYPE,
    payload: twice(encodeBase64(payload)),
    signatures: [{ publicKey: pem64(key), sig: twice(sig) }],
  }
  return { apiVersion: '0.0.2', kind: 'intoto', spec: { content: { envelope, hash } } }
}

/** As cosign 2 sends it. */
async function intoto001(payload: Uint8Array, key: PrivateKey = SIGNER): Promise<JsonObject> {
  const signature = await key.sign(preAuthEncode(PAYLOAD_TYPE, payload))
  const envelope = JSON.stringify(
    envelopeToJson({ payloadType: PAYLOAD_TYPE, payload, signatures: [{ keyId: '', signature }] }),
  )
  return { apiVersion: '0.0.1', kind: 'intoto', spec: { content: { envelope }, publicKey: pem64(key) } }
}

async function verifyEntry(entry: LogEntry): Promise<void> {
  const proof = entry.inclusionProof!
  await verifySignedInclusion(entry, { ...proof, checkpoint: proof.checkpoint! }, { log: TRUSTED, all: [TRUSTED] })
  await verifyPromise(entry, entry.inclusionPromise!, [TRUSTED])
}

test('an entry of every kind is logged, verifies, and is the same when it is read again', async () => {
  const { client } = await service()
  const proposals = [
    await hashedRekord('a'),
    await dsse(statement('ab'.repeat(32))),
    await intoto(statement('cd'.repeat(32))),
    await intoto001(statement('ef'.repeat(32))),
  ]
  for (const [index, proposal] of proposals.entries()) {
    const created = await client.create(proposal)
    assert.equal(created.created, true)
    assert.equal(created.entry.logIndex, BigInt(index))
    assert.equal(created.entry.integratedTime, Math.floor(NOW / 1000) * 1000)
    assert.ok(created.uuid.startsWith(TREE.toString(16)))
    await verifyEntry(created.entry)
    for (const read of [
      await client.entryByUuid(created.uuid),
      await client.entryByIndex(BigInt(index)),
      await client.entryByUuid(created.uuid.slice(16)),
    ]) {
      assert.equal(read.uuid, created.uuid)
      assert.deepEqual(read.entry.canonicalizedBody, created.entry.canonicalizedBody)
      await verifyEntry(read.entry)
    }
  }
})

test('a new entry is answered with 201, its id as ETag, and its address', async () => {
  const { post } = await service()
  const response = await post('/api/v1/log/entries', await hashedRekord('a'))
  assert.equal(response.status, 201)
  const [uuid] = Object.keys((await response.json()) as JsonObject)
  assert.equal(response.headers.get('etag'), uuid)
  assert.equal(response.headers.get('location'), `/api/v1/log/entries/${uuid!}`)
})

test('an equivalent entry is refused with 409 and the address of the first, also after a restart', async () => {
  const fs = new CrashFileSystem()
  const { post, client, rekor } = await service(crashStorage(fs))
  const proposal = await hashedRekord('a')
  const { uuid } = await client.create(proposal)
  await rekor.close()
  const again = await service(crashStorage(fs))
  const response = await again.post('/api/v1/log/entries', proposal)
  assert.equal(response.status, 409)
  assert.equal(response.headers.get('location'), `/api/v1/log/entries/${uuid}`)
  assert.deepEqual(await response.json(), {
    code: 409,
    message: `an equivalent entry already exists in the transparency log with UUID ${uuid}`,
  })
  assert.deepEqual((await again.client.create(proposal)).created, false)
  assert.equal((await post('/api/v1/log/entries', proposal)).status, 503)
})

test('what the log keeps passes fsck, and its tables can be dropped', async () => {
  const fs = new CrashFileSystem()
  const first = await service(crashStorage(fs))
  await first.client.create(await dsse(statement('ab'.repeat(32))))
  await first.rekor.close()
  await fs.remove('/data/log/state/keys')
  const storage = crashStorage(fs)
  const { client } = await service(storage)
  assert.equal((await client.search({ hash: `sha256:${'ab'.repeat(32)}` })).length, 1)
  const checkpoints = rekorCheckpoints({ hostname: 'rekor', treeId: TREE, key: LOG_KEY })
  const tables = { identities: storage.table('identities'), search: storage.table('search') }
  assert.deepEqual((await fsck({ objects: storage, rules: REKOR_RULES, checkpoints, tables })).problems, [])
})

test('the payload of an intoto entry is kept up to the limit and served with it', async () => {
  const { client, get } = await service()
  const payload = statement('cd'.repeat(32))
  const { uuid } = await client.create(await intoto(payload))
  const answer = (await (await get(`/api/v1/log/entries/${uuid}`)).json()) as Record<
    string,
    { attestation: { data: string } }
  >
  assert.deepEqual(decodeBase64(answer[uuid]!.attestation.data), payload)
  const large = encodeUtf8(JSON.stringify({ pad: 'x'.repeat(102_400) }))
  const other = await client.create(await intoto(large))
  const bare = (await (await get(`/api/v1/log/entries/${other.uuid}`)).json()) as Record<string, JsonObject>
  assert.equal(bare[other.uuid]!['attestation'], undefined)
})

test('every registered algorithm is accepted with its own hash', async () => {
  const { client } = await service()
  for (const name of [
    'ecdsa-sha2-384-nistp384',
    'ecdsa-sha2-512-nistp521',
    'rsa-sign-pkcs1-2048-sha256',
    'ed25519-ph',
  ] as const) {
    const key = await generatePrivateKey(name)
    await verifyEntry((await client.create(await hashedRekord(name, key))).entry)
    if (name !== 'ed25519-ph') await verifyEntry((await client.create(await dsse(statement(name), [key]))).entry)
  }
  const ed25519 = await generatePrivateKey('ed25519')
  await verifyEntry((await client.create(await dsse(statement('ed25519'), [ed25519]))).entry)
})

const REFUSED: readonly { name: string; make: () => Promise<JsonValue | string>; message: RegExp; status?: number }[] =
  [
    { name: 'no JSON', make: async () => '{', message: /error processing entry/ },
    { name: 'an unknown kind', make: async () => ({ ...(await hashedRekord('a')), kind: 'jar' }), message: /kind/ },
    {
      name: 'an unknown version',
      make: async () => ({ ...(await hashedRekord('a')), apiVersion: '0.0.9' }),
      message: /kind/,
    },
    {
      name: 'a signature over something else',
      make: async () => {
        const [a, b] = [await hashedRekord('a'), await hashedRekord('b')] as unknown as {
          spec: { signature: JsonValue }
        }[]
        return { ...a, spec: { ...a!.spec, signature: b!.spec.signature } }
      },
      message: /signature does not verify/,
    },
    {
      name: 'another key',
      make: async () => hashedRekord('a', SIGNER, pem64(await generatePrivateKey('ecdsa-sha2-256-nistp256'))),
      message: /signature does not verify/,
    },
    {
      name: 'no key',
      make: async () => hashedRekord('a', SIGNER, encodeBase64(encodeUtf8('no pem'))),
      message: /key or certificate/,
    },
    {
      name: 'a key that is no key',
      make: async () =>
        hashedRekord('a', SIGNER, encodeBase64(encodeUtf8(encodePem('PUBLIC KEY', Uint8Array.of(1, 2, 3))))),
      message: /key or certificate/,
    },
    {
      name: 'an Ed25519 key for a SHA-256 digest',
      make: async () => hashedRekord('a', await generatePrivateKey('ed25519')),
      message: /algorithms are not allowed/,
    },
    {
      name: 'a chain that is none',
      make: async () => {
        const [pki, other] = [await createTestPki(), await createTestPki()]
        const leaf = await pki.issueLeaf()
        const chain = [leaf, other.intermediate]
          .map(({ certificate }) => encodePem('CERTIFICATE', certificate.der))
          .join('')
        return hashedRekord('a', leaf.key, encodeBase64(encodeUtf8(chain)))
      },
      message: /not signed by the one after it/,
    },
    {
      name: 'an envelope with a signature that no verifier made',
      make: async () => {
        const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
        const proposal = (await dsse(statement('aa'), [SIGNER, other])) as unknown as {
          spec: { proposedContent: { verifiers: string[] } }
        }
        proposal.spec.proposedContent.verifiers.pop()
        return proposal
      },
      message: /signature does not verify/,
    },
    {
      name: 'a hash that the log should compute',
      make: async () => {
        const proposal = (await dsse(statement('aa'))) as unknown as { spec: JsonObject }
        return {
          ...proposal,
          spec: { ...proposal.spec, payloadHash: { algorithm: 'sha256', value: '00'.repeat(32) } },
        }
      },
      message: /only the log may compute/,
    },
    {
      name: 'an intoto 0.0.1 envelope by another key',
      make: async () => {
        const proposal = (await intoto001(statement('aa'))) as unknown as { spec: JsonObject }
        return {
          ...proposal,
          spec: { ...proposal.spec, publicKey: pem64(await generatePrivateKey('ed25519')) },
        }
      },
      message: /signature does not verify/,
    },
    {
      name: 'an intoto 0.0.1 entry without envelope',
      make: async () => ({ kind: 'intoto', apiVersion: '0.0.1', spec: { content: {} } }),
      message: /not an entry/,
    },
    {
      name: 'an in-toto envelope with a changed payload',
      make: async () => {
        const proposal = (await intoto(statement('aa'))) as unknown as {
          spec: { content: { envelope: { payload: string } } }
        }
        proposal.spec.content.envelope.payload = encodeBase64(encodeUtf8(encodeBase64(statement('bb'))))
        return proposal
      },
      message: /signature does not verify/,
    },
  ]
for (const { name, make, message, status = 400 } of REFUSED) {
  test(`a proposal with ${name} is refused, and nothing is logged`, async () => {
    const { post, rekor } = await service()
    const response = await post('/api/v1/log/entries', await make())
    assert.equal(response.status, status)
    const body = (await response.json()) as { code: number; message: string }
    assert.equal(body.code, status)
    assert.match(body.message, message)
    assert.equal(rekor.checkpoint.size, 0)
  })
}

test('search finds entries by artifact, key, subject and identity, and combines terms', async () => {
  const { client, post } = await service()
  const pki = await createTestPki()
  const leaf = await pki.issueLeaf({ subjectAltNames: [{ kind: 'email', value: 'Alice@Example.com' }] })
  const certificate = encodeBase64(encodeUtf8(encodePem('CERTIFICATE', leaf.certificate.der)))
  const old = (await client.create(await intoto001(statement('ef'.repeat(32))))).uuid
  const byKey = (await client.create(await hashedRekord('a'))).uuid
  const byAlice = (await client.create(await hashedRekord('a', leaf.key, certificate))).uuid
  const attested = (await client.create(await dsse(statement('ab'.repeat(32))))).uuid
  const hash = `sha256:${encodeHex(sha256(encodeUtf8('a')))}`
  const publicKey = { format: 'x509', content: pem64(SIGNER) } as const
  const ask = async (query: JsonObject): Promise<JsonValue> =>
    (await (await post('/api/v1/index/retrieve', query)).json()) as JsonValue
  assert.deepEqual(await ask({ hash }), [byKey, byAlice])
  assert.deepEqual(await ask({ hash: hash.slice(7) }), [byKey, byAlice])
  assert.deepEqual(await ask({ email: 'alice@example.com' }), [byAlice])
  assert.deepEqual(await ask({ publicKey }), [old, byKey, attested])
  assert.deepEqual(await ask({ hash: 'ef'.repeat(32) }), [old])
  assert.deepEqual(await ask({ subject: 'ALICE@example.com' }), [byAlice])
  assert.deepEqual(await ask({ hash: 'ab'.repeat(32) }), [attested])
  assert.deepEqual(await ask({ hash, publicKey, operator: 'and' }), [byKey])
  assert.deepEqual(await ask({ hash, email: 'alice@example.com', operator: 'or' }), [byKey, byAlice])
  assert.deepEqual(await ask({ email: 'bob@example.com' }), [])
  assert.deepEqual(await ask({}), [])
})

test('searches that make no sense are refused', async () => {
  const { post } = await service()
  for (const [query, status] of [
    [{ hash: 'abc' }, 422],
    [{ hash: `md5:${'a'.repeat(32)}` }, 422],
    [{ email: 'nobody' }, 422],
    [{ email: 7 }, 422],
    [{ operator: 'xor' }, 422],
    [[], 422],
    [{ publicKey: { content: 'AAAA' } }, 422],
    [{ publicKey: { format: 'pgp', content: 'AAAA' } }, 400],
    [{ publicKey: { format: 'x509', content: 'AAAA' } }, 400],
    [{ publicKey: { format: 'x509', url: 'http://elsewhere/key' } }, 422],
  ] as const) {
    const response = await post('/api/v1/index/retrieve', query)
    assert.equal(response.status, status, JSON.stringify(query))
    await response.arrayBuffer()
  }
})

test('retrieve answers what it finds, by id, index and proposal, and nothing for the rest', async () => {
  const { client, post } = await service()
  const proposal = await hashedRekord('a')
  const { uuid } = await client.create(proposal)
  const ask = {
    entryUUIDs: [uuid, uuid.slice(16), '00'.repeat(32)],
    logIndexes: [0, 9],
    entries: [proposal, await hashedRekord('b')],
  }
  const found = (await (await post('/api/v1/log/entries/retrieve', ask)).json()) as JsonObject[]
  assert.deepEqual(
    found.map((one) => Object.keys(one)),
    [[uuid], [uuid], [uuid], [uuid]],
  )
  const tooMany = await post('/api/v1/log/entries/retrieve', { logIndexes: Array.from({ length: 11 }, () => 0) })
  assert.equal(tooMany.status, 422)
  assert.equal((await post('/api/v1/log/entries/retrieve', { entryUUIDs: ['xyz'] })).status, 422)
  assert.equal((await post('/api/v1/log/entries/retrieve', { logIndexes: [-1] })).status, 422)
})

test('absent entries are 404 without a body; malformed questions are 422', async () => {
  const { get, client } = await service()
  const { uuid } = await client.create(await hashedRekord('a'))
  for (const path of [`?logIndex=1`, `/${'0'.repeat(64)}`, `/${'1'.repeat(16)}${uuid.slice(16)}`]) {
    const response = await get(`/api/v1/log/entries${path}`)
    assert.equal(response.status, 404, path)
    assert.equal(await response.text(), '')
  }
  for (const path of ['', '?logIndex=-1', '?logIndex=x', '/abc', `/${'g'.repeat(64)}`]) {
    assert.equal((await get(`/api/v1/log/entries${path}`)).status, 422, path)
  }
})

test('consistency proofs lead from one signed tree head to the next', async () => {
  const { client, get } = await service()
  await client.create(await hashedRekord('0'))
  const from = await client.info()
  for (const name of ['1', '2', '3', '4']) await client.create(await hashedRekord(name))
  const to = await client.info()
  const path = `/api/v1/log/proof?firstSize=${String(from.treeSize)}&lastSize=${String(to.treeSize)}&treeID=${String(TREE)}`
  const { hashes, rootHash } = (await (await get(path)).json()) as { hashes: string[]; rootHash: string }
  const proof = hashes.map((hash) => decodeHex(hash))
  verifyConsistency({ fromSize: 1n, toSize: 5n, fromRoot: from.rootHash, toRoot: decodeHex(rootHash), proof })
  for (const [query, status] of [
    ['firstSize=3&lastSize=2', 400],
    ['firstSize=1&lastSize=6', 400],
    ['lastSize=2&treeID=7', 400],
    ['firstSize=0&lastSize=2', 422],
    ['firstSize=1', 422],
  ] as const) {
    assert.equal((await get(`/api/v1/log/proof?${query}`)).status, status, query)
  }
})

test('the log says who it is', async () => {
  const { get, client } = await service()
  const info = (await (await get('/api/v1/log')).json()) as JsonObject
  assert.equal(info['treeID'], String(TREE))
  assert.equal(info['treeSize'], 0)
  assert.match(info['signedTreeHead'] as string, new RegExp(`^rekor - ${String(TREE)}\n0\n`))
  const key = await get('/api/v1/log/publicKey')
  assert.equal(key.headers.get('content-type'), 'application/x-pem-file')
  assert.equal(await key.text(), publicKeyToPem(LOG_KEY.publicKey))
  assert.equal(await client.publicKey(), publicKeyToPem(LOG_KEY.publicKey))
  assert.equal((await get('/api/v1/log/publicKey?treeID=1')).status, 400)
  assert.equal(decodeUtf8(encodeUtf8(await (await get('/ping')).text())), '.')
})

test('a body of another type, or without end, is refused', async () => {
  const rekor = await openRekor(options(new MemoryStorage()))
  const handler = router(rekorRoutes(rekor, { maxBodySize: 100 }))
  const send = (body: string, type: string): Promise<Response> =>
    handler(new Request(ENTRIES, { method: 'POST', body, headers: { 'content-type': type } }))
  assert.equal((await send('{}', 'text/plain')).status, 415)
  assert.equal((await send(`{"a":"${'x'.repeat(200)}"}`, 'application/json')).status, 413)
})
