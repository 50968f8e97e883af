/** What can go wrong in the registry, and how the distribution specification spells it. @module */
import { CodedError } from '#errors'
import { BODY_PROBLEMS } from '../http/problems.js'
import type { ProblemShape, ProblemTable } from '../http/problems.js'
import type { BodyErrorCode } from '../http/body.js'

export type RegistryErrorCode =
  | 'REGISTRY_NAME_INVALID'
  | 'REGISTRY_NAME_UNKNOWN'
  | 'REGISTRY_TAG_INVALID'
  | 'REGISTRY_DIGEST_INVALID'
  | 'REGISTRY_DIGEST_MISMATCH'
  | 'REGISTRY_BLOB_UNKNOWN'
  | 'REGISTRY_BLOB_TOO_LARGE'
  | 'REGISTRY_UPLOAD_UNKNOWN'
  | 'REGISTRY_UPLOAD_BUSY'
  | 'REGISTRY_UPLOAD_RANGE'
  | 'REGISTRY_UPLOADS_FULL'
  | 'REGISTRY_RANGE'
  | 'REGISTRY_MANIFEST_UNKNOWN'
  | 'REGISTRY_MANIFEST_INVALID'
  | 'REGISTRY_MANIFEST_BLOB_UNKNOWN'
  | 'REGISTRY_PAGE_INVALID'

/** The registry refuses a request. */
export class RegistryError extends CodedError<RegistryErrorCode> {
  override readonly name = 'RegistryError'
}

/** Every code's HTTP status. */
export const PROBLEMS: ProblemTable<RegistryErrorCode | BodyErrorCode> = {
  ...BODY_PROBLEMS,
  REGISTRY_NAME_INVALID: { status: 400 },
  REGISTRY_NAME_UNKNOWN: { status: 404 },
  REGISTRY_TAG_INVALID: { status: 400 },
  REGISTRY_DIGEST_INVALID: { status: 400 },
  REGISTRY_DIGEST_MISMATCH: { status: 400 },
  REGISTRY_BLOB_UNKNOWN: { status: 404 },
  REGISTRY_BLOB_TOO_LARGE: { status: 413 },
  REGISTRY_UPLOAD_UNKNOWN: { status: 404 },
  REGISTRY_UPLOAD_BUSY: { status: 409 },
  REGISTRY_UPLOAD_RANGE: { status: 416 },
  REGISTRY_UPLOADS_FULL: { status: 429, headers: () => ({ 'retry-after': '30' }) },
  REGISTRY_RANGE: { status: 416 },
  REGISTRY_MANIFEST_UNKNOWN: { status: 404 },
  REGISTRY_MANIFEST_INVALID: { status: 400 },
  REGISTRY_MANIFEST_BLOB_UNKNOWN: { status: 400 },
  REGISTRY_PAGE_INVALID: { status: 400 },
}

/** The specification's closed list of codes ("Error Codes"), which clients branch on. */
const OCI_CODES: Readonly<Record<RegistryErrorCode | BodyErrorCode, string>> = {
  REGISTRY_NAME_INVALID: 'NAME_INVALID',
  REGISTRY_NAME_UNKNOWN: 'NAME_UNKNOWN',
  REGISTRY_TAG_INVALID: 'MANIFEST_INVALID',
  REGISTRY_DIGEST_INVALID: 'DIGEST_INVALID',
  REGISTRY_DIGEST_MISMATCH: 'DIGEST_INVALID',
  REGISTRY_BLOB_UNKNOWN: 'BLOB_UNKNOWN',
  REGISTRY_BLOB_TOO_LARGE: 'SIZE_INVALID',
  REGISTRY_UPLOAD_UNKNOWN: 'BLOB_UPLOAD_UNKNOWN',
  REGISTRY_UPLOAD_BUSY: 'BLOB_UPLOAD_INVALID',
  REGISTRY_UPLOAD_RANGE: 'BLOB_UPLOAD_INVALID',
  REGISTRY_UPLOADS_FULL: 'TOOMANYREQUESTS',
  REGISTRY_RANGE: 'SIZE_INVALID',
  REGISTRY_MANIFEST_UNKNOWN: 'MANIFEST_UNKNOWN',
  REGISTRY_MANIFEST_INVALID: 'MANIFEST_INVALID',
  REGISTRY_MANIFEST_BLOB_UNKNOWN: 'MANIFEST_BLOB_UNKNOWN',
  REGISTRY_PAGE_INVALID: 'UNSUPPORTED',
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
