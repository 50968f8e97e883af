import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, compareBytes, concatBytes, equalBytes, uint16be, uint24be, uint32be, uint64be } from './bytes.js'

test('integers read back as they were written', () => {
  const reader = new ByteReader(
    concatBytes(Uint8Array.of(7), uint16be(0xfffe), uint24be(0xfffffe), uint32be(0xfffffffe), uint64be(2n ** 64n - 2n)),
  )
  assert.deepEqual(
    [reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u64()],
    [7, 0xfffe, 0xfffffe, 0xfffffffe, 2n ** 64n - 2n],
  )
  reader.end()
})

test('vectors carry their length in front', () => {
  const reader = new ByteReader(Uint8Array.of(1, 9, 0, 2, 8, 7, 0, 0, 0))
  assert.deepEqual(
    [reader.vector(1), reader.vector(2), reader.vector(3)],
    [Uint8Array.of(9), Uint8Array.of(8, 7), Uint8Array.of()],
  )
})

test('reading past the end, or stopping before it, is refused', () => {
  assert.throws(() => new ByteReader(Uint8Array.of(1)).u16(), { code: 'BYTES_TRUNCATED' })
  assert.throws(() => new ByteReader(Uint8Array.of(2, 1)).vector(1), { code: 'BYTES_TRUNCATED' })
  assert.throws(() => new ByteReader(Uint8Array.of()).vector(1), { code: 'BYTES_TRUNCATED' })
  assert.throws(
    () => {
      new ByteReader(Uint8Array.of(1)).end()
    },
    { code: 'BYTES_TRAILING' },
  )
})

test('byte arrays compare as memcmp does', () => {
  assert.ok(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0)) < 0)
  assert.ok(compareBytes(Uint8Array.of(2), Uint8Array.of(1, 0)) > 0)
  assert.equal(compareBytes(Uint8Array.of(1), Uint8Array.of(1)), 0)
  assert.equal(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0)), false)
  assert.equal(equalBytes(Uint8Array.of(1, 0), Uint8Array.of(1, 1)), false)
  assert.equal(equalBytes(Uint8Array.of(1, 0), Uint8Array.of(1, 0)), true)
})
