/** Answers that are under way or known: a question is asked once, however many ask it; what failed is asked again. @module */
import type { Clock, UnixMillis } from '#time'
import { RecentMap } from './recent-map.js'

/** How long answers hold; without it, as long as they are among the recent ones. */
export interface AnswerLife {
  readonly clock: Clock
  readonly millis: number
}

interface Remembered {
  readonly answer: Promise<unknown>
  readonly until: UnixMillis
}

/** Of each key the answers are of one type: whoever makes the key knows which. */
export class RecentAnswers {
  readonly #known: RecentMap<string, Remembered>
  readonly #life: AnswerLife | undefined

  constructor(limit: number, life?: AnswerLife) {
    this.#known = new RecentMap(limit)
    this.#life = life
  }

  /** @throws what asking throws, to everybody who waits for it */
  async get<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const before = this.#known.get(key)
    const now = this.#life?.clock() ?? 0
    // Sound: see the class.
    if (before !== undefined && before.until > now) return (await before.answer) as T
    const answer = ask()
    this.#known.set(key, { answer, until: this.#life === undefined ? Infinity : now + this.#life.millis })
    try {
      return await answer
    } catch (error) {
      if (this.#known.get(key)?.answer === answer) this.#known.delete(key)
      throw error
    }
  }
}
