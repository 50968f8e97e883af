/** Versions of Ruby gems (Gem::Version). @module */
import { compareDigits, compareText, orderOf, type CompareVersions } from './order.js'

const GEM = /^\s*(?:\d+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?\s*$/

function parse(text: string): readonly string[] | undefined {
  if (!GEM.test(text)) return undefined
  const segments = text.replaceAll('-', '.pre.').match(/\d+|[a-zA-Z]+/g) ?? ['0']
  // Zeros at the end mean nothing, and neither do those before the first word: 1.0.a is 1.a.
  const word = segments.findIndex((segment) => !isNumber(segment))
  const release = word < 0 ? segments : segments.slice(0, word)
  return [...withoutZeros(release), ...(word < 0 ? [] : withoutZeros(segments.slice(word)))]
}

function isNumber(segment: string): boolean {
  return /^\d/.test(segment)
}

function withoutZeros(segments: readonly string[]): readonly string[] {
  let end = segments.length
  while (end > 0 && /^0+$/.test(segments[end - 1] ?? '')) end--
  return segments.slice(0, end)
}

/** Words are of prereleases: they come before numbers, and before nothing at all. */
function compare(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x = '0', y = '0'] = [a[index], b[index]]
    const [isFirst, isSecond] = [isNumber(x), isNumber(y)]
    const order =
      isFirst && isSecond
        ? compareDigits(x, y)
        : isFirst !== isSecond
          ? Number(isFirst) - Number(isSecond)
          : compareText(x, y)
    if (order !== 0) return order
  }
  return 0
}

export const compareRubygems: CompareVersions = orderOf(parse, compare)
