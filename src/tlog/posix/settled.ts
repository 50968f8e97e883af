/** The file that says up to which tree everything is durably in tiles. @module */
import { decodeHex, encodeHex } from '#encoding/hex'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { HASH_SIZE, emptyRoot } from '#formats/merkle/hash'
import { TlogError } from '../errors.js'
import type { TreeState } from '../storage.js'
import type { KeyFileExtent } from './key-file.js'

/** Its content. */
export interface Settled {
  readonly state: TreeState
  readonly tables: ReadonlyMap<string, KeyFileExtent>
}

const VERSION = 1

export function serializeSettled({ state, tables }: Settled): Uint8Array {
  const document = {
    version: VERSION,
    size: state.size,
    rootHash: encodeHex(state.rootHash),
    time: state.time,
    tables: Object.fromEntries(tables),
  }
  return encodeUtf8(`${JSON.stringify(document)}\n`)
}

/**
 * Reads it; no file means a new log.
 * @throws TlogError `TLOG_STORAGE` if it is not what {@link serializeSettled} writes
 */
export function parseSettled(bytes: Uint8Array | undefined): Settled {
  if (bytes === undefined) return { state: { size: 0, rootHash: emptyRoot(), time: 0 }, tables: new Map() }
  try {
    return readSettled(parseJson(bytes))
  } catch (cause) {
    throw new TlogError('TLOG_STORAGE', 'the file state/settled cannot be read', {
      hint: 'restore it from a backup; was it written by another version?',
      cause,
    })
  }
}

function readSettled(document: JsonValue): Settled {
  if (!isJsonObject(document) || document['version'] !== VERSION) throw invalid('version')
  const rootHash = typeof document['rootHash'] === 'string' ? decodeHex(document['rootHash']) : new Uint8Array(0)
  if (rootHash.length !== HASH_SIZE) throw invalid('rootHash')
  const state = { size: count(document, 'size'), rootHash, time: count(document, 'time') }
  const tables = document['tables']
  if (!isJsonObject(tables)) throw invalid('tables')
  return { state, tables: new Map(Object.entries(tables).map(([name, extent]) => [name, readExtent(extent)])) }
}

function readExtent(extent: JsonValue): KeyFileExtent {
  return { generation: count(extent, 'generation'), bytes: count(extent, 'bytes'), covered: count(extent, 'covered') }
}

function count(object: JsonValue, name: string): number {
  const value = isJsonObject(object) ? object[name] : undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(name)
}

function invalid(field: string): TlogError {
  return new TlogError('TLOG_STORAGE', 'a field of state/settled is not right', { found: field })
}
