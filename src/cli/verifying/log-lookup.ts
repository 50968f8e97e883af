/** Asking a Rekor v1 for the entry of a signature that came without one (`--rekor-url`). @module */
import { createRekorClient } from '#clients/rekor/rekor'
import { defaultAlgorithm } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import { digest } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { preAuthEncode } from '#formats/dsse/pae'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import type { SignedEntity } from '#formats/signed-entity'
import { certificateKey } from '#formats/x509/certificate-key'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { proposeEntry } from '#sign/rekor-proposal'
import { ArtifactView, type Artifact } from '#verify/artifact'
import type { Host } from '../kit/host.js'
import type { CompletionAsk } from './completion.js'

export interface LookupAsk extends Pick<CompletionAsk, 'key' | 'signal' | 'attempt'> {
  readonly url: string
}

/** Completes an entity with the log's entry about it; an entity that nobody logged stays as it is. */
export type LogLookup = (entity: SignedEntity, artifact: Artifact) => Promise<SignedEntity>

/**
 * A lookup at one log. Only what the log would need to record the signature is sent: digests, signature, certificate or
 * key, of an envelope the envelope. What comes back is unverified like everything else in an entity.
 */
export async function openLogLookup(host: Host, { url, key, signal, attempt }: LookupAsk): Promise<LogLookup> {
  const rekor = createRekorClient({ fetch: await host.connect(), baseUrl: url })
  return async (entity, artifact) => {
    const found: LogEntry[] = []
    for (const proposal of proposals(entity, artifact, key)) {
      found.push(...(await findOrNone(proposal)))
      if (found.length > 0) break
    }
    // As cosign does: the earliest says best when the signature was there.
    const [earliest] = found.sort((a, b) => (a.integratedTime ?? Infinity) - (b.integratedTime ?? Infinity))
    return earliest === undefined ? entity : { ...entity, logEntries: [earliest] }
  }

  /** A log answers 400 to what it would not record, such as P-384 with SHA-256; then it has no such entry either. */
  async function findOrNone(proposal: JsonValue): Promise<readonly LogEntry[]> {
    try {
      return (await attempt(rekor.find(proposal, signal))).map(({ entry }) => entry)
    } catch (error) {
      if (isCodedError(error) && error.code === 'REKOR_REFUSED') return []
      throw error
    }
  }
}

/** In which ways the signature can have been recorded, the likeliest first. */
function proposals({ content, key }: SignedEntity, artifact: Artifact, known: PublicKey | undefined): JsonValue[] {
  const [leaf] = key.kind === 'certificates' ? key.chain : []
  const publicKey = leaf === undefined ? known : certificateKey(parseCertificate(leaf))
  if (publicKey === undefined) return []
  const verifier: EntryVerifier =
    leaf === undefined
      ? { kind: 'public-key', spki: publicKey.spki }
      : { kind: 'certificate', certificate: leaf, chain: [] }
  if (content.kind === 'dsse') {
    const { envelope } = content
    const [signature] = envelope.signatures
    if (signature === undefined) return []
    const signed = preAuthEncode(envelope.payloadType, envelope.payload)
    const value = digest('sha256', signed)
    const submission = {
      signature: signature.signature,
      verifier,
      envelope,
      digest: { algorithm: 'sha256', value },
    } as const
    return [proposeEntry(submission, 'dsse'), proposeEntry(submission, 'intoto')]
  }
  const view = new ArtifactView(artifact)
  return digestNames(publicKey).flatMap((algorithm) => {
    const value = view.digest(algorithm)
    const submission = { signature: content.signature, verifier }
    return value === undefined ? [] : [proposeEntry({ ...submission, digest: { algorithm, value } }, 'dsse')]
  })
}

/** Ed25519ph hashes with SHA-512; old clients hashed with SHA-256 whatever the key. */
function digestNames(key: PublicKey): readonly DigestName[] {
  return [...new Set([defaultAlgorithm(key).digest ?? 'sha512', 'sha256'] as const)]
}
