/** Checking content against the digest it goes by. @module */
import { createDigest } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { digestOf, parseDigest } from '#formats/oci/digest'
import { RegistryError } from './registry-error.js'

/** Whether a manifest name means a digest: no tag has a colon. @throws OciError `OCI_DIGEST` if it is a bad one */
export function namesDigest(name: string): boolean {
  if (!name.includes(':')) return false
  parseDigest(name)
  return true
}

/** @throws RegistryError REGISTRY_DIGEST unless `bytes` have that digest. */
export function verifyContent(bytes: Uint8Array, expected: string, where: string): void {
  const found = digestOf(bytes, parseDigest(expected).algorithm)
  if (found !== expected) throw mismatch(expected, found, where)
}

/** The same over pieces: passes them on, and fails before the last one if the whole is not what it should be. */
export async function* verifyingStream(
  pieces: AsyncIterable<Uint8Array>,
  { digest: expected, size }: { readonly digest: string; readonly size: number },
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { algorithm } = parseDigest(expected)
  const running = createDigest(algorithm)
  let seen = 0
  let held: Uint8Array | undefined
  for await (const piece of pieces) {
    seen += piece.length
    if (seen > size) throw mismatch(`${String(size)} bytes`, 'more', where)
    running.update(piece)
    if (held !== undefined) yield held
    held = piece
  }
  // What is passed on is announced by its size, so a size that is not true is as bad as another digest.
  if (seen !== size) throw mismatch(`${String(size)} bytes`, `${String(seen)} bytes`, where)
  const found = `${algorithm}:${encodeHex(running.digest())}`
  if (found !== expected) throw mismatch(expected, found, where)
  if (held !== undefined) yield held
}

function mismatch(expected: string, found: string, where: string): RegistryError {
  return new RegistryError('REGISTRY_DIGEST', `${where} sent something other than what was asked for`, {
    expected,
    found,
    hint: 'A cache or proxy on the way may be broken, or somebody tampers with the registry.',
  })
}
