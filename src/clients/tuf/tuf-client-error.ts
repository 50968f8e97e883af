/** Why a TUF repository could not be used. @module */
import { CodedError } from '#errors'

/** Codes of {@link TufClientError}. */
export type TufClientErrorCode =
  | 'TUF_CLIENT_MIRROR'
  | 'TUF_CLIENT_DOWNLOAD'
  | 'TUF_CLIENT_MISSING'
  | 'TUF_CLIENT_TARGET'
  | 'TUF_CLIENT_ROOT'
  | 'TUF_CLIENT_OFFLINE'
  /** What `initialize` fetched cannot be kept: the directory cannot be written, the disk is full, or there is no home. */
  | 'TUF_CLIENT_CACHE'

/** A repository that does not answer, lacks something, or of which no root is known. */
export class TufClientError extends CodedError<TufClientErrorCode> {
  override readonly name = 'TufClientError'
}
