/** What a log's owner tells the engine about entries, which are bytes to it, and about checkpoints. @module */
import type { UnixMillis } from '#time'
import { ENTRY_BUNDLES } from './bundle-layout.js'
import type { BundleLayout } from './bundle-layout.js'
import type { EdgeRules } from './right-edge.js'
import type { TreeState } from './storage.js'

/** All that is derived from an entry. Pure functions: recovery and fsck call them again and must get the same. */
export interface EntryRules {
  /**
   * A hash that two entries share if and only if they are duplicates of each other.
   * May be computed without things that only the log adds, such as a timestamp.
   */
  readonly identity: (entry: Uint8Array) => Uint8Array
  /** The bytes that the leaf hash is over. Default: the entry. */
  readonly leaf?: (entry: Uint8Array) => Uint8Array
  /** Hashes of the terms under which the entry can be searched, also from what is kept beside it. Default: none. */
  readonly searchKeys?: (entry: Uint8Array, annotation: Uint8Array) => readonly Uint8Array[]
  /** How entries are kept together. Default: C2SP entry bundles. */
  readonly bundle?: BundleLayout
  /** Whether something is kept beside each entry that the tree does not cover. Default: no. */
  readonly annotated?: boolean
}

/** The rules with their defaults. */
export type FullEntryRules = Required<EntryRules> & EdgeRules

export function withDefaults(rules: EntryRules): FullEntryRules {
  return { leaf: (entry) => entry, searchKeys: () => [], bundle: ENTRY_BUNDLES, annotated: false, ...rules }
}

/** How this log signs its checkpoints, and knows them again. */
export interface CheckpointPort {
  /** The object that is published: a signed note. */
  sign(state: TreeState): Promise<Uint8Array>
  /**
   * Reads one that {@link sign} has made, with whatever key the log has had under this origin.
   * @throws a coded error if it is of another log or key: two logs must never share a directory
   */
  open(note: Uint8Array): Promise<{ readonly size: number; readonly rootHash: Uint8Array }>
}

/** A checkpoint that everybody can read, and with it every tile and entry below it. */
export interface PublishedCheckpoint {
  readonly size: number
  readonly rootHash: Uint8Array
  readonly time: UnixMillis
  readonly note: Uint8Array
}

/** Where the checkpoint is, as C2SP tlog-tiles says. */
export const CHECKPOINT_PATH = 'checkpoint'
