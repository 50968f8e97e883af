/**
 * Enough independent witnesses say when the signature existed, or the caller's clock stands in by name (client-spec §4.2, §4.6).
 *
 * @module
 */
import type { UnixMillis } from '#time'
import { VerificationError } from '../errors.js'
import type { Policy } from '../identity/identity-policy.js'
import { logIdentity } from '../log/trusted-log.js'
import type { ReportBuilder } from '../report.js'
import type { Requirements } from '../requirements.js'
import { authorityId } from './timestamps.js'
import { witnessedTime } from './verified-time.js'
import type { VerifiedTime } from './verified-time.js'

interface Context {
  readonly requirements: Requirements
  readonly policy: Policy
  readonly now: UnixMillis | undefined
  readonly report: ReportBuilder
}

/**
 * Counts the distinct sources of the verified times.
 * @throws VerificationError `VERIFY_TIME_MISSING`, `VERIFY_REQUIREMENTS`
 */
export function establishTimes(witnessed: readonly VerifiedTime[], context: Context): readonly VerifiedTime[] {
  const { requirements, policy, report } = context
  const sources = new Set(witnessed.map(sourceId)).size
  if (sources < requirements.timeSources) {
    throw new VerificationError('VERIFY_TIME_MISSING', 'too few witnesses say when the signature was made', {
      expected: `${String(requirements.timeSources)} distinct source(s): time-stamping authorities, or logs with a signed time`,
      found: String(sources),
      hint: 'an entry of Rekor v2 has no time of its own: such a signature needs a timestamp of a trusted authority',
    })
  }
  if (witnessed.length > 0) {
    report.passed(
      'verified-time',
      `${String(sources)} distinct source(s), ${String(requirements.timeSources)} asked for`,
    )
    return witnessed
  }
  if (policy.kind === 'key') {
    report.skipped('verified-time', 'a key needs no time')
    return []
  }
  return [currentTime(context)]
}

function currentTime({ now, report }: Context): VerifiedTime {
  if (now === undefined) {
    throw new VerificationError('VERIFY_REQUIREMENTS', 'the current time is asked for, but was not given', {
      expected: 'now',
    })
  }
  report.skipped('verified-time', 'nothing says when the signature was made: the current time is used, as asked for')
  return witnessedTime(now, { kind: 'current-time' })
}

function sourceId({ source }: VerifiedTime): string {
  if (source.kind === 'timestamp-authority') return `authority ${authorityId(source.authority)}`
  return source.kind === 'transparency-log' ? `log ${logIdentity(source.log)}` : source.kind
}
