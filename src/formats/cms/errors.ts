/** What can be wrong with CMS SignedData and RFC 3161 messages. @module */
import { CodedError } from '#errors'

export type CmsErrorCode =
  /** The bytes are not a DER SignedData of RFC 5652. */
  | 'CMS_MALFORMED'
  /** Well-formed, but a shape that is refused on purpose: several signers, no signed attributes, an unknown algorithm. */
  | 'CMS_UNSUPPORTED'
  /** The signed attributes do not cover this content, or name another certificate. */
  | 'CMS_ATTRIBUTES'
  /** None of the certificates at hand is the signer's. */
  | 'CMS_SIGNER'
  /** The signature is not by the signer's key. */
  | 'CMS_SIGNATURE'

export class CmsError extends CodedError<CmsErrorCode> {
  override readonly name = 'CmsError'
}

export type TimestampErrorCode =
  /** The bytes are not a TimeStampReq, TimeStampResp or TSTInfo of RFC 3161. */
  | 'TIMESTAMP_MALFORMED'
  /** The digest has another length than its algorithm makes. */
  | 'TIMESTAMP_DIGEST_LENGTH'
  /** A version, hash algorithm or critical extension that this reader does not know. */
  | 'TIMESTAMP_UNSUPPORTED'
  /** The response says that no time-stamp was granted. */
  | 'TIMESTAMP_NOT_GRANTED'
  /** The time-stamp is for other bytes. */
  | 'TIMESTAMP_IMPRINT'
  /** The response answers another request (nonce or policy differs). */
  | 'TIMESTAMP_MISMATCH'

export class TimestampError extends CodedError<TimestampErrorCode> {
  override readonly name = 'TimestampError'
}
