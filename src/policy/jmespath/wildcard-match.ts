/** Texts against Kyverno's wildcards and regular expressions, in linear time. @module */
import { compilePattern } from '#verify/pattern/pattern'
import type { Pattern } from '#verify/pattern/pattern'
import { wildcardPattern } from '../internal/wildcard.js'
import type { Budget } from './budget.js'
import { evaluationError } from './jmespath-error.js'

/** What is done to one character of a text is a small part of what an evaluation's other steps are. */
const PATTERN_STEPS = 32

/** Compiling an instruction takes about as long as running it on so many characters. */
const COMPILING = 64

/** Whether a text has wildcards at all. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text)
}

/** Whether a text is what the wildcard text stands for. */
export function matchesWildcard(wildcard: string, text: string, budget: Budget): boolean {
  return wildcardMatcher(wildcard, budget)(text)
}

/** The same for several texts. */
export function wildcardMatcher(wildcard: string, budget: Budget): (text: string) => boolean {
  budget.characters(wildcard.length)
  const pattern = hasWildcard(wildcard) ? compiled(wildcardPattern(wildcard), budget) : undefined
  return (text) => {
    budget.characters(text.length)
    if (pattern === undefined) return wildcard === text
    spend(pattern, text.length, budget)
    return pattern.matches(text)
  }
}

/** Whether a regular expression occurs in a text. */
export function matchesExpression(expression: string, text: string, budget: Budget): boolean {
  budget.characters(expression.length + text.length)
  const pattern = compiled(expression, budget)
  spend(pattern, text.length, budget)
  return pattern.occursIn(text)
}

/** Linear in the text is not enough where a stranger may bring a long text, and a large pattern with it. */
function spend({ size }: Pattern, characters: number, budget: Budget): void {
  budget.spend(Math.ceil((size * characters) / PATTERN_STEPS))
}

function compiled(source: string, budget: Budget): Pattern {
  let pattern
  try {
    pattern = compilePattern(source)
  } catch (cause) {
    throw evaluationError('not a pattern that is understood', {
      expected: 'RE2 without back-references',
      found: cause instanceof Error ? cause.message : source.slice(0, 80),
    })
  }
  spend(pattern, COMPILING, budget)
  return pattern
}
