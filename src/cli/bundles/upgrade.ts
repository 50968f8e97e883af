/** Bundles of versions 0.1 and 0.2 as bundles of version 0.3. @module */
import { createRekorClient, type RekorClient } from '#clients/rekor/rekor'
import { parseBundle, type ParsedBundle } from '#formats/bundle/parse'
import { serializeBundle } from '#formats/bundle/serialize'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { KeyMaterial } from '#formats/signed-entity'
import { isProved, proveEntry } from '#sign/prove-entry'
import { verifyInclusionUnderAnyCheckpoint } from '#verify/log/inclusion'
import type { Host } from '../kit/host.js'

/**
 * The text of the upgraded bundle: the leaf in place of a chain, and the inclusion proofs that it lacked. Signature, certificate and
 * bodies of log entries stay as they are; every proof has been checked against its checkpoint. Nobody's signature is verified.
 * @throws BundleError, RekorError; VerificationError if the log has another entry, or its proof does not hold
 */
export async function upgradeBundle(host: Host, bundle: ParsedBundle, rekorUrl: string): Promise<string> {
  host.terminal.note(`Upgrading from v${bundle.version} to v0.3...`)
  let rekor: RekorClient | undefined
  const logEntries: LogEntry[] = []
  for (const entry of bundle.logEntries) {
    if (!isProved(entry)) {
      host.terminal.note(`Fetching missing inclusion proof from ${rekorUrl} for log index ${String(entry.logIndex)}...`)
      rekor ??= createRekorClient({ fetch: await host.connect(), baseUrl: rekorUrl })
      logEntries.push(await proveEntry(rekor, entry))
    } else logEntries.push(entry)
  }
  const { content, timestamps } = bundle
  const text = serializeBundle({ content, timestamps, logEntries, key: leafOnly(host, bundle.key) })
  for (const entry of parseBundle(text).logEntries) verifyProof(entry)
  return text
}

function leafOnly(host: Host, key: KeyMaterial): KeyMaterial {
  if (key.kind === 'public-key' || key.chain.length === 1) return key
  host.terminal.note('Truncating certificate chain to only the leaf certificate...')
  return { ...key, chain: key.chain.slice(0, 1) }
}

function verifyProof(entry: LogEntry): void {
  const { inclusionProof: proof } = entry
  if (proof?.checkpoint !== undefined)
    verifyInclusionUnderAnyCheckpoint(entry, { ...proof, checkpoint: proof.checkpoint })
}
