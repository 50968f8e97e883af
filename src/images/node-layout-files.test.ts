import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { nodeLayoutFiles, nodeLayoutStore } from './node-layout-files.js'

const NOW = Date.UTC(2026, 0, 1)
const clock = (): number => NOW

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'layout-'))
})
after(async () => {
  await rm(root, { recursive: true, force: true })
})

async function* pieces(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) {
    await Promise.resolve()
    if (text instanceof Error) throw text
    yield encodeUtf8(text)
  }
}

test('a file is there as a whole', async () => {
  const folder = join(root, 'whole')
  const store = nodeLayoutStore(folder, clock)
  await store.write('blobs/sha256/aa', pieces('one ', 'two'))
  await store.tidy()
  assert.equal(await readFile(join(folder, 'blobs/sha256/aa'), 'utf8'), 'one two')
  assert.deepEqual(await readdir(folder), ['blobs'])
  assert.equal(await store.size('blobs/sha256/aa'), 7)
  assert.deepEqual(await store.list('blobs/sha256'), [{ name: 'aa', size: 7 }])
})

test('or not at all: the old one stays, and nothing lies about', async () => {
  const folder = join(root, 'broken')
  const store = nodeLayoutStore(folder, clock)
  await store.write('index.json', pieces('old'))
  await assert.rejects(store.write('index.json', pieces('new', new Error('cut'))), { message: 'cut' })
  await assert.rejects(store.write('blobs/sha256/aa', pieces('half', new Error('cut'))), { message: 'cut' })
  await store.tidy()
  assert.equal(await readFile(join(folder, 'index.json'), 'utf8'), 'old')
  assert.deepEqual((await readdir(folder)).sort(), ['blobs', 'index.json'])
  assert.deepEqual(await readdir(join(folder, 'blobs/sha256')), [])
})

test('what somebody left behind is removed, what somebody may be writing is not', async () => {
  const folder = join(root, 'tidy')
  await mkdir(join(folder, '.unfinished'), { recursive: true })
  for (const name of ['old', 'new']) await writeFile(join(folder, '.unfinished', name), 'half')
  for (const [name, minutes] of [
    ['old', 60],
    ['new', 5],
  ] as const) {
    const seconds = NOW / 1000 - minutes * 60
    await utimes(join(folder, '.unfinished', name), seconds, seconds)
  }
  await nodeLayoutStore(folder, clock).tidy()
  assert.deepEqual(await readdir(join(folder, '.unfinished')), ['new'])
})

test('what is not there is absent', async () => {
  const files = nodeLayoutFiles(join(root, 'nowhere'))
  assert.equal(await files.read('index.json'), undefined)
  assert.equal(await files.open('index.json'), undefined)
  assert.deepEqual(await files.list('blobs/sha256'), [])
  assert.equal(await nodeLayoutStore(join(root, 'nowhere'), clock).size('index.json'), undefined)
})

test('a file in the place of a folder is told of by a code', async () => {
  const file = join(root, 'file')
  await writeFile(file, '')
  const store = nodeLayoutStore(file, clock)
  await assert.rejects(store.write('index.json', pieces('x')), { code: 'IMAGES_FILE' })
  await assert.rejects(store.read('index.json'), { code: 'IMAGES_FILE' })
  await assert.rejects(store.open('index.json'), { code: 'IMAGES_FILE' })
  await assert.rejects(store.list('blobs'), { code: 'IMAGES_FILE' })
})
