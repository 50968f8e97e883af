/** Reading protobuf's JSON mapping, with the path of whatever is wrong. @module */
import { CodedError } from '#errors'
import type { UnixMillis } from '#time'
import { parseRfc3339 } from '#time'
import { decodeBase64Any } from './base64.js'
import type { JsonObject, JsonValue } from './json.js'
import { isJsonObject } from './json.js'

export type ProtojsonErrorCode =
  /** A field holds a JSON value of another type. */
  | 'PROTOJSON_TYPE'
  /** A field that must be there is not. */
  | 'PROTOJSON_MISSING'
  /** A message has a field that it does not know. */
  | 'PROTOJSON_UNKNOWN_FIELD'
  /** A message names one field twice. */
  | 'PROTOJSON_DUPLICATE_FIELD'
  /** A message sets several fields of which only one may be set. */
  | 'PROTOJSON_ONEOF'
  /** A field holds a value outside of what it allows. */
  | 'PROTOJSON_VALUE'

/** A JSON document does not have the shape that its protobuf message asks for. */
export class ProtojsonError extends CodedError<ProtojsonErrorCode> {
  override readonly name = 'ProtojsonError'
}

/** What to do with fields that the message does not know: protobuf refuses them by default. */
export type UnknownFields = 'refuse' | 'ignore'

/**
 * A reader over one JSON message.
 * Fields are named in lowerCamelCase; the original snake_case is accepted too, but never both of one field.
 * null stands for an absent field, as the mapping says.
 */
export class ProtoReader {
  /** Where this message stands in the document, for error texts. */
  readonly path: string
  readonly #values: ReadonlyMap<string, JsonValue>

  constructor(path: string, values: ReadonlyMap<string, JsonValue>) {
    this.path = path
    this.#values = values
  }

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The raw value, or undefined. */
  value(name: string): JsonValue | undefined {
    return this.#values.get(name)
  }

  optionalString(name: string): string | undefined {
    return this.#read(name, 'a string', (value) => (typeof value === 'string' ? value : undefined))
  }

  string(name: string): string {
    return this.#required(name, this.optionalString(name))
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.#read(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined))
  }

  /** 32-bit integers: a JSON number, or the same in a string. */
  optionalInt32(name: string): number | undefined {
    const value = this.optionalInt64(name)
    if (value === undefined) return undefined
    if (value < -(2n ** 31n) || value >= 2n ** 31n)
      throw this.error('PROTOJSON_VALUE', name, { expected: 'a 32-bit integer' })
    return Number(value)
  }

  /** 64-bit integers: a decimal string, or a JSON number that is exact. */
  optionalInt64(name: string): bigint | undefined {
    const value = this.#read(name, 'an integer', (raw) => {
      if (typeof raw === 'number') return Number.isSafeInteger(raw) ? BigInt(raw) : undefined
      return typeof raw === 'string' && /^-?(?:0|[1-9]\d{0,18})$/.test(raw) ? BigInt(raw) : undefined
    })
    if (value !== undefined && BigInt.asIntN(64, value) !== value)
      throw this.error('PROTOJSON_VALUE', name, { expected: 'a 64-bit integer' })
    return value
  }

  int64(name: string): bigint {
    return this.#required(name, this.optionalInt64(name))
  }

  optionalBytes(name: string): Uint8Array | undefined {
    return this.#read(name, 'base64 text', (value) => this.#bytes(name, value))
  }

  bytes(name: string): Uint8Array {
    return this.#required(name, this.optionalBytes(name))
  }

  /** google.protobuf.Timestamp: an RFC 3339 text. */
  optionalTimestamp(name: string): UnixMillis | undefined {
    const text = this.optionalString(name)
    if (text === undefined) return undefined
    try {
      return parseRfc3339(text)
    } catch (cause) {
      throw this.error('PROTOJSON_VALUE', name, { expected: 'an RFC 3339 time', cause })
    }
  }

  /** An enum by its name, or by its number. The table maps names to numbers. Unknown names or numbers are refused. */
  optionalEnum<Name extends string>(name: string, numbers: Readonly<Record<Name, number>>): Name | undefined {
    const names = Object.keys(numbers) as Name[]
    return this.#read(name, `one of ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', …' : ''}`, (value) =>
      names.find((candidate) => candidate === value || numbers[candidate] === value),
    )
  }

  optionalMessage<T>(name: string, read: (value: JsonValue, path: string) => T): T | undefined {
    const value = this.#values.get(name)
    return value === undefined ? undefined : read(value, this.#pathOf(name))
  }

  message<T>(name: string, read: (value: JsonValue, path: string) => T): T {
    const value = this.#values.get(name)
    if (value === undefined) throw this.error('PROTOJSON_MISSING', name, { expected: 'a message' })
    return read(value, this.#pathOf(name))
  }

  /** A repeated field; absent is empty. */
  list<T>(name: string, read: (value: JsonValue, path: string) => T): readonly T[] {
    const values = this.#read(name, 'an array', (value) =>
      Array.isArray(value) ? (value as readonly JsonValue[]) : undefined,
    )
    return (values ?? []).map((value, index) => read(value, `${this.#pathOf(name)}[${String(index)}]`))
  }

  /** Which one field of a oneof is set, or undefined. @throws {@link ProtojsonError} PROTOJSON_ONEOF if several are. */
  oneof<Name extends string>(...names: readonly Name[]): Name | undefined {
    const set = names.filter((name) => this.#values.has(name))
    if (set.length > 1) {
      throw new ProtojsonError('PROTOJSON_ONEOF', `${this.path} has several fields where one is allowed`, {
        expected: `one of ${names.join(', ')}`,
        found: set.join(', '),
      })
    }
    return set[0]
  }

  /** An error about one field, with its path. */
  error(
    code: ProtojsonErrorCode,
    name: string,
    detail: { readonly expected: string; readonly cause?: unknown },
  ): ProtojsonError {
    const raw = this.#values.get(name)
    return new ProtojsonError(code, `${this.#pathOf(name)} is ${raw === undefined ? 'missing' : 'not right'}`, {
      ...detail,
      found: raw === undefined ? 'nothing' : jsonKind(raw),
    })
  }

  #read<T>(name: string, expected: string, convert: (value: JsonValue) => T | undefined): T | undefined {
    const raw = this.#values.get(name)
    if (raw === undefined) return undefined
    const value = convert(raw)
    if (value === undefined) throw this.error('PROTOJSON_TYPE', name, { expected })
    return value
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw this.error('PROTOJSON_MISSING', name, { expected: 'a value' })
    return value
  }

  #bytes(name: string, value: JsonValue): Uint8Array | undefined {
    if (typeof value !== 'string') return undefined
    try {
      return decodeBase64Any(value)
    } catch (cause) {
      throw this.error('PROTOJSON_VALUE', name, { expected: 'base64 text', cause })
    }
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }
}

/**
 * Starts to read a message whose fields have the given lowerCamelCase names.
 * @throws {@link ProtojsonError} if the value is no object, names a field twice, or has an unknown field that is to be refused.
 */
export function readMessage(
  value: JsonValue | undefined,
  path: string,
  fields: { readonly names: readonly string[]; readonly unknown?: UnknownFields },
): ProtoReader {
  if (!isJsonObject(value)) {
    throw new ProtojsonError('PROTOJSON_TYPE', `${path === '' ? 'the document' : path} is not an object`, {
      expected: 'an object',
      found: value === undefined ? 'nothing' : jsonKind(value),
    })
  }
  return new ProtoReader(path, collect(value, path, fields))
}

function collect(
  object: JsonObject,
  path: string,
  fields: { readonly names: readonly string[]; readonly unknown?: UnknownFields },
): ReadonlyMap<string, JsonValue> {
  const values = new Map<string, JsonValue>()
  const seen = new Set<string>()
  for (const [key, member] of Object.entries(object)) {
    const name = fields.names.find((candidate) => candidate === key || snakeCase(candidate) === key)
    if (name === undefined) {
      if (fields.unknown === 'ignore') continue
      throw new ProtojsonError(
        'PROTOJSON_UNKNOWN_FIELD',
        `${path === '' ? 'the document' : path} has an unknown field`,
        {
          expected: `one of ${fields.names.join(', ')}`,
          found: key.slice(0, 60),
        },
      )
    }
    if (seen.has(name)) {
      throw new ProtojsonError(
        'PROTOJSON_DUPLICATE_FIELD',
        `${path === '' ? 'the document' : path} names a field twice`,
        { found: name },
      )
    }
    seen.add(name)
    if (member !== null) values.set(name, member)
  }
  return values
}

const snakeNames = new Map<string, string>()

function snakeCase(name: string): string {
  let snake = snakeNames.get(name)
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    snakeNames.set(name, snake)
  }
  return snake
}

function jsonKind(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
