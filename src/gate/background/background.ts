/** What one replica does for all: statuses of policies, and the scan of what runs. @module */
import type { Timers } from '#clients/http/fetch'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { encodeHex } from '#encoding/hex'
import type { RandomSource } from '#crypto/random'
import type { Clock } from '#time'
import type { Gate } from '../gate.js'
import { INSTALLATION } from '../installation.js'
import type { ReportWriter } from '../reports/report-writer.js'
import type { Documents } from '../snapshot/documents.js'
import type { Snapshot } from '../snapshot/snapshot.js'
import type { Log } from '../telemetry/log.js'
import { Lease } from './lease.js'
import { PolicyStatusWriter } from './policy-status.js'
import { BackgroundScan } from './scan.js'
import { progressOnLease } from './scan-progress.js'
import { scopeOf } from './scope.js'

export interface BackgroundOptions {
  readonly api: KubernetesApi
  /** The installation's own. */
  readonly namespace: string
  readonly documents: Documents
  readonly gate: Gate
  /** Undefined: nothing is reported, and so nothing is scanned. */
  readonly reports: ReportWriter | undefined
  /** 0: what runs is not scanned. */
  readonly scanInterval: number
  /** Resources a second. */
  readonly scanRate: number
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomSource
  /** A number in [0, 1). */
  readonly jitter: () => number
  readonly log: Log
}

export interface Background {
  start(): void
  /** To be told of every state of the policies. */
  onSnapshot(snapshot: Snapshot): void
  close(): Promise<void>
}

export function createBackground(options: BackgroundOptions): Background {
  const { api, namespace, documents, gate, clock, timers, jitter, log } = options
  const statuses = new PolicyStatusWriter({
    api,
    documents,
    clock,
    onTrouble: (error) => {
      log.trouble('the status of a policy cannot be written', error)
    },
  })
  let scanning: AbortController | undefined
  const lease = new Lease({
    api,
    namespace,
    name: INSTALLATION.lease,
    holder: `countersign-${encodeHex(options.random(8))}`,
    clock,
    timers,
    jitter,
    onHeld: () => {
      log.info('this replica does the background work')
      statuses.forget()
      const snapshot = gate.snapshot()
      if (snapshot !== undefined) void statuses.write(snapshot)
      scanning = startScan(options)
    },
    onLost: () => {
      log.info('another replica does the background work')
      scanning?.abort()
    },
    onTrouble: (error) => {
      log.trouble('the lease of the background work cannot be had', error)
    },
  })
  return {
    start: () => {
      lease.start()
    },
    onSnapshot: (snapshot) => {
      if (lease.isHeld) void statuses.write(snapshot)
    },
    close: async () => {
      scanning?.abort()
      await lease.close()
    },
  }
}

function startScan(options: BackgroundOptions): AbortController | undefined {
  const { api, namespace, reports, scanInterval, gate, log } = options
  if (reports === undefined || scanInterval <= 0) return undefined
  const stopping = new AbortController()
  const scan = new BackgroundScan({
    ...options,
    snapshot: gate.snapshot,
    portsFor: gate.portsFor,
    interval: scanInterval,
    perSecond: options.scanRate,
    scope: async () => {
      const resource = 'validatingwebhookconfigurations'
      const at = { apiVersion: 'admissionregistration.k8s.io/v1', resource, name: INSTALLATION.validatingWebhooks }
      return scopeOf(await api.get(at))
    },
    progress: progressOnLease(api, { namespace, name: INSTALLATION.lease }),
    onFinding: (finding) => {
      reports.put(finding)
    },
    onTrouble: (error) => {
      log.trouble('the background scan cannot go on', error)
    },
  })
  void scan.run(stopping.signal)
  return stopping
}
