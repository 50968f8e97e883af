import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.js'
import {
  hashesOnLevel,
  locateNode,
  newEntryBundles,
  newTiles,
  parseTilePath,
  partialWidth,
  tileInTree,
  tileIndexPath,
  tilePath,
} from './tile.js'

test('paths are those of the specification', () => {
  assert.equal(tileIndexPath(1234067), 'x001/x234/067')
  assert.equal(tileIndexPath(0), '000')
  assert.equal(tileIndexPath(999), '999')
  assert.equal(tileIndexPath(1000), 'x001/000')
  assert.equal(tilePath({ level: 0, index: 1234067, width: 256 }), 'tile/0/x001/x234/067')
  assert.equal(tilePath({ level: 1, index: 1, width: 17 }), 'tile/1/001.p/17')
  assert.equal(tilePath({ level: 'entries', index: 273, width: 112 }), 'tile/entries/273.p/112')
})

test('a tree of 70,000 has the tiles that the specification counts', () => {
  const tiles = newTiles(0, 70_000)
  const onLevel = (level: number): readonly number[] =>
    tiles.filter((tile) => tile.level === level).map((tile) => tile.width)
  assert.deepEqual(onLevel(0), [...Array<number>(273).fill(256), 112])
  assert.deepEqual(onLevel(1), [256, 17])
  assert.deepEqual(onLevel(2), [1])
  assert.deepEqual(onLevel(3), [])
  assert.equal(newEntryBundles(0, 70_000).length, 274)
  assert.equal(partialWidth('entries', 70_000), 112)
  assert.equal(hashesOnLevel(1, 70_000), 273)
})

test('growing a tree makes each tile that differs, and no empty one', () => {
  for (const [before, after] of [
    [0, 0],
    [0, 1],
    [255, 256],
    [256, 257],
    [300, 65_536],
    [65_535, 65_537],
    [5, 5],
  ] as const) {
    const old = new Set(newTiles(0, before).map(tilePath))
    const whole = newTiles(0, after).map(tilePath)
    assert.deepEqual(new Set(newTiles(before, after).map(tilePath)), new Set(whole.filter((path) => !old.has(path))))
  }
})

test('tiles of a tree', () => {
  assert.deepEqual(tileInTree(0, 1, 300), { level: 0, index: 1, width: 44 })
  assert.deepEqual(tileInTree(1, 0, 300), { level: 1, index: 0, width: 1 })
  assert.equal(tileInTree(0, 2, 300), undefined)
  assert.equal(tileInTree(1, 0, 255), undefined)
  assert.equal(tileInTree('entries', 1, 256), undefined)
})

test('nodes are found in their tiles', () => {
  assert.deepEqual(locateNode(0, 256), { tileLevel: 0, tileIndex: 1, first: 0, count: 1 })
  assert.deepEqual(locateNode(7, 3), { tileLevel: 0, tileIndex: 1, first: 128, count: 128 })
  assert.deepEqual(locateNode(8, 300), { tileLevel: 1, tileIndex: 1, first: 44, count: 1 })
  assert.deepEqual(locateNode(10, 64), { tileLevel: 1, tileIndex: 1, first: 0, count: 4 })
  assert.throws(() => locateNode(0, -1), { code: 'TILE_COORDINATE' })
})

test('a tile has one path only', () => {
  const wrong = [
    '',
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/1000',
    'tile/0/000.p/',
    'tile/entry/000',
    '/tile/0/000',
    'tile/0/000/',
    'tile/0/../000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/0/000\n',
    'tile/0/٠٠٠',
  ]
  for (const path of wrong) assert.throws(() => parseTilePath(path), { code: 'TILE_PATH' }, path)
})

test('tiles that cannot be have no path', () => {
  for (const tile of [
    { level: 64, index: 0, width: 1 },
    { level: 0, index: -1, width: 1 },
    { level: 0, index: 0, width: 0 },
    { level: 0, index: 2 ** 53, width: 1 },
    { level: 0.5, index: 0, width: 257 },
  ]) {
    assert.throws(() => tilePath(tile), { code: 'TILE_COORDINATE' })
  }
})

test('paths read back', () => {
  const tile = fc.record({
    level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
    index: fc.maxSafeNat(),
    width: fc.integer({ min: 1, max: 256 }),
  })
  fc.assert(
    fc.property(tile, (each) => {
      assert.deepEqual(parseTilePath(tilePath(each)), { ...each })
    }),
    { numRuns: fuzzRuns() },
  )
})

test('entry bundles read back, and any bytes are a bundle or are refused with a code', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 })
  fc.assert(
    fc.property(entries, (each) => {
      assert.deepEqual(decodeEntryBundle(encodeEntryBundle(each)), each)
    }),
    { numRuns: fuzzRuns() },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      try {
        assert.deepEqual(encodeEntryBundle(decodeEntryBundle(bytes)), bytes)
      } catch (error) {
        assert.ok(isCodedError(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('entry bundles have limits', () => {
  assert.equal(encodeEntryBundle([new Uint8Array(65_535)]).length, 65_537)
  assert.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), { code: 'TILE_ENTRY_SIZE' })
  assert.throws(() => encodeEntryBundle(Array<Uint8Array>(257).fill(new Uint8Array(0))), { code: 'TILE_BUNDLE' })
  assert.throws(() => decodeEntryBundle(new Uint8Array(2 * 257)), { code: 'TILE_BUNDLE' })
  assert.throws(() => decodeEntryBundle(Uint8Array.of(0)), { code: 'TILE_BUNDLE' })
  assert.throws(() => decodeEntryBundle(Uint8Array.of(0, 2, 1)), { code: 'TILE_BUNDLE' })
})
