/** Comparing texts as policies ask, and saying what was expected. @module */
import type { TextRequirement } from '#verify/identity/identity-policy'
import { compilePattern } from '#verify/pattern/pattern'
import type { TextMatch } from './attestor.js'
import { wildcardPattern } from './wildcard.js'

/** What the verifier is told to require of a certificate's text. */
export function textRequirement(match: TextMatch): TextRequirement {
  if (match.kind === 'exact') return { exact: match.text }
  if (match.kind === 'wildcard') return { unsafePattern: compilePattern(wildcardPattern(match.pattern)) }
  return match.extent === 'part' ? { unsafePart: match.pattern } : { unsafePattern: match.pattern }
}

/** Whether a text that is no part of an identity (an annotation) is as asked. */
export function matchesText(match: TextMatch, text: string): boolean {
  if (match.kind === 'exact') return match.text === text
  if (match.kind === 'wildcard') return compilePattern(wildcardPattern(match.pattern)).matches(text)
  return match.extent === 'part' ? match.pattern.occursIn(text) : match.pattern.matches(text)
}

/** For messages and for `policy explain`. */
export function describeMatch(match: TextMatch): string {
  if (match.kind === 'exact') return match.text
  return match.kind === 'wildcard' ? `like ${match.pattern}` : `matching /${match.pattern.source}/`
}
