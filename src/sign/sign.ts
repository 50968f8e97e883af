/** The signing workflow: a key, a certificate, a signature, its witnesses, and the proof that all of it holds. @module */
import { encodeBase64 } from '#encoding/base64'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import type { KeyMaterial, SignedEntity } from '#formats/signed-entity'
import type { Artifact } from '#verify/artifact'
import { type BareSignature, type ContentToSign, signBare } from './content.js'
import type { Credential, CredentialSource } from './credentials.js'
import type { RecordedEntry, TimestampAuthority, Witnesses } from './ports.js'
import { SignError } from './sign-error.js'

/** Says whether a finished signature would be accepted by a verifier; throws why not. */
export type SelfCheck = (finished: FinishedSignature) => Promise<void>

export interface SigningSession {
  readonly credentials: CredentialSource
  readonly witnesses: Witnesses
  readonly check: SelfCheck
}

export interface FinishedSignature {
  readonly entity: SignedEntity
  /** What a verifier needs besides the entity: the message or its digest, or nothing for an envelope. */
  readonly artifact: Artifact | undefined
  readonly credential: Credential
  readonly witnesses: Witnesses
}

export interface SigningResult extends FinishedSignature {
  readonly signature: Uint8Array
  /** In the order of the session's logs. */
  readonly entries: readonly RecordedEntry[]
}

/**
 * Signs content and has the signature witnessed. What the services returned is verified before anything is returned.
 * @throws {@link SignError} `SIGN_UNVERIFIABLE` if what came back does not verify, `SIGN_ENTRY_KIND` before anything is signed that a log
 *   cannot record; whatever the ports throw.
 */
export async function signContent(
  session: SigningSession,
  content: ContentToSign,
  signal?: AbortSignal,
): Promise<SigningResult> {
  const { witnesses } = session
  const credential = await session.credentials.credential(signal)
  for (const log of witnesses.logs) log.requireRecordable(credential.signer.algorithm, content.kind)
  const bare = await signBare(credential.signer, content)
  // The timestamp and the log entry are both over the signature and not over each other, so they are asked for together.
  const [timestamps, entries] = await Promise.all([
    Promise.all(witnesses.timestampAuthorities.map((authority) => stampSignature(authority, bare, signal))),
    Promise.all(witnesses.logs.map((log) => log.record(submissionOf(bare, credential), signal))),
  ])
  const entity: SignedEntity = {
    content: bare.content,
    key: keyMaterial(credential),
    logEntries: entries.map(({ entry }) => entry),
    timestamps,
  }
  const artifact = content.kind === 'envelope' ? undefined : artifactOf(bare)
  const finished: FinishedSignature = { entity, artifact, credential, witnesses }
  await session.check(finished)
  return { ...finished, signature: bare.signature, entries }
}

function artifactOf({ message, digest }: BareSignature): Artifact {
  if (message !== undefined) return { kind: 'bytes', bytes: message }
  return { kind: 'digest', digests: { [digest.algorithm]: digest.value } }
}

function stampSignature(
  authority: TimestampAuthority,
  { signature }: BareSignature,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return authority.stamp(signature, signal)
}

function submissionOf(
  bare: BareSignature,
  { signer, chain: [leaf, ...rest] }: Credential,
): Parameters<Witnesses['logs'][number]['record']>[0] {
  const verifier: EntryVerifier =
    leaf === undefined
      ? { kind: 'public-key', spki: signer.publicKey.spki }
      : { kind: 'certificate', certificate: leaf, chain: rest.slice(0, 0) }
  return { signature: bare.signature, verifier, signer, digest: bare.digest, envelope: bare.envelope }
}

/** Bundles name a key by the base64 of the SHA-256 of its SubjectPublicKeyInfo, as cosign does. */
function keyMaterial({ signer, chain }: Credential): KeyMaterial {
  if (chain.length > 0) return { kind: 'certificates', chain }
  return { kind: 'public-key', hint: encodeBase64(signer.publicKey.id) }
}

/** Makes a failed self-check say what it means for the signer. */
export function unverifiable(cause: Error): SignError {
  return new SignError('SIGN_UNVERIFIABLE', `what the services returned does not verify: ${cause.message}`, {
    hint: 'nothing was written; check that --trusted-root and the signing configuration belong to the same services',
    cause,
  })
}
