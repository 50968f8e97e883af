/** Entries of a CT log as it stores them: TileLeaf of C2SP static-ct-api, around TimestampedEntry of RFC 6962 §3.4. @module */
import { sha256 } from '#crypto/digest'
import { ByteReader, concatBytes, uint16be, uint24be, uint64be } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { timestampedEntryBody } from '#formats/sct/sct-entry'
import type { SctEntry } from '#formats/sct/sct-entry'
import type { UnixMillis } from '#time'
import type { BundleLayout } from '#tlog/bundle-layout'
import { CtLogError } from './errors.js'

/** An entry of the log. */
export interface TileLeaf {
  readonly timestamp: UnixMillis
  readonly entry: SctEntry
  /** CtExtensions, without their length. */
  readonly extensions: Uint8Array
  /** The precertificate as it was submitted, for a precert entry. */
  readonly precertificate: Uint8Array | undefined
  /** SHA-256 of each certificate that issued it, up to the root. */
  readonly chain: readonly Uint8Array[]
}

const X509_ENTRY = 0
const PRECERT_ENTRY = 1
const FINGERPRINT_SIZE = 32
const MAX_ENTRY_SIZE = 256 * 1024

export function encodeTileLeaf(leaf: TileLeaf): Uint8Array {
  const precertificate = leaf.precertificate ?? new Uint8Array(0)
  return concatBytes(
    timestampedEntry(leaf),
    ...(leaf.entry.kind === 'precert' ? [uint24be(precertificate.length), precertificate] : []),
    uint16be(leaf.chain.length * FINGERPRINT_SIZE),
    ...leaf.chain,
  )
}

/** @throws CtLogError `CTLOG_ENTRY_MALFORMED` */
export function decodeTileLeaf(bytes: Uint8Array): TileLeaf {
  return malformedAs(() => {
    const reader = new ByteReader(bytes)
    const leaf = readTileLeaf(reader)
    reader.end()
    return leaf
  })
}

/** The bytes that the leaf hash is over: MerkleTreeLeaf, v1, timestamped_entry (RFC 6962 §3.4). */
export function merkleTreeLeaf(leaf: Pick<TileLeaf, 'timestamp' | 'entry' | 'extensions'>): Uint8Array {
  return concatBytes(Uint8Array.of(0, 0), timestampedEntry(leaf))
}

/** What makes two submissions the same: the certificate, not when it was submitted, nor where it ended up. */
export function entryIdentity(entry: SctEntry): Uint8Array {
  return sha256(timestampedEntryBody(entry))
}

/** Data tiles: TileLeaf after TileLeaf. */
export const DATA_TILES: BundleLayout = {
  folder: 'tile/data',
  maxEntrySize: MAX_ENTRY_SIZE,
  encode: (entries) => concatBytes(...entries),
  decode: (bundle) =>
    malformedAs(() => {
      const reader = new ByteReader(bundle)
      const entries: Uint8Array[] = []
      while (reader.remaining > 0) {
        const start = reader.offset
        readTileLeaf(reader)
        entries.push(bundle.subarray(start, reader.offset))
      }
      return entries
    }),
}

function timestampedEntry({
  timestamp,
  entry,
  extensions,
}: Pick<TileLeaf, 'timestamp' | 'entry' | 'extensions'>): Uint8Array {
  return concatBytes(uint64be(BigInt(timestamp)), timestampedEntryBody(entry), uint16be(extensions.length), extensions)
}

function readTileLeaf(reader: ByteReader): TileLeaf {
  const timestamp = Number(reader.u64())
  const entry = readEntry(reader)
  const extensions = reader.vector(2)
  const precertificate = entry.kind === 'precert' ? reader.vector(3) : undefined
  const fingerprints = new ByteReader(reader.vector(2))
  const chain: Uint8Array[] = []
  while (fingerprints.remaining > 0) chain.push(fingerprints.take(FINGERPRINT_SIZE))
  return { timestamp, entry, extensions, precertificate, chain }
}

function readEntry(reader: ByteReader): SctEntry {
  const type = reader.u16()
  if (type === X509_ENTRY) return { kind: 'x509', certificate: reader.vector(3) }
  if (type === PRECERT_ENTRY) return { kind: 'precert', issuerKeyHash: reader.take(32), tbs: reader.vector(3) }
  throw new CtLogError('CTLOG_ENTRY_MALFORMED', 'an entry of the log has an unknown type', { found: String(type) })
}

function malformedAs<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof CtLogError) throw cause
    throw new CtLogError('CTLOG_ENTRY_MALFORMED', 'an entry of the log cannot be read', { cause })
  }
}
