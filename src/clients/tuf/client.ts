/** A TUF client: a mirror, a cache, and the rule when the cache is good enough. @module */
import type { RoleName, RootRole, TargetFile, TufMetadata } from '#formats/tuf/model'
import type { Clock, UnixMillis } from '#time'
import { formatRfc3339, parseRfc3339 } from '#time'
import { parseJson, isJsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Fetch } from '../http/fetch.js'
import { openMirror } from './mirror.js'
import type { TufStore } from './store.js'
import { fetchTarget } from './targets.js'
import { TufClientError } from './tuf-client-error.js'
import type { TrustedMetadata, UpdateContext } from './updater.js'
import { loadCached, loadRoot, update } from './updater.js'

/** How a client works. */
export interface TufClientOptions {
  /** `https://…`, `file:///…` or a directory. */
  readonly mirror: string
  /** The root of trust; where the store holds a newer one, that one counts. */
  readonly root?: Uint8Array | undefined
  readonly fetch: Fetch
  readonly clock: Clock
  readonly store: TufStore
  /** For how long an update makes asking again unnecessary, as long as nothing expires; 0 asks every time. */
  readonly maxAge: number
  /** Never ask the mirror; fail when the cache is not enough. */
  readonly offline?: boolean | undefined
}

/** What is current of a role. */
export interface RoleStatus {
  readonly version: number
  /** Bytes of the metadata file. */
  readonly length: number
  readonly expires: UnixMillis
}

/** Verified metadata, and the targets it announces. */
export interface TufClient {
  readonly root: RootRole
  readonly status: Readonly<Record<RoleName, RoleStatus>>
  /** All targets of the top level. */
  readonly targets: ReadonlyMap<string, TargetFile>
  /** The verified content of a target. @throws TufClientError, TufError */
  target(path: string): Promise<Uint8Array>
}

/** When the mirror was last asked; beside the metadata, and of no meaning to security. */
const UPDATED = 'updated.json'

/**
 * Opens a repository: from the store if that is recent and in force, else by an update from the mirror.
 * @throws TufClientError, TufError
 */
export async function openTufClient(options: TufClientOptions): Promise<TufClient> {
  const { store, clock } = options
  const context: UpdateContext = { store, mirror: openMirror(options.mirror, options.fetch), now: clock() }
  const initial = await loadRoot(store, options.root)
  const cached = await loadCached(store, initial, context.now)
  const metadata = await current(options, context, { initial, cached })
  return {
    root: metadata.root.role,
    status: {
      root: statusOf(metadata.root),
      snapshot: statusOf(metadata.snapshot),
      targets: statusOf(metadata.targets),
      timestamp: statusOf(metadata.timestamp),
    },
    targets: metadata.targets.role.targets,
    target: (path) =>
      fetchTarget(options.offline === true ? { ...context, mirror: noMirror } : context, metadata, path),
  }
}

function statusOf({ role: { version, expires }, bytes }: TufMetadata): RoleStatus {
  return { version, length: bytes.length, expires }
}

async function current(
  { maxAge, offline, store }: TufClientOptions,
  context: UpdateContext,
  { initial, cached }: { initial: TufMetadata<RootRole>; cached: TrustedMetadata | undefined },
): Promise<TrustedMetadata> {
  if (cached !== undefined && (offline === true || (await isRecent(store, context.now, maxAge)))) return cached
  if (offline === true) {
    throw new TufClientError(
      'TUF_CLIENT_OFFLINE',
      'there is no valid TUF metadata in the cache, and the network may not be used',
      {
        expected: 'metadata that has not expired',
        hint: 'run initialize while there is a network, or give --trusted-root',
      },
    )
  }
  const metadata = await update(context, initial)
  await store.write(UPDATED, encodeUtf8(JSON.stringify({ lastTimestamp: formatRfc3339(context.now) })))
  return metadata
}

async function isRecent(store: TufStore, now: UnixMillis, maxAge: number): Promise<boolean> {
  const updated = lastTimestamp(await store.read(UPDATED))
  return updated !== undefined && updated <= now && now - updated < maxAge
}

function lastTimestamp(bytes: Uint8Array | undefined): UnixMillis | undefined {
  try {
    const value = bytes && parseJson(bytes)
    const time = isJsonObject(value) ? value['lastTimestamp'] : undefined
    return typeof time === 'string' ? parseRfc3339(time) : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

const noMirror: UpdateContext['mirror'] = {
  read: (path) =>
    Promise.reject(
      new TufClientError('TUF_CLIENT_OFFLINE', 'a file is not in the cache, and the network may not be used', {
        expected: path.slice(0, 200),
      }),
    ),
}
