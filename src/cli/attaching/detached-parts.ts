/** The parts of a signature in the old format, each in a file of its own. @module */
import { isJsonObject, parseJson, type JsonValue } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { rekorBundleFromJson } from '#formats/cosign-bundle/rekor-bundle'
import { signedContent } from '#formats/cosign-bundle/blob-bundle'
import { ANNOTATIONS } from '#formats/oci/media-types'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { parseLogEntriesV1 } from '#formats/rekor-entry/log-entry-json'
import type { KeyMaterial, SignedEntity } from '#formats/signed-entity'
import { withoutRoots } from '#formats/x509/self-issued'
import type { Attachable } from '#images/attachable'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { parseInput, readFileOrStdin } from '../read-input.js'
import { readCertificates } from '../trust.js'
import { readTimestamp } from '../verifying/blob-entity.js'
import { loadGivenCertificate, unwrapBase64 } from '../verifying/given-certificate.js'

export interface DetachedPartFlags {
  readonly signature: string | undefined
  readonly certificate: string | undefined
  readonly 'certificate-chain': string | undefined
  readonly 'rekor-response': string | undefined
  readonly tsr: string | undefined
}

/** A signature with what was given beside it. */
export interface DetachedParts {
  readonly entity: SignedEntity
  /** Certificates above the signer's, the root too: readers of the old format look for them there. PEM. */
  readonly chain: string
}

/**
 * Reads them; nothing is verified.
 * @throws {@link UsageError} for a part without what it belongs to; {@link CliError}, errors of the formats
 */
export async function loadDetachedParts(
  host: Host,
  flags: DetachedPartFlags,
  signal: AbortSignal,
): Promise<DetachedParts> {
  if (flags.signature === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'there is no signature to attach', {
      expected: '--signature FILE, or --bundle FILE for a Sigstore bundle',
    })
  }
  if (flags['certificate-chain'] !== undefined && flags.certificate === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'a certificate chain was given without the certificate below it', {
      expected: '--certificate beside --certificate-chain',
    })
  }
  const content = signedContent(unwrapBase64(await readFileOrStdin(host, flags.signature)))
  const leaves = flags.certificate === undefined ? [] : await loadGivenCertificate(host, flags.certificate, signal)
  const above = flags['certificate-chain'] === undefined ? [] : await certificatesOf(host, flags['certificate-chain'])
  const [leaf, ...rest] = [...leaves, ...above]
  const response = flags['rekor-response']
  return {
    entity: {
      content,
      key: keyOf(leaf, rest),
      logEntries: response === undefined ? [] : [await readRekorResponse(host, response)],
      timestamps: flags.tsr === undefined ? [] : [await readTimestamp(host, flags.tsr, signal)],
    },
    chain: rest.map((der) => encodePem('CERTIFICATE', der)).join(''),
  }
}

/** The layer with the whole chain. */
export function withChain(attachable: Attachable, chain: string): Attachable {
  if (attachable.layout !== 'tag' || chain === '') return attachable
  const { layer } = attachable
  return { ...attachable, layer: { ...layer, annotations: { ...layer.annotations, [ANNOTATIONS.chain]: chain } } }
}

async function certificatesOf(host: Host, path: string): Promise<readonly Uint8Array[]> {
  return (await readCertificates(host, path)).map(({ der }) => der)
}

function keyOf(leaf: Uint8Array | undefined, rest: readonly Uint8Array[]): KeyMaterial {
  if (leaf === undefined) return { kind: 'public-key', hint: '' }
  return { kind: 'certificates', chain: withoutRoots([leaf, ...rest]) }
}

/** What Rekor answered, or the entry as old bundles keep it, by itself or in the bundle. */
async function readRekorResponse(host: Host, path: string): Promise<LogEntry> {
  const bytes = await host.files.read(path)
  return parseInput(path, () => {
    const document = parseJson(bytes)
    const bundle = rekorBundleIn(document)
    if (bundle !== undefined) return rekorBundleFromJson(bundle, '')
    const [only, ...more] = parseLogEntriesV1(document)
    if (only?.entry.inclusionPromise !== undefined && more.length === 0) return only.entry
    throw new CliError('CLI_INPUT', 'there is no log entry with its promise', {
      expected: 'one entry as Rekor answers, or a bundle in the old format',
    })
  })
}

function rekorBundleIn(document: JsonValue): JsonValue | undefined {
  if (!isJsonObject(document)) return undefined
  return 'SignedEntryTimestamp' in document ? document : document['rekorBundle']
}
