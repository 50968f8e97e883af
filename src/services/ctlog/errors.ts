/** What a CT log refuses. @module */
import { CodedError } from '#errors'
import type { BodyErrorCode } from '#serving/body'
import type { ProblemTable } from '#serving/problems'

export type CtLogErrorCode =
  | 'CTLOG_REQUEST'
  | 'CTLOG_CHAIN'
  | 'CTLOG_ROOT_UNKNOWN'
  | 'CTLOG_PRECERT'
  | 'CTLOG_CERT'
  | 'CTLOG_RANGE'
  | 'CTLOG_NOT_FOUND'
  | 'CTLOG_ENTRY_MALFORMED'

/** A request that a CT log does not serve, or an entry that it cannot read. */
export class CtLogError extends CodedError<CtLogErrorCode> {
  override readonly name = 'CtLogError'
}

type AnsweredCode =
  | Exclude<CtLogErrorCode, 'CTLOG_ENTRY_MALFORMED'>
  | BodyErrorCode
  | 'TLOG_ENTRY_SIZE'
  | 'TLOG_OVERLOADED'
  | 'TLOG_CLOSED'

const refused = { status: 400, title: described }

/** RFC 6962 §4: a problem is a 4xx or 5xx status with text for people. */
export const PROBLEMS: ProblemTable<AnsweredCode> = {
  CTLOG_REQUEST: refused,
  CTLOG_CHAIN: refused,
  CTLOG_ROOT_UNKNOWN: refused,
  CTLOG_PRECERT: refused,
  CTLOG_CERT: refused,
  CTLOG_RANGE: refused,
  CTLOG_NOT_FOUND: { status: 404 },
  BODY_TOO_LARGE: { status: 413 },
  BODY_MEDIA_TYPE: { status: 415 },
  BODY_ENCODING: { status: 415 },
  BODY_INCOMPLETE: { status: 400 },
  BODY_JSON: refused,
  BODY_TEXT: refused,
  TLOG_ENTRY_SIZE: refused,
  TLOG_OVERLOADED: { status: 503, headers: () => ({ 'retry-after': '1' }) },
  TLOG_CLOSED: { status: 503, headers: () => ({ 'retry-after': '5' }) },
}

function described({ message, expected, found }: CodedError): string {
  const detail = [expected === undefined ? '' : `expected ${expected}`, found === undefined ? '' : `found ${found}`]
  return [message, ...detail.filter((text) => text !== '')].join('; ')
}
