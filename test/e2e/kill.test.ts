import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { randomBytes } from '#crypto/random'
import { sha256 } from '#crypto/digest'
import { encodeBase64 } from '#encoding/base64'
import { decodeHex, encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { verifyConsistency } from '#formats/merkle/proof'
import { countersign, startUp } from './up-process.js'
import type { UpProcess } from './up-process.js'

/** How many acknowledged writes each life of the process gets before it is killed. */
const LIVES = [1, 9, 40, 120]

/** What the instance has promised so far. */
interface Promises {
  readonly rekor: Map<string, { readonly body: string; readonly logIndex: number }>
  readonly tiles: Map<string, string>
  readonly manifests: Map<string, string>
  certificates: number
}

type Write = (up: UpProcess, key: PrivateKey, promises: Promises) => Promise<void>

async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (response.status >= 300) throw new Error(`${url}: ${String(response.status)} ${JSON.stringify(answer)}`)
  return answer
}

async function writeRekor(up: UpProcess, key: PrivateKey, promises: Promises): Promise<void> {
  const data = randomBytes(16)
  const spec = {
    data: { hash: { algorithm: 'sha256', value: encodeHex(sha256(data)) } },
    signature: {
      content: encodeBase64(await key.sign(data)),
      publicKey: { content: encodeBase64(encodeUtf8(publicKeyToPem(key.publicKey))) },
    },
  }
  const answer = await post(`${up.url}/api/v1/log/entries`, { apiVersion: '0.0.1', kind: 'hashedrekord', spec })
  for (const [uuid, entry] of Object.entries(answer))
    promises.rekor.set(uuid, entry as { body: string; logIndex: number })
}

async function writeTiles(up: UpProcess, key: PrivateKey, promises: Promises): Promise<void> {
  const data = randomBytes(16)
  const verifier = { publicKey: { rawBytes: encodeBase64(key.publicKey.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const request = {
    digest: encodeBase64(sha256(data)),
    signature: { content: encodeBase64(await key.sign(data)), verifier },
  }
  const answer = await post(`${up.url}/api/v2/log/entries`, { hashedRekordRequestV002: request })
  promises.tiles.set(String(answer['logIndex']), String(answer['canonicalizedBody']))
}

async function writeManifest(up: UpProcess, _: PrivateKey, promises: Promises): Promise<void> {
  const tag = `t${encodeHex(randomBytes(6))}`
  const body = JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { tag } })
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
  const response = await fetch(`${up.url}/v2/kill/app/manifests/${tag}`, { method: 'PUT', headers, body })
  if (response.status !== 201) throw new Error(`manifest: ${String(response.status)}`)
  promises.manifests.set(tag, `sha256:${createHash('sha256').update(body).digest('hex')}`)
}

let token = ''
async function writeCertificate(up: UpProcess, key: PrivateKey, promises: Promises): Promise<void> {
  const publicKeyRequest = {
    publicKey: { algorithm: 'ECDSA', content: publicKeyToPem(key.publicKey) },
    proofOfPossession: encodeBase64(await key.sign(encodeUtf8('ann@example.com'))),
  }
  await post(`${up.url}/api/v2/signingCert`, { credentials: { oidcIdentityToken: token }, publicKeyRequest })
  promises.certificates += 1
}

const WRITES: readonly Write[] = [writeRekor, writeTiles, writeManifest, writeCertificate]

/** Several clients write at once until enough was acknowledged; then the process is killed in the middle of what they do. */
async function liveAndDie(up: UpProcess, promises: Promises, enough: number): Promise<void> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  let acknowledged = 0
  let killed: Promise<void> | undefined
  const isDead = (): boolean => killed !== undefined
  const client = async (number: number): Promise<void> => {
    for (let round = number; !isDead(); round++) {
      const write = WRITES[round % WRITES.length]
      try {
        await write?.(up, key, promises)
      } catch (error) {
        if (!isDead()) throw error // nobody killed it yet: then it must not fail
        return
      }
      acknowledged += 1
      if (acknowledged === enough) killed = up.kill()
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)))
  await killed
}

async function checkPromises(up: UpProcess, promises: Promises): Promise<void> {
  for (const [uuid, promised] of promises.rekor) {
    const found = (await (await fetch(`${up.url}/api/v1/log/entries/${uuid}`)).json()) as Record<
      string,
      { body: string; logIndex: number }
    >
    assert.deepEqual([found[uuid]?.body, found[uuid]?.logIndex], [promised.body, promised.logIndex])
  }
  for (const [index, body] of promises.tiles) {
    const found = (await (await fetch(`${up.url}/api/v2/log/entries/${index}`)).json()) as { canonicalizedBody: string }
    assert.equal(found.canonicalizedBody, body)
  }
  for (const [tag, digest] of promises.manifests) {
    const found = await fetch(`${up.url}/v2/kill/app/manifests/${tag}`, { method: 'HEAD' })
    assert.equal(found.headers.get('docker-content-digest'), digest)
  }
  const { tree_size: size } = (await (await fetch(`${up.url}/ct/v1/get-sth`)).json()) as { tree_size: number }
  assert.ok(
    size >= promises.certificates,
    `${String(promises.certificates)} certificates are out, the CT log has ${String(size)}`,
  )
}

interface Head {
  readonly size: number
  readonly root: Uint8Array
}

async function headOf(up: UpProcess): Promise<Head> {
  const { treeSize, rootHash } = (await (await fetch(`${up.url}/api/v1/log`)).json()) as {
    treeSize: number
    rootHash: string
  }
  return { size: treeSize, root: decodeHex(rootHash) }
}

async function checkGrowth(up: UpProcess, before: Head): Promise<Head> {
  const after = await headOf(up)
  assert.ok(after.size >= before.size)
  if (before.size > 0 && after.size > before.size) {
    const answer = await fetch(
      `${up.url}/api/v1/log/proof?firstSize=${String(before.size)}&lastSize=${String(after.size)}`,
    )
    const { hashes } = (await answer.json()) as { hashes: string[] }
    verifyConsistency({
      fromSize: BigInt(before.size),
      toSize: BigInt(after.size),
      fromRoot: before.root,
      toRoot: after.root,
      proof: hashes.map(decodeHex),
    })
  }
  return after
}

test(
  'killed while it writes, again and again: nothing acknowledged is lost, and it stays who it is',
  { timeout: 120_000 },
  async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'kill-'))
    t.after(() => rm(place, { recursive: true, force: true, maxRetries: 5 }))
    const data = join(place, 'data')
    const promises: Promises = { rekor: new Map(), tiles: new Map(), manifests: new Map(), certificates: 0 }
    let port = '0'
    let head: Head = { size: 0, root: new Uint8Array() }
    let identity: string | undefined
    for (const enough of [...LIVES, undefined]) {
      const up = await startUp(['--data', data, '--port', port])
      t.after(() => up.kill())
      port = new URL(up.url).port
      const trust = await (await fetch(`${up.url}/api/v2/trustBundle`)).text()
      const root = await readFile(up.tuf.root, 'utf8')
      identity ??= trust + root
      assert.equal(trust + root, identity)
      head = await checkGrowth(up, head)
      await checkPromises(up, promises)
      token = (await countersign(['token', '--data', data, 'ann@example.com'])).stdout.trim()
      if (enough === undefined) await up.stop()
      else await liveAndDie(up, promises, enough)
    }
    assert.ok(
      promises.rekor.size > 20 &&
        promises.tiles.size > 20 &&
        promises.manifests.size > 20 &&
        promises.certificates > 20,
    )
    const { code, stdout } = await countersign(['log', 'fsck', '--data', data, '--output', 'json'])
    assert.equal(code, 0, stdout)
  },
)
