/** A folder of OSV records: every one is read, and what cannot be read is told, since it may be the one that matters. @module */
import { isCodedError } from '#errors'
import { parseOsvRecord, type OsvRecord } from '#formats/osv/record'

/** Something in a folder. */
export interface FolderEntry {
  readonly name: string
  /** What a link leads to counts; `other` is what is neither, such as a link that leads nowhere. */
  readonly kind: 'file' | 'folder' | 'other'
  /** Set: it is a link. */
  readonly link?: true
}

/** Files, as reading a folder needs them. Everything throws coded errors. */
export interface FolderFiles {
  read(path: string): Promise<Uint8Array>
  list(folder: string): Promise<readonly FolderEntry[]>
}

/** Something that should have been a record. */
export interface BrokenRecord {
  readonly path: string
  readonly code: string
  readonly message: string
}

/** No record of any database is longer; the largest, of kernels, have some megabytes. */
const MAX_RECORD = 32 * 1024 * 1024
const MAX_DEPTH = 8

/**
 * Reads every `.json` file below a folder, one after the other; the name of such a file is that record alone. Links to folders
 * are not followed: they may lead in circles, and what is behind them is told as unread.
 */
export async function* readOsvFolder(
  files: FolderFiles,
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly record: OsvRecord } | BrokenRecord> {
  if (folder.endsWith('.json')) {
    yield await readRecord(files, folder)
    return
  }
  for await (const found of walk(files, folder, 0)) {
    if ('code' in found) yield found
    else yield await readRecord(files, found.path)
  }
}

async function* walk(
  files: FolderFiles,
  folder: string,
  depth: number,
): AsyncGenerator<{ readonly path: string } | BrokenRecord> {
  if (depth > MAX_DEPTH) {
    yield { path: folder, code: 'OSV_MALFORMED', message: `folders are nested more than ${String(MAX_DEPTH)} deep` }
    return
  }
  for (const { name, kind, link } of await files.list(folder)) {
    const path = `${folder}/${name}`
    // .git and its like have no records.
    if (name.startsWith('.')) continue
    if (kind === 'folder' && link === true) {
      yield { path, code: 'OSV_MALFORMED', message: 'a link to a folder is not followed' }
    } else if (kind === 'folder') yield* walk(files, path, depth + 1)
    else if (name.endsWith('.json')) yield { path }
  }
}

async function readRecord(
  files: FolderFiles,
  path: string,
): Promise<{ readonly path: string; readonly record: OsvRecord } | BrokenRecord> {
  try {
    const bytes = await files.read(path)
    if (bytes.length > MAX_RECORD) return { path, code: 'OSV_MALFORMED', message: 'the record is too large' }
    return { path, record: parseOsvRecord(bytes) }
  } catch (error) {
    if (!isCodedError(error)) throw error
    const { code, message, expected } = error
    return { path, code, message: expected === undefined ? message : `${message} (expected: ${expected})` }
  }
}
