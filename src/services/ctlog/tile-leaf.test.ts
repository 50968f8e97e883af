import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import type { SctEntry } from '#formats/sct/sct-entry'
import { DATA_TILES, decodeTileLeaf, encodeTileLeaf, entryIdentity } from './tile-leaf.js'
import type { TileLeaf } from './tile-leaf.js'

const bytes = (options: { minLength?: number; maxLength: number }): fc.Arbitrary<Uint8Array> => fc.uint8Array(options)
const hash = bytes({ minLength: 32, maxLength: 32 })

const entry: fc.Arbitrary<SctEntry> = fc.oneof(
  bytes({ maxLength: 300 }).map((certificate) => ({ kind: 'x509' as const, certificate })),
  fc
    .tuple(hash, bytes({ maxLength: 300 }))
    .map(([issuerKeyHash, tbs]) => ({ kind: 'precert' as const, issuerKeyHash, tbs })),
)

const leaf: fc.Arbitrary<TileLeaf> = fc
  .record({
    timestamp: fc.nat(),
    entry,
    extensions: bytes({ maxLength: 20 }),
    precertificate: bytes({ maxLength: 300 }),
    chain: fc.array(hash, { maxLength: 4 }),
  })
  .map((fields) => ({ ...fields, precertificate: fields.entry.kind === 'precert' ? fields.precertificate : undefined }))

test('what is written is read back, alone and in bundles', () => {
  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 5 }), (leaves) => {
      const entries = leaves.map(encodeTileLeaf)
      assert.deepEqual(entries.map(decodeTileLeaf), leaves)
      assert.deepEqual(DATA_TILES.decode(DATA_TILES.encode(entries)), entries)
    }),
  )
})

test('cut short or continued, it is refused', () => {
  fc.assert(
    fc.property(leaf, fc.nat(), (one, cut) => {
      const encoded = encodeTileLeaf(one)
      assert.throws(() => decodeTileLeaf(encoded.subarray(0, cut % encoded.length)), { code: 'CTLOG_ENTRY_MALFORMED' })
      assert.throws(() => decodeTileLeaf(concatBytes(encoded, Uint8Array.of(0))), { code: 'CTLOG_ENTRY_MALFORMED' })
    }),
  )
})

test('any bytes give a leaf or a coded error', () => {
  fc.assert(
    fc.property(bytes({ maxLength: 200 }), (input) => {
      for (const read of [decodeTileLeaf, DATA_TILES.decode]) {
        try {
          read(input)
        } catch (error) {
          assert.ok(isCodedError(error))
        }
      }
    }),
  )
})

test('an unknown type of entry is refused', () => {
  const encoded = encodeTileLeaf({
    timestamp: 1,
    entry: { kind: 'x509', certificate: Uint8Array.of(1) },
    extensions: new Uint8Array(0),
    precertificate: undefined,
    chain: [],
  })
  encoded[9] = 2
  assert.throws(() => decodeTileLeaf(encoded), { code: 'CTLOG_ENTRY_MALFORMED' })
})

test('the identity is that of the certificate, and tells the kinds apart', () => {
  const certificate = new Uint8Array(40)
  const x509 = entryIdentity({ kind: 'x509', certificate })
  const precert = entryIdentity({ kind: 'precert', issuerKeyHash: new Uint8Array(32), tbs: new Uint8Array(8) })
  assert.notDeepEqual(x509, precert)
  assert.deepEqual(x509, entryIdentity({ kind: 'x509', certificate: certificate.slice() }))
})
