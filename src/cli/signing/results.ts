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
  await host.files.write(path, bundleText(result, format))
  host.terminal.note(`Wrote bundle to file ${path}`)
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
  if (certificatePath !== undefined && pem !== undefined) {
    await host.files.write(certificatePath, base64 ? encodeBase64(encodeUtf8(pem)) : pem)
    host.terminal.note(`Wrote certificate to file ${certificatePath}`)
  }
  const [timestamp] = result.entity.timestamps
  const timestampPath = flags['rfc3161-timestamp']
  if (timestampPath !== undefined && timestamp !== undefined) {
    await host.files.write(timestampPath, JSON.stringify({ SignedRFC3161Timestamp: encodeBase64(timestamp) }))
    host.terminal.note(`Wrote timestamp to file ${timestampPath}`)
  }
}
