import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes } from '#encoding/bytes'
import { emptyRoot } from '#formats/merkle/hash'
import { isCodedError } from '#errors'
import type { Commit } from '../storage.js'
import { decodeSegment, encodeCommit } from './commit-frame.js'

function commit(from: number, entries: readonly Uint8Array[]): Commit {
  const state = (size: number): Commit['next'] => ({ size, rootHash: emptyRoot(), time: 1000 + size })
  const attachments = [{ path: `a/${String(from)}`, bytes: Uint8Array.of(from) }]
  return { previous: state(from), next: state(from + entries.length), entries, annotations: [...entries], attachments }
}

const COMMITS = [
  commit(0, [Uint8Array.of(1)]),
  commit(1, [new Uint8Array(0), new Uint8Array(300)]),
  commit(3, [Uint8Array.of(9)]),
]
const BYTES = concatBytes(...COMMITS.map(encodeCommit))

test('a segment gives back its commits', () => {
  assert.deepEqual(decodeSegment(BYTES), { commits: COMMITS, wholeBytes: BYTES.length })
  assert.deepEqual(decodeSegment(new Uint8Array(0)), { commits: [], wholeBytes: 0 })
})

test('an end that is cut anywhere is torn, and costs the last commit alone', () => {
  const whole = encodeCommit(COMMITS[0]!).length + encodeCommit(COMMITS[1]!).length
  for (let length = whole; length < BYTES.length; length++) {
    assert.deepEqual(decodeSegment(BYTES.subarray(0, length)), { commits: COMMITS.slice(0, 2), wholeBytes: whole })
  }
})

test('one wrong byte in the last commit is torn, and before it is damage', () => {
  const last = BYTES.length - encodeCommit(COMMITS[2]!).length
  for (let at = 0; at < BYTES.length; at++) {
    const bytes = BYTES.slice()
    bytes[at]! ^= 0x10
    if (at >= last) assert.equal(decodeSegment(bytes).wholeBytes, last, String(at))
    else assert.throws(() => decodeSegment(bytes), { code: 'TLOG_WAL_CORRUPT' }, String(at))
  }
})

test('any bytes give commits or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(BYTES.length), (noise, cut) => {
      for (const bytes of [noise, concatBytes(BYTES.subarray(0, cut), noise)]) {
        try {
          assert.ok(decodeSegment(bytes).wholeBytes <= bytes.length)
        } catch (error) {
          assert.ok(isCodedError(error))
        }
      }
    }),
  )
})
