/** The artifact of a blob command: a file of any size, standard input, an address, or no more than a digest. @module */
import { createDigest, DIGEST_SIZES, type DigestName } from '#crypto/digest'
import { concatBytes } from '#encoding/bytes'
import { decodeHex } from '#encoding/hex'
import type { SignedContent } from '#formats/signed-entity'
import type { Artifact } from '#verify/artifact'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { fetchInput, isAddress, streamFileOrStdin } from '../read-input.js'

/** Up to this size a file is held in memory, which also serves algorithms that sign the whole message. */
const IN_MEMORY = 32 * 1024 * 1024

/**
 * Reads what is to be verified. A text such as `sha256:<hex>` is a digest unless there is a file of that name.
 * A large file is read once, in pieces.
 */
export async function loadArtifact(
  host: Host,
  name: string,
  content: SignedContent,
  signal: AbortSignal,
): Promise<Artifact> {
  const digest = /^(sha256|sha384|sha512):([0-9a-fA-F]+)$/.exec(name)
  if (digest !== null && !(await host.files.exists(name))) return digestArtifact(digest[1] ?? '', digest[2] ?? '')
  if (isAddress(name)) return { kind: 'bytes', bytes: await fetchInput(host, name, signal) }
  return await readBounded(streamFileOrStdin(host, name), digestsFor(content))
}

/** An artifact of which only a digest is known. @throws {@link CliError} `CLI_INPUT` */
export function digestArtifact(algorithm: string, hex: string): Artifact {
  if (!isDigestName(algorithm) || !/^(?:[0-9a-fA-F]{2})+$/.test(hex) || hex.length !== DIGEST_SIZES[algorithm] * 2) {
    throw new CliError('CLI_INPUT', 'not a digest', {
      expected: 'sha256, sha384 or sha512, and as many hexadecimal digits as it has',
      found: `${algorithm} with ${String(hex.length)} characters`,
    })
  }
  return { kind: 'digest', digests: { [algorithm]: decodeHex(hex.toLowerCase()) } }
}

function isDigestName(name: string): name is DigestName {
  return Object.hasOwn(DIGEST_SIZES, name)
}

function digestsFor(content: SignedContent): readonly DigestName[] {
  const stated = content.kind === 'message-signature' ? content.digestAlgorithm : undefined
  return stated === undefined ? ['sha256', 'sha384', 'sha512'] : [stated]
}

async function readBounded(stream: AsyncIterable<Uint8Array>, names: readonly DigestName[]): Promise<Artifact> {
  const running = names.map((name) => [name, createDigest(name)] as const)
  let held: Uint8Array[] | undefined = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > IN_MEMORY) held = undefined
    held?.push(chunk)
    for (const [, digest] of running) digest.update(chunk)
  }
  if (held !== undefined) return { kind: 'bytes', bytes: concatBytes(...held) }
  return { kind: 'digest', digests: Object.fromEntries(running.map(([name, digest]) => [name, digest.digest()])) }
}
