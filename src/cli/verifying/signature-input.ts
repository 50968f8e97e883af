/** A detached signature as the command line names it. @module */
import { signedContent } from '#formats/cosign-bundle/blob-bundle'
import type { SignedContent } from '#formats/signed-entity'
import type { Host } from '../kit/host.js'
import { isAddress, readFileOrUrl } from '../read-input.js'
import { unwrapBase64 } from './given-certificate.js'

/** A signature given as a file, an address, or by itself; base64 or raw, or a whole DSSE envelope. */
export async function readSignature(host: Host, reference: string, signal: AbortSignal): Promise<SignedContent> {
  const named = isAddress(reference) || (await host.files.exists(reference))
  const bytes = named ? await readFileOrUrl(host, reference, signal) : new TextEncoder().encode(reference)
  return signedContent(unwrapBase64(bytes))
}
