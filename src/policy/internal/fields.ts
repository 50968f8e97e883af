/** Reading the fields of a policy document: each by name and type, every complaint with its path. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { PolicyError } from './policy-error.js'

/** Complaints about one document, told all at once. */
export class Complaints {
  readonly texts: string[] = []

  add(text: string): void {
    // A document of thousands of mistakes needs no message of megabytes.
    if (this.texts.length < 50 && !this.texts.includes(text)) this.texts.push(text)
  }

  missing(...paths: readonly string[]): void {
    this.add(`missing field(s): ${paths.join(', ')}`)
  }

  invalid(value: string, path: string, why?: string): void {
    this.add(`invalid value: ${value.slice(0, 300)}: ${path}${why === undefined ? '' : `\n${why}`}`)
  }

  /** @throws PolicyError `POLICY_FIELD` if there are any */
  throwIfAny(prefix: string): void {
    if (this.texts.length > 0) throw new PolicyError('POLICY_FIELD', `${prefix}${this.texts.join('\n')}`)
  }
}

/** An object of a document. Null counts as absent, as Kubernetes has it. */
export class Fields {
  readonly path: string
  readonly complaints: Complaints
  readonly value: JsonObject

  constructor(value: JsonObject, path: string, complaints: Complaints) {
    this.value = value
    this.path = path
    this.complaints = complaints
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** Refuses every field that is not one of these: a misspelt field is a condition that is not there. */
  only(...names: readonly string[]): this {
    for (const name of Object.keys(this.value)) {
      if (!names.includes(name)) this.complaints.add(`unknown field "${this.at(name).slice(0, 200)}"`)
    }
    return this
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  get(name: string): JsonValue | undefined {
    return Object.hasOwn(this.value, name) ? (this.value[name] ?? undefined) : undefined
  }

  /** A text; an empty one counts as absent, as in the originals. */
  text(name: string): string | undefined {
    const value = this.get(name)
    if (value === undefined || value === '') return undefined
    if (typeof value === 'string') return value
    this.#wrongType(name, 'a text', value)
    return undefined
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'boolean') return value
    this.#wrongType(name, 'true or false', value)
    return undefined
  }

  integer(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    this.#wrongType(name, 'a whole number', value)
    return undefined
  }

  object(name: string): Fields | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (isJsonObject(value)) return new Fields(value, this.at(name), this.complaints)
    this.#wrongType(name, 'an object', value)
    return undefined
  }

  /** A list of objects; absent is empty. */
  objects(name: string): readonly Fields[] {
    return this.#list(name).flatMap((value, index) => {
      const path = `${this.at(name)}[${String(index)}]`
      if (isJsonObject(value)) return [new Fields(value, path, this.complaints)]
      this.complaints.invalid(JSON.stringify(value), path, 'expected an object')
      return []
    })
  }

  /** A list of texts; absent is empty. */
  texts(name: string): readonly string[] {
    return this.#list(name).flatMap((value, index) => {
      if (typeof value === 'string') return [value]
      this.complaints.invalid(JSON.stringify(value), `${this.at(name)}[${String(index)}]`, 'expected a text')
      return []
    })
  }

  /** An object of texts; absent is empty. */
  textMap(name: string): ReadonlyMap<string, string> {
    const object = this.object(name)
    return new Map(
      Object.entries(object?.value ?? {}).flatMap(([key, value]) => {
        if (typeof value === 'string') return [[key, value] as const]
        this.complaints.invalid(JSON.stringify(value), `${this.at(name)}.${key}`, 'expected a text')
        return []
      }),
    )
  }

  /** Which one of these is there; a complaint, in the words of the originals, if it is not exactly one. */
  exactlyOne<Name extends string>(names: readonly Name[], shown: readonly string[] = names): Name | undefined {
    const given = names.filter((name) => this.has(name) && this.value[name] !== '')
    if (given.length === 1) return given[0]
    const found = given.length === 0 ? 'neither' : 'both'
    this.complaints.add(`expected exactly one, got ${found}: ${shown.map((name) => this.at(name)).join(', ')}`)
    return undefined
  }

  #list(name: string): readonly JsonValue[] {
    const value = this.get(name)
    if (value === undefined) return []
    if (Array.isArray(value)) return value as readonly JsonValue[]
    this.#wrongType(name, 'a list', value)
    return []
  }

  #wrongType(name: string, expected: string, value: JsonValue): void {
    this.complaints.invalid(JSON.stringify(value), this.at(name), `expected ${expected}`)
  }
}
