/** Names of a rule and the slots that hold their values. @module */
import { fault } from './rego-error.js'

/** A body's names. What is declared is seen here and further in, other names are the whole rule's. */
export class Scope {
  readonly #outer: Scope | undefined
  readonly #shared: Map<string, number>
  readonly #count: { slots: number }
  readonly #declared = new Map<string, number>()
  readonly #used = new Set<string>()
  /** Names that must be used, with their lines. */
  readonly #wanted = new Map<string, number>()

  constructor(outer?: Scope) {
    this.#outer = outer
    this.#shared = outer === undefined ? new Map<string, number>() : outer.#shared
    this.#count = outer === undefined ? { slots: 0 } : outer.#count
  }

  get slots(): number {
    return this.#count.slots
  }
  inner(): Scope {
    return new Scope(this)
  }

  /** The slot of a name that is declared here or further out. */
  declared(name: string): number | undefined {
    if (this.#declared.has(name)) this.#wanted.delete(name)
    return this.#declared.get(name) ?? this.#outer?.declared(name)
  }
  declaredHere(name: string): boolean {
    return this.#declared.has(name)
  }

  /** @throws RegoError REGO_REFERENCE if the name was used or declared before in the same body */
  declare(name: string, line: number, mustBeUsed?: 'must be used'): number {
    if (name === 'input' || name === 'data') throw fault('REGO_REFERENCE', line, `${name} cannot be declared`)
    if (this.#declared.has(name)) throw fault('REGO_REFERENCE', line, `${name} is declared twice`)
    if (this.#used.has(name)) throw fault('REGO_REFERENCE', line, `${name} is used before it is declared`)
    const slot = this.#count.slots++
    this.#declared.set(name, slot)
    if (mustBeUsed !== undefined) this.#wanted.set(name, line)
    return slot
  }

  /** @throws RegoError REGO_REFERENCE if `some` declared a name for nothing */
  requireUsed(): void {
    for (const [name, line] of this.#wanted) throw fault('REGO_REFERENCE', line, `${name} is declared and not used`)
  }

  /** The slot of a name that nobody declared. */
  use(name: string): number {
    this.#mark(name)
    const there = this.#shared.get(name)
    if (there !== undefined) return there
    const slot = this.#count.slots++
    this.#shared.set(name, slot)
    return slot
  }

  #mark(name: string): void {
    this.#used.add(name)
    if (this.#outer !== undefined) this.#outer.#mark(name)
  }
}
