/** A bundle of version 0.3 out of old material, checked before anybody gets to see it. @module */
import { createRekorClient } from '#clients/rekor/rekor'
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import { parseBundle } from '#formats/bundle/parse'
import { serializeBundle } from '#formats/bundle/serialize'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedContent, SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { certificateKey } from '#formats/x509/certificate-key'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { proveEntry } from '#sign/prove-entry'
import { ArtifactView, type Artifact } from '#verify/artifact'
import { verifyConsistency } from '#verify/consistency'
import { VerificationError } from '#verify/errors'
import type { Host } from '../kit/host.js'
import { openLogLookup } from '../verifying/log-lookup.js'
import { verifyUnderRoot } from './under-root.js'

export interface Assembling {
  /** The old material, unverified. */
  readonly material: SignedEntity
  readonly artifact: Artifact
  /** The key that signed, where no certificate tells. */
  readonly key: PublicKey | undefined
  /** The log that has the entry; undefined if the bundle is to have none. */
  readonly rekorUrl: string | undefined
  /** What authorities and logs are held against, if that is known. */
  readonly trust: TrustedRoot | undefined
  readonly signal: AbortSignal
}

/**
 * The bundle's text. Its log entry is as the log has it, with its proof. What is returned has been read again and verified, as far as
 * that goes without knowing who should have signed.
 * @throws VerificationError for parts that do not belong together, or that nobody logged; RekorError
 */
export async function assembleBundle(host: Host, assembling: Assembling): Promise<string> {
  const { material, artifact, trust } = assembling
  const [leaf] = material.key.kind === 'certificates' ? material.key.chain : []
  const key = leaf === undefined ? assembling.key : certificateKey(parseCertificate(leaf))
  // Before the log is told anything: what is no signature has no entry either.
  const bare: SignedEntity = { ...material, key: { kind: 'public-key', hint: '' }, logEntries: [] }
  const now = host.clock()
  const { algorithm } = await verifyConsistency({ entity: bare, artifact, key, now })
  const entity: SignedEntity = {
    ...material,
    content: withDigest(material.content, artifact, algorithm),
    // Version 0.3 has room for the signer's certificate alone.
    key:
      leaf === undefined
        ? { kind: 'public-key', hint: key === undefined ? '' : encodeBase64(key.id) }
        : { kind: 'certificates', chain: [leaf] },
  }
  const text = serializeBundle({ ...entity, logEntries: await logEntriesOf(host, entity, assembling) })
  const written = parseBundle(text)
  await verifyConsistency({ entity: written, artifact, key, now })
  if (trust !== undefined) await verifyUnderRoot({ entity: written, artifact, key, trust, now })
  return text
}

/** Of a bare signature the digest that it is over, by which others find the artifact. */
function withDigest(content: SignedContent, artifact: Artifact, { digest, family }: Algorithm): SignedContent {
  if (content.kind === 'dsse') return content
  const digestAlgorithm = digest ?? (family === 'ed25519' ? 'sha512' : 'sha256')
  const value = new ArtifactView(artifact).digest(digestAlgorithm)
  return value === undefined ? content : { ...content, digestAlgorithm, digest: value }
}

async function logEntriesOf(
  host: Host,
  entity: SignedEntity,
  { artifact, key, rekorUrl: url, signal }: Assembling,
): Promise<readonly LogEntry[]> {
  if (url === undefined) return []
  const promised = entity.logEntries
  if (promised.length > 0) {
    host.terminal.note(`Asking ${url} for the inclusion proof of the entry`)
    const rekor = createRekorClient({ fetch: await host.connect(), baseUrl: url })
    return await Promise.all(promised.map(async (entry) => await proveEntry(rekor, entry)))
  }
  host.terminal.note(`Looking for the entry at ${url}`)
  const lookUp = await openLogLookup(host, { url, key, signal, attempt: async (work) => await work })
  const { logEntries } = await lookUp(entity, artifact)
  if (logEntries.length > 0) return logEntries
  throw new VerificationError('VERIFY_LOG_THRESHOLD', 'the transparency log has no entry for this signature', {
    expected: `an entry at ${url}, by this certificate or key`,
    found: 'none',
    hint: 'name the log that has it with --rekor-url; what was never logged is bundled with --ignore-tlog',
  })
}
