/** Randomness from the operating system. @module */
import { randomFillSync } from 'node:crypto'

/** A source of unpredictable bytes. Tests may pass a predictable one. */
export type RandomSource = (length: number) => Uint8Array

/** Cryptographically strong random bytes. */
export function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}
