/** Ed25519ph (RFC 8032 §5.1, with the prehash flag), which OpenSSL 3.0 does not offer. @module */
import { concatBytes, equalBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import { digest } from './digest.js'

// dom2(1, ""): RFC 8032 §5.1, with an empty context.
const DOM2 = concatBytes(encodeUtf8('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** Whether the signature is right for a SHA-512 digest of the message. Cofactorless, as Go and OpenSSL verify. */
export async function verifyEd25519ph(
  publicKey: Uint8Array,
  signature: Uint8Array,
  prehash: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 64) return false
  const { ed25519 } = await import('@noble/curves/ed25519.js')
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= ORDER) return false // RFC 8032 §5.1.7: or every signature would have a second form
  try {
    const a = ed25519.Point.fromBytes(publicKey)
    const k = littleEndian(digest('sha512', concatBytes(DOM2, r, publicKey, prehash))) % ORDER
    const sB = s === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiplyUnsafe(s)
    const kA = k === 0n ? ed25519.Point.ZERO : a.multiplyUnsafe(k)
    return equalBytes(sB.subtract(kA).toBytes(), r)
  } catch {
    return false // the key is no point of the curve
  }
}

/** Signs a SHA-512 digest of the message with a 32-byte seed. */
export async function signEd25519ph(seed: Uint8Array, prehash: Uint8Array): Promise<Uint8Array> {
  const { ed25519 } = await import('@noble/curves/ed25519.js')
  const publicKey = ed25519.getPublicKey(seed)
  const expanded = digest('sha512', seed)
  const scalar = littleEndian(clamp(expanded.subarray(0, 32))) % ORDER
  const r = littleEndian(digest('sha512', concatBytes(DOM2, expanded.subarray(32), prehash))) % ORDER
  const rBytes = ed25519.Point.BASE.multiply(r).toBytes()
  const k = littleEndian(digest('sha512', concatBytes(DOM2, rBytes, publicKey, prehash))) % ORDER
  return concatBytes(rBytes, toLittleEndian((r + k * scalar) % ORDER))
}

function clamp(bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes)
  out[0] = (out[0] ?? 0) & 0xf8
  out[31] = ((out[31] ?? 0) & 0x7f) | 0x40
  return out
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}
