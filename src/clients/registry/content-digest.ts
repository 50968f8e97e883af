/** Checking content against the digest it goes by. @module */
import { createDigest, digest, type DigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { RegistryError } from './registry-error.js'

interface Parsed {
  readonly algorithm: DigestName
  readonly hex: string
}

const DIGEST = /^(sha256|sha384|sha512):([0-9a-f]+)$/
const HEX_LENGTH: Readonly<Record<DigestName, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** Whether a manifest name is a digest rather than a tag. */
export function isDigest(name: string): boolean {
  return name.includes(':')
}

/** @throws RegistryError REGISTRY_DIGEST for a text that is no digest of a known algorithm. */
export function checkDigestText(text: string): void {
  parse(text)
}

/** `sha256:…` of content. */
export function sha256Digest(bytes: Uint8Array): string {
  return `sha256:${encodeHex(digest('sha256', bytes))}`
}

/** @throws RegistryError REGISTRY_DIGEST unless `bytes` have that digest. */
export function verifyContent(bytes: Uint8Array, expected: string, where: string): void {
  const { algorithm } = parse(expected)
  const found = `${algorithm}:${encodeHex(digest(algorithm, bytes))}`
  if (found !== expected) throw mismatch(expected, found, where)
}

/** The same over pieces: passes them on, and fails before the last one if the whole is not what it should be. */
export async function* verifyingStream(
  pieces: AsyncIterable<Uint8Array>,
  { digest: expected, size }: { readonly digest: string; readonly size: number },
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { algorithm } = parse(expected)
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
  const found = `${algorithm}:${encodeHex(running.digest())}`
  if (found !== expected) throw mismatch(expected, found, where)
  if (held !== undefined) yield held
}

function parse(text: string): Parsed {
  const match = DIGEST.exec(text)
  const algorithm = match?.[1] as DigestName | undefined
  const hex = match?.[2]
  if (algorithm !== undefined && hex?.length === HEX_LENGTH[algorithm]) return { algorithm, hex }
  throw new RegistryError('REGISTRY_DIGEST', 'not a digest that can be checked', {
    expected: 'sha256:, sha384: or sha512: and its lower-case hexadecimal digits',
    found: text.slice(0, 80),
  })
}

function mismatch(expected: string, found: string, where: string): RegistryError {
  return new RegistryError('REGISTRY_DIGEST', `${where} sent something other than what was asked for`, {
    expected,
    found,
    hint: 'A cache or proxy on the way may be broken, or somebody tampers with the registry.',
  })
}
