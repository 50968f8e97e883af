/** The three logs of an instance: certificates, Rekor v1 and Rekor v2, each with a tree and a key of its own. @module */
import { logKeyHash } from '#formats/note/key'
import type { Clock } from '#time'
import type { CtLogPort } from '../fulcio/ct-log.js'
import type { Route } from '../http/routes.js'
import { openRekor } from '../rekor/rekor.js'
import { rekorRoutes } from '../rekor/routes.js'
import { openRekorTiles } from '../rekor-tiles/rekor-tiles.js'
import { rekorTilesRoutes } from '../rekor-tiles/routes.js'
import type { Instance } from './instance.js'
import { LOG_ALGORITHM, TILES_ALGORITHM } from './keys.js'
import type { InstanceKeys } from './keys.js'
import type { InstanceStorage } from './storage.js'
import type { Deployment } from './trust.js'

export interface LogsOptions {
  readonly url: string
  readonly instance: Instance
  readonly keys: InstanceKeys
  readonly storage: InstanceStorage
  readonly clock: Clock
  readonly wait: (millis: number) => Promise<unknown>
}

export interface InstanceLogs {
  readonly routes: readonly Route[]
  /** Where the certificate authority submits to. */
  readonly ctLog: CtLogPort | undefined
  readonly identities: Pick<Deployment, 'ctLog' | 'rekor' | 'rekorTiles'>
  close(): Promise<void>
}

/** Opens all of them; if one fails, the others are closed again. */
export async function openLogs({ url, instance, keys, storage, clock, wait }: LogsOptions): Promise<InstanceLogs> {
  const { hostname, treeId } = instance
  const shared = { clock, wait }
  const opening = await Promise.allSettled([
    openRekor({ ...shared, storage: storage.log('rekor'), key: keys.rekor, hostname, treeId }),
    openRekorTiles({ ...shared, storage: storage.log('rekor-tiles'), key: keys.rekorTiles, origin: hostname }),
  ])
  const [rekor, tiles] = opening
  if (rekor.status === 'rejected' || tiles.status === 'rejected') {
    for (const one of opening) if (one.status === 'fulfilled') await one.value.close()
    throw opening.find((one) => one.status === 'rejected')?.reason
  }
  const baseUrl = addressOf(url, hostname)
  return {
    routes: [...rekorRoutes(rekor.value), ...rekorTilesRoutes(tiles.value)],
    ctLog: undefined,
    identities: {
      rekor: {
        baseUrl,
        key: keys.rekor.publicKey,
        algorithm: LOG_ALGORITHM,
        logId: logKeyHash({ name: hostname, key: keys.rekor.publicKey, rule: 'rekor-v1' }),
      },
      rekorTiles: { baseUrl, key: keys.rekorTiles.publicKey, algorithm: TILES_ALGORITHM, logId: tiles.value.logId },
    },
    async close() {
      await Promise.all([rekor.value.close(), tiles.value.close()])
    },
  }
}

/** The instance's address under the host name that its logs sign; Go clients compare the two. */
function addressOf(url: string, hostname: string): string {
  const address = new URL(url)
  address.hostname = hostname
  return address.origin
}
