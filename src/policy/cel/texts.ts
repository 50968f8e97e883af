/** Bytes as text, and text as a literal of Go. @module */
import { decodeUtf8 } from '#encoding/utf8'
import type { Budget } from './budget.js'
import { evaluationError } from './cel-error.js'

/** @throws CelError `CEL_EVALUATION` if the bytes are not UTF-8, `CEL_LIMIT` */
export function textOf(value: Uint8Array, budget: Budget): string {
  budget.make(value.length)
  try {
    return decodeUtf8(value)
  } catch (cause) {
    throw evaluationError('invalid UTF-8 in bytes, cannot convert to string', { cause })
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
])

/** With the escapes that have a letter; everything else stands for itself. */
export function quoted(text: string, budget: Budget): string {
  budget.make(text.length * 2 + 2)
  return `"${text.replace(/[\u0007\b\f\n\r\t\v\\"]/g, (found) => ESCAPES.get(found) ?? found)}"`
}

/** As Go's `%q`: what cannot be seen is escaped. */
export function quotedForGo(text: string, budget: Budget): string {
  return quoted(text, budget).replace(/[^\P{C}\n]|[^\P{Z} ]/gu, (found) => {
    const point = found.codePointAt(0) ?? 0
    const digits = point.toString(16)
    if (point < 0x80) return `\\x${digits.padStart(2, '0')}`
    return point < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
  })
}
