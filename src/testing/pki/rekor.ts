/** Transparency logs of both Rekor versions for tests: a tree in memory, and entries with real proofs. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import { formatCheckpoint } from '#formats/checkpoint/checkpoint'
import { hashLeaf, hashNode } from '#formats/merkle/hash'
import { proveInclusion, treeRoot } from '#formats/merkle/tree'
import type { KeyIdRule } from '#formats/note/key'
import { keyIdOf, logKeyHash } from '#formats/note/key'
import type { NoteSigner } from '#formats/note/sign'
import { noteSignerForKey, signNote } from '#formats/note/sign'
import { entryKindOf } from '#formats/rekor-entry/body'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'
import { signedEntryTimestampPayload } from '#formats/rekor-entry/promise'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import type { UnixMillis } from '#time'
import { TEST_TIME } from './certificate.js'

/** 1: SET, integrated time, key id of Rekor v1. 2: proofs alone. */
export type RekorVersion = 1 | 2

export interface TestRekorOptions {
  readonly version: RekorVersion
  readonly algorithm?: AlgorithmName
  /** The host of the log's URL, and the name in its checkpoints. */
  readonly host?: string
  /** Entries of other shards, which count in a v1 entry's virtual index. */
  readonly indexOffset?: bigint
  /** Leaves that are in the tree already. */
  readonly size?: number
}

export interface AppendOptions {
  readonly integratedTime?: UnixMillis
  /** Left out of the entry: `promise` is the SET. */
  readonly without?: readonly ('promise' | 'proof' | 'checkpoint')[]
  /** The first line and signature name of the checkpoint, if not the log's own. */
  readonly origin?: string
  /** Replaces the signers of the checkpoint. */
  readonly checkpointSigners?: readonly NoteSigner[]
  /** Further signatures on the checkpoint: witnesses. */
  readonly cosigners?: readonly NoteSigner[]
  /** Extension lines of the checkpoint. */
  readonly extensions?: readonly string[]
}

export interface TestRekor {
  readonly version: RekorVersion
  readonly key: PrivateKey
  readonly origin: string
  readonly trusted: TrustedLog
  /** Puts a body into the tree and returns it with its proofs. */
  append(canonicalizedBody: Uint8Array, options?: AppendOptions): Promise<LogEntry>
}

const KEY_RULES = { 1: 'rekor-v1', 2: 'note' } as const satisfies Record<RekorVersion, KeyIdRule>
const DEFAULT_ALGORITHMS = { 1: 'ecdsa-sha2-256-nistp256', 2: 'ed25519' } as const satisfies Record<
  RekorVersion,
  AlgorithmName
>
const TREE_ID = '1193050959916656506'

export async function createTestRekor(options: TestRekorOptions): Promise<TestRekor> {
  const { version, host = `rekor-v${String(options.version)}.test.example` } = options
  const key = await generatePrivateKey(options.algorithm ?? DEFAULT_ALGORITHMS[version])
  const origin = version === 1 ? `${host} - ${TREE_ID}` : host
  const logId = logKeyHash({ name: host, key: key.publicKey, rule: KEY_RULES[version] })
  const leaves = Array.from({ length: options.size ?? 5 }, (_, index) => hashLeaf(Uint8Array.of(index)))
  const log: LogState = { version, key, host, origin, logId, leaves, indexOffset: options.indexOffset ?? 0n }
  return {
    version,
    key,
    origin,
    trusted: {
      baseUrl: `https://${host}`,
      hashAlgorithm: 'sha256',
      key: key.publicKey,
      algorithm: key.algorithm,
      validFor: { start: TEST_TIME - 365 * 86_400_000 },
      logId,
      checkpointKeyId: keyIdOf(logId),
    },
    append: (body, appendOptions = {}) => append(log, body, appendOptions),
  }
}

interface LogState {
  readonly version: RekorVersion
  readonly key: PrivateKey
  readonly host: string
  readonly origin: string
  readonly logId: Uint8Array
  readonly leaves: Uint8Array[]
  readonly indexOffset: bigint
}

async function append(log: LogState, canonicalizedBody: Uint8Array, options: AppendOptions): Promise<LogEntry> {
  const leafIndex = log.leaves.push(hashLeaf(canonicalizedBody)) - 1
  const without = options.without ?? []
  const inclusionProof = without.includes('proof') ? undefined : await prove(log, leafIndex, options)
  const entry: LogEntry = {
    logIndex: log.version === 1 ? log.indexOffset + BigInt(leafIndex) : BigInt(leafIndex),
    logId: log.logId,
    ...entryKindOf(canonicalizedBody),
    integratedTime: log.version === 1 ? (options.integratedTime ?? TEST_TIME) : undefined,
    inclusionProof,
    canonicalizedBody,
  }
  if (log.version === 2 || without.includes('promise')) return entry
  return { ...entry, inclusionPromise: await log.key.sign(signedEntryTimestampPayload(entry)) }
}

async function prove(log: LogState, leafIndex: number, options: AppendOptions): Promise<InclusionProof> {
  const size = log.leaves.length
  const nodes = (level: number, index: number): Uint8Array => subtree(log.leaves, level, index)
  const rootHash = await treeRoot(nodes, size)
  const hashes = await proveInclusion(nodes, leafIndex, size)
  const proof = { logIndex: BigInt(leafIndex), rootHash, treeSize: BigInt(size), hashes }
  if (options.without?.includes('checkpoint') === true) return { ...proof, checkpoint: undefined }
  const name = options.origin ?? log.host
  const origin = options.origin ?? log.origin
  const text = formatCheckpoint({ origin, size: BigInt(size), rootHash, extensions: options.extensions ?? [] })
  const signers = options.checkpointSigners ?? [noteSignerForKey({ name, key: log.key, rule: KEY_RULES[log.version] })]
  return { ...proof, checkpoint: await signNote(text, [...signers, ...(options.cosigners ?? [])]) }
}

function subtree(leaves: readonly Uint8Array[], level: number, index: number): Uint8Array {
  if (level > 0) return hashNode(subtree(leaves, level - 1, 2 * index), subtree(leaves, level - 1, 2 * index + 1))
  const leaf = leaves[index]
  if (leaf === undefined) throw new RangeError(`no leaf ${String(index)}`)
  return leaf
}
