/** A Rekor v1: entries in, entries with signed timestamp and inclusion proof out. @module */
import type { PrivateKey } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { decodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { entryKindOf } from '#formats/rekor-entry/body'
import { formatEntryId, parseEntryId } from '#formats/rekor-entry/entry-id'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { signedEntryTimestampPayload } from '#formats/rekor-entry/promise'
import type { Clock } from '#time'
import { openLog } from '#tlog/log'
import type { Log } from '#tlog/log'
import { noteCheckpoints } from '#tlog/note-checkpoints'
import { proveEntry } from '#tlog/proven-entry'
import type { EntryRules, PublishedCheckpoint } from '#tlog/rules'
import type { LogStorage } from '#tlog/storage'
import { decodeAnnotation, encodeAnnotation } from './annotation.js'
import { checkProposal } from './check-proposal.js'
import { RekorV1Error } from './errors.js'
import { payloadHashOf } from './intoto-001.js'
import type { Proposal } from './intoto-001.js'
import { entrySearchKeys, searchKey } from './search-terms.js'

/** What a Rekor v1 is made of. */
export interface RekorOptions {
  readonly storage: LogStorage
  /** Signs checkpoints and entry timestamps. ECDSA P-256 is what clients know best. */
  readonly key: PrivateKey
  /** Host name in the checkpoints, without port: clients do not compare it, people read it. */
  readonly hostname: string
  /** Names the tree in entry ids: a positive 63-bit number that never changes, and that no other tree has. */
  readonly treeId: bigint
  readonly clock: Clock
  readonly wait: (milliseconds: number) => Promise<unknown>
  /** Largest payload of an intoto entry that is kept and served, in bytes. Default 100 KiB; 0 keeps none. */
  readonly maxAttestationSize?: number | undefined
}

/** An entry with what a client is told beside it. */
export interface RekorEntry {
  /** 80 hexadecimal digits: tree and leaf hash. */
  readonly uuid: string
  readonly entry: LogEntry
  readonly attestation?: Uint8Array | undefined
}

/** What is derived from entries; fsck needs it too. */
export const REKOR_RULES: EntryRules = { identity: hashLeaf, searchKeys: entrySearchKeys, annotated: true }

const DEFAULT_ATTESTATION_SIZE = 100 * 1024
const SEARCH_LIMIT = 1000

/**
 * Opens the log and its service.
 * @throws TlogError as {@link openLog} does
 */
export async function openRekor(options: RekorOptions): Promise<Rekor> {
  const { storage, clock, wait } = options
  return new Rekor(
    options,
    await openLog({ storage, rules: REKOR_RULES, checkpoints: rekorCheckpoints(options), clock, wait }),
  )
}

/** How a Rekor v1 signs its checkpoints: the tree is part of the origin, the host name alone signs. */
export function rekorCheckpoints({
  hostname,
  treeId,
  key,
}: Pick<RekorOptions, 'hostname' | 'treeId' | 'key'>): ReturnType<typeof noteCheckpoints> {
  return noteCheckpoints({ origin: `${hostname} - ${String(treeId)}`, name: hostname, key, rule: 'rekor-v1' })
}

export class Rekor {
  readonly treeId: bigint
  readonly publicKey: PublicKey
  readonly #key: PrivateKey
  readonly #log: Log
  readonly #maxAttestationSize: number

  constructor({ key, treeId, maxAttestationSize = DEFAULT_ATTESTATION_SIZE }: RekorOptions, log: Log) {
    this.treeId = treeId
    this.publicKey = key.publicKey
    this.#key = key
    this.#log = log
    this.#maxAttestationSize = maxAttestationSize
  }

  /** The tree that everybody can read. */
  get checkpoint(): PublishedCheckpoint {
    return this.#log.checkpoint
  }

  /**
   * Logs an entry. Resolves when it is durable and covered by a published checkpoint.
   * @param path - where entries live, for the address of an equivalent entry
   * @throws RekorV1Error `REKOR_ENTRY_EXISTS` when the log has it already, and the codes of {@link checkProposal}
   */
  async create(proposal: Proposal, path: string): Promise<RekorEntry> {
    const { body, terms, attestation } = await checkProposal(proposal)
    const keeps = attestation !== undefined && attestation.bytes.length <= this.#maxAttestationSize
    const appended = await this.#log.append({
      identity: hashLeaf(body),
      entry: body,
      annotation: ({ time }) => encodeAnnotation({ integratedTime: time, terms }),
      attachments: keeps ? [{ path: attestationPath(attestation.name), bytes: attestation.bytes }] : [],
    })
    if (!appended.duplicate) return this.#read(appended.index, appended.checkpoint)
    const uuid = formatEntryId(this.treeId, hashLeaf(body))
    throw new RekorV1Error('REKOR_ENTRY_EXISTS', 'an equivalent entry is in the log already', {
      expected: path,
      found: uuid,
      hint: 'fetch it: it is as good as a new one',
    })
  }

  /** The entry at an index of this instance (there are no earlier shards). @throws RekorV1Error `REKOR_ENTRY_UNKNOWN` */
  async byIndex(index: number): Promise<RekorEntry> {
    if (index >= this.#log.checkpoint.size) throw notFound(`no index ${String(index)}`)
    return this.#read(index)
  }

  /** The entry with that id, short or long. @throws RekorV1Error `REKOR_ENTRY_UNKNOWN`, RekorEntryError `REKOR_ENTRY_ID` */
  async byId(text: string): Promise<RekorEntry> {
    const { treeId = this.treeId, leafHash } = parseEntryId(text)
    const index = treeId === this.treeId ? await this.#log.find(leafHash) : undefined
    if (index === undefined) throw notFound(`no entry ${text}`)
    return this.#read(index)
  }

  /** The entry that is equivalent to a proposal. @throws RekorV1Error `REKOR_ENTRY_UNKNOWN` and as {@link create} */
  async byProposal(proposal: Proposal): Promise<RekorEntry> {
    const { body } = await checkProposal(proposal)
    const index = await this.#log.find(hashLeaf(body))
    if (index === undefined) throw notFound('no equivalent entry')
    return this.#read(index)
  }

  /** Ids of the newest entries that have the term, the oldest of them first. */
  async search(term: string): Promise<readonly string[]> {
    const indexes = await this.#log.search(searchKey(term), SEARCH_LIMIT)
    return Promise.all(indexes.map(async (index) => formatEntryId(this.treeId, await this.#log.leafHash(index))))
  }

  /** @throws RekorV1Error `REKOR_V1_SIZES`, `REKOR_V1_TREE_SIZE` */
  consistencyProof(first: number, last: number): Promise<readonly Uint8Array[]> {
    if (first > last)
      throw new RekorV1Error(
        'REKOR_V1_SIZES',
        `firstSize(${String(first)}) must be less than lastSize(${String(last)})`,
      )
    const { size } = this.#log.checkpoint
    if (last > size) {
      const text = `the tree size requested(${String(last)}) was greater than what is currently observable(${String(size)})`
      throw new RekorV1Error('REKOR_V1_TREE_SIZE', text)
    }
    return this.#log.consistencyProof(first, last)
  }

  /** Answers what is pending and lets go of the storage. */
  close(): Promise<void> {
    return this.#log.close()
  }

  async #read(index: number, checkpoint?: PublishedCheckpoint): Promise<RekorEntry> {
    const proven = await proveEntry(this.#log, index, checkpoint === undefined ? {} : { checkpoint })
    const { integratedTime } = decodeAnnotation(proven.annotation)
    const kind = entryKindOf(proven.entry)
    const promised = {
      canonicalizedBody: proven.entry,
      integratedTime: Math.floor(integratedTime / 1000) * 1000,
      logId: this.publicKey.id,
      logIndex: BigInt(index),
    }
    const entry: LogEntry = {
      ...promised,
      ...kind,
      inclusionPromise: await this.#key.sign(signedEntryTimestampPayload(promised)),
      inclusionProof: {
        logIndex: BigInt(index),
        rootHash: proven.checkpoint.rootHash,
        treeSize: BigInt(proven.checkpoint.size),
        hashes: proven.proof,
        checkpoint: decodeUtf8(proven.checkpoint.note),
      },
    }
    const attestation = kind.kind === 'intoto' ? await this.#attestation(proven.entry) : undefined
    return { uuid: formatEntryId(this.treeId, proven.leafHash), entry, attestation }
  }

  async #attestation(body: Uint8Array): Promise<Uint8Array | undefined> {
    const name = payloadHashOf(body)
    return name === undefined ? undefined : this.#log.object(attestationPath(name))
  }
}

function attestationPath(name: string): string {
  return `attestations/${name}`
}

function notFound(found: string): RekorV1Error {
  return new RekorV1Error('REKOR_ENTRY_UNKNOWN', 'there is no such entry', { found })
}
