/** The three logs of an instance: certificates, Rekor v1 and Rekor v2, each with a tree and a key of its own. @module */
import type { PublicKey } from '#crypto/public-key'
import { logKeyHash } from '#formats/note/key'
import { encodeSct } from '#formats/sct/sct'
import type { Clock } from '#time'
import { openCtLog } from '../ctlog/ctlog.js'
import type { CtLog } from '../ctlog/ctlog.js'
import { ctLogRoutes } from '../ctlog/routes.js'
import type { CtLogPort } from '../fulcio/ct-log.js'
import type { Route } from '#serving/routes'
import { openRekor } from '../rekor/rekor.js'
import type { Rekor } from '../rekor/rekor.js'
import { rekorRoutes } from '../rekor/routes.js'
import { openRekorTiles } from '../rekor-tiles/rekor-tiles.js'
import type { RekorTiles } from '../rekor-tiles/rekor-tiles.js'
import { rekorTilesRoutes } from '../rekor-tiles/routes.js'
import type { Instance } from './instance.js'
import { LOG_ALGORITHM, TILES_ALGORITHM } from './keys.js'
import type { InstanceKeys } from './keys.js'
import type { InstanceStorage, LogName } from './storage.js'
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
  readonly ctLog: CtLogPort
  readonly identities: Pick<Deployment, 'ctLog' | 'rekor' | 'rekorTiles'>
  /** Entries below the newest checkpoint of each. */
  sizes(): readonly { readonly log: LogName; readonly size: number }[]
  close(): Promise<void>
}

/** Opens all of them; if one fails, the others are closed again. */
export async function openLogs(options: LogsOptions): Promise<InstanceLogs> {
  const opening = await Promise.allSettled([openCertificateLog(options), openEntryLog(options), openTiledLog(options)])
  const [ct, rekor, tiles] = opening
  if (ct.status === 'rejected' || rekor.status === 'rejected' || tiles.status === 'rejected') {
    for (const one of opening) if (one.status === 'fulfilled') await one.value.close()
    throw opening.find((one) => one.status === 'rejected')?.reason
  }
  const { instance, keys, url } = options
  const { hostname } = instance
  const baseUrl = addressOf(url, hostname)
  const v1Id = (key: PublicKey): Uint8Array => logKeyHash({ name: hostname, key, rule: 'rekor-v1' })
  const certificateLog = ct.value
  return {
    routes: [...ctLogRoutes(ct.value), ...rekorRoutes(rekor.value), ...rekorTilesRoutes(tiles.value)],
    ctLog: {
      key: certificateLog.publicKey,
      submitPrecertificate: async (chain) => encodeSct(await certificateLog.add(chain, 'precert')),
    },
    identities: {
      ctLog: { baseUrl, key: keys.ctlog.publicKey, algorithm: LOG_ALGORITHM, logId: v1Id(keys.ctlog.publicKey) },
      rekor: { baseUrl, key: keys.rekor.publicKey, algorithm: LOG_ALGORITHM, logId: v1Id(keys.rekor.publicKey) },
      rekorTiles: { baseUrl, key: keys.rekorTiles.publicKey, algorithm: TILES_ALGORITHM, logId: tiles.value.logId },
    },
    sizes: () => [
      { log: 'ctlog', size: ct.value.checkpoint.size },
      { log: 'rekor', size: rekor.value.checkpoint.size },
      { log: 'rekor-tiles', size: tiles.value.checkpoint.size },
    ],
    async close() {
      await Promise.all([ct.value.close(), rekor.value.close(), tiles.value.close()])
    },
  }
}

/** The name of the CT log in its checkpoints; Rekor v2 has the host name alone. */
export function ctLogOrigin({ hostname }: Instance): string {
  return `${hostname}/ct`
}

function openCertificateLog({ instance, keys, storage, clock, wait }: LogsOptions): Promise<CtLog> {
  const roots = keys.fulcio.chain.slice(-1).map(({ der }) => der)
  return openCtLog({
    storage: storage.log('ctlog'),
    key: keys.ctlog,
    origin: ctLogOrigin(instance),
    roots,
    clock,
    wait,
  })
}

function openEntryLog({ instance, keys, storage, clock, wait }: LogsOptions): Promise<Rekor> {
  const { hostname, treeId } = instance
  return openRekor({ storage: storage.log('rekor'), key: keys.rekor, hostname, treeId, clock, wait })
}

function openTiledLog({ instance, keys, storage, clock, wait }: LogsOptions): Promise<RekorTiles> {
  return openRekorTiles({
    storage: storage.log('rekor-tiles'),
    key: keys.rekorTiles,
    origin: instance.hostname,
    clock,
    wait,
  })
}

/** The instance's address under the host name that its logs sign; Go clients compare the two. */
function addressOf(url: string, hostname: string): string {
  const address = new URL(url)
  address.hostname = hostname
  return address.origin
}
