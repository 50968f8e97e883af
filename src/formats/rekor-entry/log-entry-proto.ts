/** Log entries in protobuf JSON (`TransparencyLogEntry`): in bundles, and as Rekor v2 answers. @module */
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject, JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import type { InclusionProof, LogEntry } from './log-entry.js'
import { RekorEntryError } from './rekor-entry-error.js'

const ENTRY_FIELDS = [
  'logIndex',
  'logId',
  'kindVersion',
  'integratedTime',
  'inclusionPromise',
  'inclusionProof',
  'canonicalizedBody',
] as const

/** Later than any time that JavaScript's milliseconds can hold exactly. */
const MAX_SECONDS = 8_640_000_000_000n

/**
 * Reads a `TransparencyLogEntry`.
 * @throws RekorEntryError `REKOR_ENTRY_MALFORMED`, ProtojsonError `PROTOJSON_*`
 */
export function parseTransparencyLogEntry(value: JsonValue, path = ''): LogEntry {
  const reader = readMessage(value, path, { names: ENTRY_FIELDS })
  const { kind, version } = reader.message('kindVersion', (inner, at) => {
    const fields = readMessage(inner, at, { names: ['kind', 'version'] })
    return { kind: fields.string('kind'), version: fields.string('version') }
  })
  const seconds = natural(reader.optionalInt64('integratedTime'), path, 'integratedTime')
  if (seconds > MAX_SECONDS) throw outOfRange(path, 'integratedTime', seconds)
  const promise = reader.optionalMessage('inclusionPromise', (inner, at) =>
    readMessage(inner, at, { names: ['signedEntryTimestamp'] }).optionalBytes('signedEntryTimestamp'),
  )
  return {
    logIndex: natural(reader.optionalInt64('logIndex'), path, 'logIndex'),
    logId: reader.message('logId', parseLogId),
    kind,
    version,
    integratedTime: seconds === 0n ? undefined : Number(seconds) * 1000,
    // An empty promise is no promise.
    inclusionPromise: promise === undefined || promise.length === 0 ? undefined : promise,
    inclusionProof: reader.optionalMessage('inclusionProof', parseInclusionProof),
    canonicalizedBody: reader.bytes('canonicalizedBody'),
  }
}

/** Reads `{keyId}`. */
export function parseLogId(value: JsonValue, path: string): Uint8Array {
  return readMessage(value, path, { names: ['keyId'] }).bytes('keyId')
}

function parseInclusionProof(value: JsonValue, path: string): InclusionProof {
  const reader = readMessage(value, path, { names: ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint'] })
  // Bytes in a list have no name of their own: each is read as if it were the field.
  const hashes = reader.list('hashes', (hash, at) => readMessage({ hash }, at, { names: ['hash'] }).bytes('hash'))
  const checkpoint = reader.optionalMessage('checkpoint', (inner, at) =>
    readMessage(inner, at, { names: ['envelope'] }).optionalString('envelope'),
  )
  return {
    logIndex: natural(reader.optionalInt64('logIndex'), path, 'logIndex'),
    rootHash: reader.bytes('rootHash'),
    treeSize: natural(reader.optionalInt64('treeSize'), path, 'treeSize'),
    hashes,
    checkpoint: checkpoint === '' ? undefined : checkpoint,
  }
}

/** How to write what protobuf JSON may leave out. */
export interface ProtoJsonStyle {
  /** Write fields that have their default value, as Rekor v2's server does. */
  readonly emitUnpopulated?: boolean
}

/** Writes a `TransparencyLogEntry` with its fields in the order of Go's writer. */
export function transparencyLogEntryToJson(
  entry: LogEntry,
  { emitUnpopulated = false }: ProtoJsonStyle = {},
): JsonObject {
  const { inclusionPromise, inclusionProof } = entry
  const seconds = entry.integratedTime === undefined ? 0 : Math.floor(entry.integratedTime / 1000)
  const promise = inclusionPromise === undefined ? null : { signedEntryTimestamp: encodeBase64(inclusionPromise) }
  return present(emitUnpopulated, {
    logIndex: String(entry.logIndex),
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.version },
    integratedTime: String(seconds),
    inclusionPromise: promise,
    inclusionProof: inclusionProof === undefined ? null : proofToJson(inclusionProof, emitUnpopulated),
    canonicalizedBody: encodeBase64(entry.canonicalizedBody),
  })
}

function proofToJson(proof: InclusionProof, emitUnpopulated: boolean): JsonObject {
  return present(emitUnpopulated, {
    logIndex: String(proof.logIndex),
    rootHash: encodeBase64(proof.rootHash),
    treeSize: String(proof.treeSize),
    hashes: proof.hashes.map((hash) => encodeBase64(hash)),
    checkpoint: proof.checkpoint === undefined ? null : { envelope: proof.checkpoint },
  })
}

/** Leaves out what has its default value, unless that is wanted. */
function present(emitUnpopulated: boolean, fields: JsonObject): JsonObject {
  if (emitUnpopulated) return fields
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isDefault(value)))
}

function isDefault(value: JsonValue): boolean {
  return value === null || value === '0' || value === '' || (Array.isArray(value) && value.length === 0)
}

function natural(value: bigint | undefined, path: string, field: string): bigint {
  if (value === undefined || value >= 0n) return value ?? 0n
  throw outOfRange(path, field, value)
}

function outOfRange(path: string, field: string, value: bigint): RekorEntryError {
  return new RekorEntryError('REKOR_ENTRY_MALFORMED', `${path === '' ? field : `${path}.${field}`} is out of range`, {
    expected: 'a number from 0',
    found: String(value),
  })
}
