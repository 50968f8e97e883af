/** Keys at key management services: fetched once for all policies, looked at anew now and then, kept while that fails. @module */
import type { Timers } from '#clients/http/fetch'
import { isCodedError } from '#errors'
import type { Clock, UnixMillis } from '#time'
import { LastGood } from '#policy/engine/last-good'
import type { OnStale } from '#policy/engine/last-good'
import type { KnownKey } from '#policy/internal/attestor'
import { PolicyError } from '#policy/internal/policy-error'

/** Gives the key that an address names. */
export type LoadKmsKey = (uri: string, signal: AbortSignal) => Promise<KnownKey>

export interface KmsKeyOptions {
  readonly load: LoadKmsKey
  readonly clock: Clock
  readonly timers: Timers
  /** Told when a key that was had once stands in for one that cannot be had. */
  readonly onStale: OnStale
}

interface Kept {
  /** What was had last, and goes on to count while it cannot be had again. */
  key: KnownKey | undefined
  /** Why there is none. */
  problem: unknown
  triedAt: UnixMillis
  askedAt: UnixMillis
  pending: Promise<void> | undefined
}

/** As often as the original asks: so soon a key that was replaced is obeyed. */
export const KMS_REFRESH: UnixMillis = 5 * 60_000
/** A key that no review has wanted in so long is not looked at until one does. */
const IDLE: UnixMillis = 60 * 60_000
/** So soon after a failure the service is not asked again for one that wants the key. */
const PAUSE: UnixMillis = 15_000
/** For one look. */
const PATIENCE: UnixMillis = 10_000
/** More than any installation names; variables in policies let others choose addresses. */
const MAX_KEPT = 1000

/** The service itself says that there is no such key for signatures any longer: nothing stands in for it then. */
const GONE: ReadonlySet<string> = new Set(['KMS_URI', 'KMS_NOT_FOUND', 'KMS_KEY_USAGE', 'KMS_KEY_TYPE', 'POLICY_KEY'])

export class KmsKeys {
  readonly #options: KmsKeyOptions
  readonly #kept = new Map<string, Kept>()
  readonly #good: LastGood<KnownKey>
  /** Why keys that were had cannot be had again. */
  readonly #stale = new Map<string, string>()
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: KmsKeyOptions) {
    this.#options = options
    this.#good = new LastGood((uri, error) => {
      this.#stale.set(uri, error instanceof Error ? error.message : String(error))
      options.onStale(uri, error)
    })
  }

  /** @throws why the key cannot be had, if it never could, or was taken away */
  async get(uri: string): Promise<KnownKey> {
    const now = this.#options.clock()
    const entry = this.#entry(uri, now)
    entry.askedAt = now
    this.#schedule()
    // Whoever has a key does not wait for the next look at it, which a timer sees to.
    if (entry.key !== undefined && entry.triedAt + 2 * KMS_REFRESH > now) return entry.key
    if (entry.pending !== undefined || entry.key !== undefined || entry.triedAt + PAUSE <= now)
      await this.#look(uri, entry)
    const { key, problem } = entry
    if (key !== undefined) return key
    throw problem
  }

  /** Why what {@link get} gives is only the last good form of a key; undefined if it is not. */
  staleness(uri: string): string | undefined {
    return this.#stale.get(uri)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #entry(uri: string, now: UnixMillis): Kept {
    const known = this.#kept.get(uri)
    if (known !== undefined) return known
    const entry: Kept = { key: undefined, problem: undefined, triedAt: -Infinity, askedAt: now, pending: undefined }
    if (this.#kept.size >= MAX_KEPT) {
      const [first] = this.#kept.keys()
      const [useless = first] = [...this.#kept].flatMap(([name, { key }]) => (key === undefined ? [name] : []))
      if (useless !== undefined) this.#forget(useless)
    }
    this.#kept.set(uri, entry)
    return entry
  }

  #forget(uri: string): void {
    this.#kept.delete(uri)
    this.#stale.delete(uri)
  }

  #schedule(): void {
    if (this.#closed) return
    this.#cancel ??= this.#options.timers.after(KMS_REFRESH, () => {
      this.#cancel = undefined
      this.#refresh()
    })
  }

  /** Only keys that were had: whoever wants another one asks for it themselves. */
  #refresh(): void {
    const now = this.#options.clock()
    for (const [uri, entry] of this.#kept) {
      if (entry.askedAt + IDLE <= now) this.#forget(uri)
      else if (entry.key !== undefined) void this.#look(uri, entry)
    }
    if (this.#kept.size > 0) this.#schedule()
  }

  /** One look at a time, whoever asks. Never throws. */
  #look(uri: string, entry: Kept): Promise<void> {
    entry.pending ??= this.#attempt(uri, entry).finally(() => (entry.pending = undefined))
    return entry.pending
  }

  async #attempt(uri: string, entry: Kept): Promise<void> {
    entry.triedAt = this.#options.clock()
    try {
      entry.key = await this.#good.load(uri, () => this.#load(uri))
      entry.problem = undefined
    } catch (error) {
      entry.key = undefined
      entry.problem = error
    }
  }

  async #load(uri: string): Promise<KnownKey> {
    const patience = new AbortController()
    const cancel = this.#options.timers.after(PATIENCE, () => {
      patience.abort()
    })
    try {
      const key = await this.#options.load(uri, patience.signal)
      this.#stale.delete(uri)
      return key
    } catch (error) {
      if (isCodedError(error) && GONE.has(error.code)) this.#good.forget(uri)
      if (!patience.signal.aborted) throw error
      throw new PolicyError('POLICY_KEY', `the key ${uri} could not be had in time`, { cause: error })
    } finally {
      cancel()
    }
  }
}
