/** What a signing command tells and writes once a signature is finished. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { serializeBlobBundle } from '#formats/cosign-bundle/blob-bundle'
import { serializeEnvelope } from '#formats/dsse/envelope'
import type { SigningResult } from '#sign/sign'
import type { Host } from '../kit/host.js'

/** Says where the entry is: the line that cosign 2 printed, and the address below it. */
export function tellEntries(host: Host, { entries }: SigningResult): void {
  for (const { entry, url } of entries) {
    host.terminal.note(`tlog entry created with index: ${String(entry.logIndex)}`)
    host.terminal.note(`  ${url}`)
  }
}

/** The bundle of a result: the current format, or cosign 2's for blobs. */
export function bundleText(result: SigningResult, { legacy }: { readonly legacy: boolean }): string {
  if (!legacy) return serializeBundle(result.entity)
  const { signer, chain } = result.credential
  return serializeBlobBundle({ ...result.entity, publicKey: chain.length === 0 ? signer.publicKey.spki : undefined })
}

export async function writeBundle(
  host: Host,
  path: string,
  result: SigningResult,
  format: { readonly legacy: boolean },
): Promise<void> {
  if (!format.legacy) warnAboutChain(host, result)
  await host.files.write(path, bundleText(result, format))
  host.terminal.note(`Wrote bundle to file ${path}`)
}

/**
 * Tells of a bundle that not everybody will read: as cosign does, a chain that came with the key goes in, although version 0.3 of
 * the format has room for the leaf alone.
 */
export function warnAboutChain(host: Host, { credential: { chain } }: SigningResult): void {
  if (chain.length < 2) return
  host.terminal.note(
    'WARNING: the bundle holds a certificate chain, which version 0.3 rules out: verifiers need --allow-certificate-chain.\n' +
      '    If their trusted root has the intermediate certificates, leave out --certificate-chain.',
  )
}

/** The leaf certificate as PEM, or undefined for a key. */
export function certificatePem({
  credential: {
    chain: [leaf],
  },
}: SigningResult): string | undefined {
  return leaf === undefined ? undefined : encodePem('CERTIFICATE', leaf)
}

/** What an old client calls the signature: the bytes, or the whole envelope. */
export function signatureBytes({ entity, signature }: SigningResult): Uint8Array {
  return entity.content.kind === 'dsse' ? serializeEnvelope(entity.content.envelope) : signature
}

export interface DetachedFlags {
  readonly 'output-certificate': string | undefined
  readonly 'rfc3161-timestamp'?: string | undefined
}

/** Writes the certificate and the timestamp to files of their own, where that is asked for. */
export async function writeDetached(
  host: Host,
  result: SigningResult,
  { flags, base64 }: { readonly flags: DetachedFlags; readonly base64: boolean },
): Promise<void> {
  const pem = certificatePem(result)
  const certificatePath = flags['output-certificate']
  if (certificatePath !== undefined && pem === undefined) {
    host.terminal.note(`WARNING: there is no certificate to write to ${certificatePath}: a key signed`)
  } else if (certificatePath !== undefined && pem !== undefined) {
    await host.files.write(certificatePath, base64 ? encodeBase64(encodeUtf8(pem)) : pem)
    host.terminal.note(`Wrote certificate to file ${certificatePath}`)
  }
  const [timestamp] = result.entity.timestamps
  const timestampPath = flags['rfc3161-timestamp']
  if (timestampPath !== undefined && timestamp === undefined) {
    host.terminal.note(`WARNING: there is no timestamp to write to ${timestampPath}: no authority was asked`)
  } else if (timestampPath !== undefined && timestamp !== undefined) {
    await host.files.write(timestampPath, JSON.stringify({ SignedRFC3161Timestamp: encodeBase64(timestamp) }))
    host.terminal.note(`Wrote timestamp to file ${timestampPath}`)
  }
}
