/** Message digests (FIPS 180-4). @module */
import { createHash, hash as hashOnce } from 'node:crypto'

export type DigestName = 'sha256' | 'sha384' | 'sha512'

/** Bytes in each digest. */
export const DIGEST_SIZES: Readonly<Record<DigestName, number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** Whether a text names a digest that is accepted anywhere in Sigstore. */
export function isDigestName(text: string): text is DigestName {
  return Object.hasOwn(DIGEST_SIZES, text)
}

/** A digest that is fed piece by piece. */
export interface RunningDigest {
  update(chunk: Uint8Array): RunningDigest
  /** The result; nothing can be added after it. */
  digest(): Uint8Array
}

export function digest(name: DigestName, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(DIGEST_SIZES[name])
  digestInto(name, data, out)
  return out
}

export function sha256(data: Uint8Array): Uint8Array {
  return digest('sha256', data)
}

/** Writes the digest to the start of `out`. */
export function digestInto(name: DigestName, data: Uint8Array, out: Uint8Array): void {
  // One-shot hashing to a latin1 ("binary") text is two to four times as fast as to a Buffer, which is an allocation a digest.
  const text = hashOnce(name, data, 'binary')
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
}

export function createDigest(name: DigestName): RunningDigest {
  const state = createHash(name)
  const running: RunningDigest = {
    update(chunk) {
      state.update(chunk)
      return running
    },
    digest: () => new Uint8Array(state.digest()),
  }
  return running
}
