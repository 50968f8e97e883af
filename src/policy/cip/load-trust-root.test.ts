import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { concatBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { loadTrustRoot } from './load-trust-root.js'
import { readPackedFiles } from './packed-files.js'
import type { TrustRootSource } from './trust-root.js'

function tar(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entry = (path: string, type: string, content: Uint8Array): Uint8Array => {
    const block = new Uint8Array(512 + Math.ceil(content.length / 512) * 512)
    block.set(encodeUtf8(path).subarray(0, 100), 0)
    block.set(encodeUtf8(content.length.toString(8).padStart(11, '0')), 124)
    block.set(encodeUtf8(type), 156)
    block.set(content, 512)
    return block
  }
  const parts = [...files].flatMap(([path, content]) => [
    ...(path.length > 100 ? [entry('pax', 'x', encodeUtf8(`${String(path.length + 10)} path=${path}\n`))] : []),
    entry(path, '0', content),
  ])
  return concatBytes(...parts, new Uint8Array(1024))
}

const sigstore = await startVirtualSigstore()
const ports = { fetch: sigstore.fetch, clock: sigstore.clock }
const { mirror, root } = sigstore.tuf
const load = (source: TrustRootSource, given = ports) => loadTrustRoot({ name: 'mine', source }, given)

/** Everything that an update asks the mirror for, packed as the original packs it. */
async function packed(folder: string): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const fetch: typeof sigstore.fetch = async (url, init) => {
    const response = await sigstore.fetch(url, init)
    if (response.status !== 200) return response
    const bytes = new Uint8Array(await response.arrayBuffer())
    files.set(`${folder}${decodeURIComponent(new URL(url).pathname).replace('/tuf/', '')}`, bytes)
    return new Response(bytes.slice())
  }
  await load({ kind: 'remote', root, mirror, target: 'trusted_root.json' }, { ...ports, fetch })
  return gzipSync(tar(files))
}

test('a live repository and a packed one say the same', async () => {
  const remote = await load({ kind: 'remote', root, mirror, target: 'trusted_root.json' })
  const unused: typeof ports.fetch = () => Promise.reject(new Error('a packed repository needs no network'))
  for (const folder of ['', 'repository/', './']) {
    const source = { kind: 'repository', root, archive: await packed(folder), target: 'trusted_root.json' } as const
    const local = await load(source, { ...ports, fetch: unused })
    assert.deepEqual(
      local.tlogs.map(({ logId }) => logId),
      remote.tlogs.map(({ logId }) => logId),
    )
  }
})

for (const [name, change] of [
  ['another target', { target: 'none.json' }],
  ['a root that is none', { root: encodeUtf8('{}') }],
  ['a root of somebody else', { root: encodeUtf8('{"signed":{},"signatures":[]}') }],
] as const) {
  test(`refused: ${name}`, async () => {
    const source = { kind: 'remote', root, mirror, target: 'trusted_root.json', ...change } as const
    await assert.rejects(load(source), { code: 'POLICY_TRUST_ROOT' })
  })
}

test('a packed repository that has expired, lacks files, or is none', async () => {
  const archive = await packed('')
  const source = { kind: 'repository', root, archive, target: 'trusted_root.json' } as const
  const later = sigstore.clock() + 20 * 365 * 24 * 3600_000
  await assert.rejects(load(source, { ...ports, clock: () => later }), { code: 'POLICY_TRUST_ROOT' })
  for (const bytes of [gzipSync(tar(new Map())), new Uint8Array(10), gzipSync(new Uint8Array(700).fill(57))])
    await assert.rejects(load({ ...source, archive: bytes }), { code: 'POLICY_TRUST_ROOT' })
})

test('a bomb is not unpacked', () => {
  assert.throws(() => readPackedFiles(gzipSync(new Uint8Array(64 * 1024 * 1024))), { code: 'POLICY_TRUST_ROOT' })
})

test('any archive gives files or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      for (const archive of [bytes, gzipSync(bytes)]) {
        try {
          readPackedFiles(archive)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
