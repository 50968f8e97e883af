/** Telling an answer that cannot be had from one that is no. @module */
import { isCodedError } from '#errors'

/** The other side was not reached, or time ran out. Whatever it answered is an answer, however it refused. */
const OUTAGES: ReadonlySet<string> = new Set([
  'HTTP_DNS',
  'HTTP_CONNECT',
  'HTTP_RESET',
  'HTTP_TIMEOUT',
  'HTTP_ABORTED',
  'POLICY_DEADLINE',
  'POLICY_CLUSTER',
])

/** Whether an error says that the other side was not reached in time. */
export function isOutage(error: Error): boolean {
  return isCodedError(error) && OUTAGES.has(error.code)
}
