/** A Rekor v2: entries in, proofs out, and the log itself as tiles that anybody can serve. @module */
import type { PrivateKey } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { decodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { logKeyHash } from '#formats/note/key'
import { entryKindOf } from '#formats/rekor-entry/body'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { TileCoordinate } from '#formats/tlog-tiles/tile'
import type { Clock } from '#time'
import { openLog } from '#tlog/log'
import type { Log } from '#tlog/log'
import { noteCheckpoints } from '#tlog/note-checkpoints'
import { proveEntry } from '#tlog/proven-entry'
import type { CheckpointPort, EntryRules, PublishedCheckpoint } from '#tlog/rules'
import type { LogStorage } from '#tlog/storage'
import { checkRequest } from './check-request.js'
import type { CreateRequest } from './create-request.js'
import { RekorTilesError } from './errors.js'

/** What a Rekor v2 is made of. */
export interface RekorTilesOptions {
  readonly storage: LogStorage
  /** Signs checkpoints: Ed25519, ECDSA or RSA. */
  readonly key: PrivateKey
  /**
   * The origin of the checkpoints. Clients compare it with the host name, without port, of the log's base URL in the
   * trusted root (sigstore-go, pkg/verify/tlog.go).
   */
  readonly origin: string
  readonly clock: Clock
  readonly wait: (milliseconds: number) => Promise<unknown>
  /** Takes nothing in any more, and goes on answering. Default false. */
  readonly frozen?: boolean | undefined
}

/** What is derived from entries; fsck needs it too. */
export const REKOR_TILES_RULES: EntryRules = { identity: hashLeaf }

/**
 * Opens the log and its service.
 * @throws TlogError as {@link openLog} does
 */
export async function openRekorTiles(options: RekorTilesOptions): Promise<RekorTiles> {
  const { storage, clock, wait } = options
  const log = await openLog({
    storage,
    rules: REKOR_TILES_RULES,
    checkpoints: rekorTilesCheckpoints(options),
    clock,
    wait,
  })
  return new RekorTiles(options, log)
}

/** How a Rekor v2 signs its checkpoints. */
export function rekorTilesCheckpoints({ origin, key }: Pick<RekorTilesOptions, 'origin' | 'key'>): CheckpointPort {
  return noteCheckpoints({ origin, key, rule: 'note' })
}

export class RekorTiles {
  readonly origin: string
  readonly publicKey: PublicKey
  /** The whole hash of which a checkpoint signature carries the first four bytes; the trusted root names the log by it. */
  readonly logId: Uint8Array
  readonly #log: Log
  readonly #frozen: boolean

  constructor({ origin, key, frozen = false }: RekorTilesOptions, log: Log) {
    this.origin = origin
    this.publicKey = key.publicKey
    this.logId = logKeyHash({ name: origin, key: key.publicKey, rule: 'note' })
    this.#log = log
    this.#frozen = frozen
  }

  /** The tree that everybody can read. */
  get checkpoint(): PublishedCheckpoint {
    return this.#log.checkpoint
  }

  /**
   * Logs an entry. Resolves when it is durable and covered by a published checkpoint; nothing is polled for.
   * @param path - where entries live, for the address of an equivalent entry
   * @throws RekorTilesError `REKOR_TILES_DUPLICATE` when the log has it already, `REKOR_TILES_FROZEN`, and the codes of
   * {@link checkRequest}
   */
  async create(request: CreateRequest, path: string): Promise<LogEntry> {
    if (this.#frozen) throw new RekorTilesError('REKOR_TILES_FROZEN', 'the log is frozen')
    const body = await checkRequest(request)
    const { index, duplicate, checkpoint } = await this.#log.append({ identity: hashLeaf(body), entry: body })
    if (!duplicate) return this.#read(index, checkpoint)
    throw new RekorTilesError('REKOR_TILES_DUPLICATE', 'an equivalent entry is in the log already', {
      expected: path,
      found: String(index),
      hint: 'fetch it: it is as good as a new one',
    })
  }

  /** The entry at an index, proven in the newest published tree. @throws RekorTilesError `REKOR_TILES_NOT_FOUND` */
  async entry(index: number): Promise<LogEntry> {
    const { checkpoint } = this.#log
    if (index >= checkpoint.size) throw notFound(`index ${String(index)}`)
    return this.#read(index, checkpoint)
  }

  /** The bytes of a tile or bundle. @throws RekorTilesError `REKOR_TILES_NOT_FOUND` */
  async tile(tile: TileCoordinate): Promise<Uint8Array> {
    const bytes = await this.#log.tile(tile)
    if (bytes === undefined) throw notFound('no such tile')
    return bytes
  }

  /** Answers what is pending and lets go of the storage. */
  close(): Promise<void> {
    return this.#log.close()
  }

  async #read(index: number, checkpoint: PublishedCheckpoint): Promise<LogEntry> {
    const { entry, proof } = await proveEntry(this.#log, index, { checkpoint })
    return {
      ...entryKindOf(entry),
      logIndex: BigInt(index),
      logId: this.logId,
      integratedTime: undefined,
      inclusionProof: {
        logIndex: BigInt(index),
        rootHash: checkpoint.rootHash,
        treeSize: BigInt(checkpoint.size),
        hashes: proof,
        checkpoint: decodeUtf8(checkpoint.note),
      },
      canonicalizedBody: entry,
    }
  }
}

function notFound(found: string): RekorTilesError {
  return new RekorTilesError('REKOR_TILES_NOT_FOUND', 'the log does not have this', { found })
}
