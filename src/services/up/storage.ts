/** Where an instance keeps things: a directory, or the memory of the process. @module */
import { join } from 'node:path'
import type { RandomSource } from '#crypto/random'
import { MemoryStorage } from '#tlog/memory/memory-storage'
import { posixStorage } from '#tlog/posix/open'
import type { LogStorage } from '#tlog/storage'
import { createMemoryStorage } from '../registry/memory-storage.js'
import { openPosixStorage } from '../registry/posix-storage.js'
import type { RegistryStorage } from '../registry/storage.js'
import { directoryRepositoryStorage, memoryRepositoryStorage } from '../tuf-repo/storage.js'
import type { RepositoryStorage } from '../tuf-repo/storage.js'
import { memoryDataFiles, openDataFiles } from './data-files.js'
import type { DataFiles } from './data-files.js'

/** The logs of an instance, by the name of their folder. */
export type LogName = 'ctlog' | 'rekor' | 'rekor-tiles'

/** Everything that outlives a request. */
export interface InstanceStorage {
  /** Keys, and what describes the instance. */
  readonly files: DataFiles
  readonly tuf: RepositoryStorage
  readonly registry: RegistryStorage
  log(name: LogName): LogStorage
}

/**
 * Storage in a directory (an absolute path):
 *
 *     instance.json  keys/  run.json      see instance.ts, vault.ts, run-file.ts
 *     logs/<name>/                        each log: public/ can be served by any web server
 *     tuf/                                the TUF repository, likewise
 *     registry/                           images
 */
export async function openDirectoryStorage(root: string, random: RandomSource): Promise<InstanceStorage> {
  const files = openDataFiles(root, random)
  const registry = await openPosixStorage(join(root, 'registry'), random)
  return {
    files,
    registry,
    tuf: directoryRepositoryStorage(join(root, 'tuf')),
    log: (name) => posixStorage(join(root, 'logs', name)),
  }
}

/** Storage that is gone with the process. */
export function memoryStorage(): InstanceStorage {
  const logs = new Map<LogName, LogStorage>()
  return {
    files: memoryDataFiles(),
    registry: createMemoryStorage(),
    tuf: memoryRepositoryStorage(),
    log: (name) => {
      const log = logs.get(name) ?? new MemoryStorage()
      logs.set(name, log)
      return log
    },
  }
}
