/** What a TUF repository's storage says, read back as clients will read it. @module */
import { acceptInitialRoot, acceptSnapshot, acceptTargets, acceptTimestamp, signersOf } from '#formats/tuf/accept'
import type { RootRole, SnapshotRole, TargetsRole, TimestampRole, TufMetadata } from '#formats/tuf/model'
import { isCodedError } from '#errors'
import { TufRepositoryError } from './repository-error.js'
import type { RepositoryStorage } from './storage.js'

/** The current metadata. Before the first publication there is only a root. */
export interface RepositoryState {
  readonly root: RootRole
  readonly timestamp: TufMetadata<TimestampRole> | undefined
  readonly snapshot: TufMetadata<SnapshotRole> | undefined
  readonly targets: TufMetadata<TargetsRole> | undefined
}

/**
 * Reads and verifies the repository, except for its expiry.
 * @returns undefined when there is nothing yet
 * @throws TufRepositoryError `TUF_REPOSITORY_DAMAGED`
 */
export async function loadState(storage: RepositoryStorage): Promise<RepositoryState | undefined> {
  const newest = await newestRoot(storage)
  if (newest === undefined) return undefined
  try {
    const { role: root } = await acceptInitialRoot(newest)
    const timestampBytes = await storage.read('timestamp.json')
    if (timestampBytes === undefined) return { root, timestamp: undefined, snapshot: undefined, targets: undefined }
    const timestamp = await acceptTimestamp({ root, bytes: timestampBytes })
    const announced = timestamp.role.snapshot
    const snapshot = await acceptSnapshot({
      root,
      announced,
      bytes: await mustRead(storage, `${String(announced.version)}.snapshot.json`),
    })
    const announcedTargets = snapshot.role.meta.get('targets.json')
    if (announcedTargets === undefined) throw damaged('snapshot.json')
    const targets = await acceptTargets({
      bytes: await mustRead(storage, `${String(announcedTargets.version)}.targets.json`),
      signers: signersOf(root, 'targets'),
      announced: announcedTargets,
      name: 'targets.json',
    })
    return { root, timestamp, snapshot, targets }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof TufRepositoryError) throw cause
    throw damaged(cause.message, cause)
  }
}

/** `N.root.json` is written before `root.json`: after a crash in between, the numbered one is the newer. */
async function newestRoot(storage: RepositoryStorage): Promise<Uint8Array | undefined> {
  let newest = await storage.read('root.json')
  let version = newest === undefined ? 0 : (await acceptInitialRoot(newest)).role.version
  for (;;) {
    const next = await storage.read(`${String(version + 1)}.root.json`)
    if (next === undefined) return newest
    newest = next
    version++
  }
}

async function mustRead(storage: RepositoryStorage, path: string): Promise<Uint8Array> {
  const bytes = await storage.read(path)
  if (bytes === undefined) throw damaged(path)
  return bytes
}

function damaged(found: string, cause?: unknown): TufRepositoryError {
  return new TufRepositoryError('TUF_REPOSITORY_DAMAGED', 'the TUF repository is damaged', {
    found,
    hint: 'restore it from a backup; clients refuse it as it is',
    cause,
  })
}
