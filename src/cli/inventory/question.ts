/** From flags to the question that is asked. @module */
import type { EntryStore } from '#inventory/cache/entries'
import type { Inventory } from '#inventory/model'
import { knownNames } from '#inventory/query/known-names'
import {
  loadVulnerabilities,
  loadVulnerability,
  type LoadedVulnerabilities,
} from '#inventory/query/load-vulnerabilities'
import { namesOfAffected } from '#inventory/query/package-match'
import { purlMatcher } from '#inventory/query/purl-query'
import type { Question } from '#inventory/query/search'
import { termMatcher } from '#inventory/query/term'
import { nameKey, vulnerabilityMatcher } from '#inventory/query/vulnerability'
import type { UnixMillis } from '#time'
import { formatRfc3339, parseRfc3339 } from '#time'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { readDuration } from '../kit/values.js'
import { counted } from './text.js'

export interface QuestionFlags {
  readonly exact: boolean
  readonly purl: string | undefined
  readonly cve: string | undefined
  readonly osv: string | undefined
  readonly since: string | undefined
}

/** One way to ask. */
export type Asked =
  | { readonly kind: 'term'; readonly term: string; readonly exact: boolean }
  | { readonly kind: 'purl'; readonly purl: string }
  | { readonly kind: 'vulnerability'; readonly name: string; readonly folder: string }
  | { readonly kind: 'vulnerabilities'; readonly folder: string; readonly since: UnixMillis | undefined }

/** @throws {@link UsageError} if it is not clear what is asked */
export function readQuestion(terms: readonly string[], flags: QuestionFlags, now: UnixMillis): Asked {
  const [term] = terms
  const { exact, purl, cve, osv, since } = flags
  const ways = [term, purl, cve].filter((way) => way !== undefined)
  if (ways.length > 1 || (ways.length === 0 && osv === undefined)) {
    throw new UsageError('USAGE_ARGUMENTS', 'one thing can be looked for at a time', {
      expected: 'NAME, --purl PURL, --cve ID --osv FOLDER, or --osv FOLDER for every vulnerability in it',
      found: ways.length === 0 ? 'nothing' : ways.join(', '),
    })
  }
  if (since !== undefined && (osv === undefined || cve !== undefined))
    throw conflict('--since is about the records of --osv, without --cve')
  if (term !== undefined) return { kind: 'term', term, exact }
  if (exact) throw conflict('--exact is about names')
  if (purl !== undefined) return { kind: 'purl', purl }
  if (osv === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', '--cve needs to know what is affected', {
      expected: '--osv FOLDER with records of the OSV schema',
    })
  }
  if (cve !== undefined) return { kind: 'vulnerability', name: canonicalName(cve), folder: osv }
  return { kind: 'vulnerabilities', folder: osv, since: since === undefined ? undefined : readSince(since, now) }
}

function conflict(message: string): UsageError {
  return new UsageError('USAGE_FLAG_CONFLICT', message)
}

/** CVE ids are written in either case; other databases mean theirs. */
function canonicalName(name: string): string {
  return /^cve-/i.test(name) ? name.toUpperCase() : name
}

/** A day, a time, or how long ago: `2026-01-31`, `7d`, `12h`. */
function readSince(text: string, now: UnixMillis): UnixMillis {
  const days = /^(\d{1,5})d$/.exec(text)
  const ago = days === null ? readDuration(text) : Number(days[1]) * 86_400_000
  if (ago !== undefined) return now - ago
  try {
    return parseRfc3339(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  } catch (cause) {
    throw new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(text)} for "--since" flag`, {
      expected: 'a day (2026-01-31), a time (2026-01-31T12:00:00Z), or how long ago (7d, 12h)',
      cause,
    })
  }
}

/** Reads what the question needs: records, and for many of them the names that run. */
export async function prepareQuestion(
  host: Host,
  asked: Asked,
  { inventory, entries }: { readonly inventory: Inventory; readonly entries: EntryStore },
): Promise<Question> {
  if (asked.kind === 'term' || asked.kind === 'purl') {
    const matcher = asked.kind === 'term' ? termMatcher(asked.term, asked) : purlMatcher(asked.purl)
    return { matcher, vulnerabilities: [], broken: [], notes: [] }
  }
  const { folder } = asked
  if (asked.kind === 'vulnerability') {
    const loaded = await loadVulnerability(host.files, folder, asked.name)
    return questionOf(loaded, asked.name, notesOf(loaded))
  }
  const { since } = asked
  const names = await knownNames(inventory, entries)
  const loaded = await loadVulnerabilities(host.files, folder, ({ published, modified, affected }) => {
    if (since !== undefined && (published ?? modified) < since) return false
    return affected.flatMap(namesOfAffected).some((name) => names.has(nameKey(name)))
  })
  const when = since === undefined ? '' : ` published since ${formatRfc3339(since)}`
  return questionOf(loaded, `vulnerabilities in ${folder}${when}`, [`${counted(loaded.read, 'record')} read`])
}

function questionOf(loaded: LoadedVulnerabilities, question: string, notes: readonly string[]): Question {
  const { vulnerabilities, broken } = loaded
  return { matcher: vulnerabilityMatcher(vulnerabilities, question), vulnerabilities, broken, notes }
}

function notesOf({ read, withdrawn, related }: LoadedVulnerabilities): readonly string[] {
  return [
    `${counted(read, 'record')} read`,
    ...(withdrawn.length === 0 ? [] : [`withdrawn, and not looked at: ${withdrawn.join(', ')}`]),
    ...(related.length === 0 ? [] : [`only related, and not looked at: ${related.join(', ')}`]),
  ]
}
