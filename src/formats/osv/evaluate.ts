/** Whether a version is affected (OSV schema, "Evaluation"), with an honest third answer. @module */
import type { CompareVersions } from '../versions/order.js'
import { compareSemver } from '../versions/semver.js'
import type { OsvAffected, OsvEvent, OsvRange } from './record.js'

/** `unknown` is what cannot be told: an order nobody knows, commits, a version that is none. Never `unaffected`. */
export type Impact = 'affected' | 'unaffected' | 'unknown'

/**
 * The impact on one version of the package, `undefined` where nobody said which version it is.
 * @param compare the order of the package's ecosystem, if there is one
 */
export function impactOn(
  { ranges, versions }: OsvAffected,
  version: string | undefined,
  compare: CompareVersions | undefined,
): Impact {
  if (ranges.some(isEverything)) return 'affected'
  if (version === undefined) return 'unknown'
  if (versions.has(version)) return 'affected'
  const ordered = ranges.filter(({ type }) => type !== 'GIT')
  const impacts = ordered.map((range) =>
    impactOfRange(range, version, range.type === 'SEMVER' ? compareSemver : compare),
  )
  if (impacts.includes('affected') || isListed(versions, version, compare)) return 'affected'
  if (impacts.includes('unknown')) return 'unknown'
  if (impacts.length > 0) return 'unaffected'
  // Commits have no order here. A list of versions alone is the whole answer, unless the versions are only tags of commits.
  return ranges.length === 0 && versions.size > 0 ? 'unaffected' : 'unknown'
}

/** From the beginning, and nothing ends it. */
function isEverything({ events }: OsvRange): boolean {
  return events.every(({ kind, version }) => kind === 'introduced' && version === '0')
}

/** The same version may be written in two ways: `1.0`, `v1.0.0`. */
function isListed(versions: ReadonlySet<string>, version: string, compare: CompareVersions | undefined): boolean {
  return compare !== undefined && [...versions].some((each) => compare(version, each) === 0)
}

function impactOfRange({ events }: OsvRange, version: string, compare: CompareVersions | undefined): Impact {
  if (compare === undefined) return 'unknown'
  const placed = events.map((event) => ({ event, order: orderTo(version, event, compare) }))
  if (placed.some(({ order }) => order === undefined)) return 'unknown'
  const limits = placed.filter(({ event }) => event.kind === 'limit')
  if (limits.length > 0 && !limits.some(({ order }) => (order ?? 0) < 0)) return 'unaffected'
  const timeline = sortEvents(events, compare)
  if (timeline === undefined) return 'unknown'
  let affected = false
  for (const event of timeline) {
    const order = orderTo(version, event, compare) ?? 0
    if (event.kind === 'introduced' && order >= 0) affected = true
    else if (event.kind === 'fixed' && order >= 0) affected = false
    else if (event.kind === 'last_affected' && order > 0) affected = false
  }
  return affected ? 'affected' : 'unaffected'
}

/** How the version stands to an event: `introduced: 0` is below everything, `limit: *` above. */
function orderTo(version: string, event: OsvEvent, compare: CompareVersions): number | undefined {
  if (isBeginning(event)) return 1
  if (event.kind === 'limit' && event.version.includes('*')) return -1
  return compare(version, event.version)
}

function isBeginning({ kind, version }: OsvEvent): boolean {
  return kind === 'introduced' && version === '0'
}

/** By version; what stands at one version stays in its order. Undefined where two have no order. */
function sortEvents(events: readonly OsvEvent[], compare: CompareVersions): readonly OsvEvent[] | undefined {
  const unordered: string[] = []
  const sorted = events
    .filter(({ kind }) => kind !== 'limit')
    .sort((a, b) => {
      if (isBeginning(a) || isBeginning(b)) return Number(isBeginning(b)) - Number(isBeginning(a))
      const order = compare(a.version, b.version)
      if (order === undefined) unordered.push(a.version)
      return order ?? 0
    })
  return unordered.length === 0 ? sorted : undefined
}
