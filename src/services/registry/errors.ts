/** What can go wrong in the registry, and how the distribution specification spells it. @module */
import { CodedError } from '#errors'
import { BODY_PROBLEMS } from '#serving/problems'
import type { ProblemShape, ProblemTable } from '#serving/problems'
import type { BodyErrorCode } from '#serving/body'

export type ImageStoreErrorCode =
  /** Not a repository name. */
  | 'IMAGE_STORE_NAME_INVALID'
  /** Nothing was ever pushed to this repository. */
  | 'IMAGE_STORE_NAME_UNKNOWN'
  /** Not a tag, or too many of them. */
  | 'IMAGE_STORE_TAG_INVALID'
  /** Not a digest of an algorithm that is known. */
  | 'IMAGE_STORE_DIGEST_INVALID'
  /** The content has another digest than the sender says. */
  | 'IMAGE_STORE_DIGEST_MISMATCH'
  /** The repository does not have the blob. */
  | 'IMAGE_STORE_BLOB_UNKNOWN'
  /** The blob is larger than this registry takes. */
  | 'IMAGE_STORE_BLOB_TOO_LARGE'
  /** No such upload: finished, cancelled, too old, or from before a restart. */
  | 'IMAGE_STORE_UPLOAD_UNKNOWN'
  /** Another request is writing to the upload. */
  | 'IMAGE_STORE_UPLOAD_BUSY'
  /** The chunk does not follow what is there. */
  | 'IMAGE_STORE_UPLOAD_RANGE'
  /** Too many uploads are open. */
  | 'IMAGE_STORE_UPLOADS_FULL'
  /** The repository does not have the manifest. */
  | 'IMAGE_STORE_MANIFEST_UNKNOWN'
  /** The manifest is not one of its media type. */
  | 'IMAGE_STORE_MANIFEST_INVALID'
  /** The manifest names a blob that the repository does not have. */
  | 'IMAGE_STORE_MANIFEST_BLOB_UNKNOWN'
  /** The page size is not a number. */
  | 'IMAGE_STORE_PAGE_INVALID'

/** The registry refuses a request. */
export class ImageStoreError extends CodedError<ImageStoreErrorCode> {
  override readonly name = 'ImageStoreError'
}

/** Every code's HTTP status. */
export const PROBLEMS: ProblemTable<ImageStoreErrorCode | BodyErrorCode> = {
  ...BODY_PROBLEMS,
  IMAGE_STORE_NAME_INVALID: { status: 400 },
  IMAGE_STORE_NAME_UNKNOWN: { status: 404 },
  IMAGE_STORE_TAG_INVALID: { status: 400 },
  IMAGE_STORE_DIGEST_INVALID: { status: 400 },
  IMAGE_STORE_DIGEST_MISMATCH: { status: 400 },
  IMAGE_STORE_BLOB_UNKNOWN: { status: 404 },
  IMAGE_STORE_BLOB_TOO_LARGE: { status: 413 },
  IMAGE_STORE_UPLOAD_UNKNOWN: { status: 404 },
  IMAGE_STORE_UPLOAD_BUSY: { status: 409 },
  IMAGE_STORE_UPLOAD_RANGE: { status: 416 },
  IMAGE_STORE_UPLOADS_FULL: { status: 429, headers: () => ({ 'retry-after': '30' }) },
  IMAGE_STORE_MANIFEST_UNKNOWN: { status: 404 },
  IMAGE_STORE_MANIFEST_INVALID: { status: 400 },
  IMAGE_STORE_MANIFEST_BLOB_UNKNOWN: { status: 400 },
  IMAGE_STORE_PAGE_INVALID: { status: 400 },
}

/** The specification's closed list of codes ("Error Codes"), which clients branch on. */
const OCI_CODES: Readonly<Record<ImageStoreErrorCode | BodyErrorCode, string>> = {
  IMAGE_STORE_NAME_INVALID: 'NAME_INVALID',
  IMAGE_STORE_NAME_UNKNOWN: 'NAME_UNKNOWN',
  IMAGE_STORE_TAG_INVALID: 'MANIFEST_INVALID',
  IMAGE_STORE_DIGEST_INVALID: 'DIGEST_INVALID',
  IMAGE_STORE_DIGEST_MISMATCH: 'DIGEST_INVALID',
  IMAGE_STORE_BLOB_UNKNOWN: 'BLOB_UNKNOWN',
  IMAGE_STORE_BLOB_TOO_LARGE: 'SIZE_INVALID',
  IMAGE_STORE_UPLOAD_UNKNOWN: 'BLOB_UPLOAD_UNKNOWN',
  IMAGE_STORE_UPLOAD_BUSY: 'BLOB_UPLOAD_INVALID',
  IMAGE_STORE_UPLOAD_RANGE: 'BLOB_UPLOAD_INVALID',
  IMAGE_STORE_UPLOADS_FULL: 'TOOMANYREQUESTS',
  IMAGE_STORE_MANIFEST_UNKNOWN: 'MANIFEST_UNKNOWN',
  IMAGE_STORE_MANIFEST_INVALID: 'MANIFEST_INVALID',
  IMAGE_STORE_MANIFEST_BLOB_UNKNOWN: 'MANIFEST_BLOB_UNKNOWN',
  IMAGE_STORE_PAGE_INVALID: 'UNSUPPORTED',
  BODY_TOO_LARGE: 'SIZE_INVALID',
  BODY_MEDIA_TYPE: 'UNSUPPORTED',
  BODY_ENCODING: 'UNSUPPORTED',
  BODY_INCOMPLETE: 'SIZE_INVALID',
  BODY_JSON: 'MANIFEST_INVALID',
  BODY_TEXT: 'MANIFEST_INVALID',
}

/** The registry's error body. `detail` says what was expected and found, where that is known. */
export const ociShape: ProblemShape = ({ code, title, error }) => ({
  errors: [
    {
      code: isKnown(code) ? OCI_CODES[code] : 'UNSUPPORTED',
      message: title,
      detail: { expected: error.expected, found: error.found, hint: error.hint },
    },
  ],
})

function isKnown(code: string): code is keyof typeof OCI_CODES {
  return Object.hasOwn(OCI_CODES, code)
}
