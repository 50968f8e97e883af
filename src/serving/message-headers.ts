/** The headers of a message from the network: read by name, and never changed. @module */

/** A platform's Headers over the lines as they came; what the parser let through need not be checked again. */
export class MessageHeaders implements Headers {
  readonly #lines: readonly string[]
  #values: ReadonlyMap<string, string> | undefined

  /** @param lines names and values in turn, as `rawHeaders` of node:http has them */
  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  get(name: string): string | null {
    return this.#all().get(name.toLowerCase()) ?? null
  }

  has(name: string): boolean {
    return this.#all().has(name.toLowerCase())
  }

  /** Requests set none. */
  getSetCookie(): string[] {
    return []
  }

  entries(): ReturnType<Headers['entries']> {
    return this.#sorted().values()
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#sorted()
      .map(([name]) => name)
      .values()
  }

  values(): ReturnType<Headers['values']> {
    return this.#sorted()
      .map(([, value]) => value)
      .values()
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.entries()
  }

  forEach(each: (value: string, name: string, parent: Headers) => void): void {
    for (const [name, value] of this.#sorted()) each(value, name, this)
  }

  append(): never {
    throw immutable()
  }

  delete(): never {
    throw immutable()
  }

  set(): never {
    throw immutable()
  }

  #sorted(): [string, string][] {
    return [...this.#all()].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** A name that stands more than once has all its values, so that no reader takes the first where another takes the last. */
  #all(): ReadonlyMap<string, string> {
    if (this.#values !== undefined) return this.#values
    const values = new Map<string, string>()
    for (let index = 0; index + 1 < this.#lines.length; index += 2) {
      const [name, value] = [this.#lines[index]?.toLowerCase() ?? '', this.#lines[index + 1] ?? '']
      const before = values.get(name)
      values.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    this.#values = values
    return values
  }
}

function immutable(): TypeError {
  return new TypeError('the headers of a request that came over the network cannot be changed')
}
