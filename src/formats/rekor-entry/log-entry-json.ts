/** Log entries in the JSON of Rekor v1's REST API. @module */
import { encodeBase64 } from '#encoding/base64'
import { decodeHex, encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { entryKindOf } from './body.js'
import type { InclusionProof, LogEntry } from './log-entry.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** A log entry under its name, as Rekor v1 answers. */
export interface NamedLogEntry {
  /** The entry's id: 64 or 80 hexadecimal digits. */
  readonly uuid: string
  readonly entry: LogEntry
  /** What the log keeps beside the entry (payloads of intoto entries). */
  readonly attestation?: Uint8Array | undefined
}

/**
 * Reads an answer of `/api/v1/log/entries`: an object from entry ids to entries.
 * @throws RekorEntryError `REKOR_ENTRY_MALFORMED`, `EncodingError`, `ProtojsonError`
 */
export function parseLogEntriesV1(value: JsonValue): readonly NamedLogEntry[] {
  if (!isJsonObject(value)) throw malformed('the answer of the log is not an object of entries')
  return Object.entries(value).map(([uuid, entry]) => parseLogEntryV1(uuid, entry))
}

/** Reads one entry of such an answer. */
export function parseLogEntryV1(uuid: string, value: JsonValue): NamedLogEntry {
  const reader = message(value, uuid.slice(0, 80), [
    'body',
    'integratedTime',
    'logID',
    'logIndex',
    'verification',
    'attestation',
  ])
  const body = reader.bytes('body')
  const verification = reader.optionalMessage('verification', (inner, at) =>
    message(inner, at, ['inclusionProof', 'signedEntryTimestamp']),
  )
  const attestation = reader.optionalMessage('attestation', (inner, at) =>
    message(inner, at, ['data']).optionalBytes('data'),
  )
  const entry: LogEntry = {
    ...entryKindOf(body),
    logIndex: natural(reader, 'logIndex'),
    logId: decodeHex(reader.string('logID')),
    integratedTime: integratedTime(reader),
    inclusionPromise: verification?.optionalBytes('signedEntryTimestamp'),
    inclusionProof: verification?.optionalMessage('inclusionProof', parseProof),
    canonicalizedBody: body,
  }
  return { uuid, entry, attestation }
}

function parseProof(value: JsonValue, path: string): InclusionProof {
  const reader = message(value, path, ['checkpoint', 'hashes', 'logIndex', 'rootHash', 'treeSize'])
  return {
    logIndex: natural(reader, 'logIndex'),
    rootHash: decodeHex(reader.string('rootHash')),
    treeSize: natural(reader, 'treeSize'),
    hashes: reader.list('hashes', (hash, at) => decodeHex(message({ hash }, at, ['hash']).string('hash'))),
    checkpoint: reader.optionalString('checkpoint'),
  }
}

/** Writes one entry as Rekor v1 answers it. */
export function logEntryToV1Json(entry: LogEntry, attestation?: Uint8Array): JsonObject {
  const { inclusionProof, inclusionPromise } = entry
  const verification = {
    ...(inclusionProof === undefined ? {} : { inclusionProof: proofToJson(inclusionProof) }),
    ...(inclusionPromise === undefined ? {} : { signedEntryTimestamp: encodeBase64(inclusionPromise) }),
  }
  return {
    ...(attestation === undefined ? {} : { attestation: { data: encodeBase64(attestation) } }),
    body: encodeBase64(entry.canonicalizedBody),
    integratedTime: Math.floor((entry.integratedTime ?? 0) / 1000),
    logID: encodeHex(entry.logId),
    logIndex: Number(entry.logIndex),
    verification,
  }
}

function proofToJson(proof: InclusionProof): JsonObject {
  return {
    ...(proof.checkpoint === undefined ? {} : { checkpoint: proof.checkpoint }),
    hashes: proof.hashes.map((hash) => encodeHex(hash)),
    logIndex: Number(proof.logIndex),
    rootHash: encodeHex(proof.rootHash),
    treeSize: Number(proof.treeSize),
  }
}

function integratedTime(reader: ProtoReader): number | undefined {
  const seconds = natural(reader, 'integratedTime')
  return seconds === 0n ? undefined : Number(seconds) * 1000
}

function natural(reader: ProtoReader, name: string): bigint {
  const value = reader.int64(name)
  if (value >= 0n) return value
  throw malformed(`${name} of a log entry is negative`, String(value))
}

function malformed(text: string, found?: string): RekorEntryError {
  return new RekorEntryError('REKOR_ENTRY_MALFORMED', text, { found })
}

function message(value: JsonValue, path: string, names: readonly string[]): ProtoReader {
  return readMessage(value, path, { names, unknown: 'ignore' })
}
