/** Writing to registries that are briefly inconsistent while others write the same things. @module */
import { isHttpError } from '#clients/http/http-error'
import { wait } from '#clients/http/timers'
import { RegistryError } from '#clients/registry/registry-error'
import type { AttachmentWriter } from './store.js'

const ATTEMPTS = 5
const PAUSE = 120

/**
 * Does `work`, again if the registry could not, or does not see a blob that was just pushed. The reference registry does
 * both for some milliseconds while the same blob or tag is written by somebody else.
 */
export async function patiently<T>({ timers, random }: AttachmentWriter, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !isPassing(error)) throw error
      await wait(timers, PAUSE * attempt * (1 + random()), undefined)
    }
  }
}

/** Whether a registry's refusal is likely to be gone in a moment. */
export function isPassing(error: unknown): boolean {
  if (isHttpError(error)) return error.code === 'HTTP_RESET'
  if (!(error instanceof RegistryError)) return false
  if (error.code === 'REGISTRY_UNAVAILABLE' || error.code === 'REGISTRY_RATE_LIMITED') return true
  const unseen = error.code === 'REGISTRY_REFUSED' || error.code === 'REGISTRY_NOT_FOUND'
  return unseen && (error.found ?? '').includes('BLOB_UNKNOWN')
}
