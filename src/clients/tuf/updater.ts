/** The client workflow of The Update Framework, step by step (specification 1.0, §5). @module */
import {
  acceptInitialRoot,
  acceptNextRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  requireFresh,
  signersOf,
} from '#formats/tuf/accept'
import type { MetaFile, RootRole, SnapshotRole, TargetsRole, TimestampRole, TufMetadata } from '#formats/tuf/model'
import type { UnixMillis } from '#time'
import { isCodedError } from '#errors'
import type { Mirror } from './mirror.js'
import type { TufStore } from './store.js'
import { TufClientError } from './tuf-client-error.js'

/** Metadata that belongs together and was verified. */
export interface TrustedMetadata {
  readonly root: TufMetadata<RootRole>
  readonly timestamp: TufMetadata<TimestampRole>
  readonly snapshot: TufMetadata<SnapshotRole>
  readonly targets: TufMetadata<TargetsRole>
}

/** What an update works with. */
export interface UpdateContext {
  readonly store: TufStore
  readonly mirror: Mirror
  /** §5.1: one time for the whole update. */
  readonly now: UnixMillis
}

const MAX_ROOT_ROTATIONS = 256
const ROOT_LIMIT = 512_000
const TIMESTAMP_LIMIT = 16_384
const SNAPSHOT_LIMIT = 2_000_000
/** Most bytes of a file of targets metadata, where the snapshot does not say. */
export const TARGETS_LIMIT = 5_000_000

/** §5.2: what is trusted to begin with: the given root, or the newer one that an earlier run left behind. */
export async function loadRoot(store: TufStore, given: Uint8Array | undefined): Promise<TufMetadata<RootRole>> {
  const cached = await accepted(await store.read('root.json'), acceptInitialRoot)
  const initial = given === undefined ? undefined : await acceptInitialRoot(given)
  const newest =
    initial === undefined || (cached !== undefined && cached.role.version > initial.role.version) ? cached : initial
  if (newest !== undefined) return newest
  throw new TufClientError('TUF_CLIENT_ROOT', 'no root of trust is known for this mirror', {
    expected: 'a root.json',
    hint: 'run initialize with --root, or set TUF_ROOT_JSON',
  })
}

/**
 * What the store has, if it is whole and in force: then nothing needs to be asked of the network.
 * @returns undefined when anything is missing, expired or wrong
 */
export async function loadCached(
  store: TufStore,
  root: TufMetadata<RootRole>,
  now: UnixMillis,
): Promise<TrustedMetadata | undefined> {
  try {
    requireFresh(root.role, now)
    const timestamp = await acceptTimestamp({ root: root.role, bytes: await mustRead(store, 'timestamp.json') })
    requireFresh(timestamp.role, now)
    const snapshot = await acceptSnapshot({
      root: root.role,
      bytes: await mustRead(store, 'snapshot.json'),
      announced: timestamp.role.snapshot,
    })
    requireFresh(snapshot.role, now)
    const targets = await acceptTargets({
      bytes: await mustRead(store, 'targets.json'),
      signers: signersOf(root.role, 'targets'),
      announced: announcedTargets(snapshot.role),
      name: 'targets.json',
    })
    requireFresh(targets.role, now)
    return { root, timestamp, snapshot, targets }
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

/** §5.3 to §5.6: everything anew from the mirror. What is accepted is stored at once, so that a later failure loses nothing. */
export async function update(context: UpdateContext, initial: TufMetadata<RootRole>): Promise<TrustedMetadata> {
  const root = await updateRoot(context, initial)
  const timestamp = await updateTimestamp(context, root.role)
  const snapshot = await updateSnapshot(context, root.role, timestamp.role)
  const targets = await updateTargets(context, root.role, snapshot.role)
  return { root, timestamp, snapshot, targets }
}

/** §5.3: one root after the other, each signed by the one before. */
async function updateRoot(
  { store, mirror, now }: UpdateContext,
  initial: TufMetadata<RootRole>,
): Promise<TufMetadata<RootRole>> {
  let root = initial
  for (let rotations = 0; rotations < MAX_ROOT_ROTATIONS; rotations++) {
    const bytes = await mirror.read(`${String(root.role.version + 1)}.root.json`, ROOT_LIMIT)
    if (bytes === undefined) break
    root = await acceptNextRoot(root, bytes)
  }
  requireFresh(root.role, now)
  await store.write('root.json', root.bytes)
  return root
}

/** §5.4. A cached timestamp that these keys did not sign, as after a rotation (§5.3.11), sets no lower bound. */
async function updateTimestamp(
  { store, mirror, now }: UpdateContext,
  root: RootRole,
): Promise<TufMetadata<TimestampRole>> {
  const cached = await accepted(await store.read('timestamp.json'), (bytes) => acceptTimestamp({ root, bytes }))
  const bytes = await download(mirror, 'timestamp.json', TIMESTAMP_LIMIT)
  const next = await acceptTimestamp({ root, bytes, previous: cached?.role })
  // §5.4.3.1: of two timestamps with one version the first one stays.
  const timestamp = cached?.role.version === next.role.version ? cached : next
  requireFresh(timestamp.role, now)
  await store.write('timestamp.json', timestamp.bytes)
  return timestamp
}

/** §5.5. */
async function updateSnapshot(
  { store, mirror, now }: UpdateContext,
  root: RootRole,
  { snapshot: announced }: TimestampRole,
): Promise<TufMetadata<SnapshotRole>> {
  const stored = await store.read('snapshot.json')
  const current = await accepted(stored, (bytes) => acceptSnapshot({ root, bytes, announced }))
  if (current !== undefined) {
    requireFresh(current.role, now)
    return current
  }
  const previous = await accepted(stored, (bytes) => acceptSnapshot({ root, bytes }))
  const path = root.consistentSnapshot ? `${String(announced.version)}.snapshot.json` : 'snapshot.json'
  const bytes = await download(mirror, path, announced.length ?? SNAPSHOT_LIMIT)
  const snapshot = await acceptSnapshot({ root, bytes, announced, previous: previous?.role })
  requireFresh(snapshot.role, now)
  await store.write('snapshot.json', bytes)
  return snapshot
}

/** §5.6. */
async function updateTargets(
  { store, mirror, now }: UpdateContext,
  root: RootRole,
  snapshot: SnapshotRole,
): Promise<TufMetadata<TargetsRole>> {
  const announced = announcedTargets(snapshot)
  const accept = (bytes: Uint8Array): Promise<TufMetadata<TargetsRole>> =>
    acceptTargets({ bytes, signers: signersOf(root, 'targets'), announced, name: 'targets.json' })
  const cached = await accepted(await store.read('targets.json'), accept)
  if (cached !== undefined) {
    requireFresh(cached.role, now)
    return cached
  }
  const path = root.consistentSnapshot ? `${String(announced.version)}.targets.json` : 'targets.json'
  const targets = await accept(await download(mirror, path, announced.length ?? TARGETS_LIMIT))
  requireFresh(targets.role, now)
  await store.write('targets.json', targets.bytes)
  return targets
}

function announcedTargets(snapshot: SnapshotRole): MetaFile {
  const announced = snapshot.meta.get('targets.json')
  if (announced !== undefined) return announced
  throw new TufClientError('TUF_CLIENT_MISSING', 'the snapshot does not name the targets metadata', {
    expected: 'targets.json',
  })
}

async function download(mirror: Mirror, path: string, limit: number): Promise<Uint8Array> {
  const bytes = await mirror.read(path, limit)
  if (bytes !== undefined) return bytes
  throw new TufClientError('TUF_CLIENT_MISSING', 'the TUF mirror lacks a file', {
    expected: path,
    hint: 'check the address of the mirror',
  })
}

async function mustRead(store: TufStore, name: string): Promise<Uint8Array> {
  const bytes = await store.read(name)
  if (bytes !== undefined) return bytes
  throw new TufClientError('TUF_CLIENT_MISSING', 'the cache lacks a file', { expected: name })
}

/** What was stored is believed only as far as it verifies; otherwise it is as if there were nothing. */
async function accepted<T>(
  bytes: Uint8Array | undefined,
  accept: (bytes: Uint8Array) => Promise<T>,
): Promise<T | undefined> {
  if (bytes === undefined) return undefined
  try {
    return await accept(bytes)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
