/** Closed structs: which fields a definition, or a call of close, allows. @module */

/** Decides whether a field with a name may be there by a pattern of the group. */
export type PatternTest = (name: string) => boolean

/** The fields that all the literals of one closed struct allow together. */
export class CloseGroup {
  readonly #names = new Set<string>()
  readonly #patterns: PatternTest[] = []
  readonly #children = new Map<string, CloseGroup>()
  #open = false

  allow(name: string): void {
    this.#names.add(name)
  }

  allowPattern(test: PatternTest): void {
    this.#patterns.push(test)
  }

  /** An ellipsis: anything goes. */
  allowAll(): void {
    this.#open = true
  }

  allows(name: string): boolean {
    return this.#open || this.#names.has(name) || this.#patterns.some((test) => test(name))
  }

  /** The group of a field's value: definitions are closed all the way down. */
  child(name: string): CloseGroup {
    let child = this.#children.get(name)
    if (child === undefined) {
      child = new CloseGroup()
      this.#children.set(name, child)
    }
    return child
  }
}
