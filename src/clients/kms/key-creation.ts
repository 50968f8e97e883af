/** What making keys has in common at all services. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { isCodedError } from '#errors'
import type { Timers } from '../http/fetch.js'
import { wait } from '../http/timers.js'
import { KmsError } from './kms-error.js'

/** What a service calls keys for the algorithms that it has keys for. */
export type KeySpecs<Spec> = ReadonlyMap<AlgorithmName, Spec>

/** @throws {@link KmsError} KMS_ALGORITHM */
export function keySpecOf<Spec>(what: string, specs: KeySpecs<Spec>, algorithm: AlgorithmName): Spec {
  const spec = specs.get(algorithm)
  if (spec !== undefined) return spec
  throw new KmsError('KMS_ALGORITHM', `${what} makes no keys for this algorithm`, {
    expected: [...specs.keys()].join(', '),
    found: algorithm,
  })
}

/** The address is one of something that is there already, and cannot be chosen. */
export function notCreatable(message: string, expected: string, found: string): KmsError {
  return new KmsError('KMS_URI', message, { expected, found, hint: 'leave it out, and write it where the key is used' })
}

/** What is asked for, or undefined if the service says that there is none. */
export async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isCodedError(error) && error.code === 'KMS_NOT_FOUND') return undefined
    throw error
  }
}

const PAUSE_MILLIS = 1000

/**
 * Looks now, and again every second, until there is something to see.
 * @param looks how often at most; undefined is given when there was nothing the last time either
 * @throws HttpError HTTP_ABORTED; whatever `look` throws
 */
export async function lookUntil<T>(
  { timers, looks, signal }: { readonly timers: Timers; readonly looks: number; readonly signal: AbortSignal },
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let count = 1; ; count++) {
    const seen = await look()
    if (seen !== undefined || count >= looks) return seen
    await wait(timers, PAUSE_MILLIS, signal)
  }
}
