/** What a Rekor v1 refuses, and how it says so. @module */
import type { BodyErrorCode } from '#serving/body'
import { openapiShape } from '#serving/problems'
import type { ProblemShape, ProblemTable } from '#serving/problems'
import { CodedError } from '#errors'
import type { CodedError as AnyCodedError } from '#errors'
import type { DsseErrorCode } from '#formats/dsse/dsse-error'
import type { RekorEntryErrorCode } from '#formats/rekor-entry/rekor-entry-error'

export type RekorV1ErrorCode =
  | 'REKOR_V1_SIGNATURE'
  | 'REKOR_V1_KEY'
  | 'REKOR_V1_ALGORITHM'
  | 'REKOR_V1_CHAIN'
  | 'REKOR_ENTRY_EXISTS'
  | 'REKOR_ENTRY_UNKNOWN'
  | 'REKOR_V1_PARAMETER'
  | 'REKOR_V1_QUERY_LIMIT'
  | 'REKOR_V1_SIZES'
  | 'REKOR_V1_TREE_SIZE'
  | 'REKOR_V1_TREE_ID'
  | 'REKOR_V1_PKI_FORMAT'
  | 'REKOR_V1_SEARCH_KEY'

/** A request that a Rekor v1 does not serve. */
export class RekorV1Error extends CodedError<RekorV1ErrorCode> {
  override readonly name = 'RekorV1Error'
}

type AnsweredCode =
  | RekorV1ErrorCode
  | BodyErrorCode
  | RekorEntryErrorCode
  | DsseErrorCode
  | 'TLOG_ENTRY_SIZE'
  | 'TLOG_OVERLOADED'
  | 'TLOG_CLOSED'

const refused = { status: 400, title: processing }

/** Clients of the reference server look for some of these texts: source sigstore/rekor pkg/api/error.go. */
export const PROBLEMS: ProblemTable<AnsweredCode> = {
  REKOR_V1_SIGNATURE: refused,
  REKOR_V1_KEY: refused,
  REKOR_V1_ALGORITHM: refused,
  REKOR_V1_CHAIN: refused,
  REKOR_ENTRY_MALFORMED: refused,
  REKOR_ENTRY_KIND: refused,
  REKOR_ENTRY_DIGEST: refused,
  REKOR_ENTRY_VERIFIER: refused,
  REKOR_ENTRY_ID: { status: 400 },
  DSSE_MALFORMED: refused,
  DSSE_UNSIGNED: refused,
  TLOG_ENTRY_SIZE: refused,
  REKOR_ENTRY_EXISTS: {
    status: 409,
    title: ({ found = '' }) => `an equivalent entry already exists in the transparency log with UUID ${found}`,
    headers: ({ found = '', expected = '' }) => ({ location: `${expected}/${found}` }),
  },
  REKOR_ENTRY_UNKNOWN: { status: 404 },
  REKOR_V1_PARAMETER: { status: 422 },
  REKOR_V1_QUERY_LIMIT: { status: 422 },
  REKOR_V1_SIZES: { status: 400 },
  REKOR_V1_TREE_SIZE: { status: 400 },
  REKOR_V1_TREE_ID: { status: 400 },
  REKOR_V1_PKI_FORMAT: { status: 400, title: 'the PKI format requested is not supported by this server' },
  REKOR_V1_SEARCH_KEY: { status: 400, title: 'public key provided could not be parsed' },
  BODY_TOO_LARGE: { status: 413 },
  BODY_MEDIA_TYPE: { status: 415 },
  BODY_ENCODING: { status: 415 },
  BODY_INCOMPLETE: { status: 400 },
  BODY_JSON: { status: 400 },
  BODY_TEXT: { status: 400 },
  TLOG_OVERLOADED: { status: 503, headers: () => ({ 'retry-after': '1' }) },
  TLOG_CLOSED: { status: 503, headers: () => ({ 'retry-after': '5' }) },
}

/** go-openapi answers a parameter that fails its schema with a number of its own, past the HTTP statuses. */
export const shape: ProblemShape = (detail) =>
  detail.code === 'REKOR_V1_PARAMETER' ? { code: 602, message: detail.title } : openapiShape(detail)

function processing(error: AnyCodedError): string {
  const found = error.found === undefined ? '' : ` (found ${error.found})`
  return `error processing entry: ${error.message}${found}`
}
