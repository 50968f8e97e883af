import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { BaseFetcher, Updater } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import { openTufClient } from '#clients/tuf/client'
import type { TufStore } from '#clients/tuf/store'
import { memoryTufStore } from '#clients/tuf/store'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import type { JsonObject } from '#encoding/json'
import { parseMetadata } from '#formats/tuf/parse'
import type { UnixMillis } from '#time'
import { router } from '#serving/routes'
import { fetchInProcess } from '#serving/in-process'
import type { RepositorySigners, TufRepository } from './repository.js'
import { openTufRepository } from './repository.js'
import type { RepositoryStorage } from './storage.js'
import { directoryRepositoryStorage, memoryRepositoryStorage } from './storage.js'
import { tufRepoRoutes } from './tuf-repo.js'

const NOW: UnixMillis = Date.UTC(2030, 0, 1)
const DAY = 24 * 60 * 60 * 1000
const MIRROR = 'https://tuf.example/tuf'
const TARGETS = new Map([
  ['trusted_root.json', { bytes: encodeUtf8('{"a":1}') }],
  [
    'signing_config.v0.2.json',
    { bytes: encodeUtf8('{"b":2}'), custom: { sigstore: { status: 'Active' } } satisfies JsonObject },
  ],
])

let keys: readonly [RepositorySigners, RepositorySigners]

before(async () => {
  keys = [await makeSigners(), await makeSigners()]
})

async function makeSigners(): Promise<RepositorySigners> {
  const role = async (
    name: 'ecdsa-sha2-256-nistp256' | 'ed25519',
  ): Promise<{ signers: PrivateKey[]; threshold: number }> => ({
    signers: [await generatePrivateKey(name)],
    threshold: 1,
  })
  return {
    root: await role('ecdsa-sha2-256-nistp256'),
    targets: await role('ecdsa-sha2-256-nistp256'),
    snapshot: await role('ed25519'),
    timestamp: await role('ed25519'),
  }
}

interface World {
  now: UnixMillis
  readonly storage: RepositoryStorage
  readonly repository: TufRepository
  readonly fetch: ReturnType<typeof fetchInProcess>
  readonly requests: string[]
  refresh(store: TufStore, root?: Uint8Array): ReturnType<typeof openTufClient>
}

async function world(storage: RepositoryStorage = memoryRepositoryStorage()): Promise<World> {
  const time = { now: NOW }
  const clock = (): UnixMillis => time.now
  const repository = await openTufRepository({ storage, signers: keys[0], clock })
  await repository.publish(TARGETS)
  const requests: string[] = []
  const inProcess = fetchInProcess(router(tufRepoRoutes({ prefix: '/tuf', repository })))
  const fetch: typeof inProcess = (url, init) => {
    requests.push(url.slice(MIRROR.length + 1))
    return inProcess(url, init)
  }
  return {
    get now() {
      return time.now
    },
    set now(value) {
      time.now = value
    },
    storage,
    repository,
    fetch,
    requests,
    refresh: (store, root) => openTufClient({ mirror: MIRROR, root, fetch, clock, store, maxAge: 0 }),
  }
}

test('a client initialized with the root gets the targets', async () => {
  const { repository, refresh } = await world()
  const client = await refresh(memoryTufStore(), await repository.root())
  assert.equal(decodeUtf8(await client.target('trusted_root.json')), '{"a":1}')
  assert.deepEqual([...client.targets.keys()], [...TARGETS.keys()])
  assert.deepEqual(client.targets.get('signing_config.v0.2.json')?.custom, { sigstore: { status: 'Active' } })
})

test('tuf-js, as a foreign client, follows the repository through publication and rotation', async (t) => {
  const { repository, fetch } = await world()
  const directory = mkdtempSync(join(tmpdir(), 'tuf-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  const { writeFileSync, readFileSync } = await import('node:fs')
  writeFileSync(join(directory, 'root.json'), await repository.root())
  class InProcess extends BaseFetcher {
    override async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
      const response = await fetch(url)
      if (response.status !== 200) throw new DownloadHTTPError('not found', response.status)
      return new Response(await response.arrayBuffer()).body as ReadableStream<Uint8Array<ArrayBuffer>>
    }
  }
  const read = async (path: string): Promise<string> => {
    const updater = new Updater({
      metadataDir: directory,
      metadataBaseUrl: MIRROR,
      targetDir: directory,
      targetBaseUrl: `${MIRROR}/targets`,
      fetcher: new InProcess(),
    })
    await updater.refresh()
    const info = await updater.getTargetInfo(path)
    assert.ok(info)
    return readFileSync(await updater.downloadTarget(info), 'utf8')
  }
  // tuf-js looks at the wall clock: the metadata must be valid in 2030 and today alike, and so it is.
  assert.equal(await read('trusted_root.json'), '{"a":1}')
  await repository.publish(new Map([['trusted_root.json', { bytes: encodeUtf8('{"a":2}') }]]))
  assert.equal(await read('trusted_root.json'), '{"a":2}')
  await repository.rotate(keys[1])
  assert.equal(await read('trusted_root.json'), '{"a":2}')
  await repository.publish(new Map([['trusted_root.json', { bytes: encodeUtf8('{"a":3}') }]]))
  assert.equal(await read('trusted_root.json'), '{"a":3}')
})

test('publishing the same again changes nothing', async () => {
  const { repository, storage } = await world()
  const before = await storage.read('timestamp.json')
  await repository.publish(TARGETS)
  assert.deepEqual(await storage.read('timestamp.json'), before)
})

test('opening it again goes on where it was', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tuf-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  const first = await world(directoryRepositoryStorage(directory))
  const before = await first.storage.read('timestamp.json')
  const second = await world(directoryRepositoryStorage(directory))
  assert.deepEqual(await second.storage.read('timestamp.json'), before)
  await second.repository.publish(new Map([['x', { bytes: encodeUtf8('x') }]]))
  assert.equal(
    parseMetadata((await second.storage.read('timestamp.json')) ?? assert.fail(), 'timestamp').role.version,
    2,
  )
})

test('keys that the root does not name are refused at the start', async () => {
  const { storage } = await world()
  await assert.rejects(openTufRepository({ storage, signers: keys[1], clock: () => NOW }), {
    code: 'TUF_REPOSITORY_KEYS',
  })
})

test('a damaged repository is refused at the start', async () => {
  const { storage } = await world()
  await storage.write('1.snapshot.json', encodeUtf8('{}'))
  await assert.rejects(openTufRepository({ storage, signers: keys[0], clock: () => NOW }), {
    code: 'TUF_REPOSITORY_DAMAGED',
  })
})

test('metadata is renewed when it is asked for, and before it expires', async () => {
  const here = await world()
  const store = memoryTufStore()
  await here.refresh(store, await here.repository.root())
  for (let day = 6; day < 420; day += 6) {
    here.now = NOW + day * DAY
    await here.refresh(store)
  }
  const version = async (path: string, role: 'root' | 'timestamp'): Promise<number> =>
    parseMetadata((await here.storage.read(path)) ?? assert.fail(), role).role.version
  assert.ok((await version('timestamp.json', 'timestamp')) > 30)
  assert.equal(await version('root.json', 'root'), 2)
})

test('a client that slept through renewals and a rotation catches up', async () => {
  const here = await world()
  const store = memoryTufStore()
  await here.refresh(store, await here.repository.root())
  here.now = NOW + 400 * DAY
  await here.repository.renew()
  await here.repository.rotate(keys[1])
  await here.repository.publish(new Map([['x', { bytes: encodeUtf8('new') }]]))
  const client = await here.refresh(store)
  assert.equal(decodeUtf8(await client.target('x')), 'new')
})

test('between the two steps of a rotation both kinds of clients are served', async () => {
  const here = await world()
  const old = memoryTufStore()
  await here.refresh(old, await here.repository.root())
  const { write } = here.storage
  const during: Promise<unknown>[] = []
  Object.assign(here.storage, {
    write: async (path: string, bytes: Uint8Array) => {
      await write(path, bytes)
      const client = await here.refresh(memoryTufStore(), (await here.storage.read('1.root.json')) ?? assert.fail())
      during.push(client.target('trusted_root.json'))
    },
  })
  await here.repository.rotate(keys[1])
  await Promise.all(during)
  assert.ok(during.length >= 6)
  await here.refresh(old)
})

test('concurrent renewals make one version', async () => {
  const here = await world()
  here.now = NOW + 8 * DAY
  await Promise.all([here.repository.renew(), here.repository.renew(), here.repository.renew()])
  assert.equal(parseMetadata((await here.storage.read('timestamp.json')) ?? assert.fail(), 'timestamp').role.version, 2)
})

test('nothing else is served', async () => {
  const { fetch } = await world()
  for (const path of ['', '..%2fvault', '.hidden', 'targets/.x', '1.root.json.abc.tmp', 'targets/', 'nothing.json']) {
    assert.equal((await fetch(`${MIRROR}/${path}`)).status, 404, path)
  }
})
