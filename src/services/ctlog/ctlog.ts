/** A certificate transparency log (RFC 6962), whose storage is that of C2SP static-ct-api. @module */
import type { PrivateKey } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { sha256 } from '#crypto/digest'
import { concatBytes, uint24be } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { hashLeaf } from '#formats/merkle/hash'
import type { SignedCertificateTimestamp } from '#formats/sct/sct'
import { encodeLeafIndexExtension } from '#formats/sct/sct'
import type { SctEntry } from '#formats/sct/sct-entry'
import { signSct } from '#formats/sct/verify-sct'
import type { TileCoordinate } from '#formats/tlog-tiles/tile'
import type { Certificate } from '#formats/x509/certificate'
import type { Clock } from '#time'
import { openLog } from '#tlog/log'
import type { Log, Place } from '#tlog/log'
import type { EntryRules, PublishedCheckpoint } from '#tlog/rules'
import type { LogStorage } from '#tlog/storage'
import { checkChain, parseRoots } from './check-chain.js'
import type { CheckedChain } from './check-chain.js'
import { CtLogError } from './errors.js'
import { DATA_TILES, decodeTileLeaf, encodeTileLeaf, entryIdentity, merkleTreeLeaf } from './tile-leaf.js'
import { signTreeHead, treeHeadCheckpoints } from './tree-head.js'
import type { TreeHead } from './tree-head.js'

/** What a CT log is made of. */
export interface CtLogOptions {
  readonly storage: LogStorage
  /** Signs SCTs and tree heads. */
  readonly key: PrivateKey
  /** The name in the checkpoints: the address under which certificates are submitted, without scheme. */
  readonly origin: string
  /** Root certificates, DER, that chains may end in. */
  readonly roots: readonly Uint8Array[]
  readonly clock: Clock
  readonly wait: (milliseconds: number) => Promise<unknown>
}

/** A signed tree head of RFC 6962 §3.5. */
export interface SignedTreeHead extends TreeHead {
  /** The digitally-signed struct. */
  readonly signature: Uint8Array
}

/** An entry as `get-entries` gives it. */
export interface CtEntry {
  /** MerkleTreeLeaf. */
  readonly leafInput: Uint8Array
  /** The chain, and for precertificates the precertificate. */
  readonly extraData: Uint8Array
}

const ISSUER_FOLDER = 'issuer'

/** What is derived from entries; fsck needs it too. Entries are searched by their leaf hash. */
export const CTLOG_RULES: EntryRules = {
  identity: (entry) => entryIdentity(decodeTileLeaf(entry).entry),
  leaf: (entry) => merkleTreeLeaf(decodeTileLeaf(entry)),
  searchKeys: (entry) => [hashLeaf(merkleTreeLeaf(decodeTileLeaf(entry)))],
  bundle: DATA_TILES,
}

/**
 * Opens the log and its service.
 * @throws TlogError as {@link openLog} does
 */
export async function openCtLog(options: CtLogOptions): Promise<CtLog> {
  const { storage, clock, wait } = options
  const log = await openLog({ storage, rules: CTLOG_RULES, checkpoints: treeHeadCheckpoints(options), clock, wait })
  return new CtLog(options, log)
}

export class CtLog {
  readonly publicKey: PublicKey
  readonly #key: PrivateKey
  readonly #clock: Clock
  readonly #log: Log
  readonly #roots: readonly Certificate[]
  /** Issuers that the log has stored since it was opened. */
  readonly #stored = new Set<string>()

  constructor({ key, clock, roots }: CtLogOptions, log: Log) {
    this.publicKey = key.publicKey
    this.#key = key
    this.#clock = clock
    this.#log = log
    this.#roots = parseRoots(roots)
  }

  /** The roots that chains may end in, DER. */
  get roots(): readonly Uint8Array[] {
    return this.#roots.map(({ der }) => der)
  }

  get checkpoint(): PublishedCheckpoint {
    return this.#log.checkpoint
  }

  /**
   * Logs a chain. Unlike other logs this one keeps no promise open: the entry is in the tree when the SCT is signed.
   * A certificate that was submitted before gets the timestamp that it had then.
   * @throws CtLogError `CTLOG_CHAIN`, `CTLOG_ROOT_UNKNOWN`, `CTLOG_PRECERT`, `CTLOG_CERT`
   */
  async add(submitted: readonly Uint8Array[], kind: SctEntry['kind']): Promise<SignedCertificateTimestamp> {
    const chain = await checkChain(submitted, kind, this.#roots)
    const issuers = chain.issuers.map((der) => ({ der, name: encodeHex(sha256(der)) }))
    const appended = await this.#log.append({
      identity: entryIdentity(chain.entry),
      entry: (place) => tileLeafOf(chain, place),
      attachments: issuers
        .filter(({ name }) => !this.#stored.has(name))
        .map(({ der, name }) => ({ path: `${ISSUER_FOLDER}/${name}`, bytes: der })),
    })
    if (!appended.duplicate) for (const { name } of issuers) this.#stored.add(name)
    const { timestamp, extensions, entry } = decodeTileLeaf(await this.#log.entry(appended.index))
    return signSct({ entry, timestamp, extensions }, this.#key)
  }

  /** The tree as it is now, signed now. */
  async treeHead(): Promise<SignedTreeHead> {
    const { size, rootHash, time } = this.#log.checkpoint
    const head: TreeHead = { size, rootHash, timestamp: Math.max(this.#clock(), time) }
    return { ...head, signature: await signTreeHead(head, this.#key) }
  }

  /** @throws CtLogError `CTLOG_RANGE` */
  consistencyProof(first: number, second: number): Promise<readonly Uint8Array[]> {
    this.#checkSize(second)
    if (first > second) throw new CtLogError('CTLOG_RANGE', 'second is smaller than first')
    return this.#log.consistencyProof(first, second)
  }

  /** Index and audit path of a leaf. @throws CtLogError `CTLOG_NOT_FOUND`, `CTLOG_RANGE` */
  async proofByHash(
    leafHash: Uint8Array,
    size: number,
  ): Promise<{ readonly index: number; readonly path: readonly Uint8Array[] }> {
    this.#checkSize(size)
    const [index] = await this.#log.search(leafHash, 1)
    if (index === undefined || index >= size)
      throw new CtLogError('CTLOG_NOT_FOUND', 'no leaf of that tree has this hash')
    return { index, path: await this.#log.inclusionProof(index, size) }
  }

  /** An entry with its audit path. @throws CtLogError `CTLOG_RANGE` */
  async entryAndProof(index: number, size: number): Promise<CtEntry & { readonly path: readonly Uint8Array[] }> {
    this.#checkSize(size)
    if (index >= size)
      throw new CtLogError('CTLOG_RANGE', 'the leaf is not in that tree', { expected: `below ${String(size)}` })
    return { ...(await this.#entry(index)), path: await this.#log.inclusionProof(index, size) }
  }

  /** Entries from `start` to `end` inclusive, as many as there are and as one answer holds. @throws CtLogError `CTLOG_RANGE` */
  async entries(start: number, end: number, limit: number): Promise<readonly CtEntry[]> {
    const { size } = this.#log.checkpoint
    if (start >= size)
      throw new CtLogError('CTLOG_RANGE', 'there are no such entries yet', { expected: `start below ${String(size)}` })
    const stop = Math.min(end + 1, size, start + limit)
    return Promise.all(Array.from({ length: stop - start }, (_, i) => this.#entry(start + i)))
  }

  /** The bytes of a tile, or of a data tile. @throws CtLogError `CTLOG_NOT_FOUND` */
  async tile(tile: TileCoordinate): Promise<Uint8Array> {
    return found(await this.#log.tile(tile))
  }

  /** A certificate of some chain, by its SHA-256. @throws CtLogError `CTLOG_NOT_FOUND` */
  async issuer(fingerprint: Uint8Array): Promise<Uint8Array> {
    return found(await this.#log.object(`${ISSUER_FOLDER}/${encodeHex(fingerprint)}`))
  }

  /** Answers what is pending and lets go of the storage. */
  close(): Promise<void> {
    return this.#log.close()
  }

  async #entry(index: number): Promise<CtEntry> {
    const leaf = decodeTileLeaf(await this.#log.entry(index))
    const issuers = await Promise.all(leaf.chain.map((fingerprint) => this.issuer(fingerprint)))
    // RFC 6962 §3.1: ASN.1Cert certificate_chain<0..2^24-1>, for precertificates after the precertificate itself.
    const chain = vector(concatBytes(...issuers.map(vector)))
    const extraData = leaf.precertificate === undefined ? chain : concatBytes(vector(leaf.precertificate), chain)
    return { leafInput: merkleTreeLeaf(leaf), extraData }
  }

  #checkSize(size: number): void {
    const known = this.#log.checkpoint.size
    if (size > known)
      throw new CtLogError('CTLOG_RANGE', 'the tree is not that large', { expected: `at most ${String(known)}` })
  }
}

function tileLeafOf({ entry, precertificate, issuers }: CheckedChain, { index, time }: Place): Uint8Array {
  return encodeTileLeaf({
    timestamp: time,
    entry,
    extensions: encodeLeafIndexExtension(BigInt(index)),
    precertificate,
    chain: issuers.map((der) => sha256(der)),
  })
}

function vector(bytes: Uint8Array): Uint8Array {
  return concatBytes(uint24be(bytes.length), bytes)
}

function found(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new CtLogError('CTLOG_NOT_FOUND', 'the log does not have this')
  return bytes
}
