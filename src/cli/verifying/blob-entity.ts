/** The signature of a blob, from a bundle of any kind or from detached parts. @module */
import { decodeBase64 } from '#encoding/base64'
import { equalBytes } from '#encoding/bytes'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { type BlobBundle, isBlobBundle, parseBlobBundle } from '#formats/cosign-bundle/blob-bundle'
import type { SignedEntity } from '#formats/signed-entity'
import type { PublicKey } from '#crypto/public-key'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { parseInput, readFileOrUrl } from '../read-input.js'
import { readSignature } from './signature-input.js'

export interface BlobSignatureFlags {
  readonly bundle: string | undefined
  readonly signature: string | undefined
  readonly 'rfc3161-timestamp': string | undefined
  readonly 'allow-certificate-chain': boolean
}

export interface BlobSignatureOptions {
  readonly flags: BlobSignatureFlags
  /** The key that must have signed, if it is one. */
  readonly key: PublicKey | undefined
  readonly signal: AbortSignal
}

/**
 * Reads the signature. An old bundle and detached parts complete each other, as in cosign 2.
 * @throws {@link UsageError} if no signature is given; errors of the formats.
 */
export async function loadBlobSignature(
  host: Host,
  { flags, key, signal }: BlobSignatureOptions,
): Promise<SignedEntity> {
  const bytes = flags.bundle === undefined ? undefined : await host.files.read(flags.bundle)
  if (bytes !== undefined && !isOld(bytes)) {
    refuseDetachedParts(flags)
    return parseInput(flags.bundle ?? '', () => {
      return parseBundle(bytes, { allowCertificateChain: flags['allow-certificate-chain'] })
    })
  }
  const bundle = bytes === undefined ? undefined : parseInput(flags.bundle ?? '', () => parseBlobBundle(bytes))
  requireSameKey(bundle, key)
  const signature = flags.signature === undefined ? undefined : await readSignature(host, flags.signature, signal)
  const content = signature ?? bundle?.content
  if (content === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'must specify --bundle', {
      expected: '--bundle FILE, or --signature FILE for a signature from an old client',
    })
  }
  const timestamp =
    flags['rfc3161-timestamp'] === undefined ? [] : [await readTimestamp(host, flags['rfc3161-timestamp'], signal)]
  return {
    content,
    key: key === undefined && bundle !== undefined ? bundle.key : { kind: 'public-key', hint: '' },
    logEntries: bundle?.logEntries ?? [],
    timestamps: [...(bundle?.timestamps ?? []), ...timestamp],
  }
}

/** A bundle has all of it inside; what is given beside it would have no effect. */
function refuseDetachedParts(flags: BlobSignatureFlags): void {
  const given = (['signature', 'rfc3161-timestamp'] as const).find((name) => flags[name] !== undefined)
  if (given === undefined) return
  throw new UsageError('USAGE_FLAG_CONFLICT', `--${given} may not be given beside a Sigstore bundle`, {
    found: `--${given}, and a bundle with everything in it`,
    hint: `leave out --${given}`,
  })
}

function isOld(bytes: Uint8Array): boolean {
  try {
    return isBlobBundle(parseJson(bytes))
  } catch (error) {
    if (isCodedError(error)) return false // the parser of bundles says it better
    throw error
  }
}

function requireSameKey(bundle: BlobBundle | undefined, key: PublicKey | undefined): void {
  if (bundle?.publicKey === undefined || key === undefined || equalBytes(bundle.publicKey, key.spki)) return
  throw new CliError('CLI_INPUT', 'the key in the bundle is not the given one', {
    hint: 'check --key: the bundle was made with another key',
  })
}

/** `{"SignedRFC3161Timestamp":"…"}`, or the DER itself. @throws {@link CliError} `CLI_INPUT` */
export async function readTimestamp(host: Host, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = await readFileOrUrl(host, path, signal)
  if (bytes[0] !== 0x7b) return bytes
  const document = parseJson(bytes)
  const text = isJsonObject(document) ? document['SignedRFC3161Timestamp'] : undefined
  if (typeof text === 'string') return decodeBase64(text)
  throw new CliError('CLI_INPUT', `${path} holds no timestamp`, { expected: '{"SignedRFC3161Timestamp":"base64"}' })
}
