import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { newEntryBundles, newTiles, tilePath } from '#formats/tlog-tiles/tile'
import { slowRoot } from '#testing/leaf-tree'
import { RightEdge } from './right-edge.js'
import { withDefaults } from './rules.js'
import { storedEdge } from './tree-reader.js'

const RULES = withDefaults({ identity: hashLeaf, annotated: true })

function leaves(from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from }, (_, i) => encodeUtf8(`leaf ${String(from + i)}`))
}

test('the root is the one of RFC 6962 for every size across two tile boundaries', () => {
  const edge = new RightEdge(RULES)
  const all = leaves(0, 530)
  for (const [i, leaf] of all.entries()) {
    edge.integrate([leaf], [leaf])
    assert.deepEqual(edge.rootHash(), slowRoot(all.slice(0, i + 1)), String(i + 1))
  }
})

test('a batch makes exactly the tiles and bundles that are new', () => {
  const steps = [0, 1, 2, 254, 255, 256, 257, 300, 512, 700, 1024, 1025, 1300]
  const edge = new RightEdge(RULES)
  for (const [i, size] of steps.entries()) {
    if (i === 0) continue
    const from = steps[i - 1]!
    const { writes } = edge.integrate(leaves(from, size), leaves(from, size))
    const expected = [...newTiles(from, size), ...newEntryBundles(from, size)].map(tilePath)
    const made = writes.map(({ path }) => path).filter((path) => path.startsWith('tile/'))
    assert.deepEqual(made.sort(), expected.sort(), `${String(from)} → ${String(size)}`)
  }
})

test('an edge that is loaded goes on as the one that never stopped', async () => {
  const objects = new Map<string, Uint8Array>()
  const reader = { get: async (path: string) => objects.get(path) }
  const edge = new RightEdge(RULES)
  for (let size = 0; size < 600; size++) {
    const loaded = await RightEdge.load(RULES, size, storedEdge(reader, RULES))
    assert.deepEqual(loaded.rootHash(), edge.rootHash(), String(size))
    const made = edge.integrate(leaves(size, size + 1), leaves(size, size + 1))
    assert.deepEqual(loaded.integrate(leaves(size, size + 1), leaves(size, size + 1)), made)
    for (const { path, bytes } of made.writes) objects.set(path, bytes)
  }
})

test('65536 leaves make a third level of tiles', () => {
  const edge = new RightEdge(RULES)
  const { writes, fullTiles } = edge.integrate(leaves(0, 65_537), [])
  assert.deepEqual(
    fullTiles.filter(({ level }) => level === 1).map(({ index }) => index),
    [0],
  )
  const paths = new Set(writes.map(({ path }) => path))
  for (const path of ['tile/2/000.p/1', 'tile/1/000', 'tile/0/255', 'tile/0/256.p/1', 'tile/entries/256.p/1']) {
    assert.ok(paths.has(path), path)
  }
  assert.ok(!paths.has('tile/1/001.p/0'))
})

const DAMAGED: readonly { name: string; damage: (objects: Map<string, Uint8Array>) => void; code: string }[] = [
  { name: 'no tile', damage: (o) => o.delete('tile/0/000.p/3'), code: 'TLOG_TILE_MISSING' },
  { name: 'no bundle', damage: (o) => o.delete('tile/entries/000.p/3'), code: 'TLOG_TILE_MISSING' },
  { name: 'no annotations', damage: (o) => o.delete('annotations/000.p/3'), code: 'TLOG_TILE_MISSING' },
  { name: 'a short tile', damage: (o) => o.set('tile/0/000.p/3', new Uint8Array(95)), code: 'TLOG_TILE_CORRUPT' },
  {
    name: 'a short bundle',
    damage: (o) => o.set('tile/entries/000.p/3', new Uint8Array(4)),
    code: 'TLOG_TILE_CORRUPT',
  },
  { name: 'a garbled bundle', damage: (o) => o.set('tile/entries/000.p/3', new Uint8Array(5)), code: 'TILE_BUNDLE' },
  {
    name: 'too few annotations',
    damage: (o) => o.set('annotations/000.p/3', new Uint8Array(4)),
    code: 'TLOG_TILE_CORRUPT',
  },
  { name: 'garbled annotations', damage: (o) => o.set('annotations/000.p/3', new Uint8Array(3)), code: 'TILE_BUNDLE' },
]
for (const { name, damage, code } of DAMAGED) {
  test(`an edge with ${name} is refused`, async () => {
    const objects = new Map<string, Uint8Array>()
    for (const { path, bytes } of new RightEdge(RULES).integrate(leaves(0, 3), leaves(0, 3)).writes)
      objects.set(path, bytes)
    damage(objects)
    const load = RightEdge.load(RULES, 3, storedEdge({ get: async (path) => objects.get(path) }, RULES))
    await assert.rejects(load, { code })
  })
}
