import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { before, test } from 'node:test'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonObject } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { acceptInitialRoot } from '#formats/tuf/accept'
import { tufKeyId, tufKeyToJson } from '#formats/tuf/keys'
import { parseMetadata } from '#formats/tuf/parse'
import type { NewTarget, RoleKeySet } from '#formats/tuf/write'
import { rootJson, signMetadata, snapshotJson, targetsJson, timestampJson } from '#formats/tuf/write'
import type { Fetch } from '../http/fetch.js'
import type { TufClient } from './client.js'
import { openTufClient } from './client.js'
import { cosignCacheDirectory, initializeCosignTuf, mirrorDirectory, openCosignTuf } from './cosign-cache.js'
import { EMBEDDED_ROOTS } from './embedded-roots.js'
import { openMirror } from './mirror.js'
import type { TufStore } from './store.js'
import { fileTufStore, memoryTufStore, replaceFiles } from './store.js'

const NOW = Date.UTC(2030, 0, 1)
const DAY = 86_400_000
const MIRROR = 'https://tuf.example/repo'

let key: PrivateKey
let other: PrivateKey

before(async () => {
  key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
})

type Files = Map<string, Uint8Array>

interface Release {
  readonly version?: number
  readonly targets?: Readonly<Record<string, string>>
  readonly signer?: PrivateKey
  readonly timestampExpires?: number
  readonly delegations?: JsonObject
  readonly extraMeta?: JsonObject
}

const rolesOf = (each: PrivateKey): RoleKeySet => {
  const role = { keys: [each.publicKey], threshold: 1 }
  return { root: role, targets: role, snapshot: role, timestamp: role }
}

/** A repository made by hand, so that it can also be made wrongly. */
async function release(
  files: Files,
  { version = 1, targets = { 'a.json': 'A' }, signer = key, ...options }: Release = {},
): Promise<Files> {
  const header = { version, expires: NOW + 100 * DAY }
  if (!files.has('1.root.json'))
    files.set(
      '1.root.json',
      await signMetadata(rootJson({ version: 1, expires: NOW + 365 * DAY }, rolesOf(signer)), [signer]),
    )
  const contents = new Map<string, NewTarget>(
    Object.entries(targets).map(([name, text]) => [name, { bytes: encodeUtf8(text) }]),
  )
  for (const [name, { bytes }] of contents) files.set(`targets/${encodeHex(sha256(bytes))}.${name}`, bytes)
  const signedTargets = targetsJson(header, contents)
  const targetsBytes = await signMetadata(
    options.delegations === undefined ? signedTargets : { ...signedTargets, delegations: options.delegations },
    [signer],
  )
  files.set(`${String(version)}.targets.json`, targetsBytes)
  const signedSnapshot = snapshotJson(header, { version, bytes: targetsBytes })
  const meta = { ...(signedSnapshot['meta'] as JsonObject), ...options.extraMeta }
  const snapshotBytes = await signMetadata({ ...signedSnapshot, meta }, [signer])
  files.set(`${String(version)}.snapshot.json`, snapshotBytes)
  const timestamp = timestampJson(
    { version, expires: options.timestampExpires ?? NOW + 7 * DAY },
    { version, bytes: snapshotBytes },
  )
  files.set('timestamp.json', await signMetadata(timestamp, [signer]))
  return files
}

interface Run {
  readonly store?: TufStore
  readonly root?: Uint8Array | undefined
  readonly now?: number
  readonly maxAge?: number
  readonly offline?: boolean
}

const requests: string[] = []

function serve(files: Files, statuses: Readonly<Record<string, number>> = {}): Fetch {
  return (url) => {
    const path = url.slice(MIRROR.length + 1)
    requests.push(path)
    const bytes = files.get(decodeURIComponent(path))
    const status = statuses[path] ?? (bytes === undefined ? 404 : 200)
    return Promise.resolve(new Response(status === 200 ? new Uint8Array(bytes ?? []) : 'no', { status }))
  }
}

function open(files: Files, run: Run = {}, fetch: Fetch = serve(files)): Promise<TufClient> {
  const { store = memoryTufStore(), root = files.get('1.root.json'), now = NOW, maxAge = 0, offline } = run
  return openTufClient({ mirror: MIRROR, root, fetch, clock: () => now, store, maxAge, offline })
}

const text = async (client: TufClient, path: string): Promise<string> => decodeUtf8(await client.target(path))

test('targets are fetched and verified', async () => {
  const client = await open(await release(new Map()))
  assert.equal(await text(client, 'a.json'), 'A')
  await assert.rejects(client.target('b.json'), { code: 'TUF_CLIENT_TARGET' })
})

test('a second run asks for the timestamp only', async () => {
  const files = await release(new Map())
  const store = memoryTufStore()
  await (await open(files, { store })).target('a.json')
  requests.length = 0
  await (await open(files, { store, root: undefined })).target('a.json')
  assert.deepEqual(requests, ['2.root.json', 'timestamp.json'])
})

test('a recent cache needs no network at all, an old or expired one does', async () => {
  const files = await release(new Map())
  const store = memoryTufStore()
  await (await open(files, { store })).target('a.json')
  const run = async (now: number): Promise<number> => {
    requests.length = 0
    await (await open(files, { store, maxAge: DAY, now })).target('a.json')
    return requests.length
  }
  assert.equal(await run(NOW + DAY - 1), 0)
  assert.equal(await run(NOW + DAY), 2)
  assert.equal(await run(NOW - 1), 2)
  await assert.rejects(open(files, { store, maxAge: 100 * DAY, now: NOW + 7 * DAY }), { code: 'TUF_EXPIRED' })
})

test('offline means offline', async () => {
  const files = await release(new Map([]), { targets: { 'a.json': 'A', 'b.json': 'B' } })
  const store = memoryTufStore()
  await assert.rejects(open(files, { store, offline: true }), { code: 'TUF_CLIENT_OFFLINE' })
  await (await open(files, { store })).target('a.json')
  requests.length = 0
  const client = await open(files, { store, offline: true, now: NOW + 6 * DAY })
  assert.equal(await text(client, 'a.json'), 'A')
  await assert.rejects(client.target('b.json'), { code: 'TUF_CLIENT_OFFLINE' })
  await assert.rejects(open(files, { store, offline: true, now: NOW + 7 * DAY }), { code: 'TUF_CLIENT_OFFLINE' })
  assert.deepEqual(requests, [])
})

test('roots are followed one by one', async () => {
  const files = await release(new Map())
  const store = memoryTufStore()
  await open(files, { store })
  files.set(
    '2.root.json',
    await signMetadata(rootJson({ version: 2, expires: NOW + DAY }, rolesOf(other)), [key, other]),
  )
  await assert.rejects(open(files, { store }), { code: 'TUF_SIGNATURES' })
  await release(files, { version: 2, signer: other, targets: { 'a.json': 'new' } })
  assert.equal(await text(await open(files, { store }), 'a.json'), 'new')
  assert.equal((await open(files, { store })).root.version, 2)
  await assert.rejects(open(files, { store, now: NOW + 2 * DAY }), { code: 'TUF_EXPIRED' })
})

test('a root that the current one did not sign changes nothing', async () => {
  const files = await release(new Map())
  const store = memoryTufStore()
  await open(files, { store })
  const before = await store.read('root.json')
  files.set('2.root.json', await signMetadata(rootJson({ version: 2, expires: NOW + DAY }, rolesOf(other)), [other]))
  await assert.rejects(open(files, { store }), { code: 'TUF_SIGNATURES' })
  assert.deepEqual(await store.read('root.json'), before)
})

test('roll-back of the repository is noticed', async () => {
  const store = memoryTufStore()
  const newer = await release(new Map(), { version: 3 })
  await open(newer, { store })
  const older = await release(new Map([['1.root.json', newer.get('1.root.json') ?? assert.fail()]]), { version: 2 })
  await assert.rejects(open(older, { store }), { code: 'TUF_VERSION' })
})

test('another timestamp of the same version is not taken', async () => {
  const store = memoryTufStore()
  const files = await release(new Map())
  await open(files, { store })
  const first = await store.read('timestamp.json')
  await release(files, { timestampExpires: NOW + 50 * DAY, targets: { 'a.json': 'other' } })
  assert.equal(await text(await open(files, { store }), 'a.json'), 'A')
  assert.deepEqual(await store.read('timestamp.json'), first)
})

test('keys that were rotated away set no lower bound: a compromise can be recovered from', async () => {
  const store = memoryTufStore()
  const files = await release(new Map(), { version: 1_000_000 })
  await open(files, { store })
  files.set(
    '2.root.json',
    await signMetadata(rootJson({ version: 2, expires: NOW + DAY }, rolesOf(other)), [key, other]),
  )
  await release(files, { version: 5, signer: other })
  assert.equal(await text(await open(files, { store }), 'a.json'), 'A')
})

test('a mirror that mixes, changes, withholds or bloats files is refused', async () => {
  const good = await release(new Map())
  const attack = async (edit: (files: Files) => void | Promise<void>, code: string): Promise<void> => {
    const files = new Map(good)
    await edit(files)
    const run = async (): Promise<unknown> => (await open(files, { root: good.get('1.root.json') })).target('a.json')
    await assert.rejects(run, { code })
  }
  const forged = await release(new Map([['1.root.json', good.get('1.root.json') ?? assert.fail()]]), { signer: other })
  for (const name of ['timestamp.json', '1.snapshot.json', '1.targets.json']) {
    await attack((files) => {
      files.delete(name)
    }, 'TUF_CLIENT_MISSING')
    await attack((files) => {
      files.set(name, new Uint8Array(6_000_000))
    }, 'TUF_CLIENT_DOWNLOAD')
  }
  await attack((files) => {
    files.set('timestamp.json', forged.get('timestamp.json') ?? assert.fail())
  }, 'TUF_SIGNATURES')
  await attack((files) => {
    files.set(
      '1.snapshot.json',
      encodeUtf8(decodeUtf8(good.get('1.snapshot.json') ?? assert.fail()).replace('"version": 1', '"version": 2')),
    )
  }, 'TUF_HASH')
  await attack((files) => {
    files.set('1.targets.json', good.get('1.snapshot.json')?.slice(0, 10) ?? assert.fail())
  }, 'TUF_LENGTH')
  const [target] = [...good.keys()].filter((name) => name.startsWith('targets/'))
  assert.ok(target)
  await attack((files) => {
    files.set(target, encodeUtf8('B'))
  }, 'TUF_HASH')
  await attack((files) => {
    files.set(target, encodeUtf8('AA'))
  }, 'TUF_CLIENT_DOWNLOAD')
  await attack((files) => {
    files.delete(target)
  }, 'TUF_CLIENT_MISSING')
  await attack((files) => release(files, { timestampExpires: NOW }).then(() => undefined), 'TUF_EXPIRED')
})

test('a server that fails is told apart from a file that is not there', async () => {
  const files = await release(new Map())
  await assert.rejects(open(files, {}, serve(files, { '2.root.json': 500 })), { code: 'TUF_CLIENT_DOWNLOAD' })
  await open(files, {}, serve(files, { '2.root.json': 403 }))
})

test('what lies in the cache is verified again', async () => {
  const files = await release(new Map())
  const store = memoryTufStore()
  await (await open(files, { store })).target('a.json')
  await store.write('targets/a.json', encodeUtf8('B'))
  assert.equal(await text(await open(files, { store }), 'a.json'), 'A')
  for (const name of ['timestamp.json', 'snapshot.json', 'targets.json', 'updated.json']) {
    await store.write(name, encodeUtf8('{"broken'))
    assert.equal(await text(await open(files, { store, maxAge: DAY }), 'a.json'), 'A')
  }
  await store.write('root.json', encodeUtf8('broken'))
  assert.equal(await text(await open(files, { store }), 'a.json'), 'A')
  await store.write('root.json', encodeUtf8('broken'))
  await assert.rejects(openTufClient({ mirror: MIRROR, fetch: serve(files), clock: () => NOW, store, maxAge: 0 }), {
    code: 'TUF_CLIENT_ROOT',
  })
})

test('delegated targets are found, in order, and only where they are delegated', async () => {
  const files: Files = new Map()
  const content = encodeUtf8('delegated')
  files.set(`targets/team/${encodeHex(sha256(content))}.x.json`, content)
  const team = await signMetadata(
    targetsJson(
      { version: 4, expires: NOW + DAY },
      new Map([
        ['team/x.json', { bytes: content }],
        ['elsewhere.json', { bytes: content }],
      ]),
    ),
    [other],
  )
  files.set('4.team.json', team)
  const id = tufKeyId(other.publicKey)
  const role = { name: 'team', keyids: [id], threshold: 1, terminating: true, paths: ['team/*'] }
  await release(files, {
    delegations: { keys: { [id]: tufKeyToJson(other.publicKey) }, roles: [role] },
    extraMeta: { 'team.json': { version: 4 } },
  })
  const client = await open(files)
  assert.equal(await text(client, 'team/x.json'), 'delegated')
  await assert.rejects(client.target('elsewhere.json'), { code: 'TUF_CLIENT_TARGET' })
  await assert.rejects(client.target('team/y.json'), { code: 'TUF_CLIENT_TARGET' })
  files.set('4.team.json', await signMetadata(targetsJson({ version: 4, expires: NOW + DAY }, new Map()), [key]))
  await assert.rejects((await open(files)).target('team/x.json'), { code: 'TUF_SIGNATURES' })
})

function temporary(t: { after(run: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'tuf-'))
  t.after(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

test('mirrors may be directories and file addresses', async (t) => {
  const directory = temporary(t)
  for (const [name, bytes] of await release(new Map())) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), bytes)
  }
  const never: Fetch = () => assert.fail('the network was used')
  const root = new Uint8Array(readFileSync(join(directory, '1.root.json')))
  for (const mirror of [directory, `${directory}/`, pathToFileURL(directory).href]) {
    const client = await openTufClient({
      mirror,
      root,
      fetch: never,
      clock: () => NOW,
      store: memoryTufStore(),
      maxAge: 0,
    })
    assert.equal(await text(client, 'a.json'), 'A')
  }
  assert.throws(() => openMirror('ftp://x', never), { code: 'TUF_CLIENT_MIRROR' })
  await assert.rejects(openMirror(directory, never).read('../x', 10), { code: 'TUF_CLIENT_DOWNLOAD' })
})

test("the cache on disk has cosign's layout", async (t) => {
  const directory = temporary(t)
  const files = await release(new Map(), { targets: { 'trusted_root.json': 'T' } })
  const options = { directory, fetch: serve(files), clock: () => NOW }
  await initializeCosignTuf({ ...options, mirror: MIRROR, root: files.get('1.root.json') })
  assert.deepEqual(readdirSync(directory).sort(), ['remote.json', 'tuf.example-repo', 'tuf.example-repo.json'])
  assert.deepEqual(readdirSync(join(directory, 'tuf.example-repo')).sort(), [
    'root.json',
    'snapshot.json',
    'targets',
    'targets.json',
    'timestamp.json',
  ])
  assert.equal(readFileSync(join(directory, 'remote.json'), 'utf8'), `{"mirror":"${MIRROR}"}`)
  assert.equal(
    readFileSync(join(directory, 'tuf.example-repo.json'), 'utf8'),
    '{"lastTimestamp":"2030-01-01T00:00:00Z"}',
  )
  requests.length = 0
  assert.equal(await text(await openCosignTuf(options), 'trusted_root.json'), 'T')
  assert.equal(await text(await openCosignTuf({ ...options, offline: true }), 'trusted_root.json'), 'T')
  assert.deepEqual(requests, [])
  assert.equal(mirrorDirectory('http://LOCALHOST:8080/tuf'), 'localhost-8080-tuf')
})

test('a failed initialization leaves the cache as it was', async (t) => {
  const directory = temporary(t)
  const files = await release(new Map())
  const options = { directory, fetch: serve(files), clock: () => NOW, mirror: MIRROR }
  await initializeCosignTuf({ ...options, root: files.get('1.root.json') })
  const wrong = await signMetadata(rootJson({ version: 1, expires: NOW + DAY }, rolesOf(other)), [other])
  await assert.rejects(initializeCosignTuf({ ...options, root: wrong }), { code: 'TUF_SIGNATURES' })
  await assert.rejects(initializeCosignTuf({ ...options, mirror: 'https://unknown.example' }), {
    code: 'TUF_CLIENT_ROOT',
  })
  assert.equal(
    await text(await openCosignTuf({ ...options, offline: true }), 'a.json').catch(
      (error: unknown) => (error as { code: string }).code,
    ),
    'TUF_CLIENT_OFFLINE',
  )
  assert.equal((await openCosignTuf(options)).root.version, 1)
})

test('a broken remote.json does not silently lead to the public instance', async (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'remote.json'), '{"mirror":""}')
  await assert.rejects(openCosignTuf({ directory, fetch: serve(new Map()), clock: () => NOW }), {
    code: 'TUF_CLIENT_MIRROR',
  })
})

test('without a home, or with one that cannot be written, the client works from memory', async (t) => {
  const files = await release(new Map())
  const root = files.get('1.root.json')
  const base = { fetch: serve(files), clock: () => NOW, mirror: MIRROR, root }
  assert.equal(await text(await openCosignTuf({ ...base, directory: undefined }), 'a.json'), 'A')
  const file = join(temporary(t), 'file')
  writeFileSync(file, '')
  const reasons: string[] = []
  const onUnwritable = (reason: string): void => {
    reasons.push(reason)
  }
  assert.equal(await text(await openCosignTuf({ ...base, directory: join(file, 'x'), onUnwritable }), 'a.json'), 'A')
  assert.deepEqual(reasons, ['ENOTDIR'])
  assert.equal(cosignCacheDirectory(undefined, '/home/me'), '/home/me/.sigstore/root')
  assert.equal(cosignCacheDirectory('/elsewhere', '/home/me'), '/elsewhere')
  assert.equal(cosignCacheDirectory('', undefined), undefined)
})

test('many writers at once leave whole files', async (t) => {
  const directory = temporary(t)
  const stores = Array.from({ length: 8 }, () => fileTufStore(directory))
  const content = (index: number): Uint8Array => new Uint8Array(50_000).fill(index)
  await Promise.all(stores.map((store, index) => store.write('targets/x', content(index))))
  const bytes = (await stores[0]?.read('targets/x')) ?? assert.fail()
  assert.deepEqual(bytes, content(bytes[0] ?? 0))
  assert.deepEqual(readdirSync(join(directory, 'targets')), ['x'])
})

test('an initialization that cannot be kept fails, and costs nothing', async (t) => {
  const files = await release(new Map())
  const base = { fetch: serve(files), clock: () => NOW, mirror: MIRROR, root: files.get('1.root.json') }
  await assert.rejects(initializeCosignTuf({ ...base, directory: undefined }), { code: 'TUF_CLIENT_CACHE' })
  const file = join(temporary(t), 'file')
  writeFileSync(file, '')
  await assert.rejects(initializeCosignTuf({ ...base, directory: join(file, 'x') }), { code: 'TUF_CLIENT_CACHE' })
  const directory = temporary(t)
  await initializeCosignTuf({ ...base, directory })
  const before = readdirSync(directory)
  await assert.rejects(replaceFiles(directory, new Map([[`${'long'.repeat(100)}/x`, new Uint8Array(1)]]), () => true))
  assert.deepEqual(readdirSync(directory), before)
})

test('an initialization takes the place of what is its own, and of nothing else', async (t) => {
  const directory = temporary(t)
  for (const name of ['old-mirror/root.json', 'old-mirror.json', '.new-abc/x', 'remote.json', 'mine/thesis.tex']) {
    await fileTufStore(directory).write(name, new Uint8Array(1))
  }
  const files = await release(new Map())
  const options = { fetch: serve(files), clock: () => NOW, mirror: MIRROR, root: files.get('1.root.json'), directory }
  await initializeCosignTuf(options)
  const expected = ['mine', 'remote.json', 'tuf.example-repo', 'tuf.example-repo.json']
  assert.deepEqual(readdirSync(directory).sort(), expected)
})

test('the embedded roots are signed by their own keys', async () => {
  for (const [mirror, root] of EMBEDDED_ROOTS) {
    const { role } = await acceptInitialRoot(encodeUtf8(root))
    assert.ok(role.consistentSnapshot, mirror)
    assert.ok(role.roles.root.threshold >= 2)
    assert.equal(parseMetadata(encodeUtf8(root), 'root').role.version, role.version)
  }
})
