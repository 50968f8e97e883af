/** A TUF repository: it makes, signs, renews and rotates its own metadata. @module */
import type { Signer } from '#crypto/private-key'
import type { JsonObject } from '#encoding/json'
import { equalBytes } from '#encoding/bytes'
import { requireContent } from '#formats/tuf/accept'
import type { RoleName, RootRole, TargetFile } from '#formats/tuf/model'
import type { AnnouncedMetadata, NewTarget, RoleKeySet } from '#formats/tuf/write'
import { rootJson, signMetadata, snapshotJson, targetsJson, timestampJson } from '#formats/tuf/write'
import { tufKeyId } from '#formats/tuf/keys'
import { isCodedError } from '#errors'
import type { Clock, UnixMillis } from '#time'
import { loadState } from './state.js'
import type { RepositoryState } from './state.js'
import type { RepositoryStorage } from './storage.js'
import { TufRepositoryError } from './repository-error.js'

/** Who signs for a role; all of them do. */
export interface RoleSigners {
  readonly signers: readonly Signer[]
  /** How many a client asks for. */
  readonly threshold: number
}

/** The signers of every role. */
export type RepositorySigners = Readonly<Record<RoleName, RoleSigners>>

/** What a repository is made of. */
export interface TufRepositoryOptions {
  readonly storage: RepositoryStorage
  readonly signers: RepositorySigners
  readonly clock: Clock
  /** How long each role's metadata is good for, in milliseconds; it is renewed when half of that is over. */
  readonly lifetimes?: Readonly<Record<RoleName, number>> | undefined
}

/** A repository in operation. Calls wait for each other, so that no version is made twice. */
export interface TufRepository {
  /** Makes these the targets. What is there already, and good for long enough, is left alone. */
  publish(targets: ReadonlyMap<string, NewTarget>): Promise<void>
  /** Signs anew what has lived through half of its lifetime. Cheap when there is nothing to do. */
  renew(): Promise<void>
  /** Hands over to other keys: the next root is signed by the old and the new ones, and so is everything below it. */
  rotate(next: RepositorySigners): Promise<void>
  /** The current root, which clients are to be initialized with. */
  root(): Promise<Uint8Array>
  /** Reads a file as clients ask for it. */
  read(path: string): Promise<Uint8Array | undefined>
}

const DAY = 24 * 60 * 60 * 1000

const LIFETIMES: Readonly<Record<RoleName, number>> = {
  root: 730 * DAY,
  targets: 365 * DAY,
  snapshot: 60 * DAY,
  timestamp: 14 * DAY,
}

/**
 * Opens the repository in a storage, or makes a new one there.
 * @throws TufRepositoryError when the keys are not those that its root names
 */
export async function openTufRepository(options: TufRepositoryOptions): Promise<TufRepository> {
  const repository = new Repository(options)
  await repository.start()
  return repository
}

/** The state is in the storage; timestamp.json is written last, and by it all that was written before becomes valid. */
class Repository implements TufRepository {
  readonly #storage: RepositoryStorage
  readonly #clock: Clock
  readonly #lifetimes: Readonly<Record<RoleName, number>>
  #signers: RepositorySigners
  #queue: Promise<unknown> = Promise.resolve()
  #nextCheck: UnixMillis = 0

  constructor({ storage, signers, clock, lifetimes = LIFETIMES }: TufRepositoryOptions) {
    this.#storage = storage
    this.#signers = signers
    this.#clock = clock
    this.#lifetimes = lifetimes
  }

  async start(): Promise<void> {
    await this.#exclusively(async () => {
      const state = await loadState(this.#storage)
      if (state === undefined) await this.#writeRoot(1, [this.#signers])
      else requireKeys(state.root, this.#signers)
    })
  }

  publish(targets: ReadonlyMap<string, NewTarget>): Promise<void> {
    return this.#exclusively(async () => {
      const state = await loadState(this.#storage)
      if (state?.targets !== undefined && isSame(state.targets.role.targets, targets)) return
      await this.#writeTargets(state, targets)
    })
  }

  renew(): Promise<void> {
    if (this.#clock() < this.#nextCheck) return Promise.resolve()
    return this.#exclusively(async () => {
      const state = await loadState(this.#storage)
      if (state === undefined) throw empty()
      await this.#renew(state)
    })
  }

  rotate(next: RepositorySigners): Promise<void> {
    return this.#exclusively(async () => {
      const state = await loadState(this.#storage)
      if (state === undefined) throw empty()
      // First everything below is signed by both, so that it is valid under the old root and under the new one:
      // clients may come at any moment in between.
      const previous = this.#signers
      this.#signers = both(previous, next)
      if (state.targets !== undefined) await this.#writeTargets(state, await this.#currentTargets(state))
      await this.#writeRoot(state.root.version + 1, [previous, next])
      this.#signers = next
    })
  }

  async root(): Promise<Uint8Array> {
    const bytes = await this.#storage.read('root.json')
    if (bytes === undefined) throw empty()
    return bytes
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#storage.read(path)
  }

  async #renew(state: RepositoryState): Promise<void> {
    if (this.#isOld('root', state.root.expires)) await this.#writeRoot(state.root.version + 1, [this.#signers])
    const { targets, snapshot, timestamp } = state
    if (targets === undefined || snapshot === undefined || timestamp === undefined) return
    if (this.#isOld('targets', targets.role.expires)) await this.#writeTargets(state, await this.#currentTargets(state))
    else if (this.#isOld('snapshot', snapshot.role.expires))
      await this.#writeSnapshot(state, { version: targets.role.version, bytes: targets.bytes })
    else if (this.#isOld('timestamp', timestamp.role.expires))
      await this.#writeTimestamp(state, { version: snapshot.role.version, bytes: snapshot.bytes })
    // Nothing gets old sooner than a quarter of the shortest lifetime from now.
    this.#nextCheck = this.#clock() + Math.min(...Object.values(this.#lifetimes)) / 4
  }

  async #writeRoot(version: number, signers: readonly RepositorySigners[]): Promise<void> {
    const current = signers.at(-1) ?? this.#signers
    const signed = rootJson(this.#header('root', version), keysOf(current))
    const bytes = await signMetadata(signed, unique(signers.flatMap((each) => each.root.signers)))
    await this.#storage.write(`${String(version)}.root.json`, bytes)
    await this.#storage.write('root.json', bytes)
  }

  async #writeTargets(state: RepositoryState | undefined, targets: ReadonlyMap<string, NewTarget>): Promise<void> {
    const version = (state?.targets?.role.version ?? 0) + 1
    const signed = targetsJson(this.#header('targets', version), targets)
    const announced = signed['targets'] as Readonly<Record<string, { readonly hashes: { readonly sha256: string } }>>
    for (const [path, { bytes }] of targets) {
      await this.#storage.write(targetPath(path, announced[path]?.hashes.sha256 ?? ''), bytes)
    }
    const bytes = await this.#sign('targets', signed)
    await this.#storage.write(`${String(version)}.targets.json`, bytes)
    await this.#writeSnapshot(state, { version, bytes })
  }

  async #writeSnapshot(state: RepositoryState | undefined, targets: AnnouncedMetadata): Promise<void> {
    const version = (state?.snapshot?.role.version ?? 0) + 1
    const bytes = await this.#sign('snapshot', snapshotJson(this.#header('snapshot', version), targets))
    await this.#storage.write(`${String(version)}.snapshot.json`, bytes)
    await this.#writeTimestamp(state, { version, bytes })
  }

  async #writeTimestamp(state: RepositoryState | undefined, snapshot: AnnouncedMetadata): Promise<void> {
    const version = (state?.timestamp?.role.version ?? 0) + 1
    await this.#storage.write(
      'timestamp.json',
      await this.#sign('timestamp', timestampJson(this.#header('timestamp', version), snapshot)),
    )
  }

  async #currentTargets({ targets }: RepositoryState): Promise<ReadonlyMap<string, NewTarget>> {
    const current = new Map<string, NewTarget>()
    for (const [path, file] of targets?.role.targets ?? []) {
      const bytes = await this.#storage.read(targetPath(path, file.hashes.get('sha256') ?? ''))
      if (bytes === undefined)
        throw new TufRepositoryError('TUF_REPOSITORY_DAMAGED', 'a target of the repository is missing', {
          expected: path,
        })
      current.set(path, { bytes, custom: file.custom })
    }
    return current
  }

  #sign(role: RoleName, signed: JsonObject): Promise<Uint8Array> {
    return signMetadata(signed, this.#signers[role].signers)
  }

  #header(role: RoleName, version: number): { version: number; expires: UnixMillis } {
    return { version, expires: this.#clock() + this.#lifetimes[role] }
  }

  #isOld(role: RoleName, expires: UnixMillis): boolean {
    return expires - this.#clock() < this.#lifetimes[role] / 2
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}

/** With consistent snapshots a target's file is named by its hash too (§6.2). */
function targetPath(path: string, sha256: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `targets/${path.slice(0, slash)}${sha256}.${path.slice(slash)}`
}

function isSame(announced: ReadonlyMap<string, TargetFile>, targets: ReadonlyMap<string, NewTarget>): boolean {
  if (announced.size !== targets.size) return false
  return [...targets].every(([path, { bytes, custom }]) => {
    const file = announced.get(path)
    return file !== undefined && isContent(bytes, file) && JSON.stringify(file.custom) === JSON.stringify(custom)
  })
}

function isContent(bytes: Uint8Array, file: TargetFile): boolean {
  try {
    requireContent(bytes, file, 'a target')
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

function keysOf(signers: RepositorySigners): RoleKeySet {
  const keys = ({ signers: own, threshold }: RoleSigners): RoleKeySet[RoleName] => ({
    keys: own.map((each) => each.publicKey),
    threshold,
  })
  return {
    root: keys(signers.root),
    targets: keys(signers.targets),
    snapshot: keys(signers.snapshot),
    timestamp: keys(signers.timestamp),
  }
}

function both(one: RepositorySigners, other: RepositorySigners): RepositorySigners {
  const join = (role: RoleName): RoleSigners => ({
    signers: unique([...one[role].signers, ...other[role].signers]),
    threshold: other[role].threshold,
  })
  return { root: join('root'), targets: join('targets'), snapshot: join('snapshot'), timestamp: join('timestamp') }
}

function unique(signers: readonly Signer[]): readonly Signer[] {
  return signers.filter(
    (signer, index) => signers.findIndex((each) => equalBytes(each.publicKey.id, signer.publicKey.id)) === index,
  )
}

/** A repository whose root names other keys would publish what no client accepts. */
function requireKeys(root: RootRole, signers: RepositorySigners): void {
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    const named = root.roles[role].keyIds
    const foreign = signers[role].signers.find((signer) => !named.includes(tufKeyId(signer.publicKey)))
    if (foreign === undefined) continue
    throw new TufRepositoryError(
      'TUF_REPOSITORY_KEYS',
      `the key for ${role} is not the one that the repository's root names`,
      {
        expected: named.join(', '),
        found: tufKeyId(foreign.publicKey),
        hint: 'start with the keys the repository was made with, or rotate to new ones',
      },
    )
  }
}

function empty(): TufRepositoryError {
  return new TufRepositoryError('TUF_REPOSITORY_EMPTY', 'the repository has no metadata', {
    hint: 'publish targets first',
  })
}
