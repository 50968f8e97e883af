/** From flags to how much evidence a verification asks for. @module */
import type { SignedEntity } from '#formats/signed-entity'
import type { Policy } from '#verify/identity/identity-policy'
import type { Requirements } from '#verify/requirements'

export interface EvidenceFlags {
  readonly 'use-signed-timestamps': boolean
  readonly 'insecure-ignore-tlog': boolean
  readonly 'private-infrastructure': boolean
  readonly 'insecure-ignore-sct': boolean
}

/**
 * What is asked for. Where the transparency log is ignored and nothing else tells the time, a certificate is judged at
 * the current time, as cosign does.
 */
export function requirementsFromFlags(flags: EvidenceFlags, policy: Policy, entity: SignedEntity): Requirements {
  const certified = policy.kind !== 'key'
  const ignoresLog = flags['insecure-ignore-tlog'] || flags['private-infrastructure']
  const stamped = flags['use-signed-timestamps']
  const untimed = ignoresLog && !stamped && entity.timestamps.length === 0
  return {
    transparencyLogs: ignoresLog ? 0 : 1,
    timestampAuthorities: stamped ? 1 : 0,
    timeSources: certified && !untimed ? 1 : 0,
    certificateLogs: certified && !flags['insecure-ignore-sct'] ? 1 : 0,
    unsafeCurrentTimeIfUnwitnessed: certified && untimed,
  }
}
