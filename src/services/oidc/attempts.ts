/** Slows down those who guess passwords and codes. @module */
import { createExpiringMap } from './expiring.js'
import type { ExpiringOptions } from './expiring.js'
import { IssuerError } from './errors.js'

export interface AttemptLimiter {
  /** @throws IssuerError ISSUER_TOO_MANY_ATTEMPTS if this key, or everybody together, failed too often lately */
  check(key: string): void
  fail(key: string): void
  /** A right answer clears the key's account, not everybody's. */
  succeed(key: string): void
}

export interface AttemptOptions extends ExpiringOptions {
  /** Failures of one key within the lifetime. */
  readonly maxFailures: number
  /** Failures of all keys within the lifetime: what stops guessing one password for many names. */
  readonly maxFailuresInAll: number
}

const ALL = ''

export function createAttemptLimiter(options: AttemptOptions): AttemptLimiter {
  const single = createExpiringMap<{ count: number }>(options)
  const total = createExpiringMap<{ count: number }>({ ...options, maxEntries: 2 })
  const bump = (map: typeof single, key: string): void => {
    const account = map.get(key)
    if (account === undefined) map.set(key, { count: 1 })
    else account.count += 1
  }
  return {
    check(key) {
      const tooMany =
        (single.get(key)?.count ?? 0) >= options.maxFailures || (total.get(ALL)?.count ?? 0) >= options.maxFailuresInAll
      if (tooMany)
        throw new IssuerError('ISSUER_TOO_MANY_ATTEMPTS', 'too many wrong attempts', { hint: 'wait some minutes' })
    },
    fail(key) {
      bump(single, key)
      bump(total, ALL)
    },
    succeed: (key) => {
      single.delete(key)
    },
  }
}
