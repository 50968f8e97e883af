/** Whether somebody who trusts a root could verify an entity, whoever it is by. @module */
import type { PublicKey } from '#crypto/public-key'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { UnixMillis } from '#time'
import type { Artifact } from '#verify/artifact'
import type { Policy } from '#verify/identity/identity-policy'
import { verify } from '#verify/verify'

export interface UnderRoot {
  readonly entity: SignedEntity
  readonly artifact: Artifact
  readonly key: PublicKey | undefined
  readonly trust: TrustedRoot
  readonly now: UnixMillis
}

/**
 * Verifies everything but who signed: each kind of evidence that the entity has is asked for, none that it has not.
 * @throws VerificationError with the report of every check
 */
export async function verifyUnderRoot({ entity, artifact, key, trust, now }: UnderRoot): Promise<void> {
  const { logEntries, timestamps } = entity
  const [leaf] = entity.key.kind === 'certificates' ? entity.key.chain : []
  const timed = timestamps.length > 0 || logEntries.some((entry) => entry.inclusionPromise !== undefined)
  const certified = leaf !== undefined
  const policy: Policy = certified || key === undefined ? { kind: 'unsafe-any-identity' } : { kind: 'key', key }
  await verify({
    entity,
    artifact,
    trust,
    policy,
    requirements: {
      transparencyLogs: logEntries.length > 0 ? 1 : 0,
      timestampAuthorities: timestamps.length > 0 ? 1 : 0,
      timeSources: certified && timed ? 1 : 0,
      certificateLogs: certified && parseCertificate(leaf).sctList !== undefined ? 1 : 0,
      unsafeCurrentTimeIfUnwitnessed: certified && !timed,
    },
    now,
  })
}
