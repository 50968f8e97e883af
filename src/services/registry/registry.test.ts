import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { digest as digestOf } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { Handler } from '#serving/handler'
import { streamOf } from '#serving/responses'
import { router } from '#serving/routes'
import { createMemoryStorage } from './memory-storage.js'
import { openPosixStorage } from './posix-storage.js'
import { registryRoutes } from './registry.js'
import type { RegistryOptions } from './registry.js'
import type { RegistryStorage } from './storage.js'

const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const EMPTY_CONFIG = encodeUtf8('{}')

interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array | string | ReadableStream<Uint8Array>
}

interface Client {
  (path: string, init?: Call): Promise<Response>
  readonly storage: RegistryStorage
  advance(millis: number): void
}

function textDigest(data: Uint8Array | string, algorithm: DigestName = 'sha256'): string {
  return `${algorithm}:${encodeHex(digestOf(algorithm, typeof data === 'string' ? encodeUtf8(data) : data))}`
}

function client(storage: RegistryStorage, options: Partial<RegistryOptions> = {}): Client {
  let now = 0
  let seed = 0
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(++seed)
  const handler: Handler = router(registryRoutes({ storage, clock: () => now, random, ...options }))
  const call = (path: string, init: Call = {}): Promise<Response> => {
    const stream = init.body instanceof ReadableStream
    return handler(new Request(`http://r/v2/${path}`, { ...init, ...(stream && { duplex: 'half' as const }) }))
  }
  return Object.assign(call, { storage, advance: (millis: number) => void (now += millis) })
}

async function pushBlob(call: Client, name: string, content: Uint8Array | string): Promise<string> {
  const digest = textDigest(content)
  const response = await call(`${name}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: content })
  assert.equal(response.status, 201)
  return digest
}

function imageManifest(extra: Record<string, unknown> = {}): string {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: textDigest(EMPTY_CONFIG), size: 2 }
  return JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config, layers: [], ...extra })
}

async function putManifest(call: Client, path: string, body: string, type = IMAGE): Promise<Response> {
  return call(path, { method: 'PUT', body, headers: { 'content-type': type } })
}

async function refusal(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: { code: string }[] }
  return `${String(response.status)} ${body.errors[0]?.code ?? ''}`
}

const STORAGES: readonly { readonly kind: string; readonly make: (t: TestContext) => Promise<RegistryStorage> }[] = [
  { kind: 'memory', make: () => Promise.resolve(createMemoryStorage()) },
  {
    kind: 'posix',
    make: async (t) => {
      const root = await mkdtemp(join(tmpdir(), 'registry-'))
      t.after(() => rm(root, { recursive: true }))
      let seed = 0
      return openPosixStorage(root, (length) => new Uint8Array(length).fill(++seed))
    },
  },
]

for (const { kind, make } of STORAGES) {
  const on = (name: string, run: (call: Client, t: TestContext) => Promise<void>): void => {
    test(`${kind}: ${name}`, async (t) => run(client(await make(t)), t))
  }

  on('a blob in one request, read whole and in ranges', async (call) => {
    const digest = await pushBlob(call, 'a/b', '0123456789')
    const path = `a/b/blobs/${digest}`
    const whole = await call(path)
    assert.equal(await whole.text(), '0123456789')
    assert.equal(whole.headers.get('docker-content-digest'), digest)
    const head = await call(path, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', ''])
    for (const [range, status, text, header] of [
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
      ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
      ['bytes=9-99', 206, '9', 'bytes 9-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['bytes=-0', 416, '', 'bytes */10'],
      ['bytes=4-2', 200, '0123456789', null],
      ['bytes=1-2,4-5', 200, '0123456789', null],
      ['items=1-2', 200, '0123456789', null],
      ['bytes=-', 200, '0123456789', null],
    ] as const) {
      const part = await call(path, { headers: { range } })
      assert.deepEqual(
        [part.status, await part.text(), part.headers.get('content-range')],
        [status, text, header],
        range,
      )
    }
  })

  on('a blob in chunks, with its progress on the way', async (call) => {
    const begun = await call('a/blobs/uploads/', { method: 'POST' })
    assert.equal(begun.status, 202)
    const path = begun.headers.get('location')?.slice('/v2/'.length) ?? ''
    const first = await call(path, { method: 'PATCH', body: 'hello ', headers: { 'content-range': '0-5' } })
    assert.deepEqual([first.status, first.headers.get('range')], [202, '0-5'])
    const out = await call(path, { method: 'PATCH', body: 'x', headers: { 'content-range': '9-9' } })
    assert.equal(await refusal(out), '416 BLOB_UPLOAD_INVALID')
    const progress = await call(path)
    assert.deepEqual([progress.status, progress.headers.get('range')], [204, '0-5'])
    const done = await call(`${path}?digest=${textDigest('hello world')}`, {
      method: 'PUT',
      body: 'world',
      headers: { 'content-range': '6-10' },
    })
    assert.equal(done.status, 201)
    assert.equal(await (await call(`a/blobs/${textDigest('hello world')}`)).text(), 'hello world')
    assert.equal(await refusal(await call(path)), '404 BLOB_UPLOAD_UNKNOWN')
  })

  on('blobs under SHA-512 and the empty blob', async (call) => {
    for (const [content, algorithm] of [
      ['x', 'sha512'],
      ['', 'sha256'],
    ] as const) {
      const digest = textDigest(content, algorithm)
      assert.equal((await call(`a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: content })).status, 201)
      const read = await call(`a/blobs/${digest}`)
      assert.deepEqual([read.status, await read.text()], [200, content])
    }
  })

  on("a digest that is not the content's leaves nothing behind", async (call) => {
    const wrong = textDigest('other')
    for (const digest of [wrong, textDigest('other', 'sha512')]) {
      assert.equal(
        await refusal(await call(`a/blobs/uploads/?digest=${digest}`, { method: 'POST', body: 'this' })),
        '400 DIGEST_INVALID',
      )
    }
    assert.equal((await call(`a/blobs/${wrong}`)).status, 404)
    assert.equal((await call(`a/blobs/${textDigest('this')}`)).status, 404)
  })

  on('mounting takes a blob over, and each repository deletes its own', async (call) => {
    const digest = await pushBlob(call, 'a', 'shared')
    assert.equal((await call(`b/blobs/${digest}`)).status, 404)
    const mounted = await call(`b/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' })
    assert.equal(mounted.status, 201)
    assert.equal((await call(`b/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' })).status, 201)
    assert.equal((await call(`a/blobs/${digest}`, { method: 'DELETE' })).status, 202)
    assert.equal(await refusal(await call(`a/blobs/${digest}`)), '404 BLOB_UNKNOWN')
    assert.equal(await (await call(`b/blobs/${digest}`)).text(), 'shared')
    for (const query of [`?mount=${digest}&from=a`, `?mount=${digest}`]) {
      const begun = await call(`c/blobs/uploads/${query}`, { method: 'POST' })
      assert.equal(begun.status, 202)
      await call(begun.headers.get('location')?.slice(4) ?? '', { method: 'DELETE' })
    }
  })

  on('manifests by tag and digest', async (call) => {
    await pushBlob(call, 'app', EMPTY_CONFIG)
    const body = imageManifest({ annotations: { n: '1' } })
    const pushed = await putManifest(call, 'app/manifests/v1', body)
    assert.equal(pushed.status, 201)
    const digest = pushed.headers.get('docker-content-digest') ?? ''
    assert.equal(digest, textDigest(body))
    for (const reference of ['v1', digest]) {
      const read = await call(`app/manifests/${reference}`)
      assert.deepEqual(
        [read.headers.get('content-type'), read.headers.get('docker-content-digest'), await read.text()],
        [IMAGE, digest, body],
      )
    }
    assert.equal((await putManifest(call, 'app/manifests/v2', body)).status, 201)
    assert.equal((await call('app/manifests/v2', { method: 'DELETE' })).status, 202)
    assert.equal(await refusal(await call('app/manifests/v2')), '404 MANIFEST_UNKNOWN')
    assert.equal((await call(`app/manifests/${digest}`, { method: 'DELETE' })).status, 202)
    assert.equal((await call('app/manifests/v1')).status, 404)
    assert.equal(await refusal(await call(`app/manifests/${digest}`, { method: 'DELETE' })), '404 MANIFEST_UNKNOWN')
    assert.deepEqual(await (await call('app/tags/list')).json(), { name: 'app', tags: [] })
  })

  on('a push by digest may set tags', async (call) => {
    const body = JSON.stringify({ schemaVersion: 2, manifests: [] })
    const pushed = await putManifest(call, `app/manifests/${textDigest(body, 'sha512')}?tag=a&tag=b`, body, INDEX)
    assert.deepEqual([pushed.status, pushed.headers.get('oci-tag')], [201, 'a, b'])
    assert.equal((await call('app/manifests/b')).headers.get('docker-content-digest'), textDigest(body, 'sha512'))
  })

  on('tags and repositories are listed in pages', async (call) => {
    const body = JSON.stringify({ schemaVersion: 2, manifests: [] })
    for (const path of ['z/y', 'app', 'app/sub'])
      for (const tag of ['c', 'a', 'B']) await putManifest(call, `${path}/manifests/${tag}`, body, INDEX)
    const first = await call('app/tags/list?n=2')
    assert.deepEqual(await first.json(), { name: 'app', tags: ['B', 'a'] })
    assert.equal(first.headers.get('link'), '</v2/app/tags/list?n=2&last=a>; rel="next"')
    const rest = await call('app/tags/list?n=2&last=a')
    assert.deepEqual([await rest.json(), rest.headers.get('link')], [{ name: 'app', tags: ['c'] }, null])
    assert.deepEqual(await (await call('app/tags/list?n=0')).json(), { name: 'app', tags: [] })
    assert.deepEqual(await (await call('_catalog')).json(), { repositories: ['app', 'app/sub', 'z/y'] })
    assert.equal(await refusal(await call('none/tags/list')), '404 NAME_UNKNOWN')
    assert.equal(await refusal(await call('app/tags/list?n=-1')), '400 UNSUPPORTED')
  })

  on('referrers are listed with type and annotations, filtered, and gone when deleted', async (call) => {
    await pushBlob(call, 'app', EMPTY_CONFIG)
    const subject = { mediaType: IMAGE, digest: textDigest('an image that is not here yet'), size: 1 }
    const bodies = [
      imageManifest({ artifactType: 'a/sbom', subject, annotations: { k: 'v' } }),
      imageManifest({ subject }),
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [], artifactType: 'a/sbom', subject }),
    ]
    for (const body of bodies) {
      const pushed = await putManifest(
        call,
        `app/manifests/${textDigest(body)}`,
        body,
        body.includes(INDEX) ? INDEX : IMAGE,
      )
      assert.deepEqual([pushed.status, pushed.headers.get('oci-subject')], [201, subject.digest])
    }
    const list = async (
      query: string,
    ): Promise<{ digest: string; artifactType?: string; size: number; annotations?: unknown }[]> => {
      const response = await call(`app/referrers/${subject.digest}${query}`)
      assert.equal(response.headers.get('oci-filters-applied'), query === '' ? null : 'artifactType')
      assert.equal(response.headers.get('content-type'), INDEX)
      return ((await response.json()) as { manifests: [] }).manifests
    }
    const all = await list('')
    assert.deepEqual(
      all.map((one) => one.digest),
      bodies.map((body) => textDigest(body)).sort(),
    )
    const [plain] = await list('?artifactType=application/vnd.oci.empty.v1%2Bjson')
    assert.equal(plain?.digest, textDigest(bodies[1]!))
    const sboms = await list('?artifactType=a/sbom')
    assert.deepEqual(
      sboms.map((one) => one.digest),
      [bodies[0]!, bodies[2]!].map((body) => textDigest(body)).sort(),
    )
    const described = all.find((one) => one.digest === textDigest(bodies[0]!))
    assert.deepEqual(
      [described?.artifactType, described?.annotations, described?.size],
      ['a/sbom', { k: 'v' }, bodies[0]!.length],
    )
    await call(`app/manifests/${textDigest(bodies[0]!)}`, { method: 'DELETE' })
    assert.equal((await list('?artifactType=a/sbom')).length, 1)
    const nobody = await call(`app/referrers/${textDigest('nobody')}`)
    assert.deepEqual([nobody.status, ((await nobody.json()) as { manifests: [] }).manifests], [200, []])
  })

  on('an upload is written to by one request at a time', async (call) => {
    const path = (await call('a/blobs/uploads/', { method: 'POST' })).headers.get('location')?.slice(4) ?? ''
    let release: () => void
    const held = new Promise<void>((resolve) => (release = resolve))
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield encodeUtf8('a')
      await held
    }
    const running = call(path, { method: 'PATCH', body: streamOf(slow()) })
    assert.equal(await refusal(await call(path, { method: 'PATCH', body: 'b' })), '409 BLOB_UPLOAD_INVALID')
    release!()
    assert.equal((await running).status, 202)
    assert.equal((await call(path, { method: 'DELETE' })).status, 204)
    assert.equal(await refusal(await call(path, { method: 'DELETE' })), '404 BLOB_UPLOAD_UNKNOWN')
  })

  on('a sender that breaks off can see how far it came and go on', async (call) => {
    const path = (await call('a/blobs/uploads/', { method: 'POST' })).headers.get('location')?.slice(4) ?? ''
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(encodeUtf8('hello '))
      throw new Error('connection reset')
    }
    assert.equal(await refusal(await call(path, { method: 'PATCH', body: streamOf(broken()) })), '400 SIZE_INVALID')
    assert.equal((await call(path)).headers.get('range'), '0-5')
    assert.equal(
      (await call(`${path}?digest=${textDigest('hello world')}`, { method: 'PUT', body: 'world' })).status,
      201,
    )
  })

  on('an upload of one repository is not one of another, and dies of old age', async (call) => {
    const path = (await call('a/blobs/uploads/', { method: 'POST' })).headers.get('location')?.slice(4) ?? ''
    assert.equal((await call(path.replace('a/', 'b/'))).status, 404)
    call.advance(3_600_001)
    const next = await call('a/blobs/uploads/', { method: 'POST' })
    assert.equal((await call(path)).status, 404)
    await call(next.headers.get('location')?.slice(4) ?? '', { method: 'DELETE' })
  })
}

const IMAGE_WITH_BAD: readonly (readonly [name: string, body: string, type?: string])[] = [
  ['not JSON', '{'],
  ['not an object', '[]'],
  ['another type inside', imageManifest({ mediaType: INDEX })],
  ['no schema version', imageManifest({ schemaVersion: undefined })],
  ['schema version 1', imageManifest({ schemaVersion: 1 })],
  ['no config', imageManifest({ config: undefined })],
  ['layers that are no list', imageManifest({ layers: {} })],
  ['a layer that is no descriptor', imageManifest({ layers: [1] })],
  ['a layer whose digest is a path', imageManifest({ layers: [{ digest: 'sha256:../../../etc/passwd' }] })],
  ['a subject without a digest', imageManifest({ subject: {} })],
  ['a subject whose digest is a path', imageManifest({ subject: { digest: '../../x' } })],
  ['annotations that are no texts', imageManifest({ annotations: { a: 1 } })],
  ['an artifact type that is no text', imageManifest({ artifactType: 7 })],
  ['a foreign media type', imageManifest(), 'application/json'],
  ['an index without manifests', JSON.stringify({ schemaVersion: 2 }), INDEX],
  ['an index of nonsense', JSON.stringify({ schemaVersion: 2, manifests: [{ digest: 'x' }] }), INDEX],
]
for (const [name, body, type] of IMAGE_WITH_BAD) {
  test(`refuses a manifest: ${name}`, async () => {
    const call = client(createMemoryStorage())
    await pushBlob(call, 'a', EMPTY_CONFIG)
    assert.equal(await refusal(await putManifest(call, 'a/manifests/t', body, type)), '400 MANIFEST_INVALID')
    assert.equal((await call('a/manifests/t')).status, 404)
  })
}

test('refuses a manifest whose blobs are not here, unless told otherwise', async () => {
  const strict = client(createMemoryStorage())
  assert.equal(await refusal(await putManifest(strict, 'a/manifests/t', imageManifest())), '400 MANIFEST_BLOB_UNKNOWN')
  const lenient = client(createMemoryStorage(), { allowMissingBlobs: true })
  assert.equal((await putManifest(lenient, 'a/manifests/t', imageManifest())).status, 201)
  const attached = imageManifest({ subject: { mediaType: IMAGE, digest: textDigest('x'), size: 1 } })
  assert.equal((await putManifest(strict, 'a/manifests/t', attached)).status, 201)
  const elsewhere = imageManifest({
    config: { mediaType: 'x/y', digest: textDigest('far'), urls: ['https://far.example'] },
  })
  assert.equal((await putManifest(strict, 'a/manifests/t', elsewhere)).status, 201)
})

test('refuses a manifest under a digest that is not its own, and one that is too large', async () => {
  const call = client(createMemoryStorage(), { allowMissingBlobs: true })
  assert.equal(
    await refusal(await putManifest(call, `a/manifests/${textDigest('x')}`, imageManifest())),
    '400 DIGEST_INVALID',
  )
  const large = imageManifest({ annotations: { x: 'x'.repeat(5 * 2 ** 20) } })
  assert.equal(await refusal(await putManifest(call, 'a/manifests/t', large)), '413 SIZE_INVALID')
  const many = Array.from({ length: 11 }, (_, index) => `tag=t${String(index)}`).join('&')
  assert.equal(
    await refusal(await putManifest(call, `a/manifests/${textDigest(imageManifest())}?${many}`, imageManifest())),
    '400 MANIFEST_INVALID',
  )
})

test('bounds the size of a blob and the number of open uploads', async () => {
  const call = client(createMemoryStorage(), { limits: { maxBlobBytes: 4, maxSessions: 2 } })
  assert.equal(
    await refusal(await call(`a/blobs/uploads/?digest=${textDigest('12345')}`, { method: 'POST', body: '12345' })),
    '413 SIZE_INVALID',
  )
  await call('a/blobs/uploads/', { method: 'POST' })
  await call('a/blobs/uploads/', { method: 'POST' })
  const third = await call('a/blobs/uploads/', { method: 'POST' })
  assert.equal(third.headers.get('retry-after'), '30')
  assert.equal(await refusal(third), '429 TOOMANYREQUESTS')
})

test('without the referrers API nothing claims to have it', async () => {
  const call = client(createMemoryStorage(), { referrersApi: false, allowMissingBlobs: true })
  const pushed = await putManifest(call, 'a/manifests/t', imageManifest({ subject: { digest: textDigest('x') } }))
  assert.deepEqual([pushed.status, pushed.headers.get('oci-subject')], [201, null])
  assert.equal((await call(`a/referrers/${textDigest('x')}`)).status, 404)
})

const UNSAFE: readonly (readonly [path: string, status: number])[] = [
  ['A/manifests/t', 400],
  ['a_/manifests/t', 400],
  ['_a/manifests/t', 400],
  ['a..b/manifests/t', 400],
  ['a/_tags/manifests/t', 400],
  [`${'a/'.repeat(200)}b/manifests/t`, 400],
  ['a%2F..%2Fb/manifests/t', 400],
  ['a%00/manifests/t', 404],
  ['../manifests/t', 404],
  ['a/manifests/.hidden', 400],
  ['a/manifests/-x', 400],
  [`a/manifests/${'t'.repeat(129)}`, 400],
  ['a/manifests/..%2F..%2Fx', 404],
  ['a/manifests/sha256:abc', 400],
  [`a/manifests/md5:${'0'.repeat(32)}`, 400],
  [`a/blobs/sha256:${'A'.repeat(64)}`, 400],
  [`a/blobs/sha256:${'0'.repeat(65)}`, 400],
  ['a/blobs/sha256:..%2f..%2fetc', 404],
  [`a/blobs/constructor:${'0'.repeat(64)}`, 400],
  ['a/referrers/x', 400],
  ['a/blobs/uploads/nope', 404],
]
for (const [path, status] of UNSAFE) {
  test(`refuses the path ${path.slice(0, 40)}`, async () => {
    assert.equal((await client(createMemoryStorage())(path)).status, status)
  })
}

test('posix: everything acknowledged is there after a restart, and nothing half done', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'registry-'))
  t.after(() => rm(root, { recursive: true }))
  let seed = 0
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(++seed)
  const before = client(await openPosixStorage(root, random))
  const digest = await pushBlob(before, 'lib/app', EMPTY_CONFIG)
  assert.equal((await putManifest(before, 'lib/app/manifests/v1', imageManifest())).status, 201)
  const open = await before('lib/app/blobs/uploads/', { method: 'POST' })
  const half = open.headers.get('location')?.slice(4) ?? ''
  await before(half, { method: 'PATCH', body: 'half' })

  const after = client(await openPosixStorage(root, random))
  assert.equal(await (await after('lib/app/manifests/v1')).text(), imageManifest())
  assert.equal((await after(`lib/app/blobs/${digest}`)).status, 200)
  assert.deepEqual(await readdir(join(root, 'uploads')), [])
  assert.equal((await after('lib/tags/list')).status, 404)
  await before(half, { method: 'DELETE' })
})
