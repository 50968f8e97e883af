/** Trust roots, loaded before they are needed, loaded anew now and then, and kept while they cannot be. @module */
import { isCodedError } from '#errors'
import type { JsonObject } from '#encoding/json'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock } from '#time'
import { loadTrustRoot } from '#policy/cip/load-trust-root'
import type { TrustRootPorts } from '#policy/cip/load-trust-root'
import { readTrustRoot } from '#policy/cip/trust-root'
import { PolicyError } from '#policy/internal/policy-error'
import { keepTrustRepositories } from '#policy/trust-repositories'
import type { LoadRepository } from '#policy/trust-repositories'
import { nameOf } from './documents.js'

export interface TrustKeeperOptions extends TrustRootPorts {
  /** The installation's own. */
  readonly installed: () => Promise<TrustedRoot>
  /** Told each failed attempt; what was loaded before goes on to count. */
  readonly onProblem?: (name: string | undefined, problem: Error) => void
}

/** How it stands with one trust root. */
export interface TrustHealth {
  /** Of the TrustRoot; undefined for the installation's own. */
  readonly name: string | undefined
  readonly loaded: boolean
  /** Why the last attempt failed; undefined if it did not. */
  readonly problem: string | undefined
}

interface Kept {
  readonly name: string | undefined
  readonly load: () => Promise<TrustedRoot>
  /** What was loaded last, and goes on to count while it cannot be loaded again. */
  root: TrustedRoot | undefined
  problem: Error | undefined
  triedAt: number
  pending: Promise<void> | undefined
}

/** So soon after a failure it is not tried again for one that asks. */
const PAUSE = 15_000

export class TrustKeeper {
  /** Trusted roots of TUF repositories that policies name themselves. */
  readonly repository: LoadRepository
  readonly #clock: Clock
  readonly #options: TrustKeeperOptions
  readonly #kept = new Map<string | undefined, Kept>()
  readonly #documents = new Map<string, string>()

  constructor(options: TrustKeeperOptions) {
    this.#options = options
    this.#clock = options.clock
    this.repository = keepTrustRepositories(options)
    this.#kept.set(undefined, this.#entry(undefined, options.installed))
  }

  /** Takes in a TrustRoot and begins to load it. One that cannot be read leaves the last good one in force. */
  put(document: JsonObject): void {
    const { name } = nameOf(document)
    const text = JSON.stringify(document['spec'] ?? null)
    const before = this.#kept.get(name)
    if (before !== undefined && this.#documents.get(name) === text) return
    this.#documents.set(name, text)
    const entry = this.#entry(name, async () => await loadTrustRoot(readTrustRoot(document), this.#options))
    entry.root = before?.root
    this.#kept.set(name, entry)
    void this.#reload(entry)
  }

  /** Somebody took it away: what refers to it is refused from now on. */
  remove(name: string): void {
    this.#documents.delete(name)
    this.#kept.delete(name)
  }

  /** At once, if it was loaded before. @throws PolicyError `POLICY_TRUST_ROOT`, or why the installation's own cannot be had */
  get(name: string | undefined): TrustedRoot | Promise<TrustedRoot> {
    const entry = this.#kept.get(name)
    if (entry === undefined) throw new PolicyError('POLICY_TRUST_ROOT', `trustRootRef ${name ?? ''} not found`)
    return entry.root ?? this.#loaded(entry)
  }

  /** Loads everything anew, for keys that were added and taken away since. Failures leave what is there. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((entry) => this.#reload(entry)))
  }

  get health(): readonly TrustHealth[] {
    return [...this.#kept].map(([name, { root, problem }]) => ({
      name,
      loaded: root !== undefined,
      problem: problem?.message,
    }))
  }

  #entry(name: string | undefined, load: () => Promise<TrustedRoot>): Kept {
    return { name, load, root: undefined, problem: undefined, triedAt: -Infinity, pending: undefined }
  }

  async #loaded(entry: Kept): Promise<TrustedRoot> {
    if (entry.pending !== undefined || entry.triedAt + PAUSE <= this.#clock()) await this.#reload(entry)
    const { root, problem } = entry
    if (root !== undefined) return root
    throw problem ?? new PolicyError('POLICY_TRUST_ROOT', 'the trust root is not loaded yet')
  }

  /** One attempt at a time, whoever asks. */
  #reload(entry: Kept): Promise<void> {
    entry.pending ??= this.#attempt(entry).finally(() => (entry.pending = undefined))
    return entry.pending
  }

  async #attempt(entry: Kept): Promise<void> {
    entry.triedAt = this.#clock()
    try {
      entry.root = await entry.load()
      entry.problem = undefined
    } catch (error) {
      entry.problem = asProblem(error)
      this.#options.onProblem?.(entry.name, entry.problem)
    }
  }
}

function asProblem(error: unknown): Error {
  if (isCodedError(error)) return error
  return new PolicyError(
    'POLICY_TRUST_ROOT',
    'the trust root cannot be had, for a reason that is a fault of this program',
    {
      cause: error,
    },
  )
}
