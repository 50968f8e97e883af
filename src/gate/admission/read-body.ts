/** The body of a request for admission, as far as it may be. @module */
import { isCodedError } from '#errors'
import { declaredLength, mediaType, wholeBody } from '#serving/body'
import { AdmissionError } from './admission-error.js'
import type { BodyAllowance } from './in-flight.js'

/** Twice an object of the API server's own limit of 3 MiB, the old and the new one, and what surrounds them. */
export const MAX_BODY: number = 8 * 1024 * 1024

/** @throws AdmissionError `ADMISSION_BODY`, `ADMISSION_OVERLOADED` */
export async function readBody(request: Request, allowance: BodyAllowance): Promise<Uint8Array> {
  const type = mediaType(request)
  if (type !== 'application/json') throw unreadable('the content type is not accepted here', 'application/json', type)
  const declared = declaredLength(request) ?? 0
  if (declared > MAX_BODY) throw tooLarge()
  let size = 0
  try {
    return await wholeBody(request, (bytes) => {
      size += bytes
      if (size > MAX_BODY) throw tooLarge()
      allowance.take(bytes)
    })
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof AdmissionError) throw cause
    throw unreadable(cause.message, cause.expected, cause.found)
  }
}

function tooLarge(): AdmissionError {
  return unreadable('the AdmissionReview is too large', `at most ${String(MAX_BODY)} bytes`, 'more')
}

function unreadable(message: string, expected: string | undefined, found: string | undefined): AdmissionError {
  return new AdmissionError('ADMISSION_BODY', message, { expected, found })
}
