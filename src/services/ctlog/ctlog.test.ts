import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { sha256 } from '#crypto/digest'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { ByteReader, concatBytes, uint64be } from '#encoding/bytes'
import { derNull, derUtf8String } from '#encoding/der-writer'
import { encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { hashLeaf } from '#formats/merkle/hash'
import { verifyConsistency, verifyInclusion } from '#formats/merkle/proof'
import { precertEntry } from '#formats/sct/sct-entry'
import type { SctEntry } from '#formats/sct/sct-entry'
import { sctLeafIndex } from '#formats/sct/sct'
import type { SignedCertificateTimestamp } from '#formats/sct/sct'
import { verifySct } from '#formats/sct/verify-sct'
import { encodeExtension } from '#formats/x509/extension-writers'
import { EXTENSION } from '#formats/x509/oids'
import { verifySignature } from '#crypto/verify'
import { CrashFileSystem } from '#testing/crash-file-system'
import { crashStorage } from '#testing/log-harness'
import { issueCertificate, leafSpec } from '#testing/pki/certificate'
import type { TestCertificate } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { fsck } from '#tlog/fsck'
import { MemoryStorage } from '#tlog/memory/memory-storage'
import type { LogStorage } from '#tlog/storage'
import { router } from '#serving/routes'
import { CTLOG_RULES, openCtLog } from './ctlog.js'
import type { CtLog } from './ctlog.js'
import { ctLogRoutes } from './routes.js'
import { treeHeadCheckpoints } from './tree-head.js'

const KEY = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const PKI = await createTestPki()
const CHAIN = [PKI.intermediate.certificate.der, PKI.root.certificate.der]
const START = 1_748_779_200_000

interface TestService {
  readonly log: CtLog
  readonly get: (path: string) => Promise<Response>
  readonly post: (path: string, body: JsonValue) => Promise<Response>
}

async function service(storage: LogStorage = new MemoryStorage()): Promise<TestService> {
  let now = START
  const log = await openCtLog({
    storage,
    key: KEY,
    origin: 'localhost/ct',
    roots: [PKI.root.certificate.der],
    clock: () => (now += 1000),
    wait: () => Promise.resolve(),
  })
  const handler = router(ctLogRoutes(log))
  return {
    log,
    get: (path) => handler(new Request(`http://ct${path}`)),
    post: (path, body) =>
      handler(new Request(`http://ct/ct/v1/${path}`, { method: 'POST', body: JSON.stringify(body) })),
  }
}

function precertificate(
  poison: Uint8Array = encodeExtension(EXTENSION.precertificatePoison, derNull(), { critical: true }),
): Promise<TestCertificate> {
  return issueCertificate(leafSpec({ extraExtensions: [poison] }), PKI.intermediate)
}

function body(leaf: TestCertificate, chain: readonly Uint8Array[] = CHAIN): JsonObject {
  return { chain: [leaf.certificate.der, ...chain].map((der) => encodeBase64(der)) }
}

function readSct(answer: JsonObject): SignedCertificateTimestamp {
  assert.equal(answer['sct_version'], 0)
  const reader = new ByteReader(decodeBase64(answer['signature'] as string))
  const [hashAlgorithm, signatureAlgorithm] = [reader.u8(), reader.u8()]
  const signature = reader.vector(2)
  reader.end()
  return {
    logId: decodeBase64(answer['id'] as string),
    timestamp: answer['timestamp'] as number,
    extensions: decodeBase64(answer['extensions'] as string),
    hashAlgorithm,
    signatureAlgorithm,
    signature,
  }
}

async function json(response: Promise<Response>): Promise<JsonObject> {
  const answer = await response
  assert.equal(
    answer.status,
    200,
    await answer
      .clone()
      .text()
      .catch(() => ''),
  )
  return (await answer.json()) as JsonObject
}

/** MerkleTreeLeaf of RFC 6962 §3.4, made here from nothing. */
function leafInput(sct: SignedCertificateTimestamp, entry: SctEntry): Uint8Array {
  const vector = (bytes: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(0, bytes.length >> 8, bytes.length), bytes)
  const signed =
    entry.kind === 'x509'
      ? [Uint8Array.of(0, 0), vector(entry.certificate)]
      : [Uint8Array.of(0, 1), entry.issuerKeyHash, vector(entry.tbs)]
  return concatBytes(
    Uint8Array.of(0, 0),
    uint64be(BigInt(sct.timestamp)),
    ...signed,
    Uint8Array.of(0, sct.extensions.length),
    sct.extensions,
  )
}

test('a certificate and a precertificate get SCTs that verify, and are in the tree', async () => {
  const { post, get } = await service()
  const leaf = await PKI.issueLeaf()
  const pre = await precertificate()
  const submissions: readonly [string, TestCertificate, SctEntry][] = [
    ['add-chain', leaf, { kind: 'x509', certificate: leaf.certificate.der }],
    ['add-pre-chain', pre, precertEntry(pre.certificate, PKI.intermediate.certificate.spki)],
  ]
  for (const [index, [path, certificate, entry]] of submissions.entries()) {
    const sct = readSct(await json(post(path, body(certificate))))
    assert.deepEqual(sct.logId, KEY.publicKey.id)
    assert.equal(sctLeafIndex(sct), BigInt(index))
    await verifySct(sct, entry, KEY.publicKey)
    const head = await json(get('/ct/v1/get-sth'))
    const leafHash = hashLeaf(leafInput(sct, entry))
    const query = `hash=${encodeURIComponent(encodeBase64(leafHash))}&tree_size=${String(Number(head['tree_size']))}`
    const proof = await json(get(`/ct/v1/get-proof-by-hash?${query}`))
    verifyInclusion({
      leafIndex: BigInt(proof['leaf_index'] as number),
      treeSize: BigInt(head['tree_size'] as number),
      leafHash,
      proof: (proof['audit_path'] as string[]).map((hash) => decodeBase64(hash)),
      root: decodeBase64(head['sha256_root_hash'] as string),
    })
  }
})

test('the tree head is signed as RFC 6962 says', async () => {
  const { post, get } = await service()
  await post('add-chain', body(await PKI.issueLeaf()))
  const head = await json(get('/ct/v1/get-sth'))
  const reader = new ByteReader(decodeBase64(head['tree_head_signature'] as string))
  assert.deepEqual([reader.u8(), reader.u8()], [4, 3])
  const signature = reader.vector(2)
  const root = decodeBase64(head['sha256_root_hash'] as string)
  const input = concatBytes(Uint8Array.of(0, 1), uint64be(BigInt(head['timestamp'] as number)), uint64be(1n), root)
  assert.equal(await verifySignature({ key: KEY.publicKey, scheme: KEY.algorithm, signature }, input), true)
})

test('a certificate that is submitted again keeps its timestamp and its index, also after a restart', async () => {
  const fs = new CrashFileSystem()
  const first = await service(crashStorage(fs))
  const pre = await precertificate()
  await first.post('add-chain', body(await PKI.issueLeaf()))
  const before = readSct(await json(first.post('add-pre-chain', body(pre))))
  // With or without the root, it is the same submission.
  const again = readSct(await json(first.post('add-pre-chain', body(pre, CHAIN.slice(0, 1)))))
  await first.log.close()
  const storage = crashStorage(fs)
  const { post, log } = await service(storage)
  const after = readSct(await json(post('add-pre-chain', body(pre))))
  for (const sct of [again, after]) {
    assert.equal(sct.timestamp, before.timestamp)
    assert.deepEqual(sct.extensions, before.extensions)
  }
  assert.equal(log.checkpoint.size, 2)
  const checkpoints = treeHeadCheckpoints({ origin: 'localhost/ct', key: KEY, clock: () => START })
  const tables = { identities: storage.table('identities'), search: storage.table('search') }
  assert.deepEqual((await fsck({ objects: storage, rules: CTLOG_RULES, checkpoints, tables })).problems, [])
})

test('entries come with the chain that they were submitted with', async () => {
  const { post, get } = await service()
  const leaf = await PKI.issueLeaf()
  const pre = await precertificate()
  await post('add-chain', body(leaf, CHAIN.slice(0, 1)))
  await post('add-pre-chain', body(pre))
  const { entries } = (await json(get('/ct/v1/get-entries?start=0&end=99'))) as unknown as {
    entries: { leaf_input: string; extra_data: string }[]
  }
  assert.equal(entries.length, 2)
  for (const [index, { extra_data }] of entries.entries()) {
    const reader = new ByteReader(decodeBase64(extra_data))
    if (index === 1) assert.deepEqual(reader.vector(3), pre.certificate.der)
    const chain = new ByteReader(reader.vector(3))
    reader.end()
    assert.deepEqual([chain.vector(3), chain.vector(3)], CHAIN)
    chain.end()
  }
  const one = await json(get('/ct/v1/get-entry-and-proof?leaf_index=1&tree_size=2'))
  assert.equal(one['leaf_input'], entries[1]!.leaf_input)
  assert.deepEqual(
    (one['audit_path'] as string[]).map((hash) => decodeBase64(hash)),
    [hashLeaf(decodeBase64(entries[0]!.leaf_input))],
  )
  assert.deepEqual(await json(get('/ct/v1/get-roots')), { certificates: [encodeBase64(PKI.root.certificate.der)] })
})

test('the log can be followed with consistency proofs', async () => {
  const { post, get } = await service()
  const heads: JsonObject[] = []
  for (let i = 0; i < 5; i++) {
    await post('add-chain', body(await PKI.issueLeaf()))
    heads.push(await json(get('/ct/v1/get-sth')))
  }
  const root = (head: JsonObject): Uint8Array => decodeBase64(head['sha256_root_hash'] as string)
  const { consistency } = (await json(get('/ct/v1/get-sth-consistency?first=3&second=5'))) as unknown as {
    consistency: string[]
  }
  verifyConsistency({
    fromSize: 3n,
    toSize: 5n,
    fromRoot: root(heads[2]!),
    toRoot: root(heads[4]!),
    proof: consistency.map((hash) => decodeBase64(hash)),
  })
})

test('the tiles of static-ct are served', async () => {
  const { post, get, log } = await service()
  const leaf = await PKI.issueLeaf()
  await post('add-chain', body(leaf))
  const checkpoint = await (await get('/ct/static/checkpoint')).text()
  assert.match(checkpoint, /^localhost\/ct\n1\n[^\n]+\n\n— localhost\/ct /)
  const data = new Uint8Array(await (await get('/ct/static/tile/data/000.p/1')).arrayBuffer())
  const fingerprints = CHAIN.map((der) => sha256(der))
  assert.deepEqual(data.subarray(-66), concatBytes(Uint8Array.of(0, 64), ...fingerprints))
  assert.equal((await (await get('/ct/static/tile/0/000.p/1')).arrayBuffer()).byteLength, 32)
  const issuer = await get(`/ct/static/issuer/${encodeHex(fingerprints[0]!)}`)
  assert.equal(issuer.headers.get('content-type'), 'application/pkix-cert')
  assert.deepEqual(new Uint8Array(await issuer.arrayBuffer()), CHAIN[0])
  for (const path of [
    'tile/data/001',
    'tile/entries/000.p/1',
    'tile/0/000',
    'tile/data/000.p/2',
    `issuer/${'0'.repeat(64)}`,
    'issuer/xyz',
    'issuer/..%2Fcheckpoint',
  ]) {
    assert.equal((await get(`/ct/static/${path}`)).status, 404, path)
  }
  assert.equal(log.checkpoint.size, 1)
})

const REFUSED: readonly { name: string; path?: string; make: () => Promise<JsonValue>; text: RegExp }[] = [
  { name: 'no chain', make: async () => ({}), text: /no chain/ },
  { name: 'an empty chain', make: async () => ({ chain: [] }), text: /empty/ },
  { name: 'no base64', make: async () => ({ chain: ['!'] }), text: /base64/ },
  { name: 'no certificate', make: async () => ({ chain: ['AAAA'] }), text: /cannot be read/ },
  {
    name: 'too long a chain',
    make: async () =>
      body(
        await PKI.issueLeaf(),
        Array.from({ length: 10 }, () => CHAIN[0]!),
      ),
    text: /too long/,
  },
  {
    name: 'a gap',
    make: async () => body(await PKI.issueLeaf(), CHAIN.slice(1)),
    text: /not issued by the one after it/,
  },
  {
    name: 'the wrong order',
    make: async () => body(await PKI.issueLeaf(), [...CHAIN].reverse()),
    text: /not issued by the one after it/,
  },
  {
    name: 'the chain of somebody else',
    make: async () => body(await (await createTestPki()).issueLeaf()),
    text: /not issued by the one after it/,
  },
  {
    name: 'a root that is not known',
    make: async () => {
      const other = await createTestPki()
      return body(await other.issueLeaf(), [other.intermediate.certificate.der, other.root.certificate.der])
    },
    text: /does not lead to a root/,
  },
  {
    name: 'a leaf that a leaf has issued',
    make: async () => {
      const leaf = await PKI.issueLeaf()
      return body(await issueCertificate(leafSpec(), leaf), [leaf.certificate.der, ...CHAIN])
    },
    text: /not issued by the one after it/,
  },
  {
    name: 'a root alone',
    make: async () => ({ chain: [encodeBase64(PKI.root.certificate.der)] }),
    text: /nothing below the root/,
  },
  { name: 'a precertificate as a certificate', make: async () => body(await precertificate()), text: /precertificate/ },
  {
    name: 'a certificate as a precertificate',
    path: 'add-pre-chain',
    make: async () => body(await PKI.issueLeaf()),
    text: /not a precertificate/,
  },
  {
    name: 'a poison that is not critical',
    path: 'add-pre-chain',
    make: async () =>
      body(await precertificate(encodeExtension(EXTENSION.precertificatePoison, derNull(), { critical: false }))),
    text: /poison/,
  },
  {
    name: 'a poison that is not NULL',
    path: 'add-pre-chain',
    make: async () =>
      body(
        await precertificate(encodeExtension(EXTENSION.precertificatePoison, derUtf8String('x'), { critical: true })),
      ),
    text: /poison/,
  },
  {
    name: 'a precertificate signing certificate',
    path: 'add-pre-chain',
    make: async () => {
      const signer = await issueCertificate(
        {
          subject: { commonName: 'precert signer' },
          basicConstraints: { ca: true, pathLength: undefined },
          keyUsage: ['keyCertSign'],
          extendedKeyUsage: ['1.3.6.1.4.1.11129.2.4.4'],
        },
        PKI.root,
      )
      const poison = encodeExtension(EXTENSION.precertificatePoison, derNull(), { critical: true })
      return body(await issueCertificate(leafSpec({ extraExtensions: [poison] }), signer), [signer.certificate.der])
    },
    text: /signing certificates are not supported/,
  },
]
for (const { name, path = 'add-chain', make, text } of REFUSED) {
  test(`a submission with ${name} is refused, and nothing is logged`, async () => {
    const { post, log } = await service()
    const response = await post(path, await make())
    assert.equal(response.status, 400)
    assert.match(await response.text(), text)
    assert.equal(log.checkpoint.size, 0)
  })
}

test('questions that have no answer are refused', async () => {
  const { post, get } = await service()
  await post('add-chain', body(await PKI.issueLeaf()))
  const hash = encodeURIComponent(encodeBase64(new Uint8Array(32)))
  for (const [path, status] of [
    ['get-sth-consistency?first=1', 400],
    ['get-sth-consistency?first=2&second=1', 400],
    ['get-sth-consistency?first=0&second=2', 400],
    ['get-sth-consistency?first=-1&second=1', 400],
    ['get-proof-by-hash?tree_size=1', 400],
    ['get-proof-by-hash?hash=AAAA&tree_size=1', 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=0`, 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=2`, 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=1`, 404],
    ['get-entries?start=1&end=1', 400],
    ['get-entries?start=2&end=1', 400],
    ['get-entries?start=0', 400],
    ['get-entry-and-proof?leaf_index=1&tree_size=1', 400],
    ['get-entry-and-proof?leaf_index=0&tree_size=2', 400],
  ] as const) {
    assert.equal((await get(`/ct/v1/${path}`)).status, status, path)
  }
})

test('a directory is not continued with another key or name', async () => {
  const fs = new CrashFileSystem()
  const { log } = await service(crashStorage(fs))
  await log.close()
  const open = (origin: string, key = KEY): Promise<CtLog> =>
    openCtLog({ storage: crashStorage(fs), key, origin, roots: [], clock: () => START, wait: () => Promise.resolve() })
  await assert.rejects(open('localhost/ct', await generatePrivateKey('ecdsa-sha2-256-nistp256')), {
    code: 'TLOG_CHECKPOINT_FOREIGN',
  })
  await assert.rejects(open('elsewhere'), { code: 'TLOG_CHECKPOINT_FOREIGN' })
  await (await open('localhost/ct')).close()
})
