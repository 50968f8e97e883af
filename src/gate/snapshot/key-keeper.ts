/** Keys that are kept elsewhere: loaded when they are asked for, kept in their last good form, and how it stands with them. @module */
import type { JsonObject } from '#encoding/json'
import { LastGood } from '#policy/engine/last-good'
import type { OnStale } from '#policy/engine/last-good'
import type { KnownKey } from '#policy/internal/attestor'
import { PolicyError } from '#policy/internal/policy-error'
import type { KeptKey } from './policy-keys.js'
import { keyOfSecret } from './secret-keys.js'

/** Keys at key management services, with a memory of their own. */
export interface KeyServices {
  get(uri: string): Promise<KnownKey>
  /** Why what was given is only the last good form. */
  staleness(uri: string): string | undefined
}

export interface KeyKeeperOptions {
  readonly services: KeyServices
  readonly secrets: {
    /** Undefined: there is none of this name. */
    secret(namespace: string, name: string): Promise<JsonObject | undefined>
  }
  /** The installation's own, whose Secrets are watched: looking at one costs nothing. */
  readonly namespace: string
  /** Told when a key that was had once stands in for one that cannot be had. */
  readonly onStale: OnStale
}

/** How it stands with a key. */
export type KeyCondition =
  | 'good'
  /** It cannot be read any longer; what was read last stands in. */
  | 'last good'
  /** It cannot be had. */
  | 'missing'

export interface KeyHealth {
  readonly condition: KeyCondition
  /** What is wrong; empty if nothing is. */
  readonly problem: string
}

type SecretKey = Extract<KeptKey, { readonly kind: 'secret' }>

const GOOD: KeyHealth = { condition: 'good', problem: '' }

export class KeyKeeper {
  readonly #options: KeyKeeperOptions
  readonly #kept: LastGood<KnownKey>
  /** Of keys that are followed; undefined: nobody has looked yet. */
  #followed = new Map<string, KeyHealth | undefined>()
  #revision = 0
  #onChange: () => void = () => undefined

  constructor(options: KeyKeeperOptions) {
    this.#options = options
    this.#kept = new LastGood((what, error) => {
      this.#note(what, { condition: 'last good', problem: textOf(error) })
      options.onStale(what, error)
    })
  }

  /** @throws PolicyError `POLICY_KEY`, or why the Secret cannot be read */
  async get(source: KeptKey): Promise<KnownKey> {
    const what = this.#name(source)
    try {
      if (source.kind === 'kms') return await this.#ofService(source.uri)
      return await this.#kept.load(what, async () => {
        const key = await this.#read(source, what)
        this.#note(what, GOOD)
        return key
      })
    } catch (error) {
      this.#note(what, { condition: 'missing', problem: textOf(error) })
      throw error
    }
  }

  /**
   * Tells from now on how it stands with these keys and no others, and looks at them: at those nearby at once, so that they are
   * known a turn later, and at others one after the other if they are not known to be good. What a review finds is told as well.
   */
  follow(sources: readonly KeptKey[]): void {
    const named = new Map(sources.map((source) => [this.#name(source), source] as const))
    this.#followed = new Map([...named.keys()].map((what) => [what, this.#followed.get(what)]))
    const all = [...named]
    for (const [, source] of all) if (this.#isNear(source)) void this.#look(source)
    const far = all.filter(([what, source]) => !this.#isNear(source) && this.#followed.get(what)?.condition !== 'good')
    void far.reduce((before, [, source]) => before.then(() => this.#look(source)), Promise.resolve())
  }

  /** Undefined: nobody has looked yet, or it is not followed. */
  health(source: KeptKey): KeyHealth | undefined {
    return this.#followed.get(this.#name(source))
  }

  /** Whether some cannot be had as they should; of Secrets elsewhere nobody tells when that is over. */
  get isTroubled(): boolean {
    return [...this.#followed.values()].some((health) => health !== undefined && health.condition !== 'good')
  }

  /** Counts up with each change of how it stands with a key. */
  get revision(): number {
    return this.#revision
  }

  onChange(listener: () => void): void {
    this.#onChange = listener
  }

  async #look(source: KeptKey): Promise<void> {
    // What is wrong was noted.
    await this.get(source).catch(() => undefined)
  }

  async #ofService(uri: string): Promise<KnownKey> {
    const { services } = this.#options
    const key = await services.get(uri)
    const problem = services.staleness(uri)
    this.#note(uri, problem === undefined ? GOOD : { condition: 'last good', problem })
    return key
  }

  async #read(source: SecretKey, what: string): Promise<KnownKey> {
    const at = this.#namespaceOf(source)
    const secret = await this.#options.secrets.secret(at, source.name)
    if (secret !== undefined) return { key: keyOfSecret(secret, source) }
    // It was taken away, which is another thing than that it cannot be read.
    this.#kept.forget(what)
    throw new PolicyError('POLICY_KEY', `there is no secret ${at}/${source.name}`)
  }

  #note(what: string, health: KeyHealth): void {
    if (!this.#followed.has(what)) return
    const before = this.#followed.get(what)
    if (before?.condition === health.condition && before.problem === health.problem) return
    this.#followed.set(what, health)
    this.#revision++
    this.#onChange()
  }

  #isNear(source: KeptKey): boolean {
    return source.kind === 'secret' && this.#namespaceOf(source) === this.#options.namespace
  }

  #namespaceOf({ namespace }: SecretKey): string {
    return namespace ?? this.#options.namespace
  }

  #name(source: KeptKey): string {
    if (source.kind === 'kms') return source.uri
    return `${this.#namespaceOf(source)}/${source.name}/${source.entry ?? ''}`
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
