/** The functions of JMESPath itself that Kyverno's library has. @module */
import type { JsonValue } from '#encoding/json'
import type { ExpressionArgument, FunctionLine, Surroundings } from './function.js'
import { takes, takesMany, typeName } from './function.js'
import { equalValues, jsonText } from './json-values.js'
import { evaluationError } from './jmespath-error.js'

export const STANDARD_FUNCTIONS: readonly FunctionLine[] = [
  ['abs', takes(['number'], ([value]) => Math.abs(value))],
  ['avg', takes(['numbers'], ([values]) => average(values))],
  ['ceil', takes(['number'], ([value]) => Math.ceil(value))],
  ['floor', takes(['number'], ([value]) => Math.floor(value))],
  ['contains', takes(['array or string', 'any'], contains)],
  ['starts_with', takes(['string', 'string'], ([text, start]) => text.startsWith(start))],
  ['ends_with', takes(['string', 'string'], ([text, end]) => text.endsWith(end))],
  ['length', takes(['string, array or object'], ([value]) => lengthOf(value))],
  ['map', takes(['expression', 'array'], ([expression, values]) => values.map((value) => expression.apply(value)))],
  ['max', takes(['numbers or strings'], ([values]) => greatest(keyed(values)))],
  ['min', takes(['numbers or strings'], ([values]) => greatest(keyed(values), -1))],
  ['max_by', takes(['array', 'expression'], ([values, by]) => greatest(keyed(values, by)))],
  ['min_by', takes(['array', 'expression'], ([values, by]) => greatest(keyed(values, by), -1))],
  ['sort', takes(['numbers or strings'], ([values]) => sorted(keyed(values)))],
  ['sort_by', takes(['array', 'expression'], ([values, by]) => sorted(keyed(values, by)))],
  ['keys', takes(['object'], ([value]) => Object.keys(value))],
  ['values', takes(['object'], ([value]) => Object.values(value))],
  ['merge', takesMany('object', (objects) => Object.fromEntries(objects.flatMap((each) => Object.entries(each))))],
  ['join', takes(['string', 'strings'], joined)],
  ['reverse', takes(['array or string'], ([value]) => reversed(value))],
  ['to_array', takes(['any'], ([value]) => (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]))],
  ['to_string', takes(['any'], ([value], { budget }) => (typeof value === 'string' ? value : jsonText(value, budget)))],
  ['to_number', takes(['any'], ([value]) => numberOf(value))],
  ['type', takes(['any'], ([value]) => typeName(value))],
  ['not_null', takesMany('any', (values) => values.find((value) => value !== null) ?? null)],
]

interface Keyed {
  readonly key: number | string
  readonly value: JsonValue
}

function average(values: readonly number[]): number {
  if (values.length === 0) throw evaluationError('nothing has no average')
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function contains(
  [whole, part]: readonly [readonly JsonValue[] | string, JsonValue],
  { budget }: Surroundings,
): boolean {
  if (typeof whole === 'string') return typeof part === 'string' && whole.includes(part)
  return whole.some((each) => equalValues(each, part, budget))
}

function lengthOf(value: string | readonly JsonValue[] | object): number {
  if (typeof value === 'string') return [...value].length
  return Object.keys(value).length
}

function joined([glue, texts]: readonly [string, readonly string[]], { budget }: Surroundings): string {
  budget.characters(texts.reduce((sum, text) => sum + text.length + glue.length, 0))
  return texts.join(glue)
}

function reversed(value: readonly JsonValue[] | string): JsonValue {
  return typeof value === 'string' ? [...value].reverse().join('') : [...value].reverse()
}

/** Decimal numbers only: what JavaScript reads beyond them (`0x10`, an empty text) is no number. */
function numberOf(value: JsonValue): number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

function keyed(values: readonly JsonValue[], by?: ExpressionArgument): readonly Keyed[] {
  const [only] = values
  // What is alone is not compared with anything, and need not be comparable.
  if (by !== undefined && only !== undefined && values.length === 1) return [{ key: 0, value: only }]
  const all = values.map((value): Keyed => {
    const key = by === undefined ? value : by.apply(value)
    if (typeof key !== 'number' && typeof key !== 'string') {
      throw evaluationError('values are ordered by numbers or by texts', { found: typeName(key) })
    }
    return { key, value }
  })
  if (new Set(all.map(({ key }) => typeof key)).size > 1) {
    throw evaluationError('values are ordered by numbers or by texts, not by both')
  }
  return all
}

function compareKeys(a: Keyed, b: Keyed): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function sorted(values: readonly Keyed[]): JsonValue {
  return [...values].sort(compareKeys).map(({ value }) => value)
}

function greatest(values: readonly Keyed[], sign = 1): JsonValue {
  const [first, ...others] = values
  if (first === undefined) return null
  return others.reduce((best, each) => (compareKeys(each, best) * sign > 0 ? each : best), first).value
}
