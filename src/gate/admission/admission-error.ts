/** What can be wrong with a request for admission, or with answering it. @module */
import { CodedError } from '#errors'

export type AdmissionErrorCode =
  /** The body is not JSON, is nested too deeply, or has two members of one name. */
  | 'ADMISSION_JSON'
  /** The body is not an AdmissionReview of admission.k8s.io/v1. */
  | 'ADMISSION_VERSION'
  /** A field of the AdmissionReview is missing or of the wrong type. */
  | 'ADMISSION_FIELD'
  /** The body could not be read: too large, cut off, or of another media type. */
  | 'ADMISSION_BODY'
  /** More requests are being judged than this process takes on at once. */
  | 'ADMISSION_OVERLOADED'
  /** The policies are not loaded yet. */
  | 'ADMISSION_NOT_READY'
  /** A fault of the gate itself. */
  | 'ADMISSION_FAULT'

/** A request that cannot be judged. It is denied. */
export class AdmissionError extends CodedError<AdmissionErrorCode> {
  override readonly name = 'AdmissionError'
}
