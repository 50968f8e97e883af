import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import type { Algorithm } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import { encodeBase64 } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { envelopeToJson } from '#formats/dsse/envelope'
import { preAuthEncode } from '#formats/dsse/pae'
import { hashLeaf } from '#formats/merkle/hash'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { parseTransparencyLogEntry } from '#formats/rekor-entry/log-entry-proto'
import { decodeEntryBundle } from '#formats/tlog-tiles/entry-bundle'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { CrashFileSystem } from '#testing/crash-file-system'
import { crashStorage } from '#testing/log-harness'
import { createTestPki } from '#testing/pki/pki'
import { fsck } from '#tlog/fsck'
import { MemoryStorage } from '#tlog/memory/memory-storage'
import type { LogStorage } from '#tlog/storage'
import { verifySignedInclusion } from '#verify/log/inclusion'
import { router } from '#serving/routes'
import { REKOR_TILES_RULES, openRekorTiles, rekorTilesCheckpoints } from './rekor-tiles.js'
import type { RekorTiles, RekorTilesOptions } from './rekor-tiles.js'
import { rekorTilesRoutes } from './routes.js'

const LOG_KEY = await generatePrivateKey('ed25519')
const SIGNER = await generatePrivateKey('ecdsa-sha2-256-nistp256')

interface TestService {
  readonly log: RekorTiles
  readonly trusted: TrustedLog
  readonly get: (path: string) => Promise<Response>
  readonly create: (body: JsonValue | string) => Promise<Response>
}

async function service(
  storage: LogStorage = new MemoryStorage(),
  more: Partial<RekorTilesOptions> = {},
): Promise<TestService> {
  const log = await openRekorTiles({
    storage,
    key: LOG_KEY,
    origin: 'localhost',
    clock: () => 5,
    wait: () => Promise.resolve(),
    ...more,
  })
  const handler = router(rekorTilesRoutes(log))
  return {
    log,
    trusted: {
      baseUrl: 'http://localhost:5000',
      hashAlgorithm: 'sha256',
      key: log.publicKey,
      algorithm: (more.key ?? LOG_KEY).algorithm,
      validFor: { start: 0 },
      logId: log.logId,
    },
    get: (path) => handler(new Request(`http://localhost:5000/api/v2${path}`)),
    create: (body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const headers = { 'content-type': 'application/json' }
      return handler(new Request('http://localhost:5000/api/v2/log/entries', { method: 'POST', headers, body: text }))
    },
  }
}

async function hashedRekord(
  artifact: string,
  key: PrivateKey = SIGNER,
  algorithm: Algorithm = key.algorithm,
): Promise<JsonObject> {
  const data = encodeUtf8(artifact)
  return {
    hashedRekordRequestV002: {
      digest: encodeBase64(digest(algorithm.digest ?? 'sha512', data)),
      signature: {
        content: encodeBase64(await key.sign(data)),
        verifier: { publicKey: { rawBytes: encodeBase64(key.publicKey.spki) }, keyDetails: algorithm.keyDetails },
      },
    },
  }
}

async function dsse(text: string, keys: readonly PrivateKey[]): Promise<JsonObject> {
  const [payloadType, payload] = ['application/vnd.in-toto+json', encodeUtf8(text)]
  const message = preAuthEncode(payloadType, payload)
  const signatures = await Promise.all(keys.map(async (key) => ({ keyId: '', signature: await key.sign(message) })))
  return {
    dsseRequestV002: {
      envelope: envelopeToJson({ payloadType, payload, signatures }),
      verifiers: keys.map((key) => ({
        publicKey: { rawBytes: encodeBase64(key.publicKey.spki) },
        keyDetails: key.algorithm.keyDetails,
      })),
    },
  }
}

async function verified(response: Response, log: TrustedLog): Promise<LogEntry> {
  const entry = parseTransparencyLogEntry((await response.json()) as JsonValue)
  const proof = entry.inclusionProof!
  await verifySignedInclusion(entry, { ...proof, checkpoint: proof.checkpoint! }, { log, all: [log] })
  assert.deepEqual(entry.logId, log.logId)
  return entry
}

test('entries of every accepted algorithm are logged and verify', async () => {
  const { create, trusted } = await service()
  const names = [
    'ecdsa-sha2-256-nistp256',
    'ecdsa-sha2-384-nistp384',
    'ecdsa-sha2-512-nistp521',
    'rsa-sign-pkcs1-2048-sha256',
    'ed25519-ph',
  ] as const
  for (const [index, name] of names.entries()) {
    const response = await create(await hashedRekord('a', await generatePrivateKey(name)))
    assert.equal(response.status, 201)
    const entry = await verified(response, trusted)
    assert.equal(entry.logIndex, BigInt(index))
    assert.equal(`${entry.kind} ${entry.version}`, 'hashedrekord 0.0.2')
  }
})

test('the answer has every field, as protobuf JSON writes it', async () => {
  const { create } = await service()
  const answer = (await (await create(await hashedRekord('a'))).json()) as JsonObject
  const { integratedTime, inclusionPromise, logIndex } = answer
  assert.deepEqual(
    { integratedTime, inclusionPromise, logIndex },
    { integratedTime: '0', inclusionPromise: null, logIndex: '0' },
  )
})

test('logs with ECDSA and RSA keys verify too', async () => {
  for (const name of ['ecdsa-sha2-256-nistp256', 'rsa-sign-pkcs1-2048-sha256'] as const) {
    const { create, trusted } = await service(new MemoryStorage(), { key: await generatePrivateKey(name) })
    await verified(await create(await hashedRekord('a')), trusted)
  }
})

test('certificates are logged as they stand', async () => {
  const { create, trusted } = await service()
  const leaf = await (await createTestPki()).issueLeaf()
  const request = (await hashedRekord('a', leaf.key)) as unknown as {
    hashedRekordRequestV002: { signature: JsonObject }
  }
  request.hashedRekordRequestV002.signature = {
    ...request.hashedRekordRequestV002.signature,
    verifier: {
      x509Certificate: { rawBytes: encodeBase64(leaf.certificate.der) },
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    },
  }
  await verified(await create(request), trusted)
})

test('dsse requests of older clients are logged, with every signature', async () => {
  const { create, trusted } = await service()
  const keys = [SIGNER, await generatePrivateKey('ed25519'), await generatePrivateKey('ecdsa-sha2-384-nistp384')]
  const entry = await verified(await create(await dsse('{}', keys)), trusted)
  assert.equal(`${entry.kind} ${entry.version}`, 'dsse 0.0.2')
})

test('a duplicate gets 409, the index, and an address at which its proof is, also after a restart', async () => {
  const fs = new CrashFileSystem()
  const first = await service(crashStorage(fs))
  await first.create(await hashedRekord('other'))
  const request = await hashedRekord('a')
  await first.create(request)
  await first.log.close()
  const { create, get, trusted } = await service(crashStorage(fs))
  const response = await create(request)
  assert.equal(response.status, 409)
  assert.equal(response.headers.get('x-log-index'), '1')
  assert.equal(response.headers.get('location'), '/api/v2/log/entries/1')
  assert.equal(((await response.json()) as JsonObject)['code'], 6)
  assert.equal((await verified(await get('/log/entries/1'), trusted)).logIndex, 1n)
})

test('the tiles are those of the log, at every width that was ever published', async () => {
  const fs = new CrashFileSystem()
  const storage = crashStorage(fs)
  const { create, get, log } = await service(storage)
  const bodies: Uint8Array[] = []
  for (let i = 0; i < 5; i++) {
    const answer = parseTransparencyLogEntry((await (await create(await hashedRekord(String(i)))).json()) as JsonValue)
    bodies.push(answer.canonicalizedBody)
  }
  for (let width = 1; width <= 5; width++) {
    const tile = new Uint8Array(await (await get(`/tile/0/000.p/${String(width)}`)).arrayBuffer())
    assert.deepEqual(tile, concatBytes(...bodies.slice(0, width).map(hashLeaf)))
    const bundle = new Uint8Array(await (await get(`/tile/entries/000.p/${String(width)}`)).arrayBuffer())
    assert.deepEqual(decodeEntryBundle(bundle), bodies.slice(0, width))
  }
  const checkpoint = await get('/checkpoint')
  assert.equal(checkpoint.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.match(await checkpoint.text(), /^localhost\n5\n/)
  for (const path of [
    '/tile/0/000',
    '/tile/0/000.p/6',
    '/tile/0/001',
    '/tile/1/000.p/1',
    '/tile/entries/000',
    '/tile/0/0',
    '/tile/x',
    '/tile/0/000.p/0',
    '/tile/..%2Fcheckpoint',
    '/log/entries/5',
    '/log/entries/-1',
    '/log/entries/x',
  ]) {
    assert.equal((await get(path)).status, 404, path)
  }
  await log.close()
  const checkpoints = rekorTilesCheckpoints({ origin: 'localhost', key: LOG_KEY })
  assert.deepEqual((await fsck({ objects: storage, rules: REKOR_TILES_RULES, checkpoints })).problems, [])
})

test('a partial tile that has made way for the full one is cut out of it', async () => {
  const storage = new MemoryStorage()
  const { get, create, log } = await service(storage)
  const requests = await Promise.all(Array.from({ length: 257 }, (_, i) => hashedRekord(String(i))))
  for (const response of await Promise.all(requests.map((request) => create(request))))
    assert.equal(response.status, 201)
  await log.close() // settles, which drops what is obsolete
  assert.equal(await storage.get('tile/0/000.p/7'), undefined)
  const full = new Uint8Array(await (await get('/tile/0/000')).arrayBuffer())
  assert.deepEqual(new Uint8Array(await (await get('/tile/0/000.p/7')).arrayBuffer()), full.subarray(0, 7 * 32))
  const entries = decodeEntryBundle(new Uint8Array(await (await get('/tile/entries/000.p/7')).arrayBuffer()))
  assert.equal(entries.length, 7)
})

test('a frozen log answers, and takes nothing in', async () => {
  const storage = new MemoryStorage()
  const first = await service(storage)
  await first.create(await hashedRekord('a'))
  await first.log.close()
  const { create, get } = await service(storage, { frozen: true })
  const response = await create(await hashedRekord('b'))
  assert.equal(response.status, 405)
  assert.match(((await response.json()) as { message: string }).message, /frozen/)
  assert.equal((await get('/log/entries/0')).status, 200)
})

type Request = {
  hashedRekordRequestV002: Record<string, JsonValue> & {
    signature: Record<string, JsonValue> & { verifier: Record<string, JsonValue> }
  }
}

const REFUSED: readonly { name: string; change: (request: Request) => void; code?: string }[] = [
  { name: 'an unknown field', change: (r) => Object.assign(r, { extra: 1 }) },
  { name: 'an unknown field inside', change: (r) => (r.hashedRekordRequestV002['extra'] = 1) },
  { name: 'no digest', change: (r) => delete r.hashedRekordRequestV002['digest'] },
  {
    name: 'a digest of another size',
    change: (r) => (r.hashedRekordRequestV002['digest'] = encodeBase64(new Uint8Array(48))),
  },
  { name: 'another digest', change: (r) => (r.hashedRekordRequestV002['digest'] = encodeBase64(new Uint8Array(32))) },
  { name: 'no signature', change: (r) => delete r.hashedRekordRequestV002.signature['content'] },
  { name: 'a signature that is none', change: (r) => (r.hashedRekordRequestV002.signature['content'] = 'AAAA') },
  {
    name: 'no verifier',
    change: (r) => delete (r.hashedRekordRequestV002.signature as Record<string, unknown>)['verifier'],
  },
  { name: 'no key', change: (r) => delete r.hashedRekordRequestV002.signature.verifier['publicKey'] },
  {
    name: 'a key and a certificate',
    change: (r) => (r.hashedRekordRequestV002.signature.verifier['x509Certificate'] = { rawBytes: 'AAAA' }),
  },
  {
    name: 'a key that is none',
    change: (r) => (r.hashedRekordRequestV002.signature.verifier['publicKey'] = { rawBytes: 'AAAA' }),
  },
  { name: 'no algorithm', change: (r) => delete r.hashedRekordRequestV002.signature.verifier['keyDetails'] },
  {
    name: 'an algorithm of another key',
    change: (r) => (r.hashedRekordRequestV002.signature.verifier['keyDetails'] = 'PKIX_RSA_PKCS1V15_2048_SHA256'),
  },
  {
    name: 'an algorithm that is not accepted',
    change: (r) => (r.hashedRekordRequestV002.signature.verifier['keyDetails'] = 'PKIX_ECDSA_P256_HMAC_SHA_256'),
  },
  {
    name: 'pure Ed25519',
    change: (r) => (r.hashedRekordRequestV002.signature.verifier['keyDetails'] = 'PKIX_ED25519'),
  },
]
for (const { name, change } of REFUSED) {
  test(`a request with ${name} is refused, and nothing is logged`, async () => {
    const { create, log } = await service()
    const request = (await hashedRekord('a')) as unknown as Request
    change(request)
    const response = await create(request)
    assert.equal(response.status, 400)
    assert.equal(((await response.json()) as JsonObject)['code'], 3)
    assert.equal(log.checkpoint.size, 0)
  })
}

const REFUSED_DSSE: readonly { name: string; make: () => Promise<JsonValue | string> }[] = [
  { name: 'nothing', make: async () => ({}) },
  { name: 'no JSON', make: async () => '{' },
  { name: 'a list', make: async () => [] },
  { name: 'both kinds at once', make: async () => ({ ...(await hashedRekord('a')), ...(await dsse('{}', [SIGNER])) }) },
  {
    name: 'no verifiers',
    make: async () => ({
      dsseRequestV002: { ...((await dsse('{}', [SIGNER]))['dsseRequestV002'] as JsonObject), verifiers: [] },
    }),
  },
  {
    name: 'a signature of nobody',
    make: async () => {
      const [mine, other] = [
        await dsse('{}', [SIGNER]),
        await dsse('{}', [await generatePrivateKey('ecdsa-sha2-256-nistp256')]),
      ]
      const part = (one: JsonObject): JsonObject => one['dsseRequestV002'] as JsonObject
      return { dsseRequestV002: { envelope: part(mine)['envelope'], verifiers: part(other)['verifiers'] } } as JsonValue
    },
  },
  {
    name: 'more verifiers than are looked at',
    make: async () =>
      dsse(
        '{}',
        Array.from({ length: 11 }, () => SIGNER),
      ),
  },
]
for (const { name, make } of REFUSED_DSSE) {
  test(`a request that is ${name} is refused`, async () => {
    const { create, log } = await service()
    const response = await create(await make())
    assert.equal(response.status, 400)
    assert.equal(log.checkpoint.size, 0)
  })
}
