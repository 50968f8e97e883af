/** From the verdicts of rules to that on the resource. @module */
import { isCodedError } from '#errors'
import { readImageName } from '../internal/image-name.js'
import type { ImageOccurrence } from '../internal/image.js'
import type { ReviewImages } from '../internal/review-images.js'
import type { EvaluationRequest } from './evaluate.js'
import { pinOf, pinsWithoutConflict } from './pins.js'
import type { Pin, ReviewVerdict, RuleVerdict } from './verdict.js'

/** Images that no policy selected. */
export function unmatchedImages({ places }: ReviewImages, matched: ReadonlySet<string>): readonly ImageOccurrence[] {
  return places
    .filter(({ pointer }) => !matched.has(pointer))
    .map(({ value, ...place }) => {
      const text = typeof value === 'string' ? value.slice(0, 1024) : JSON.stringify(value)
      return { ...place, image: { text, reference: readNameOrNone(text) } }
    })
}

function readNameOrNone(text: string): ImageOccurrence['image']['reference'] {
  try {
    return readImageName(text).reference
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { kind: 'tag', registry: '', repository: '', tag: '' }
  }
}

/** What follows from the verdicts of all rules: nothing is written into what is refused. */
export function conclude(
  request: EvaluationRequest,
  { rules, pins: written }: { readonly rules: readonly RuleVerdict[]; readonly pins: readonly Pin[] },
  unmatched: readonly ImageOccurrence[],
): ReviewVerdict {
  const pins = pinsWithoutConflict([...rules.flatMap(pinOf), ...written])
  const denials = rules.filter(({ verdict }) => verdict === 'denied')
  const refusedUnmatched = request.unmatched === 'deny' ? unmatched.map(noMatch) : []
  const allowed = denials.length === 0 && refusedUnmatched.length === 0
  return {
    allowed,
    rules,
    unmatched,
    refusedUnmatched,
    pins: allowed ? pins : [],
    message: allowed ? '' : [...denials.map(({ message }) => message), ...refusedUnmatched].join('\n'),
    warnings: [
      ...rules.filter(({ verdict }) => verdict === 'warned').map(({ message }) => message),
      ...rules.flatMap(({ warnings }) => warnings),
      ...(request.unmatched === 'warn' ? unmatched.map(noMatch) : []),
    ],
  }
}

function noMatch({ path, image }: ImageOccurrence): string {
  return `no matching policies: ${path}\n${image.text}`
}

/** Of a review that nobody has to judge. */
export function nothingToSay(): ReviewVerdict {
  return {
    allowed: true,
    rules: [],
    unmatched: [],
    refusedUnmatched: [],
    pins: [] as readonly Pin[],
    message: '',
    warnings: [],
  }
}
