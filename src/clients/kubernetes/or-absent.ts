/** What is not there, as an answer rather than as an error. @module */
import { isCodedError } from '#errors'

/** Undefined where there is none, or where its kind is not served. */
export async function orAbsent<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (isCodedError(error) && error.code === 'KUBERNETES_NOT_FOUND') return undefined
    throw error
  }
}
