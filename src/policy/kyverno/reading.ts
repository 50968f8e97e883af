/** Reading `verifyImages`: once when the policy is loaded and, where it has variables, once a review with them filled in. @module */
import type { Fields } from '../internal/fields.js'
import { isOpen } from './variables.js'

/** Most attestors of one `verifyImages`, those of nested sets and keys of one text included. */
const MAX_ATTESTORS = 500

/** One reading. */
export class VerifyReading {
  /** Of a namespaced policy, whose keys are in it. */
  readonly namespace: string | undefined
  readonly #filled: boolean
  #attestors = 0

  /** `filled`: the variables stand for something already, or there are none. */
  constructor(filled: boolean, namespace: string | undefined) {
    this.#filled = filled
    this.namespace = namespace
  }

  /** A text of which something can be said: undefined if it is absent, or has variables that nothing was filled in for yet. */
  text(fields: Fields, name: string): string | undefined {
    const text = fields.text(name)
    return text === undefined || this.isOpen(text) ? undefined : text
  }

  /** Whether a text may still become anything. What was filled in is not read as a variable again. */
  isOpen(text: string): boolean {
    return !this.#filled && isOpen(text)
  }

  /** Counts attestors; a complaint if there are too many. */
  countAttestors(fields: Fields, more: number): boolean {
    const before = this.#attestors
    this.#attestors += more
    if (this.#attestors <= MAX_ATTESTORS) return true
    if (before <= MAX_ATTESTORS)
      fields.complaints.add(`${fields.path}: Too many: more than ${String(MAX_ATTESTORS)} attestors`)
    return false
  }
}
