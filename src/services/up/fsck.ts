/** Checks the logs of a data directory, from their published files alone. @module */
import { join, resolve } from 'node:path'
import { randomBytes } from '#crypto/random'
import type { Clock } from '#time'
import type { FsckReport } from '#tlog/fsck'
import { fsck } from '#tlog/fsck'
import { nodeFileSystem } from '#tlog/posix/node-file-system'
import type { CheckpointPort, EntryRules } from '#tlog/rules'
import type { ObjectReader } from '#tlog/storage'
import { CTLOG_RULES } from '../ctlog/ctlog.js'
import { treeHeadCheckpoints } from '../ctlog/tree-head.js'
import { REKOR_RULES, rekorCheckpoints } from '../rekor/rekor.js'
import { REKOR_TILES_RULES, rekorTilesCheckpoints } from '../rekor-tiles/rekor-tiles.js'
import { openDataFiles } from './data-files.js'
import { readInstance } from './instance.js'
import type { Instance } from './instance.js'
import { loadKeys } from './keys.js'
import type { InstanceKeys } from './keys.js'
import { ctLogOrigin } from './logs.js'
import type { LogName } from './storage.js'
import { createVault } from './vault.js'

export interface LogReport extends FsckReport {
  readonly name: LogName
}

export interface CheckLogsOptions {
  readonly directory: string
  readonly password: Uint8Array | undefined
  readonly clock: Clock
}

interface LogToCheck {
  readonly name: LogName
  readonly rules: EntryRules
  readonly checkpoints: CheckpointPort
}

/**
 * Reads every entry and every tile of every log below its checkpoint. The instance may run meanwhile: what a published
 * checkpoint covers does not change.
 * @throws UpError as `createVault` does, UP_NO_INSTANCE
 */
export async function checkLogs({ directory, password, clock }: CheckLogsOptions): Promise<readonly LogReport[]> {
  const root = resolve(directory)
  const files = openDataFiles(root, randomBytes)
  const instance = await readInstance(files)
  const vault = createVault({ files, random: randomBytes, known: instance.keys, password })
  const keys = await loadKeys(vault, { now: instance.created, random: randomBytes })
  const logs = logsOf(instance, keys, clock)
  return Promise.all(
    logs.map(async ({ name, rules, checkpoints }) => {
      const objects = publicObjects(join(root, 'logs', name, 'public'))
      return { name, ...(await fsck({ objects, rules, checkpoints })) }
    }),
  )
}

function logsOf(instance: Instance, keys: InstanceKeys, clock: Clock): readonly LogToCheck[] {
  const { hostname, treeId } = instance
  return [
    {
      name: 'ctlog',
      rules: CTLOG_RULES,
      checkpoints: treeHeadCheckpoints({ origin: ctLogOrigin(instance), key: keys.ctlog, clock }),
    },
    { name: 'rekor', rules: REKOR_RULES, checkpoints: rekorCheckpoints({ hostname, treeId, key: keys.rekor }) },
    {
      name: 'rekor-tiles',
      rules: REKOR_TILES_RULES,
      checkpoints: rekorTilesCheckpoints({ origin: hostname, key: keys.rekorTiles }),
    },
  ]
}

function publicObjects(folder: string): ObjectReader {
  return { get: (path) => nodeFileSystem.read(join(folder, path)) }
}
