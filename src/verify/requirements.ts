/**
 * How much evidence a verification asks for, in named numbers.
 *
 * @module
 */
import { VerificationError } from './errors.js'
import type { Policy } from './identity/identity-policy.js'

/** How many independent witnesses are asked for. Zero means that this kind of evidence is not asked for. */
export interface Requirements {
  /** Distinct transparency logs that include the signature. With 0 the entries are not looked at, nor their times believed. */
  readonly transparencyLogs: number
  /** Distinct time-stamping authorities that saw the signature. */
  readonly timestampAuthorities: number
  /** Distinct sources of time altogether: time-stamping authorities and logs that promised inclusion at a time. */
  readonly timeSources: number
  /** Distinct certificate transparency logs that promised to publish the certificate. With 0 they are not looked at. */
  readonly certificateLogs: number
  /**
   * Judge a certificate at the current time if nothing says when the signature was made.
   * Short-lived certificates then stop verifying within minutes, and a stolen key can be used until its certificate ends.
   */
  readonly unsafeCurrentTimeIfUnwitnessed: boolean
}

/** What is asked for where the caller says nothing else: the public-good expectations for a certificate, a log for a key. */
export function defaultRequirements(policy: Policy): Requirements {
  const certified = policy.kind !== 'key'
  return {
    transparencyLogs: 1,
    timestampAuthorities: 0,
    timeSources: certified ? 1 : 0,
    certificateLogs: certified ? 1 : 0,
    unsafeCurrentTimeIfUnwitnessed: false,
  }
}

/**
 * Completes and checks the caller's requirements.
 * @throws VerificationError `VERIFY_REQUIREMENTS`
 */
export function completeRequirements(policy: Policy, given: Partial<Requirements> = {}): Requirements {
  const requirements = { ...defaultRequirements(policy), ...given }
  const { transparencyLogs, timestampAuthorities, timeSources, certificateLogs } = requirements
  for (const [name, value] of Object.entries({
    transparencyLogs,
    timestampAuthorities,
    timeSources,
    certificateLogs,
  })) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new VerificationError('VERIFY_REQUIREMENTS', `the number of ${name} asked for is not a count`, {
      expected: 'a whole number, zero or more',
      found: String(value),
    })
  }
  if (policy.kind !== 'key' && timeSources === 0 && !requirements.unsafeCurrentTimeIfUnwitnessed) {
    // Without any time a certificate of ten minutes could be judged at whatever time suits.
    throw new VerificationError('VERIFY_REQUIREMENTS', 'a certificate cannot be judged without a time', {
      expected: 'at least one time source, or the current time by name',
      hint: 'ask for a log entry or a timestamp, or set unsafeCurrentTimeIfUnwitnessed',
    })
  }
  return requirements
}
