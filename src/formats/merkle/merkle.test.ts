import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeHex, encodeHex } from '#encoding/hex'
import { concatBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { emptyRoot, hashLeaf, hashLeafInto, hashLevel, hashNode } from './hash.js'
import { rootFromInclusionProof, verifyConsistency, verifyInclusion } from './proof.js'
import { proveConsistency, proveInclusion, treeRoot } from './tree.js'
import type { NodeReader } from './tree.js'

/** RFC 6962 §2.1 written down literally, on another hash interface, as the oracle. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [first] = leaves
  if (first === undefined) return sha()
  if (leaves.length === 1) return sha(Buffer.of(0), first)
  let k = 1
  while (2 * k < leaves.length) k *= 2
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

const MAX = 33
const LEAVES = Array.from({ length: MAX }, (_, index) => Uint8Array.of(index, 7))
const ROOTS = Array.from({ length: MAX + 1 }, (_, size) => new Uint8Array(naiveRoot(LEAVES.slice(0, size))))
const nodes: NodeReader = (level, index) =>
  new Uint8Array(naiveRoot(LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level)))
const root = (size: number): Uint8Array => ROOTS[size] ?? assert.fail()

test('the test tree of Certificate Transparency', async () => {
  const inputs = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map(decodeHex)
  const read: NodeReader = (level, index) =>
    level === 0
      ? hashLeaf(inputs[index] ?? assert.fail())
      : hashNode(read(level - 1, 2 * index) as Uint8Array, read(level - 1, 2 * index + 1) as Uint8Array)
  assert.equal(encodeHex(emptyRoot()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(encodeHex(await treeRoot(read, 1)), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  assert.equal(encodeHex(await treeRoot(read, 8)), '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
})

test('roots are those of the literal definition', async () => {
  for (let size = 0; size <= MAX; size++) assert.deepEqual(await treeRoot(nodes, size), root(size))
})

test('every inclusion proof verifies, and for no other leaf or size of up to the same height', async () => {
  for (let size = 1; size <= MAX; size++) {
    for (let index = 0; index < size; index++) {
      const proof = await proveInclusion(nodes, index, size)
      const claim = { leafHash: hashLeaf(LEAVES[index] ?? assert.fail()), proof, root: root(size) }
      verifyInclusion({ ...claim, leafIndex: BigInt(index), treeSize: BigInt(size) })
      for (let other = 0; other < size; other++) {
        if (other !== index)
          assert.throws(() => {
            verifyInclusion({ ...claim, leafIndex: BigInt(other), treeSize: BigInt(size) })
          }, isCodedError)
      }
    }
  }
})

test('every consistency proof verifies, and between no other roots', async () => {
  for (let to = 0; to <= MAX; to++) {
    for (let from = 0; from <= to; from++) {
      const proof = await proveConsistency(nodes, from, to)
      const claim = { fromSize: BigInt(from), toSize: BigInt(to), fromRoot: root(from), toRoot: root(to), proof }
      verifyConsistency(claim)
      const wrong = hashLeaf(Uint8Array.of(99))
      assert.throws(
        () => {
          verifyConsistency({ ...claim, fromRoot: wrong })
        },
        { code: 'MERKLE_ROOT_MISMATCH' },
      )
      if (from > 0)
        assert.throws(
          () => {
            verifyConsistency({ ...claim, toRoot: wrong })
          },
          { code: 'MERKLE_ROOT_MISMATCH' },
        )
    }
  }
})

test('a proof with a hash too many, too few, changed, cut or doubled proves nothing', async () => {
  const proof = await proveInclusion(nodes, 11, 29)
  const claim = { leafIndex: 11n, treeSize: 29n, leafHash: hashLeaf(LEAVES[11] ?? assert.fail()), root: root(29) }
  const rejects = (changed: readonly Uint8Array[], code: string): void => {
    assert.throws(
      () => {
        verifyInclusion({ ...claim, proof: changed })
      },
      { code },
    )
  }
  rejects(proof.slice(1), 'MERKLE_PROOF_SIZE')
  rejects([...proof, root(1)], 'MERKLE_PROOF_SIZE')
  rejects([...proof].reverse(), 'MERKLE_ROOT_MISMATCH')
  rejects(
    proof.map((hash) => hash.map((byte) => byte ^ 1)),
    'MERKLE_ROOT_MISMATCH',
  )
  rejects(
    proof.map((hash) => hash.subarray(1)),
    'MERKLE_HASH_SIZE',
  )
  rejects([], 'MERKLE_PROOF_SIZE')
})

test('a node does not pass for a leaf', () => {
  const [left, right] = [hashLeaf(LEAVES[0] ?? assert.fail()), hashLeaf(LEAVES[1] ?? assert.fail())]
  assert.notDeepEqual(hashLeaf(concatBytes(left, right)), hashNode(left, right))
})

test('indexes outside of the tree are refused', async () => {
  const claim = { leafHash: root(1), proof: [], root: root(1) }
  for (const [leafIndex, treeSize] of [
    [0n, 0n],
    [1n, 1n],
    [-1n, 1n],
    [2n ** 64n, 1n],
  ] as const) {
    assert.throws(
      () => {
        verifyInclusion({ ...claim, leafIndex, treeSize })
      },
      { code: 'MERKLE_INDEX' },
    )
  }
  await assert.rejects(proveInclusion(nodes, 5, 5), { code: 'MERKLE_INDEX' })
  await assert.rejects(proveConsistency(nodes, 6, 5), { code: 'MERKLE_INDEX' })
  await assert.rejects(treeRoot(nodes, 0.5), { code: 'MERKLE_INDEX' })
  assert.throws(
    () => {
      verifyConsistency({ fromSize: 2n, toSize: 1n, fromRoot: root(2), toRoot: root(1), proof: [] })
    },
    { code: 'MERKLE_INDEX' },
  )
})

test('consistency needs a proof unless it is trivial, and then takes none', () => {
  const base = { fromRoot: root(3), toRoot: root(7) }
  assert.throws(
    () => {
      verifyConsistency({ ...base, fromSize: 3n, toSize: 7n, proof: [] })
    },
    { code: 'MERKLE_PROOF_SIZE' },
  )
  assert.throws(
    () => {
      verifyConsistency({ fromRoot: root(4), toRoot: root(7), fromSize: 4n, toSize: 7n, proof: [] })
    },
    { code: 'MERKLE_PROOF_SIZE' },
  )
  assert.throws(
    () => {
      verifyConsistency({ ...base, toRoot: root(3), fromSize: 3n, toSize: 3n, proof: [root(1)] })
    },
    { code: 'MERKLE_PROOF_SIZE' },
  )
  assert.throws(
    () => {
      verifyConsistency({ ...base, fromSize: 0n, toSize: 7n, proof: [] })
    },
    { code: 'MERKLE_ROOT_MISMATCH' },
  )
  assert.throws(
    () => {
      verifyConsistency({ ...base, fromSize: 3n, toSize: 3n, proof: [] })
    },
    { code: 'MERKLE_ROOT_MISMATCH' },
  )
})

test('huge trees need no more steps than they are high', () => {
  const proof = Array.from({ length: 63 }, () => root(1))
  const hash = rootFromInclusionProof({ leafIndex: 2n ** 63n - 1n, treeSize: 2n ** 63n, leafHash: root(1), proof })
  assert.equal(hash.length, 32)
})

test('levels are hashed in pairs', () => {
  const leaves = LEAVES.slice(0, 4).map(hashLeaf)
  const [a, b, c, d] = leaves
  assert.ok(a && b && c && d)
  assert.deepEqual(hashLevel(concatBytes(...leaves)), concatBytes(hashNode(a, b), hashNode(c, d)))
  assert.throws(() => hashLevel(concatBytes(a, b, c)), { code: 'MERKLE_HASH_SIZE' })
  const target = new Uint8Array(64)
  hashLeafInto(LEAVES[0] ?? assert.fail(), target, 32)
  assert.deepEqual(target, concatBytes(new Uint8Array(32), a))
})

test('any proof is verified or refused with a code', () => {
  const bytes = fc.uint8Array({ maxLength: 33 })
  const claim = fc.record({
    leafIndex: fc.bigInt(-5n, 2n ** 65n),
    treeSize: fc.bigInt(-5n, 2n ** 65n),
    leafHash: bytes,
    root: bytes,
    proof: fc.array(bytes, { maxLength: 5 }),
  })
  fc.assert(
    fc.property(claim, (random) => {
      assert.throws(() => {
        verifyInclusion(random)
      }, isCodedError)
      const { leafIndex: fromSize, treeSize: toSize, leafHash: fromRoot, root: toRoot, proof } = random
      try {
        verifyConsistency({ fromSize, toSize, fromRoot, toRoot, proof })
      } catch (error) {
        assert.ok(isCodedError(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
