import assert from 'node:assert/strict'
import { createECDH } from 'node:crypto'
import { test } from 'node:test'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { derInteger, derSequence } from '#encoding/der-writer'
import type { AlgorithmName } from './algorithms.js'
import { digest } from './digest.js'
import type { DigestName } from './digest.js'
import { isEcdsaDigestSignature, isOnCurve } from './ecdsa-digest.js'
import { generatePrivateKey } from './private-key.js'
import { parsePublicKey } from './public-key.js'
import type { PublicKey } from './public-key.js'
import { randomBytes } from './random.js'

const CURVES = [
  { algorithm: 'ecdsa-sha2-256-nistp256', noble: p256, openssl: 'prime256v1' },
  { algorithm: 'ecdsa-sha2-384-nistp384', noble: p384, openssl: 'secp384r1' },
  { algorithm: 'ecdsa-sha2-512-nistp521', noble: p521, openssl: 'secp521r1' },
] as const satisfies readonly { algorithm: AlgorithmName; noble: unknown; openssl: string }[]
const DIGESTS: readonly DigestName[] = ['sha256', 'sha384', 'sha512']

type Noble = (typeof CURVES)[number]['noble']

function peer(noble: Noble, key: PublicKey, signature: Uint8Array, value: Uint8Array): boolean {
  try {
    return noble.verify(signature, value, key.raw, { prehash: false, format: 'der', lowS: false })
  } catch {
    return false
  }
}

for (const { algorithm, noble } of CURVES) {
  test(`${algorithm}: agrees with another implementation on right and wrong signatures over every digest`, async () => {
    for (let round = 0; round < 6; round++) {
      const secret = noble.utils.randomSecretKey()
      const key = await publicKey(algorithm, noble, secret)
      const other = (await generatePrivateKey(algorithm)).publicKey
      for (const name of DIGESTS) {
        const value = digest(name, randomBytes(20))
        const signature = noble.sign(value, secret, { prehash: false, format: 'der', lowS: false })
        assert.equal(isEcdsaDigestSignature(key, signature, value), true)
        assert.equal(isEcdsaDigestSignature(other, signature, value), false)
        const wrong = value.slice()
        wrong[round] = (wrong[round] ?? 0) ^ 1
        assert.equal(isEcdsaDigestSignature(key, signature, wrong), false)
        for (const at of [0, 1, 2, 3, 4, 5, 9, signature.length - 1]) {
          const changed = signature.slice()
          changed[at] = (changed[at] ?? 0) ^ 0x01
          const expected = peer(noble, key, changed, value)
          assert.equal(isEcdsaDigestSignature(key, changed, value), expected, `byte ${String(at)}`)
          assert.equal(expected, false)
        }
      }
    }
  })

  test(`${algorithm}: a negated key is another key`, async () => {
    const secret = noble.utils.randomSecretKey()
    const negated = bytes(noble.Point.Fn.neg(noble.Point.Fn.fromBytes(secret)), noble)
    const value = digest('sha256', randomBytes(5))
    const signature = noble.sign(value, secret, { prehash: false, format: 'der', lowS: false })
    assert.equal(isEcdsaDigestSignature(await publicKey(algorithm, noble, secret), signature, value), true)
    assert.equal(isEcdsaDigestSignature(await publicKey(algorithm, noble, negated), signature, value), false)
  })

  test(`${algorithm}: digests for which the moved key cannot be written down are verified all the same`, async () => {
    const field = noble.Point.Fn
    const secret = noble.utils.randomSecretKey()
    const d = field.fromBytes(secret)
    const key = await publicKey(algorithm, noble, secret)
    for (const message of [1, 2]) {
      for (const sign of [1n, -1n, 0n]) {
        // r·d = h - h' makes the shift d, and Q is to be doubled; the negative makes it infinity; 0 leaves Q alone.
        const k = field.fromBytes(noble.utils.randomSecretKey())
        const r = field.create(noble.Point.BASE.multiply(k).toAffine().x)
        const chosen = BigInt(`0x${Buffer.from(digest('sha256', Uint8Array.of(message))).toString('hex')}`)
        const h = field.create(chosen + sign * r * d)
        const s = field.mul(field.inv(k), field.create(h + r * d))
        const signature = derSequence(derInteger(r), derInteger(s))
        const value = bitsOf(h, noble)
        if (value === undefined) continue
        assert.equal(peer(noble, key, signature, value), true)
        assert.equal(isEcdsaDigestSignature(key, signature, value), true)
        const other = derSequence(derInteger(r), derInteger(field.create(s + 1n)))
        assert.equal(isEcdsaDigestSignature(key, other, value), false)
      }
    }
  })

  test(`${algorithm}: numbers out of range, and what is no signature, are wrong`, async () => {
    const key = (await generatePrivateKey(algorithm)).publicKey
    const { ORDER: n } = noble.Point.Fn
    const value = digest('sha256', Uint8Array.of(7))
    const wrong = [
      derSequence(derInteger(0n), derInteger(1n)),
      derSequence(derInteger(1n), derInteger(0n)),
      derSequence(derInteger(n), derInteger(1n)),
      derSequence(derInteger(1n), derInteger(n)),
      derSequence(derInteger(n + 1n), derInteger(1n)),
      derSequence(derInteger(-1n), derInteger(1n)),
      derSequence(derInteger(1n)),
      derSequence(derInteger(1n), derInteger(1n), derInteger(1n)),
      derSequence(),
      new Uint8Array(0),
      randomBytes(70),
    ]
    for (const signature of wrong) assert.equal(isEcdsaDigestSignature(key, signature, value), false)
  })
}

test('points that are not on the curve are told from those that are', async () => {
  for (const { algorithm, noble } of CURVES) {
    const key = (await generatePrivateKey(algorithm)).publicKey
    assert.equal(isOnCurve(key), true)
    for (const at of [1, key.raw.length - 1]) {
      const raw = key.raw.slice()
      raw[at] = (raw[at] ?? 0) ^ 1
      assert.equal(isOnCurve({ ...key, raw }), false)
    }
    // The same point with a coordinate that was not reduced.
    const point = noble.Point.BASE.toAffine()
    const over = (point.x + noble.Point.Fp.ORDER).toString(16).padStart(key.raw.length - 1, '0')
    if (over.length > key.raw.length - 1) continue
    const raw = Uint8Array.from(
      Buffer.from(`04${over}${point.y.toString(16).padStart(key.raw.length - 1, '0')}`, 'hex'),
    )
    assert.equal(isOnCurve({ ...key, raw }), false)
  }
  assert.equal(isOnCurve((await generatePrivateKey('ed25519')).publicKey), false)
})

test('keys that are not on one of the curves verify nothing', async () => {
  const key = (await generatePrivateKey('ed25519')).publicKey
  const signature = derSequence(derInteger(1n), derInteger(1n))
  assert.equal(isEcdsaDigestSignature(key, signature, new Uint8Array(32)), false)
})

/** A number as a digest that truncates to it; undefined where no whole number of bytes does. */
function bitsOf(h: bigint, noble: Noble): Uint8Array | undefined {
  const bits = noble.Point.Fn.BITS
  if (bits % 8 === 0) return bytes(h, noble)
  // 521 bits: only numbers that fit into 520 have a digest of whole bytes.
  return h < 1n << BigInt(bits - 1) ? new Uint8Array(Buffer.from(h.toString(16).padStart(130, '0'), 'hex')) : undefined
}

function bytes(value: bigint, noble: Noble): Uint8Array {
  return noble.Point.Fn.toBytes(value)
}

async function publicKey(algorithm: AlgorithmName, noble: Noble, secret: Uint8Array): Promise<PublicKey> {
  const { openssl } = CURVES.find((curve) => curve.algorithm === algorithm)!
  const ecdh = createECDH(openssl)
  ecdh.setPrivateKey(secret)
  const raw = new Uint8Array(ecdh.getPublicKey())
  assert.deepEqual(raw, noble.getPublicKey(secret, false))
  const template = (await generatePrivateKey(algorithm)).publicKey.spki.slice()
  template.set(raw, template.length - raw.length)
  return parsePublicKey(template)
}
