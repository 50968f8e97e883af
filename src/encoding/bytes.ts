/** Byte arrays: joining, comparing, and reading big-endian structures. @module */
import { EncodingError } from './encoding-error.js'

/** Joins byte arrays into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** Whether two byte arrays are the same. Not constant-time: only for public values. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Orders byte arrays as memcmp does, a prefix before what it begins. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Two bytes, big-endian. */
export function uint16be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value)
}

/** Three bytes, big-endian. */
export function uint24be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 16, value >>> 8, value)
}

/** Four bytes, big-endian. */
export function uint32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

/** Eight bytes, big-endian. */
export function uint64be(value: bigint): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, value)
  return out
}

/**
 * Reads big-endian integers and length-prefixed vectors (the TLS presentation language, RFC 8446 §3).
 * Slices share memory with the input.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#offset
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** @throws {@link EncodingError} BYTES_TRUNCATED if fewer bytes are left. */
  take(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new EncodingError('BYTES_TRUNCATED', 'the input ends too early', {
        expected: `${String(length)} more bytes`,
        found: `${String(this.remaining)} bytes`,
      })
    }
    this.#offset += length
    return this.#bytes.subarray(this.#offset - length, this.#offset)
  }

  u8(): number {
    return this.#uint(1)
  }

  u16(): number {
    return this.#uint(2)
  }

  u24(): number {
    return this.#uint(3)
  }

  u32(): number {
    return this.#uint(4)
  }

  u64(): bigint {
    return (BigInt(this.#uint(4)) << 32n) | BigInt(this.#uint(4))
  }

  /** A vector whose length stands before it in one, two or three bytes. */
  vector(lengthBytes: 1 | 2 | 3): Uint8Array {
    return this.take(this.#uint(lengthBytes))
  }

  /** @throws {@link EncodingError} BYTES_TRAILING if something is left. */
  end(): void {
    if (this.remaining === 0) return
    throw new EncodingError('BYTES_TRAILING', 'the input goes on past its end', {
      expected: 'no further bytes',
      found: `${String(this.remaining)} bytes`,
    })
  }

  #uint(length: number): number {
    let value = 0
    for (const byte of this.take(length)) value = value * 256 + byte
    return value
  }
}
