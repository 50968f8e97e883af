/** `"%s".format([…])`: texts with places for values. @module */
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { Budget } from './budget.js'
import { evaluationError } from './cel-error.js'
import { fixedDigits, scientificDigits } from './exact.js'
import { formatDouble } from './numbers.js'
import { quotedForGo, textOf } from './texts.js'
import { formatDuration, formatTimestamp } from './times.js'
import { CelMap, Duration, isList, PENDING, Timestamp, typeNameOf, TypeValue, Uint } from './values.js'
import type { CelList, CelValue } from './values.js'

/** A part of a format that a value is put in. */
export interface Clause {
  readonly letter: string
  /** Digits after the point. */
  readonly precision: number
}

const CLAUSE = /%(?:%|(?:\.(\d+))?([sdfebxXo])|)/g
const PRECISION = 6
const MAX_PRECISION = 100

/**
 * Texts, and the places for values between them.
 * @throws CelError `CEL_EVALUATION`
 */
export function parseFormat(format: string): readonly (string | Clause)[] {
  const parts: (string | Clause)[] = []
  let end = 0
  for (const match of format.matchAll(CLAUSE)) {
    const [whole, digits, letter] = match
    parts.push(format.slice(end, match.index))
    end = match.index + whole.length
    if (whole === '%%') parts.push('%')
    else parts.push(clauseOf(letter, digits, format.slice(match.index, match.index + 8)))
  }
  parts.push(format.slice(end))
  return parts
}

function clauseOf(letter: string | undefined, digits: string | undefined, found: string): Clause {
  if (letter === undefined) throw evaluationError('could not parse formatting clause', { found })
  const precision = Number(digits ?? PRECISION)
  if (precision > MAX_PRECISION) {
    throw evaluationError('a formatting clause asks for too many digits', {
      expected: `at most ${String(MAX_PRECISION)}`,
      found,
    })
  }
  return { letter, precision }
}

/** @throws CelError `CEL_EVALUATION`, `CEL_LIMIT` */
export function formatText(format: string, values: CelList, budget: Budget): string {
  budget.make(format.length)
  let next = 0
  let length = 0
  const texts = parseFormat(format).map((part) => {
    const text = typeof part === 'string' ? part : formatted(part, values[next++], budget)
    length += text.length
    budget.make(length)
    return text
  })
  return texts.join('')
}

function formatted(clause: Clause, value: CelValue | undefined, budget: Budget): string {
  if (value === undefined) throw evaluationError('a format has more clauses than there are values')
  const { letter, precision } = clause
  if (letter === 's') return shown(value, budget)
  const text = FORMATS[letter]?.(value, precision)
  if (text !== undefined) return letter === 'X' ? text.toUpperCase() : text
  throw evaluationError(`%${letter} cannot format a value of type ${typeNameOf(value)}`)
}

type Format = (value: CelValue, precision: number) => string | undefined

const FORMATS: Readonly<Record<string, Format>> = {
  d: (value) => inBase(value, 10),
  o: (value) => inBase(value, 8),
  b: (value) => (typeof value === 'boolean' ? (value ? '1' : '0') : inBase(value, 2)),
  x: hexadecimal,
  X: hexadecimal,
  f: (value, precision) => number(value, (size) => fixed(size, precision)),
  e: (value, precision) => number(value, scientific)?.padStart(precision),
}

function inBase(value: CelValue, base: number): string | undefined {
  if (value instanceof Uint) return value.value.toString(base)
  return typeof value === 'bigint' ? value.toString(base) : undefined
}

function hexadecimal(value: CelValue): string | undefined {
  if (typeof value === 'string') return encodeHex(encodeUtf8(value))
  return value instanceof Uint8Array ? encodeHex(value) : inBase(value, 16)
}

const WORDS: ReadonlyMap<CelValue, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function number(value: CelValue, write: (size: number) => string): string | undefined {
  const given = typeof value === 'number' ? value : WORDS.get(value)
  if (given === undefined) return undefined
  if (Number.isNaN(given)) return 'NaN'
  const sign = given < 0 ? '-' : ''
  return `${sign}${Number.isFinite(given) ? write(Math.abs(given)) : '∞'}`
}

function fixed(size: number, precision: number): string {
  const { whole, fraction } = fixedDigits(size, precision)
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return precision === 0 ? grouped : `${grouped}.${fraction}`
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** The original takes the precision for the least width. */
function scientific(size: number): string {
  const { whole, fraction, exponent } = scientificDigits(size, PRECISION)
  const digits = String(Math.abs(exponent)).padStart(2, '0')
  const raised = digits.replace(/\d/g, (digit) => RAISED.charAt(Number(digit)))
  return `${whole}.${fraction}×10${exponent < 0 ? '⁻' : ''}${raised}`
}

/** `%s`: any value as a text. */
function shown(value: CelValue, budget: Budget): string {
  budget.spend(1)
  if (typeof value === 'string') return value
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Uint8Array) return textOf(value, budget)
  return literal(value, budget)
}

/** As it would be written in an expression. */
function literal(value: CelValue, budget: Budget): string {
  budget.spend(1)
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quotedForGo(value, budget)
  if (typeof value === 'number') return Number.isFinite(value) ? plain(value) : `"${formatDouble(value)}"`
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return `b${quotedForGo(textOf(value, budget), budget)}`
  if (value instanceof Timestamp) return `timestamp("${formatTimestamp(value)}")`
  if (value instanceof Duration) return `duration("${formatDuration(value)}")`
  if (value instanceof TypeValue) return value.name
  if (isList(value))
    return `[${joined(
      value.map((each) => literal(each, budget)),
      budget,
    )}]`
  if (value instanceof CelMap) return `{${joined(entriesOf(value, budget), budget)}}`
  throw evaluationError(`%s cannot format a value of type ${typeNameOf(value)}`)
}

function plain(value: number): string {
  const { whole, fraction } = fixedDigits(Math.abs(value), PRECISION)
  return `${value < 0 || Object.is(value, -0) ? '-' : ''}${whole}.${fraction}`
}

function entriesOf(map: CelMap, budget: Budget): readonly string[] {
  const entries = map.keys().map((key) => {
    const value = map.get(key)
    if (value === undefined || value === PENDING) throw evaluationError('this map cannot be formatted')
    return { key: literal(key, budget), value: literal(value, budget) }
  })
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ key, value }) => `${key}:${value}`)
}

function joined(texts: readonly string[], budget: Budget): string {
  budget.make(texts.reduce((sum, { length }) => sum + length + 2, 0))
  return texts.join(', ')
}
