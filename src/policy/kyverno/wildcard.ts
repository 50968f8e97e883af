/** Kyverno's wildcards on names: compiled when a policy is read. @module */
import { isCodedError } from '#errors'
import { compilePattern } from '#verify/pattern/pattern'
import type { Fields } from '../internal/fields.js'
import { wildcardPattern } from '../internal/wildcard.js'
import { invalidValue } from './complain.js'

/** A text with `*` and `?`, which other texts are like or not. */
export interface Wildcard {
  readonly text: string
  matches(text: string): boolean
}

/** @throws VerificationError `VERIFY_PATTERN` for a text that is too long */
export function wildcard(text: string): Wildcard {
  if (!isWildcard(text)) return { text, matches: (other) => other === text }
  if (text === '*') return { text, matches: () => true }
  const pattern = compilePattern(wildcardPattern(text))
  return { text, matches: (other) => pattern.matches(other) }
}

/** Whether a text has wildcards. */
export function isWildcard(text: string): boolean {
  return /[*?]/.test(text)
}

/** The wildcards of a list of texts. */
export function readWildcards(fields: Fields, name: string): readonly Wildcard[] {
  return fields.texts(name).flatMap((text) => readWildcard(fields, name, text))
}

/** One, or none where there was something to complain about. */
export function readWildcard(fields: Fields, name: string, text: string): readonly Wildcard[] {
  try {
    return [wildcard(text)]
  } catch (error) {
    if (!isCodedError(error)) throw error
    invalidValue(fields, error.message, name)
    return []
  }
}
