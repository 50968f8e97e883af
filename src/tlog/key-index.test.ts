import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '#crypto/digest'
import { concatBytes, uint64be } from '#encoding/bytes'
import { KeyIndex } from './key-index.js'

test('behaves as a map from fingerprints to lists', () => {
  const keys = Array.from({ length: 8 }, (_, i) => sha256(Uint8Array.of(i)))
  fc.assert(
    fc.property(fc.array(fc.nat(7), { maxLength: 60 }), (choices) => {
      const index = new KeyIndex()
      const model = new Map<number, number[]>()
      for (const [at, choice] of choices.entries()) {
        index.add(keys[choice]!, at)
        model.set(choice, [...(model.get(choice) ?? []), at])
      }
      for (const [choice, key] of keys.entries()) assert.deepEqual(index.find(key), model.get(choice) ?? [])
      assert.equal(index.size, choices.length)
    }),
  )
})

test('grows past its first tables, and keeps everything', () => {
  const index = new KeyIndex()
  const key = (i: number): Uint8Array => sha256(uint64be(BigInt(i)))
  for (let i = 0; i < 20_000; i++) index.add(key(i), i)
  for (let i = 0; i < 20_000; i += 97) assert.deepEqual(index.find(key(i)), [i])
  assert.deepEqual(index.find(key(20_001)), [])
})

test('a key that very many entries share costs no more than they do', () => {
  const index = new KeyIndex()
  const key = sha256(Uint8Array.of(1))
  for (let i = 0; i < 200_000; i++) index.add(key, i)
  assert.equal(index.find(key).length, 200_000)
  assert.equal(index.find(key)[199_999], 199_999)
})

test('keys that differ only behind the fingerprint are candidates of each other, and of no one else', () => {
  const index = new KeyIndex()
  const start = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  index.add(concatBytes(start, Uint8Array.of(1)), 10)
  index.add(concatBytes(start, Uint8Array.of(2)), 11)
  index.add(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9), 12)
  index.add(new Uint8Array(8), 13)
  assert.deepEqual(index.find(start), [10, 11])
  assert.deepEqual(index.find(new Uint8Array(8)), [13])
})

test('indexes beyond 32 bits are kept', () => {
  const index = new KeyIndex()
  index.add(new Uint8Array(8), 2 ** 40 + 1)
  assert.deepEqual(index.find(new Uint8Array(8)), [2 ** 40 + 1])
})
