/** TUF metadata as read-only values (The Update Framework specification 1.0, §4). @module */
import type { Algorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import type { JsonValue } from '#encoding/json'
import type { UnixMillis } from '#time'

/** The four top-level roles. */
export type RoleName = 'root' | 'timestamp' | 'snapshot' | 'targets'

/** A key of a type that is supported. */
export interface TufKey {
  readonly key: PublicKey
  readonly algorithm: Algorithm
}

/** Who may sign for a role. */
export interface RoleKeys {
  readonly keyIds: readonly string[]
  readonly threshold: number
}

interface Common {
  readonly version: number
  readonly expires: UnixMillis
}

/** The keys of everything. */
export interface RootRole extends Common {
  readonly type: 'root'
  readonly consistentSnapshot: boolean
  /** Keys of types that are not supported are left out: they cannot sign anything here. */
  readonly keys: ReadonlyMap<string, TufKey>
  readonly roles: Readonly<Record<RoleName, RoleKeys>>
}

/** Which version of a metadata file is current; length and hashes may be absent. */
export interface MetaFile {
  readonly version: number
  readonly length?: number | undefined
  readonly hashes: ReadonlyMap<string, string>
}

/** Which snapshot is current. */
export interface TimestampRole extends Common {
  readonly type: 'timestamp'
  readonly snapshot: MetaFile
}

/** Which versions of all targets metadata belong together. */
export interface SnapshotRole extends Common {
  readonly type: 'snapshot'
  /** By file name, `targets.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>
}

/** A target file. */
export interface TargetFile {
  readonly length: number
  /** Algorithm to hexadecimal digest; at least one. */
  readonly hashes: ReadonlyMap<string, string>
  readonly custom: JsonValue | undefined
}

/** A role that is trusted with some target paths. */
export interface Delegation extends RoleKeys {
  readonly name: string
  /** Path patterns with `*` and `?`, or prefixes of the path's SHA-256. */
  readonly paths: readonly string[] | undefined
  readonly pathHashPrefixes: readonly string[] | undefined
  readonly terminating: boolean
}

/** What there is, and who else may say so. */
export interface TargetsRole extends Common {
  readonly type: 'targets'
  readonly targets: ReadonlyMap<string, TargetFile>
  /** Keys of the delegations. */
  readonly keys: ReadonlyMap<string, TufKey>
  /** In order of priority. */
  readonly delegations: readonly Delegation[]
}

/** Any of them. */
export type TufRole = RootRole | TimestampRole | SnapshotRole | TargetsRole

/** One signature of a metadata file. */
export interface TufSignature {
  readonly keyId: string
  readonly signature: Uint8Array
}

/** Metadata that was read; nothing of it is verified. */
export interface TufMetadata<Role extends TufRole = TufRole> {
  readonly role: Role
  readonly signatures: readonly TufSignature[]
  /** Canonical form of the signed part. */
  readonly signedBytes: Uint8Array
  /** The whole file, as it was. */
  readonly bytes: Uint8Array
}
