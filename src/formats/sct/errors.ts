/** What can be wrong with a signed certificate timestamp. @module */
import { CodedError } from '#errors'

export type SctErrorCode =
  /** The bytes are not an SCT or a list of them (RFC 6962 §3.2, §3.3). */
  | 'SCT_MALFORMED'
  /** An SCT version or signature algorithm that this reader does not know. */
  | 'SCT_UNSUPPORTED'
  /** The SCT's signature is not by the given log over the given certificate. */
  | 'SCT_SIGNATURE'
  /** The certificate cannot be turned into the entry that a log signs. */
  | 'SCT_ENTRY'

export class SctError extends CodedError<SctErrorCode> {
  override readonly name = 'SctError'
}
