import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from '#crypto/random'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeSigningConfig } from '#formats/signing-config/serialize'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import type { DataFiles } from './data-files.js'
import { memoryDataFiles } from './data-files.js'
import { requireClosedSignIn } from './sign-in.js'
import { createSigstore } from './sigstore.js'
import type { Sigstore, SigstoreOptions } from './sigstore.js'
import { parsePublicUrl } from './start.js'
import { seedOidcKey } from '#testing/virtual-sigstore'
import { memoryStorage } from './storage.js'
import type { InstanceStorage } from './storage.js'
import { deploymentSigningConfig, deploymentTrustedRoot } from './trust.js'

const NOW = Date.UTC(2025, 5, 1, 12)

async function start(storage: InstanceStorage, changes: Partial<SigstoreOptions> = {}): Promise<Sigstore> {
  if (changes.password === undefined) await seedOidcKey(storage)
  return createSigstore({
    url: 'http://localhost:8080',
    storage,
    signIn: { kind: 'development' },
    clock: () => NOW,
    elapsed: () => 0,
    wait: () => Promise.resolve(),
    random: randomBytes,
    connect: () => Promise.reject(new Error('no network')),
    errorLog: (line) => {
      throw new Error(line)
    },
    ...changes,
  })
}

/** Files that crash at the n-th write: before it, or after it landed and before anybody was told. */
function crashing(files: DataFiles, at: number, landed: boolean): DataFiles {
  let writes = 0
  return {
    ...files,
    async write(path, content) {
      writes += 1
      if (writes > at) throw new Error('the process is gone')
      if (writes < at || landed) await files.write(path, content)
      if (writes === at) throw new Error('the process is gone')
    },
  }
}

async function fingerprint(sigstore: Sigstore): Promise<string> {
  const { deployment } = sigstore
  return serializeTrustedRoot(deploymentTrustedRoot(deployment)) + new TextDecoder().decode(sigstore.tufRoot)
}

for (const landed of [false, true]) {
  test(`a crash at any write of the first start, ${landed ? 'after' : 'before'} it landed, is recovered from`, async () => {
    // instance, seven keys, the instance again; the issuer's key and the third storing happen in the background.
    for (let at = 1; at <= 9; at++) {
      const storage = memoryStorage()
      await assert.rejects(
        start({ ...storage, files: crashing(storage.files, at, landed) }),
        /the process is gone/,
        String(at),
      )
      const keysThen = await keysIn(storage.files)
      const second = await start(storage)
      const born = await fingerprint(second)
      for (const [name, content] of keysThen)
        assert.deepEqual(await storage.files.read(name), content, `${name} was made again`)
      await second.close()
      const third = await start(storage)
      assert.equal(await fingerprint(third), born)
      await third.close()
    }
  })
}

const KEYS = ['fulcio', 'tsa', 'ctlog', 'rekor', 'rekor-tiles', 'tuf-root', 'tuf-online'].map(
  (name) => `keys/${name}.pem`,
)

async function keysIn(files: DataFiles): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  for (const path of KEYS) {
    const content = await files.read(path)
    if (content !== undefined) found.set(path, content)
  }
  return found
}

for (const path of KEYS) {
  test(`an instance does not start without ${path}, once it had it`, async () => {
    const storage = memoryStorage()
    await (await start(storage)).close()
    await storage.files.remove(path)
    await assert.rejects(start(storage), { code: 'UP_KEY_MISSING' })
  })
}

test("another instance's logs are not gone on with", async () => {
  const storage = memoryStorage()
  await (await start(storage)).close()
  await assert.rejects(start({ ...storage, files: memoryDataFiles() }), { code: 'TLOG_CHECKPOINT_FOREIGN' })
})

test('with a password nothing is stored in the clear, and another password does not start it', async () => {
  const storage = memoryStorage()
  await (await start(storage, { password: encodeUtf8('correct horse') })).close()
  for (const path of KEYS)
    assert.doesNotMatch(new TextDecoder().decode(await storage.files.read(path)), /BEGIN PRIVATE KEY/)
  await assert.rejects(start(storage, { password: encodeUtf8('battery staple') }), { code: 'UP_PASSWORD_WRONG' })
  await assert.rejects(start(storage), { code: 'UP_PASSWORD_MISSING' })
})

test('an instance may move; its logs keep their names, its TUF repository tells the new address', async () => {
  const storage = memoryStorage()
  const before = await start(storage)
  await before.close()
  const after = await start(storage, { url: 'https://sigstore.example.com' })
  assert.deepEqual(after.deployment.rekorTiles.logId, before.deployment.rekorTiles.logId)
  assert.equal(after.deployment.rekorTiles.baseUrl, 'https://localhost')
  assert.equal(after.issuer, 'https://sigstore.example.com/oidc')
  assert.deepEqual(after.tufRoot, before.tufRoot)
  assert.match(
    serializeSigningConfig(deploymentSigningConfig(after.deployment)),
    /https:\/\/sigstore\.example\.com\/oidc/,
  )
  await after.close()
})

test('a provider elsewhere replaces the sign-in pages', async () => {
  const sigstore = await start(memoryStorage(), {
    signIn: { kind: 'external', issuer: 'https://accounts.example.com', clientId: 'app' },
    connect: () => Promise.resolve(() => Promise.reject(new Error('not asked yet'))),
  })
  assert.equal(sigstore.issuer, 'https://accounts.example.com')
  assert.equal(sigstore.localSecret, undefined)
  const get = async (path: string): Promise<Response> => sigstore.handler(new Request(`http://localhost:8080${path}`))
  assert.equal((await get('/oidc/.well-known/openid-configuration')).status, 404)
  const { issuers } = (await (await get('/api/v2/configuration')).json()) as {
    issuers: { issuerUrl: string; audience: string }[]
  }
  assert.deepEqual(
    issuers.map(({ issuerUrl, audience }) => [issuerUrl, audience]),
    [['https://accounts.example.com', 'app']],
  )
  await sigstore.close()
})

test('people from a file get no tokens without signing in', async () => {
  const sigstore = await start(memoryStorage(), { signIn: { kind: 'listed', users: [] } })
  assert.equal(sigstore.localSecret, undefined)
  const response = await sigstore.handler(
    new Request(`${sigstore.issuer}/local-token`, { method: 'POST', headers: { authorization: 'Bearer x' } }),
  )
  assert.equal(response.status, 404)
  await sigstore.close()
})

test('cookies are never opened to other origins, the rest is', async () => {
  const sigstore = await start(memoryStorage())
  const origin = async (path: string): Promise<string | null> =>
    (await sigstore.handler(new Request(`http://localhost:8080${path}`))).headers.get('access-control-allow-origin')
  assert.equal(await origin('/api/v1/log'), '*')
  for (const closed of ['/oidc/device', '/v2/', '/metrics', '/']) assert.equal(await origin(closed), null, closed)
  assert.equal(await origin('/oidc/keys'), '*')
  await sigstore.close()
})

for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.0.0.2']) {
  test(`open sign-in does not listen on ${host}`, () => {
    assert.throws(
      () => {
        requireClosedSignIn({ kind: 'development' }, host)
      },
      { code: 'UP_OPEN_SIGN_IN' },
    )
    requireClosedSignIn({ kind: 'listed', users: [] }, host)
  })
}

for (const text of [
  '',
  'sigstore.example.com',
  'ftp://a',
  'https://a/path',
  'https://a?q',
  'https://a#f',
  'https://user@a',
  'javascript:alert(1)',
]) {
  test(`${JSON.stringify(text)} is no public address`, () => {
    assert.throws(() => parsePublicUrl(text), { code: 'UP_URL' })
  })
}

test('public addresses are origins', () => {
  assert.equal(parsePublicUrl('https://sigstore.example.com/'), 'https://sigstore.example.com')
  assert.equal(parsePublicUrl('http://localhost:8080'), 'http://localhost:8080')
})
