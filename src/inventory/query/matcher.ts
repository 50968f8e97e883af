/** What is looked for in components: a name, a package, a vulnerability. @module */
import { isCodedError } from '#errors'
import { parsePurl, type PackageUrl } from '#formats/purl/purl'
import type { StoredComponent, StoredSbom } from '../cache/entry.js'
import type { Vulnerability } from './vulnerability.js'

/**
 * How a component stands to the question. `possible` is what cannot be ruled out: an order of versions that nobody knows, a
 * package without a package URL, a distribution without a release.
 */
export type Standing = 'present' | 'affected' | 'possible'

export interface ComponentMatch {
  readonly standing: Standing
  /** Of a question about vulnerabilities. */
  readonly vulnerability: Vulnerability | undefined
}

export interface ComponentMatcher {
  /** The question, in words. */
  readonly question: string
  /**
   * Texts of lower-case letters and digits: a bill of materials without any of them has no match and need not be read.
   * Undefined where every one is to be read.
   */
  readonly needles: readonly string[] | undefined
  match(component: StoredComponent, sbom: StoredSbom): readonly ComponentMatch[]
}

const RUNS = /[a-z0-9]+/g

/** The longest run of letters and digits: whatever holds the text, in any case and any encoding, holds this. */
export function needleOf(text: string): string | undefined {
  const runs = text.toLowerCase().match(RUNS) ?? []
  return runs.reduce<string | undefined>(
    (longest, run) => (run.length > (longest?.length ?? 0) ? run : longest),
    undefined,
  )
}

/** Needles for any of several texts; undefined if one of them has none. */
export function needlesOf(texts: Iterable<string>): readonly string[] | undefined {
  const needles = new Set<string>()
  for (const text of texts) {
    const needle = needleOf(text)
    if (needle === undefined) return undefined
    needles.add(needle)
  }
  return [...needles]
}

/** Package URLs, each taken apart once: the same packages are in many images. */
export function purlReader(): (text: string | undefined) => PackageUrl | undefined {
  const known = new Map<string, PackageUrl | undefined>()
  return (text) => {
    if (text === undefined) return undefined
    if (!known.has(text)) {
      if (known.size >= REMEMBERED) known.clear()
      known.set(text, readPurl(text))
    }
    return known.get(text)
  }
}

/** Beyond this, it costs more memory than it saves time. */
const REMEMBERED = 200_000

function readPurl(text: string): PackageUrl | undefined {
  try {
    return parsePurl(text)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
