/**
 * The values of CEL. An integer is never a double: `bigint` is `int`, {@link Uint} is `uint`, `number` is `double`.
 *
 * @module
 */

/** A result that is still being asked for; it stands for whatever will come. */
export const PENDING: unique symbol = Symbol('pending')
export type Pending = typeof PENDING

export type CelList = readonly CelValue[]

export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelList
  | CelMap
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | Opaque

/** What an expression comes to. */
export type Outcome = CelValue | Pending

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

/** A point in time, in nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A length of time, in nanoseconds. */
export class Duration {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A value that may be missing. */
export class Optional {
  readonly value: CelValue | undefined

  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

export const NONE: Optional = new Optional(undefined)

/** A type as a value, as `type(x)` gives it. */
export class TypeValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library, with functions of its own. */
export abstract class Opaque {
  abstract readonly typeName: string

  /** Of another value of the same type. */
  equals(other: Opaque): boolean {
    return this === other
  }
}

/** Keys and their values. */
export abstract class CelMap {
  abstract readonly size: number

  /** The value of a key, or undefined where there is no such key. A value may still be asked for. */
  abstract get(key: CelValue): Outcome | undefined

  /** In the order in which they were written. */
  abstract keys(): readonly CelValue[]

  has(key: CelValue): boolean {
    return this.get(key) !== undefined
  }
}

interface Entry {
  readonly key: CelValue
  readonly value: CelValue
}

/** A map that was computed. `1`, `1u` and `1.0` are the same key, as they are equal. */
export class EntryMap extends CelMap {
  readonly #entries = new Map<string, Entry>()

  constructor(entries: Iterable<readonly [CelValue, CelValue]> = []) {
    super()
    for (const [key, value] of entries) this.#entries.set(identityOf(key) ?? '', { key, value })
  }

  override get size(): number {
    return this.#entries.size
  }

  override get(key: CelValue): CelValue | undefined {
    const identity = identityOf(key)
    return identity === undefined ? undefined : this.#entries.get(identity)?.value
  }

  override keys(): readonly CelValue[] {
    return [...this.#entries.values()].map(({ key }) => key)
  }
}

/** What makes a key the same as another, or undefined of what is no key. */
export function identityOf(key: CelValue): string | undefined {
  if (typeof key === 'string') return `"${key}`
  if (typeof key === 'boolean') return String(key)
  if (typeof key === 'bigint') return String(key)
  if (key instanceof Uint) return String(key.value)
  // A double finds the integer that equals it.
  if (typeof key === 'number' && Number.isInteger(key)) return String(BigInt(key))
  return undefined
}

/** Whether a value may be a key: doubles may look one up, and may not be one. */
export function isKey(value: CelValue): boolean {
  return typeof value !== 'number' && identityOf(value) !== undefined
}

export function isList(value: Outcome): value is CelList {
  return Array.isArray(value)
}

/** The name of a value's type. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'string') return 'string'
  if (value instanceof Uint8Array) return 'bytes'
  if (isList(value)) return 'list'
  if (value instanceof CelMap) return 'map'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Optional) return 'optional_type'
  return value instanceof TypeValue ? 'type' : value.typeName
}
