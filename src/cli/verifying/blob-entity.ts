/** The signature of a blob, from a bundle of any kind or from detached parts. @module */
import { decodeBase64 } from '#encoding/base64'
import { equalBytes } from '#encoding/bytes'
import { isJsonObject, parseJson } from '#encoding/json'
import { parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { type BlobBundle, isBlobBundle, parseBlobBundle } from '#formats/cosign-bundle/blob-bundle'
import { parseEnvelope } from '#formats/dsse/envelope'
import type { KeyMaterial, SignedContent, SignedEntity } from '#formats/signed-entity'
import type { PublicKey } from '#crypto/public-key'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText, fetchInput } from '../read-input.js'

export interface BlobSignatureFlags {
  readonly bundle: string | undefined
  readonly signature: string | undefined
  readonly certificate: string | undefined
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
  if (bytes !== undefined && !isOld(bytes))
    return parseBundle(bytes, { allowCertificateChain: flags['allow-certificate-chain'] })
  const bundle = bytes === undefined ? undefined : parseBlobBundle(bytes)
  requireSameKey(bundle, key)
  const signature = flags.signature === undefined ? undefined : await readSignature(host, flags.signature, signal)
  const content = signature ?? bundle?.content
  if (content === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'must specify --bundle', {
      expected: '--bundle FILE, or --signature FILE for a signature from an old client',
    })
  }
  const certificate: KeyMaterial | undefined =
    flags.certificate === undefined
      ? undefined
      : { kind: 'certificates', chain: await readCertificateChain(host, flags.certificate) }
  const timestamp =
    flags['rfc3161-timestamp'] === undefined ? [] : [await readTimestamp(host, flags['rfc3161-timestamp'])]
  return {
    content,
    key:
      key === undefined
        ? (certificate ?? bundle?.key ?? { kind: 'public-key', hint: '' })
        : { kind: 'public-key', hint: '' },
    logEntries: bundle?.logEntries ?? [],
    timestamps: [...(bundle?.timestamps ?? []), ...timestamp],
  }
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

/** A signature given as a file, an address, or by itself; base64 or raw, or a whole DSSE envelope. */
async function readSignature(host: Host, reference: string, signal: AbortSignal): Promise<SignedContent> {
  const bytes = /^https?:\/\//.test(reference)
    ? await fetchInput(host, reference, signal)
    : (await host.files.exists(reference))
      ? await host.files.read(reference)
      : new TextEncoder().encode(reference)
  const signature = unwrapBase64(bytes)
  if (signature[0] !== 0x7b) return { kind: 'message-signature', signature }
  return { kind: 'dsse', envelope: parseEnvelope(signature) }
}

function unwrapBase64(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes).replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return bytes
  try {
    return decodeBase64(text)
  } catch (error) {
    if (isCodedError(error)) return bytes
    throw error
  }
}

/** PEM, base64 of PEM (as old clients wrote it), or DER. */
async function readCertificateChain(host: Host, path: string): Promise<readonly Uint8Array[]> {
  const bytes = unwrapBase64(await host.files.read(path))
  if (bytes[0] === 0x30) return [bytes]
  const chain = parsePem(asText(bytes, path))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => block.bytes)
  if (chain.length > 0) return chain
  throw new CliError('CLI_INPUT', `${path} holds no certificate`, { expected: 'PEM or DER' })
}

/** `{"SignedRFC3161Timestamp":"…"}`, or the DER itself. */
async function readTimestamp(host: Host, path: string): Promise<Uint8Array> {
  const bytes = await host.files.read(path)
  if (bytes[0] !== 0x7b) return bytes
  const document = parseJson(bytes)
  const text = isJsonObject(document) ? document['SignedRFC3161Timestamp'] : undefined
  if (typeof text === 'string') return decodeBase64(text)
  throw new CliError('CLI_INPUT', `${path} holds no timestamp`, { expected: '{"SignedRFC3161Timestamp":"base64"}' })
}
