/**
 * Whether the parts of an entity belong together, as far as that can be said without trusting anybody.
 *
 * For whoever puts an entity together out of parts. It is no verification: an impostor's entity is as consistent as any.
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { certificateKey } from '#formats/x509/certificate-key'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { Certificate } from '#formats/x509/certificate'
import type { UnixMillis } from '#time'
import { formatRfc3339 } from '#time'
import { ArtifactView } from './artifact.js'
import type { Artifact } from './artifact.js'
import { checkEntity } from './entity.js'
import { VerificationError } from './errors.js'
import type { KeyPolicy } from './identity/identity-policy.js'
import { bindEntry } from './log/entry-binding.js'
import type { Signing } from './log/entry-binding.js'
import { verifyInclusionUnderAnyCheckpoint } from './log/inclusion.js'
import { checkImprint } from './time/timestamp.js'
import { verify } from './verify.js'

/** What is to be consistent. */
export interface ConsistencyRequest {
  readonly entity: SignedEntity
  readonly artifact: Artifact
  /** The key that signed, of an entity without a certificate. */
  readonly key?: PublicKey | undefined
  /** The current time: what a certificate is held against that nothing in the entity gives a time for. */
  readonly now: UnixMillis
}

/** What was found out on the way. */
export interface Consistency {
  /** The one that the signature is of. */
  readonly algorithm: Algorithm
}

/**
 * Requires the signature to be by the entity's own certificate, or by the key, over the artifact; every log entry to be about this
 * signature and to be in the tree of its checkpoint, whoever signed that; every timestamp to be over this signature; and the certificate to
 * have been valid at the times that are stated.
 *
 * Nobody's authority is asked for, so nothing is known about who signed.
 * @throws VerificationError as `verify` does, for lack of consistency
 */
export async function verifyConsistency({ entity, artifact, key, now }: ConsistencyRequest): Promise<Consistency> {
  const [leaf] = entity.key.kind === 'certificates' ? entity.key.chain : []
  const certificate = leaf === undefined ? undefined : parseCertificate(leaf)
  const signingKey = certificate === undefined ? key : certificateKey(certificate)
  if (signingKey === undefined) {
    throw new VerificationError('VERIFY_KEY_EXPECTED', 'it is not known which key signed', {
      expected: 'a certificate, or the public key',
    })
  }
  // What is left is the signature, by a key that is known whatever its certificate is worth.
  const bare: SignedEntity = { ...entity, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
  const policy: KeyPolicy = { kind: 'key', key: signingKey }
  const { algorithm } = await verify({ entity: bare, artifact, trust: NO_TRUST, policy, requirements: NO_WITNESSES })
  const { signature, stampable } = checkEntity(bare, policy)
  const signing: Signing = {
    content: entity.content,
    signature,
    signer:
      leaf === undefined
        ? { kind: 'key', key: signingKey }
        : { kind: 'certificate', certificate: leaf, key: signingKey },
    artifact: new ArtifactView(artifact),
    algorithms: [algorithm],
  }
  const promised = entity.logEntries.flatMap((entry) => checkEntry(entry, signing))
  const stamped = entity.timestamps.map((response) => checkTimestamp(response, stampable))
  if (certificate !== undefined) checkValidity(certificate, [...promised, ...stamped], now)
  return { algorithm }
}

const NO_TRUST: TrustedRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
const NO_WITNESSES = { transparencyLogs: 0, timestampAuthorities: 0, timeSources: 0, certificateLogs: 0 }

/** The time that the log promised, if it did. */
function checkEntry(entry: LogEntry, signing: Signing): readonly UnixMillis[] {
  bindEntry(entry, signing)
  const { inclusionProof: proof, inclusionPromise, integratedTime } = entry
  if (proof?.checkpoint !== undefined)
    verifyInclusionUnderAnyCheckpoint(entry, { ...proof, checkpoint: proof.checkpoint })
  return inclusionPromise === undefined || integratedTime === undefined ? [] : [integratedTime]
}

function checkTimestamp(response: Uint8Array, stampable: readonly Uint8Array[]): UnixMillis {
  const token = grantedToken(parseTimestampResponse(response))
  checkImprint(token, stampable)
  return token.info.genTime
}

function checkValidity({ notBefore, notAfter }: Certificate, times: readonly UnixMillis[], now: UnixMillis): void {
  const wrong = (times.length === 0 ? [now] : times).find((at) => at < notBefore || at > notAfter)
  if (wrong === undefined) return
  throw new VerificationError('VERIFY_CERTIFICATE_TIME', 'the certificate was not valid when it signed', {
    expected: `a time from ${formatRfc3339(notBefore)} to ${formatRfc3339(notAfter)}`,
    found: times.length === 0 ? `only the current time, ${formatRfc3339(wrong)}` : formatRfc3339(wrong),
    ...(times.length === 0 && { hint: 'a log entry or a timestamp would show when it signed' }),
  })
}
