/** Rekor v1's JSON answers, read strictly. @module */
import { decodeBase64 } from '#encoding/base64'
import { decodeHex } from '#encoding/hex'
import { isJsonObject, type JsonValue } from '#encoding/json'
import { readMessage, type ProtoReader } from '#encoding/protojson'
import { entryKindOf } from '#formats/rekor-entry/body'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'
import { RekorError } from './rekor-error.js'

/** The state a log reports of itself. */
export interface LogInfo {
  readonly rootHash: Uint8Array
  readonly treeSize: bigint
  /** A signed note. */
  readonly signedTreeHead: string
  /** Decimal. */
  readonly treeId: string
  readonly inactiveShards: number
}

/** An entry and its ID. */
export interface IdentifiedEntry {
  readonly uuid: string
  readonly entry: LogEntry
}

/** The single entry of an answer, and its ID. */
export function readLogEntries(answer: JsonValue): IdentifiedEntry {
  const members = isJsonObject(answer) ? Object.entries(answer) : []
  const [member] = members
  if (members.length !== 1 || member === undefined || !/^[0-9a-f]{64,80}$/.test(member[0])) {
    throw malformed('an object with one entry under its ID', `${String(members.length)} members`)
  }
  return { uuid: member[0], entry: readEntry(member[1]) }
}

/** The entries of a search for equal ones: an array of objects with one entry each. */
export function readFoundEntries(answer: JsonValue): readonly IdentifiedEntry[] {
  if (Array.isArray(answer)) return (answer as readonly JsonValue[]).map(readLogEntries)
  throw malformed('an array of entries', 'something else')
}

/** Entry IDs of a search. */
export function readEntryIds(answer: JsonValue): readonly string[] {
  if (!Array.isArray(answer)) throw malformed('an array of entry IDs', 'something else')
  return (answer as readonly JsonValue[]).map((id) => {
    if (typeof id === 'string' && /^[0-9a-f]{64,80}$/.test(id)) return id
    throw malformed('an array of entry IDs', 'a member that is none')
  })
}

/** The answer of `/api/v1/log`. */
export function readLogInfo(answer: JsonValue): LogInfo {
  const names = ['rootHash', 'treeSize', 'signedTreeHead', 'treeID', 'inactiveShards']
  const reader = readMessage(answer, '', { names, unknown: 'ignore' })
  return {
    rootHash: hash(reader.string('rootHash')),
    treeSize: natural(reader, 'treeSize'),
    signedTreeHead: reader.string('signedTreeHead'),
    treeId: reader.string('treeID'),
    inactiveShards: reader.list('inactiveShards', () => 1).length,
  }
}

const ENTRY = ['body', 'integratedTime', 'logID', 'logIndex', 'verification', 'attestation']
const VERIFICATION = ['inclusionProof', 'signedEntryTimestamp']
const PROOF = ['checkpoint', 'hashes', 'logIndex', 'rootHash', 'treeSize']

function readEntry(value: JsonValue): LogEntry {
  const reader = readMessage(value, 'entry', { names: ENTRY, unknown: 'ignore' })
  const canonicalizedBody = decodeBase64(reader.string('body'))
  const verification = reader.optionalMessage('verification', (inner, path) =>
    readMessage(inner, path, { names: VERIFICATION, unknown: 'ignore' }),
  )
  const set = verification?.optionalString('signedEntryTimestamp')
  return {
    logIndex: natural(reader, 'logIndex'),
    logId: hash(reader.string('logID')),
    ...entryKindOf(canonicalizedBody),
    integratedTime: Number(natural(reader, 'integratedTime')) * 1000,
    inclusionPromise: set === undefined ? undefined : decodeBase64(set),
    inclusionProof: verification?.optionalMessage('inclusionProof', readProof),
    canonicalizedBody,
  }
}

function readProof(value: JsonValue, path: string): InclusionProof {
  const reader = readMessage(value, path, { names: PROOF, unknown: 'ignore' })
  return {
    logIndex: natural(reader, 'logIndex'),
    rootHash: hash(reader.string('rootHash')),
    treeSize: natural(reader, 'treeSize'),
    hashes: reader.list('hashes', (item) => hash(item)),
    checkpoint: reader.optionalString('checkpoint'),
  }
}

function natural(reader: ProtoReader, name: string): bigint {
  const value = reader.int64(name)
  if (value >= 0n) return value
  throw reader.error('PROTOJSON_VALUE', name, { expected: 'a number that is not negative' })
}

function hash(value: JsonValue): Uint8Array {
  const bytes = typeof value === 'string' ? decodeHex(value) : undefined
  if (bytes?.length === 32) return bytes
  throw malformed('a hash of 32 bytes in hexadecimal', 'something else')
}

function malformed(expected: string, found: string): RekorError {
  return new RekorError('REKOR_RESPONSE', 'the log’s answer does not have the right form', { expected, found })
}
