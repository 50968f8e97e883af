/** A signature on an image that is not attached to it: `verify --signature FILE [--payload FILE]`. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { repositoryName } from '#formats/oci/reference'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import type { DigestedImage } from '../images.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { readFileOrUrl } from '../read-input.js'
import type { Candidates } from './image-verification.js'
import { readSignature } from './signature-input.js'

export interface DetachedFlags {
  readonly signature: string | undefined
  readonly payload: string | undefined
}

/** Finds the one signature that was given, as if it had been attached to the image. */
export type DetachedSignature = (image: DigestedImage) => Candidates

/**
 * Reads what the flags name; undefined if they name nothing. A signature without its payload is taken to be over the payload
 * that the oldest clients signed without keeping it.
 * @throws {@link UsageError} for a payload without a signature; {@link CliError} for what is no image signature
 */
export async function loadDetachedSignature(
  host: Host,
  { signature, payload }: DetachedFlags,
  signal: AbortSignal,
): Promise<DetachedSignature | undefined> {
  if (signature === undefined) {
    if (payload === undefined) return undefined
    throw new UsageError('USAGE_FLAG_MISSING', '--payload was given without its signature', {
      expected: '--signature beside --payload',
      hint: 'leave out both: what is attached to the image is found without them',
    })
  }
  const content = await readSignature(host, signature, signal)
  if (content.kind !== 'message-signature') {
    throw new CliError('CLI_INPUT', 'what was given as the signature of an image is an envelope', {
      expected: 'a signature over a payload, as "sign --output-signature" writes it in the old format',
      hint: 'an attestation in a file is verified with verify-blob-attestation',
    })
  }
  const given = payload === undefined ? undefined : await readFileOrUrl(host, payload, signal)
  return (image) => {
    const bytes = given ?? impliedPayload(host, image)
    const layer = `sha256:${encodeHex(sha256(bytes))}`
    const origin = {
      layout: 'detached',
      repository: image.repository,
      manifest: signature.slice(0, 100),
      layer,
    } as const
    const entity = { content, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] } as const
    return { attachments: [{ origin, entity, bytes, payload: bytes, annotations: {} }], unreadable: [], passedOver: [] }
  }
}

/** The payload that the oldest clients signed without keeping it; a note says that it is a guess. */
export function impliedPayload(host: Host, { repository, descriptor, name }: DigestedImage): Uint8Array {
  host.terminal.note(
    `WARNING: using the payload that ${name} at ${descriptor.digest} implies; give the one that was signed with --payload`,
  )
  return serializeSimpleSigning({ dockerReference: repositoryName(repository), manifestDigest: descriptor.digest })
}
