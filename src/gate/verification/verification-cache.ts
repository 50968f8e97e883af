/**
 * What verification found, kept for a while: by image digest, by everything that was demanded, by everything that was trusted and
 * by who may read it. Each of them is part of the key by its content, so that a change of any of them is another entry, and the old
 * one is never found again. Errors of the way there are never kept: they say nothing about the image.
 *
 * @module
 */
import type { Timers } from '#clients/http/fetch'
import type { Clock, UnixMillis } from '#time'
import { attestorId, keyId, trustId } from '#policy/engine/content-id'
import { pinnedName } from '#policy/engine/ports'
import type { Judged, VerificationMemory, VerificationSubject } from '#policy/engine/verification-memory'
import { VerificationBusyError } from './verification-error.js'

export interface CacheLimits {
  readonly entries: number
  /** By an estimate of what an entry holds. */
  readonly bytes: number
  /** How long an accepted signature is believed without looking again, in milliseconds. */
  readonly positiveMillis: number
  /** The same of an image that was refused: short, so that signing it helps at once. */
  readonly negativeMillis: number
  /** How long a verification may go on, for those who ask again after the first request was out of time. */
  readonly flightMillis: number
  /** Verifications at once. */
  readonly flights: number
}

export const DEFAULT_CACHE_LIMITS: CacheLimits = {
  entries: 50_000,
  bytes: 256 * 1024 * 1024,
  positiveMillis: 60 * 60_000,
  negativeMillis: 10_000,
  flightMillis: 30_000,
  flights: 4096,
}

/** How a question was answered. */
export type CacheAnswer =
  /** From memory. */
  | 'hit'
  /** Somebody else was asking already. */
  | 'joined'
  | 'miss'

export interface CacheOptions {
  readonly limits: CacheLimits
  readonly clock: Clock
  readonly timers: Timers
  readonly onAnswer?: (answer: CacheAnswer) => void
}

/** Who reads: two that may not read the same never share what one of them read. */
export type PullIdentity = (subject: VerificationSubject) => string | Promise<string>

/** Entries are put in order of use no more often than this: of two that were used within it, either may be forgotten first. */
const ORDER_MILLIS = 10_000

interface Entry {
  readonly judged: Judged
  /** When it was last put where the ones are that were used last. */
  movedAt: UnixMillis
  readonly until: UnixMillis
  readonly bytes: number
}

export class VerificationCache {
  readonly #options: CacheOptions
  /** In the order of their last use, to ten seconds. */
  readonly #entries = new Map<string, Entry>()
  readonly #flights = new Map<string, Promise<Judged>>()
  #bytes = 0

  constructor(options: CacheOptions) {
    this.#options = options
  }

  get size(): { readonly entries: number; readonly bytes: number; readonly flights: number } {
    return { entries: this.#entries.size, bytes: this.#bytes, flights: this.#flights.size }
  }

  /** The cache as one review sees it; `onAnswer` is told of its questions alone. */
  memoryFor(identity: PullIdentity, onAnswer?: (answer: CacheAnswer) => void): VerificationMemory {
    const judgedFor = (
      reader: string,
      subject: VerificationSubject,
      verify: (signal: AbortSignal) => Promise<Judged>,
    ): Judged | Promise<Judged> => {
      const [answer, judged] = this.#answer(keyOf(subject, reader), verify)
      this.#options.onAnswer?.(answer)
      onAnswer?.(answer)
      return judged
    }
    return {
      judged: (subject, verify) => {
        const reader = identity(subject)
        return typeof reader === 'string'
          ? judgedFor(reader, subject, verify)
          : reader.then((known) => judgedFor(known, subject, verify))
      },
    }
  }

  #answer(
    key: string,
    verify: (signal: AbortSignal) => Promise<Judged>,
  ): readonly [CacheAnswer, Judged | Promise<Judged>] {
    const remembered = this.#remembered(key)
    if (remembered !== undefined) return ['hit', remembered]
    const flight = this.#flights.get(key)
    return flight === undefined ? ['miss', this.#fly(key, verify)] : ['joined', flight]
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #remembered(key: string): Judged | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const now = this.#options.clock()
    if (entry.until <= now) {
      this.#entries.delete(key)
      this.#bytes -= entry.bytes
      return undefined
    }
    // Each move makes the table of a Map grow, until it is made anew: too much for every question.
    if (entry.movedAt + ORDER_MILLIS <= now) {
      entry.movedAt = now
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry.judged
  }

  #fly(key: string, verify: (signal: AbortSignal) => Promise<Judged>): Promise<Judged> {
    const { limits, timers } = this.#options
    if (this.#flights.size >= limits.flights) throw tooMany(limits.flights)
    const controller = new AbortController()
    const cancel = timers.after(limits.flightMillis, () => {
      controller.abort()
    })
    const flight = verify(controller.signal)
      .then((judged) => {
        this.#keep(key, judged)
        return judged
      })
      .finally(() => {
        cancel()
        this.#flights.delete(key)
      })
    // Whoever asked may be gone by the time that it fails.
    flight.catch(() => undefined)
    this.#flights.set(key, flight)
    return flight
  }

  #keep(key: string, judged: Judged): void {
    // Some of what is attached could not be had: neither a yes nor a no is the last word.
    if (judged.unfetched.length > 0) return
    const { limits, clock } = this.#options
    const bytes = key.length + weightOf(judged)
    if (bytes > limits.bytes / 8) return
    const life = judged.accepted.length > 0 ? limits.positiveMillis : limits.negativeMillis
    if (life <= 0) return
    const now = clock()
    this.#entries.set(key, { judged, movedAt: now, until: now + life, bytes })
    this.#bytes += bytes
    this.#evict()
  }

  #evict(): void {
    const { entries, bytes } = this.#options.limits
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= entries && this.#bytes <= bytes) return
      this.#entries.delete(key)
      this.#bytes -= entry.bytes
    }
  }
}

/** Nothing in it can be chosen so that it runs into its neighbour: it is a list. */
function keyOf({ pinned, ready, predicateType }: VerificationSubject, identity: string): string {
  const { attestor, key, trust } = ready
  const parts = [pinnedName(pinned), predicateType ?? null, attestorId(attestor), keyId(key), trustId(trust), identity]
  return JSON.stringify(parts)
}

/** Measured with ten thousand of them (bench/gate.bench.ts), as the process grows. */
const ACCEPTED_BYTES = 14 * 1024
const REJECTED_BYTES = 4 * 1024
/** A statement is kept as it came and as it was read. */
const READ_FACTOR = 6

function weightOf({ accepted, rejected }: Judged): number {
  const statements = accepted.reduce((sum, { statement }) => sum + (statement?.length ?? 0), 0)
  return accepted.length * ACCEPTED_BYTES + rejected.length * REJECTED_BYTES + statements * READ_FACTOR
}

function tooMany(limit: number): VerificationBusyError {
  return new VerificationBusyError('VERIFICATION_BUSY', 'too many images are being verified; try again', {
    expected: `at most ${String(limit)} at once`,
  })
}
