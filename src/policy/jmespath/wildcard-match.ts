/** Texts against Kyverno's wildcards and regular expressions, in linear time. @module */
import { compilePattern } from '#verify/pattern/pattern'
import { wildcardPattern } from '../internal/wildcard.js'
import type { Budget } from './budget.js'
import { evaluationError } from './jmespath-error.js'

/** Whether a text is what the wildcard text stands for. */
export function matchesWildcard(wildcard: string, text: string, budget: Budget): boolean {
  budget.characters(wildcard.length + text.length)
  if (!/[*?]/.test(wildcard)) return wildcard === text
  return compiled(wildcardPattern(wildcard)).matches(text)
}

/** Whether a regular expression occurs in a text. */
export function matchesExpression(expression: string, text: string, budget: Budget): boolean {
  budget.characters(expression.length + text.length)
  return compiled(expression).occursIn(text)
}

function compiled(source: string): ReturnType<typeof compilePattern> {
  try {
    return compilePattern(source)
  } catch (cause) {
    throw evaluationError('not a pattern that is understood', {
      expected: 'RE2 without back-references',
      found: cause instanceof Error ? cause.message : source.slice(0, 80),
    })
  }
}
