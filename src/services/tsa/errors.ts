/** What can go wrong at the time-stamping authority, and the answers of sigstore's timestamp-authority to it. @module */
import { CodedError } from '#errors'
import type { BodyErrorCode } from '#serving/body'
import { BODY_PROBLEMS } from '#serving/problems'
import type { ProblemTable } from '#serving/problems'

export type StampingErrorCode =
  /** The request is neither a TimeStampReq nor the JSON form of one. */
  | 'STAMPING_REQUEST'
  /** The request is for a digest algorithm that is broken. */
  | 'STAMPING_WEAK_DIGEST'
  /** The digest has another length than its algorithm makes. */
  | 'STAMPING_DIGEST_LENGTH'
  /** The request asks for a policy that this authority does not follow. */
  | 'STAMPING_POLICY'
  /** The policy in the request is no object identifier of at most 128 components. */
  | 'STAMPING_POLICY_OID'
  /** The request asks for extensions; none are supported. */
  | 'STAMPING_EXTENSION'
  /** The JSON request is larger than any honest one. */
  | 'STAMPING_TOO_LARGE'
  /** The clock went back: nothing is stamped until it has caught up. */
  | 'STAMPING_CLOCK'
  /** The authority's certificate is not valid at this time. */
  | 'STAMPING_CERTIFICATE_EXPIRED'
  /** The key or the chain that the authority was started with cannot be used for time-stamping. */
  | 'STAMPING_CHAIN'

/** No time-stamp is made. */
export class StampingError extends CodedError<StampingErrorCode> {
  override readonly name = 'StampingError'
}

const FAILED = 'Error generating timestamp response'

/** Statuses and texts as in pkg/api/error.go of timestamp-authority 2.x, which clients and monitors match on. */
export const PROBLEMS: ProblemTable<Exclude<StampingErrorCode, 'STAMPING_CHAIN'> | BodyErrorCode> = {
  ...BODY_PROBLEMS,
  BODY_JSON: { status: 400, title: FAILED },
  STAMPING_REQUEST: { status: 400, title: FAILED },
  STAMPING_WEAK_DIGEST: { status: 400, title: 'Weak hash algorithm in timestamp request' },
  STAMPING_DIGEST_LENGTH: { status: 400, title: 'Message digest has incorrect length for specified algorithm' },
  STAMPING_POLICY: { status: 400, title: 'unaccepted policy: requested TSA policy is not supported by the TSA' },
  STAMPING_POLICY_OID: { status: 400, title: 'OID should be comprised of at most 128 components' },
  STAMPING_EXTENSION: {
    status: 400,
    title: 'unaccepted extension: requested extensions are not supported by the TSA',
  },
  STAMPING_TOO_LARGE: { status: 400, title: 'timestamp request is too large' },
  // The reference goes on issuing; a wrong time under a signature is worse than none.
  STAMPING_CLOCK: { status: 503, headers: () => ({ 'retry-after': '5' }) },
  STAMPING_CERTIFICATE_EXPIRED: { status: 503 },
}
