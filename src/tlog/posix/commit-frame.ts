/** Commits as frames of a write-ahead log; whether the end of a log is torn or its middle is damaged. @module */
import { crc32 } from 'node:zlib'
import { ByteReader, concatBytes, uint32be, uint64be } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { TlogError } from '../errors.js'
import type { Commit, ObjectWrite, TreeState } from '../storage.js'

// magic(4) payload length(4) checksum of these 8 (4) | payload | checksum of the payload (4)
const MAGIC = Uint8Array.of(0x43, 0x53, 0x57, 0x31) // CSW1
const HEADER_SIZE = 12
const TRAILER_SIZE = 4
const MAX_PAYLOAD = 0x7fff_ffff

/** A frame is written with one append and made durable before the next one begins. */
export function encodeCommit({ previous, next, entries, annotations, attachments }: Commit): Uint8Array {
  const parts = [encodeState(previous), encodeState(next)]
  for (const count of [entries.length, annotations.length, attachments.length]) parts.push(uint32be(count))
  const named = attachments.flatMap(({ path, bytes }) => [encodeUtf8(path), bytes])
  for (const part of [...entries, ...annotations, ...named]) parts.push(uint32be(part.length), part)
  const payload = concatBytes(...parts)
  const header = concatBytes(MAGIC, uint32be(payload.length))
  return concatBytes(header, uint32be(crc32(header)), payload, uint32be(crc32(payload)))
}

/** What a segment of the write-ahead log holds. */
export interface Segment {
  readonly commits: readonly Commit[]
  /** Bytes of whole frames; what follows them was being written when the machine stopped. */
  readonly wholeBytes: number
}

/**
 * Reads a segment. A frame that is cut short or garbled is the one that was being written when the machine stopped, and
 * was never acknowledged, if nothing follows it: the next frame is only written once the one before it is durable.
 * @throws TlogError `TLOG_WAL_CORRUPT` when something does follow
 */
export function decodeSegment(bytes: Uint8Array): Segment {
  const commits: Commit[] = []
  let offset = 0
  while (offset < bytes.length) {
    const size = frameSize(bytes.subarray(offset))
    const payload = size === undefined ? undefined : wholePayload(bytes.subarray(offset, offset + size), size)
    if (size === undefined || payload === undefined) {
      checkTorn(bytes, offset)
      break
    }
    commits.push(decodePayload(payload))
    offset += size
  }
  return { commits, wholeBytes: offset }
}

/** The size that a frame says it has, if its header is undamaged. */
function frameSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_SIZE || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined
  const reader = new ByteReader(bytes.subarray(MAGIC.length))
  const length = reader.u32()
  if (crc32(bytes.subarray(0, 8)) !== reader.u32() || length > MAX_PAYLOAD) return undefined
  return HEADER_SIZE + length + TRAILER_SIZE
}

function wholePayload(frame: Uint8Array, size: number): Uint8Array | undefined {
  if (frame.length < size) return undefined
  const payload = frame.subarray(HEADER_SIZE, size - TRAILER_SIZE)
  const checksum = new ByteReader(frame.subarray(size - TRAILER_SIZE)).u32()
  return crc32(payload) === checksum ? payload : undefined
}

/** Looks for a frame behind the damage: then it is no torn end, and cutting there would lose what was acknowledged. */
function checkTorn(bytes: Uint8Array, damaged: number): void {
  for (let at = damaged + 1; at + HEADER_SIZE <= bytes.length; at++) {
    if (bytes[at] !== MAGIC[0]) continue
    const size = frameSize(bytes.subarray(at))
    if (size === undefined || wholePayload(bytes.subarray(at, at + size), size) === undefined) continue
    throw new TlogError('TLOG_WAL_CORRUPT', 'the write-ahead log is damaged before its end', {
      expected: 'whole frames up to the last one',
      found: `a damaged frame at byte ${String(damaged)}, a good one at ${String(at)}`,
      hint: 'restore the data directory from a backup; nothing was changed',
    })
  }
}

function encodeState({ size, rootHash, time }: TreeState): Uint8Array {
  return concatBytes(uint64be(BigInt(size)), rootHash, uint64be(BigInt(time)))
}

function decodeState(reader: ByteReader): TreeState {
  return { size: Number(reader.u64()), rootHash: reader.take(32), time: Number(reader.u64()) }
}

/** The checksum was right, so that anything wrong in here was written wrong. */
function decodePayload(payload: Uint8Array): Commit {
  try {
    const reader = new ByteReader(payload)
    const [previous, next] = [decodeState(reader), decodeState(reader)]
    const [entryCount, annotationCount, attachmentCount] = [reader.u32(), reader.u32(), reader.u32()]
    const entries = readParts(reader, entryCount)
    const annotations = readParts(reader, annotationCount)
    const attachments: ObjectWrite[] = []
    while (attachments.length < attachmentCount) attachments.push(readAttachment(reader))
    reader.end()
    const fits = next.size - previous.size === entryCount && (annotationCount === 0 || annotationCount === entryCount)
    if (fits && entryCount > 0) return { previous, next, entries, annotations, attachments }
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed(undefined)
}

function readParts(reader: ByteReader, count: number): Uint8Array[] {
  const parts: Uint8Array[] = []
  while (parts.length < count) parts.push(reader.take(reader.u32()))
  return parts
}

function readAttachment(reader: ByteReader): ObjectWrite {
  const path = decodeUtf8(reader.take(reader.u32()))
  return { path, bytes: reader.take(reader.u32()) }
}

function malformed(cause: unknown): TlogError {
  return new TlogError('TLOG_WAL_CORRUPT', 'a frame of the write-ahead log makes no sense', {
    hint: 'was it written by another version?',
    cause,
  })
}
