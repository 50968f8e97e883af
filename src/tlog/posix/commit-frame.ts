/** Commits as frames of a write-ahead log; whether the end of a log is torn or its middle is damaged. @module */
import { crc32 } from 'node:zlib'
import { ByteReader, concatBytes, uint32be, uint64be } from '#encoding/bytes'
import { TlogError } from '../errors.js'
import type { Commit, TreeState } from '../storage.js'

// magic(4) payload length(4) checksum of these 8 (4) | payload | checksum of the payload (4)
const MAGIC = Uint8Array.of(0x43, 0x53, 0x57, 0x31) // CSW1
const HEADER_SIZE = 12
const TRAILER_SIZE = 4
const STATE_SIZE = 48
const MAX_PAYLOAD = 0x7fff_ffff

/** A frame is written with one append and made durable before the next one begins. */
export function encodeCommit({ previous, next, entries, annotations }: Commit): Uint8Array {
  const parts = [encodeState(previous), encodeState(next)]
  for (const part of [...entries, ...annotations]) parts.push(uint32be(part.length), part)
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
    const states = new ByteReader(payload.subarray(0, 2 * STATE_SIZE))
    const [previous, next] = [decodeState(states), decodeState(states)]
    const parts = readParts(payload)
    const count = next.size - previous.size
    const commit = { previous, next, entries: parts.slice(0, count), annotations: parts.slice(count) }
    if (count > 0 && (parts.length === count || parts.length === 2 * count)) return commit
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed(undefined)
}

/** The entries, then as many annotations or none. */
function readParts(payload: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(payload.subarray(2 * STATE_SIZE))
  const parts: Uint8Array[] = []
  while (reader.remaining > 0) parts.push(reader.take(reader.u32()))
  return parts
}

function malformed(cause: unknown): TlogError {
  return new TlogError('TLOG_WAL_CORRUPT', 'a frame of the write-ahead log makes no sense', {
    hint: 'was it written by another version?',
    cause,
  })
}
