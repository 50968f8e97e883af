/** Reading parts of a policy that may be wrong in ways of their own: what is thrown becomes a complaint with its path. @module */
import { isCodedError } from '#errors'
import type { Fields } from '../internal/fields.js'

/** What `read` gives, or undefined where there was something to complain about. */
export function guarded<T>(fields: Fields, name: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isCodedError(error)) throw error
    const found = error.found === undefined ? '' : ` (${error.found})`
    fields.complaints.add(`${fields.at(name)}: Invalid value: ${error.message}${found}`)
    return undefined
  }
}

/** A text, or an expression that gives it. */
export interface Text {
  readonly value: string | undefined
  readonly expression: string | undefined
}

/** Reads `{value}` or `{expression}`. */
export function readText(parent: Fields, name: string): Text | undefined {
  const fields = parent.object(name)?.only('value', 'expression')
  if (fields === undefined) return undefined
  const [value, expression] = [fields.text('value'), fields.text('expression')]
  if (value === undefined && expression === undefined) return undefined
  if (value !== undefined && expression !== undefined)
    fields.complaints.add(`${fields.path}: Invalid value: only one of value and expression can be set`)
  return { value, expression }
}

export function required(fields: Fields, name: string): string {
  const text = fields.text(name)
  if (text === undefined) fields.complaints.add(`${fields.at(name)}: Required value`)
  return text ?? ''
}
