/** The parts that clients kept before there were bundles, put together as one signed entity. @module */
import type { PublicKey } from '#crypto/public-key'
import { equalBytes } from '#encoding/bytes'
import { parseEnvelope, type DsseEnvelope } from '#formats/dsse/envelope'
import type { SignedContent, SignedEntity } from '#formats/signed-entity'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { isAddress, parseInput } from '../read-input.js'
import { loadBlobSignature, readTimestamp } from '../verifying/blob-entity.js'
import { loadGivenCertificate, withGivenCertificate } from '../verifying/given-certificate.js'
import { readSignature } from '../verifying/signature-input.js'

export interface OldMaterialFlags {
  readonly bundle: string | undefined
  readonly signature: string | undefined
  readonly attestation: string | undefined
  readonly certificate: string | undefined
  readonly 'rfc3161-timestamp': string | undefined
  readonly 'ignore-tlog': boolean
}

export interface OldMaterialAsk {
  readonly flags: OldMaterialFlags
  /** The key that signed, if one was given. */
  readonly key: PublicKey | undefined
  readonly signal: AbortSignal
}

/**
 * Reads what the flags name. Nothing of it is verified, nor whether it belongs together.
 * @throws {@link UsageError} for parts that are missing or contradict each other; {@link CliError}, errors of the formats
 */
export async function loadOldMaterial(host: Host, { flags, key, signal }: OldMaterialAsk): Promise<SignedEntity> {
  checkFlags(flags)
  // As text a signature may be given to be verified; here a name that leads nowhere is a mistake.
  if (flags.signature !== undefined && !isAddress(flags.signature)) await host.files.read(flags.signature)
  const entity =
    flags.attestation === undefined
      ? await loadBlobSignature(host, { flags: { ...flags, 'allow-certificate-chain': true }, key, signal })
      : await loadAttestation(host, flags.attestation, { flags, signal })
  if ('mediaType' in entity) {
    throw new CliError('CLI_INPUT', `${flags.bundle ?? ''} is a Sigstore bundle already`, {
      expected: 'a bundle as cosign 2 wrote it',
      hint: 'one of version 0.1 or 0.2 is brought up to date with "countersign bundle upgrade"',
    })
  }
  if (flags['ignore-tlog'] && entity.logEntries.length > 0) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'the bundle contains a signed entry timestamp, which would be lost', {
      found: '--ignore-tlog, and a bundle with a log entry',
      hint: 'leave out --ignore-tlog',
    })
  }
  if (flags.certificate === undefined) return entity
  return withGivenCertificate(entity, await loadGivenCertificate(host, flags.certificate, signal))
}

function checkFlags({ bundle, signature, attestation, certificate }: OldMaterialFlags): void {
  if (bundle === undefined && signature === undefined && attestation === undefined) {
    throw new UsageError(
      'USAGE_FLAG_MISSING',
      'must at least supply signature via --bundle, --signature or --attestation',
    )
  }
  const beside = Object.entries({ signature, attestation, certificate }).find(([, value]) => value !== undefined)
  if (bundle === undefined || beside === undefined) return
  throw new UsageError('USAGE_FLAG_CONFLICT', `--${beside[0]} may not be given beside --bundle`, {
    hint: 'the bundle has its own',
  })
}

/** An envelope, and maybe the signature in it by itself: cosign asks for both. */
async function loadAttestation(
  host: Host,
  path: string,
  { flags, signal }: Pick<OldMaterialAsk, 'flags' | 'signal'>,
): Promise<SignedEntity> {
  const bytes = await host.files.read(path)
  const envelope = parseInput(path, () => parseEnvelope(bytes))
  if (flags.signature !== undefined) requireSignatureOf(envelope, await readSignature(host, flags.signature, signal))
  const timestamp = flags['rfc3161-timestamp']
  return {
    content: { kind: 'dsse', envelope },
    key: { kind: 'public-key', hint: '' },
    logEntries: [],
    timestamps: timestamp === undefined ? [] : [await readTimestamp(host, timestamp, signal)],
  }
}

function requireSignatureOf({ signatures }: DsseEnvelope, content: SignedContent): void {
  const given = content.kind === 'dsse' ? content.envelope.signatures[0]?.signature : content.signature
  if (given !== undefined && signatures.some(({ signature }) => equalBytes(signature, given))) return
  throw new CliError('CLI_INPUT', 'the signature is not the one in the attestation', {
    hint: 'leave out --signature: an attestation has its signature inside',
  })
}
