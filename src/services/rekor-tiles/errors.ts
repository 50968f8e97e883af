/** What a Rekor v2 refuses, and how it says so. @module */
import { CodedError } from '#errors'
import type { DsseErrorCode } from '#formats/dsse/dsse-error'
import type { RekorEntryErrorCode } from '#formats/rekor-entry/rekor-entry-error'
import type { BodyErrorCode } from '#serving/body'
import type { ProblemTable } from '#serving/problems'

export type RekorTilesErrorCode =
  | 'REKOR_TILES_SIGNATURE'
  | 'REKOR_TILES_KEY'
  | 'REKOR_TILES_ALGORITHM'
  | 'REKOR_TILES_DUPLICATE'
  | 'REKOR_TILES_NOT_FOUND'
  | 'REKOR_TILES_FROZEN'

/** A request that a Rekor v2 does not serve. */
export class RekorTilesError extends CodedError<RekorTilesErrorCode> {
  override readonly name = 'RekorTilesError'
}

type AnsweredCode =
  | RekorTilesErrorCode
  | BodyErrorCode
  | RekorEntryErrorCode
  | DsseErrorCode
  | 'TLOG_ENTRY_SIZE'
  | 'TLOG_OVERLOADED'
  | 'TLOG_CLOSED'

const invalid = { status: 400, title: described }

/** Texts and statuses: source sigstore/rekor-tiles internal/server/service.go. */
export const PROBLEMS: ProblemTable<AnsweredCode> = {
  REKOR_TILES_SIGNATURE: invalid,
  REKOR_TILES_KEY: invalid,
  REKOR_TILES_ALGORITHM: invalid,
  REKOR_ENTRY_MALFORMED: invalid,
  REKOR_ENTRY_DIGEST: invalid,
  REKOR_ENTRY_VERIFIER: invalid,
  REKOR_ENTRY_ID: invalid,
  REKOR_ENTRY_KIND: { status: 400, title: ({ found = '' }) => `invalid type, must be hashedrekord (found ${found})` },
  DSSE_MALFORMED: invalid,
  DSSE_UNSIGNED: invalid,
  // The reference accepts it and then fails with 500.
  TLOG_ENTRY_SIZE: { status: 413, title: described },
  REKOR_TILES_DUPLICATE: {
    status: 409,
    title: ({ found = '' }) => `an equivalent entry already exists in the transparency log with index ${found}`,
    // The reference gives the index alone, and leaves the proof to the client; the address saves it that.
    headers: ({ found = '', expected = '' }) => ({ 'x-log-index': found, location: `${expected}/${found}` }),
  },
  REKOR_TILES_NOT_FOUND: { status: 404 },
  REKOR_TILES_FROZEN: { status: 405, title: 'This log has been frozen, please switch to the latest log.' },
  BODY_TOO_LARGE: { status: 413 },
  BODY_MEDIA_TYPE: { status: 415 },
  BODY_ENCODING: { status: 415 },
  BODY_INCOMPLETE: { status: 400 },
  BODY_JSON: { status: 400 },
  BODY_TEXT: { status: 400 },
  TLOG_OVERLOADED: { status: 503, title: 'reached max pushback; retry', headers: () => ({ 'retry-after': '1' }) },
  TLOG_CLOSED: { status: 503, headers: () => ({ 'retry-after': '5' }) },
}

function described({ message, found }: CodedError): string {
  return `invalid request: ${message}${found === undefined ? '' : ` (found ${found})`}`
}
