/** Kyverno's label selectors: Kubernetes', with wildcards in `matchLabels`. @module */
import { readLabelSelector, selectsLabels } from '../internal/label-selector.js'
import type { LabelSelector } from '../internal/label-selector.js'
import type { Fields } from '../internal/fields.js'
import { invalidValue } from './complain.js'
import { isWildcard, readWildcard } from './wildcard.js'
import type { Wildcard } from './wildcard.js'

/** Names and values, each with wildcards; some pair must be like both. */
export type PairPattern = readonly [name: Wildcard, value: Wildcard]

/** A selector; all of it must hold. */
export interface LabelPattern {
  readonly exact: LabelSelector
  readonly pairs: readonly PairPattern[]
}

/** Reads a selector, one that asks nothing is refused. */
export function readLabelPattern(fields: Fields): LabelPattern {
  const { labels, expressions } = readLabelSelector(fields)
  if (labels.size + expressions.length === 0) invalidValue(fields, 'The requirements are not specified in selector')
  const like = [...labels].filter(([name, value]) => isWildcard(name) || isWildcard(value))
  const same = [...labels].filter(([name, value]) => !isWildcard(name) && !isWildcard(value))
  return { exact: { labels: new Map(same), expressions }, pairs: readPairs(fields, 'matchLabels', like) }
}

/** Pairs of wildcards, as in `annotations`. */
export function readPairs(
  fields: Fields,
  field: string,
  entries: Iterable<readonly [string, string]>,
): readonly PairPattern[] {
  return [...entries].flatMap(([name, value]) => {
    const [left] = readWildcard(fields, field, name)
    const [right] = readWildcard(fields, field, value)
    return left === undefined || right === undefined ? [] : [[left, right] as const]
  })
}

/** Whether labels are selected. */
export function isLabelled({ exact, pairs }: LabelPattern, labels: ReadonlyMap<string, string>): boolean {
  return selectsLabels(exact, labels) && hasPairs(pairs, labels)
}

/** Whether for each pattern some pair is like it. */
export function hasPairs(patterns: readonly PairPattern[], pairs: ReadonlyMap<string, string>): boolean {
  return patterns.every(([name, value]) => [...pairs].some(([key, text]) => name.matches(key) && value.matches(text)))
}
