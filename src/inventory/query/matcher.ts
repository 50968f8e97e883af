/** What is looked for in components: a name, a package, a vulnerability. @module */
import { isCodedError } from '#errors'
import { parsePurl, type PackageUrl } from '#formats/purl/purl'
import type { SbomHeader, StoredComponent } from '../cache/entry.js'
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
  /** What a line of the cache must hold to be worth taking apart; undefined where every one is. */
  readonly needles: Needles | undefined
  /** Whether a component of these names may match; asked instead of needles where there are too many. */
  readonly mayBeNamed?: (name: string) => boolean
  match(component: StoredComponent, sbom: SbomHeader): readonly ComponentMatch[]
}

/** Texts in lower case: a line without all of the texts of one of the groups has no match. */
export type Needles = readonly (readonly string[])[]

/** Written the same in names, package URLs, CPEs and JSON. */
const PLAIN = /[a-z0-9._-]+/g
/** Ecosystems take different separators for the same. */
const RUNS = /[a-z0-9]+/g

/** What a line holds if one of its texts holds this one; undefined if there is nothing to go by. */
export function needleOf(text: string): Needles | undefined {
  return groupOf(text, PLAIN)
}

/** What a line holds if it is about one of these names, whatever is made of separators in them. */
export function needlesOfNames(names: Iterable<string>): Needles | undefined {
  const groups: (readonly string[])[] = []
  for (const name of names) {
    const group = groupOf(name, RUNS)
    if (group === undefined) return undefined
    groups.push(...group)
  }
  return groups
}

/** Other letters are written in several ways, and some of them have a lower case in ASCII. */
function groupOf(text: string, parts: RegExp): Needles | undefined {
  if (/[^\u0000-\u007f]/.test(text)) return undefined
  const found = text.toLowerCase().match(parts)
  return found === null ? undefined : [[...new Set(found)]]
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
