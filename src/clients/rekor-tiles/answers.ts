/** Rekor v2's answer to a write: a TransparencyLogEntry as protobuf JSON with every field present. @module */
import { decodeBase64Any } from '#encoding/base64'
import type { JsonValue } from '#encoding/json'
import { readMessage, type ProtoReader } from '#encoding/protojson'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'

const ENTRY = [
  'logIndex',
  'logId',
  'kindVersion',
  'integratedTime',
  'inclusionPromise',
  'inclusionProof',
  'canonicalizedBody',
]
const PROOF = ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']

/** Reads a TransparencyLogEntry (sigstore_rekor.proto). @throws ProtojsonError */
export function readTransparencyLogEntry(answer: JsonValue): LogEntry {
  const reader = readMessage(answer, '', { names: ENTRY, unknown: 'ignore' })
  const kindVersion = reader.message('kindVersion', (value, path) =>
    readMessage(value, path, { names: ['kind', 'version'], unknown: 'ignore' }),
  )
  const seconds = reader.optionalInt64('integratedTime') ?? 0n
  return {
    logIndex: natural(reader, 'logIndex'),
    logId: reader.message('logId', (value, path) =>
      readMessage(value, path, { names: ['keyId'], unknown: 'ignore' }).bytes('keyId'),
    ),
    kind: kindVersion.string('kind'),
    version: kindVersion.string('version'),
    // Rekor v2 states no time: it always writes 0 here.
    integratedTime: seconds === 0n ? undefined : Number(seconds) * 1000,
    inclusionProof: reader.message('inclusionProof', readProof),
    canonicalizedBody: reader.bytes('canonicalizedBody'),
  }
}

function readProof(value: JsonValue, path: string): InclusionProof {
  const reader = readMessage(value, path, { names: PROOF, unknown: 'ignore' })
  return {
    logIndex: natural(reader, 'logIndex'),
    rootHash: reader.bytes('rootHash'),
    treeSize: natural(reader, 'treeSize'),
    hashes: reader.list('hashes', (item) => {
      if (typeof item === 'string') return decodeBase64Any(item)
      throw reader.error('PROTOJSON_TYPE', 'hashes', { expected: 'base64 text' })
    }),
    checkpoint: reader.message('checkpoint', (inner, at) =>
      readMessage(inner, at, { names: ['envelope'], unknown: 'ignore' }).string('envelope'),
    ),
  }
}

function natural(reader: ProtoReader, name: string): bigint {
  const value = reader.int64(name)
  if (value >= 0n) return value
  throw reader.error('PROTOJSON_VALUE', name, { expected: 'a number that is not negative' })
}
