/** Logins that took a program or a request to get: kept for a while, so that many keys and signatures ask once. @module */
import type { Clock, UnixMillis } from '#time'
import { RecentMap } from '../recent-map.js'

export interface Expiring {
  /** Undefined: nobody said when. */
  readonly expires?: UnixMillis | undefined
}

interface Kept {
  readonly login: Promise<Expiring>
  until: UnixMillis
}

/** So soon one that was replaced or taken away is obeyed. */
const LIFE: UnixMillis = 15 * 60_000
const LIFE_UNSAID: UnixMillis = 60_000
/** What is about to run out would do so on its way. */
const LEEWAY: UnixMillis = 5 * 60_000
/** One process has a handful: profiles, and resources of Azure. */
const MAX_KEPT = 50

/** Of each key the logins are of one type: whoever makes the key knows which. */
export class RecentLogins {
  readonly #kept = new RecentMap<string, Kept>(MAX_KEPT)
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws what asking throws, to everybody who waits for it; it is asked again then */
  async get<T extends Expiring>(key: string, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock()
    const known = this.#kept.get(key)
    // Sound: see the class.
    if (known !== undefined && known.until > now) return (await known.login) as T
    const login = ask()
    const entry: Kept = { login, until: Infinity }
    this.#kept.set(key, entry)
    try {
      const { expires } = await login
      entry.until = Math.min(now + LIFE, expires === undefined ? now + LIFE_UNSAID : expires - LEEWAY)
      return await login
    } catch (error) {
      if (this.#kept.get(key) === entry) this.#kept.delete(key)
      throw error
    }
  }
}
