/** Which records of a folder are about a vulnerability: under its own name, another name, or passed on by a distribution. @module */
import { parseOsvRecord, type OsvRecord } from '#formats/osv/record'
import type { UnixMillis } from '#time'
import { InventoryError } from '../inventory-error.js'
import { readOsvFolder, type BrokenRecord, type FolderFiles } from './osv-folder.js'
import { createVulnerability, type Vulnerability } from './vulnerability.js'

export interface LoadedVulnerabilities {
  readonly vulnerabilities: readonly Vulnerability[]
  /** With one of these an answer is incomplete. */
  readonly broken: readonly BrokenRecord[]
  /** How many records were read. */
  readonly read: number
  /** Ids of records that were taken back. */
  readonly withdrawn: readonly string[]
  /** Ids of records that only say that they are related: they are about something else. */
  readonly related: readonly string[]
}

/** What of a record is kept while it is not known whether it matters. */
interface Link {
  readonly id: string
  readonly path: string
  readonly aliases: readonly string[]
  readonly upstream: readonly string[]
  readonly related: readonly string[]
  readonly modified: UnixMillis
  readonly withdrawn: boolean
}

/**
 * Everything about one vulnerability. Aliases hold both ways and on; a record whose `upstream` names it passes it on (a
 * distribution's advisory, which may be about more), and so do records above that.
 * @throws InventoryError `INVENTORY_NO_RECORD` if nothing is about it: that is no answer
 */
export async function loadVulnerability(
  files: FolderFiles,
  folder: string,
  name: string,
): Promise<LoadedVulnerabilities> {
  const { links, broken, read } = await readLinks(files, folder)
  if (read + broken.length === 0) throw emptyFolder(folder)
  const names = aliasesOf(links, name)
  const about = links.filter(({ id }) => names.has(id))
  const downstream = downstreamOf(links, names)
  const current = latest([...about, ...downstream]).filter(({ withdrawn }) => !withdrawn)
  const withdrawn = latest([...about, ...downstream])
    .filter((link) => link.withdrawn)
    .map(({ id }) => id)
  const related = links
    .filter((link) => !about.includes(link) && !downstream.includes(link) && link.related.some((id) => names.has(id)))
    .map(({ id }) => id)
  if (current.length === 0) {
    throw new InventoryError('INVENTORY_NO_RECORD', `no record in ${folder} is about ${name}`, {
      expected: `a record with this id or alias among the ${String(read)} that were read`,
      found: withdrawn.length > 0 ? `only withdrawn: ${withdrawn.join(', ')}` : describeBroken(broken),
      hint: 'look at the name, and give a newer or a larger folder of OSV records',
    })
  }
  const records = await readAgain(
    files,
    current.map(({ path }) => path),
  )
  return { vulnerabilities: [createVulnerability(names, records)], broken, read, withdrawn, related }
}

/**
 * Every vulnerability of a folder that is about one of the packages; its names are those of its aliases, while what it passes
 * on stays apart, since it may bundle several.
 * @throws InventoryError `INVENTORY_NO_RECORD` if there are no records at all: "nothing found" would be said of nothing
 */
export async function loadVulnerabilities(
  files: FolderFiles,
  folder: string,
  isWanted: (record: OsvRecord) => boolean,
): Promise<LoadedVulnerabilities> {
  const records: OsvRecord[] = []
  const broken: BrokenRecord[] = []
  let read = 0
  for await (const found of readOsvFolder(files, folder)) {
    if ('code' in found) broken.push(found)
    else {
      read += 1
      if (found.record.withdrawn === undefined && isWanted(found.record)) records.push(found.record)
    }
  }
  if (read + broken.length === 0) throw emptyFolder(folder)
  return { vulnerabilities: groupByAlias(records), broken, read, withdrawn: [], related: [] }
}

function emptyFolder(folder: string): InventoryError {
  return new InventoryError('INVENTORY_NO_RECORD', `there is no record in ${folder}`, {
    expected: 'OSV records, each in a file that ends in .json',
    hint: 'an archive such as all.zip of a database is to be unpacked first',
  })
}

function describeBroken(broken: readonly BrokenRecord[]): string | undefined {
  return broken.length === 0 ? undefined : `${String(broken.length)} records that cannot be read`
}

async function readLinks(
  files: FolderFiles,
  folder: string,
): Promise<{ readonly links: readonly Link[]; readonly broken: readonly BrokenRecord[]; readonly read: number }> {
  const links: Link[] = []
  const broken: BrokenRecord[] = []
  for await (const found of readOsvFolder(files, folder)) {
    if ('code' in found) broken.push(found)
    else {
      const { id, aliases, upstream, related, modified, withdrawn } = found.record
      links.push({ id, path: found.path, aliases, upstream, related, modified, withdrawn: withdrawn !== undefined })
    }
  }
  return { links, broken, read: links.length }
}

/** All names of what has this name. */
function aliasesOf(links: readonly Link[], name: string): ReadonlySet<string> {
  const names = new Set([name])
  for (let size = 0; size !== names.size;) {
    size = names.size
    for (const { id, aliases } of links) {
      if (!names.has(id) && !aliases.some((alias) => names.has(alias))) continue
      for (const each of [id, ...aliases]) names.add(each)
    }
  }
  return names
}

/** Records that pass on one of the names, or a record that does. */
function downstreamOf(links: readonly Link[], names: ReadonlySet<string>): readonly Link[] {
  const passed = new Set(names)
  const found = new Set<Link>()
  for (let size = -1; size !== found.size;) {
    size = found.size
    for (const link of links) {
      if (names.has(link.id) || found.has(link) || !link.upstream.some((id) => passed.has(id))) continue
      found.add(link)
      passed.add(link.id)
    }
  }
  return [...found]
}

/** Of two records with one id the one that was modified later counts. */
function latest(links: readonly Link[]): readonly Link[] {
  const byId = new Map<string, Link>()
  for (const link of links) {
    const known = byId.get(link.id)
    if (known === undefined || link.modified > known.modified) byId.set(link.id, link)
  }
  return [...byId.values()]
}

/** @throws OsvError if one of them has changed and cannot be read any more */
async function readAgain(files: FolderFiles, paths: readonly string[]): Promise<readonly OsvRecord[]> {
  const records: OsvRecord[] = []
  for (const path of paths) records.push(parseOsvRecord(await files.read(path)))
  return records
}

/** Records that name each other, or a common name, are about one vulnerability. */
function groupByAlias(records: readonly OsvRecord[]): readonly Vulnerability[] {
  const groupOf = new Map<string, Group>()
  for (const record of records) {
    const names = [record.id, ...record.aliases]
    const met = new Set(names.flatMap((name) => groupOf.get(name) ?? []))
    const group: Group = {
      names: new Set([...names, ...[...met].flatMap((each) => [...each.names])]),
      records: [...[...met].flatMap((each) => each.records), record],
    }
    for (const name of group.names) groupOf.set(name, group)
  }
  return [...new Set(groupOf.values())].map((group) => createVulnerability(group.names, group.records))
}

interface Group {
  readonly names: ReadonlySet<string>
  readonly records: readonly OsvRecord[]
}
