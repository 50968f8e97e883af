/**
 * The globs of `matchImageReferences`: `*` and `**` are anything, `?` one character, `[…]` one of them, `[!…]` none of them, `{a,b}`
 * one of these, and a backslash takes the meaning of what follows. They cover all of a name.
 *
 * @module
 */
import { compilePattern } from '#verify/pattern/pattern'
import type { Pattern } from '#verify/pattern/pattern'
import { allForms } from '../internal/image-forms.js'
import type { ImageSelector } from '../internal/image.js'
import { PolicyError } from '../internal/policy-error.js'

const SPECIAL = /[\\^$.|+()[\]{}*?]/g
const MAX_LENGTH = 1024

/**
 * The pattern that matches, as a whole, what the glob matches.
 * @throws PolicyError `POLICY_FIELD`; VerificationError `VERIFY_PATTERN` if it is too large
 */
export function compileGlob(glob: string): Pattern {
  if (glob.length > MAX_LENGTH) throw malformed('too long')
  return compilePattern(translate(glob))
}

const PART = /\\(.)|\*+|\?|\[([!^]?)([^\]]+)\]|[{},]|\\$|\[|[^\\*?[{},]+|./gsu

function translate(glob: string): string {
  let depth = 0
  const parts = Array.from(glob.matchAll(PART), ([whole, escaped, negation, members]) => {
    if (escaped !== undefined) return literal(escaped)
    if (members !== undefined) return `[${negation === '' ? '' : '^'}${members.replace(/[\\[^&~]/g, '\\$&')}]`
    if (whole.startsWith('*')) return '(?s:.*)'
    if (whole === '?') return '(?s:.)'
    if (whole === '{') {
      depth++
      return '(?:'
    }
    if (whole === '}' && depth > 0) {
      depth--
      return ')'
    }
    if (whole === ',' && depth > 0) return '|'
    if (whole === '\\' || whole === '[') throw malformed(`there is nothing after ${whole}`)
    return literal(whole)
  })
  if (depth > 0) throw malformed('a brace is not closed')
  return parts.join('')
}

function literal(text: string): string {
  return text.replace(SPECIAL, '\\$&')
}

function malformed(why: string): PolicyError {
  return new PolicyError('POLICY_FIELD', `not a glob: ${why}`)
}

/** What says something of a digest can only be told once it is known. */
export const ABOUT_DIGESTS: RegExp = /@|sha256|digest|identifier/i

/** A glob is tried on every form of an image's name. @throws what {@link compileGlob} throws */
export function globSelector(glob: string): ImageSelector {
  const pattern = compileGlob(glob)
  return {
    kind: 'expression',
    source: glob,
    ...(ABOUT_DIGESTS.test(glob) ? {} : { digestDecides: 'nothing' }),
    selects: (image, pinned) => allForms(image, pinned).some((form) => pattern.matches(form)),
  }
}
