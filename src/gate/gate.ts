/** The gate, put together: documents become snapshots, requests become verdicts, and what happens is told. @module */
import type { Fetch, Timers } from '#clients/http/fetch'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock } from '#time'
import type { EnginePorts } from '#policy/engine/ports'
import type { DeclaredPlaces, Review } from '#policy/internal/review'
import { observed } from '#serving/access-log'
import type { LogSink } from '#serving/access-log'
import { compose } from '#serving/handler'
import type { Handler } from '#serving/handler'
import { healthRoutes } from '#serving/health'
import { createMetrics } from '#serving/metrics'
import { router } from '#serving/routes'
import { createAdmission } from './admission/admission.js'
import { DEFAULT_IN_FLIGHT, InFlight } from './admission/in-flight.js'
import type { InFlightLimits } from './admission/in-flight.js'
import type { PinKinds } from './admission/pinning.js'
import { admissionRoutes } from './admission/routes.js'
import type { Documents } from './snapshot/documents.js'
import type { ExceptionNamespaces } from './snapshot/exception-shelf.js'
import { PolicyState } from './snapshot/policy-state.js'
import type { Snapshot } from './snapshot/snapshot.js'
import { TrustKeeper } from './snapshot/trust-keeper.js'

/** The world that a gate is in. */
export interface GateWorld {
  readonly clock: Clock
  /** Milliseconds from any fixed point, never going back. */
  readonly elapsed: () => number
  readonly timers: Timers
  /** For trust roots and policies' texts. */
  readonly fetch: Fetch
  readonly errorLog: LogSink
}

export interface GateOptions extends GateWorld {
  readonly documents: Documents
  /** Where policies' ConfigMaps, Secrets and settings are; undefined: in any namespace, as files have it. */
  readonly namespace: string | undefined
  /** The installation's own trust root. */
  readonly trustedRoot: () => Promise<TrustedRoot>
  readonly remoteText: (url: string) => Promise<string>
  /** Called once; what it returns makes the ports of each review. */
  readonly createPorts: (trust: TrustKeeper) => (review: Review) => EnginePorts
  readonly exceptionsFrom: ExceptionNamespaces
  readonly pins: PinKinds
  readonly declared: (review: Review) => DeclaredPlaces | undefined
  readonly inFlight?: InFlightLimits
}

export interface Gate {
  /** What the API server calls. */
  readonly webhooks: Handler
  /** What orchestrators and Prometheus call. */
  readonly health: Handler
  readonly snapshot: () => Snapshot | undefined
  /** Compiles what is there. Until it has resolved, every request is denied. */
  start(): Promise<void>
  /** Says from now on that it is not ready; it goes on to answer. */
  drain(): void
  close(): void
}

export function createGate(options: GateOptions): Gate {
  const { documents, clock, timers, fetch, elapsed, errorLog } = options
  const metrics = createMetrics()
  const trust = new TrustKeeper({ fetch, clock, installed: options.trustedRoot })
  let snapshot: Snapshot | undefined
  const state = new PolicyState({
    documents,
    trust,
    namespace: options.namespace,
    ports: { remoteText: options.remoteText, clock },
    exceptionsFrom: options.exceptionsFrom,
    timers,
    onSnapshot: (next) => (snapshot = next),
    onProblem: (problem) => {
      errorLog(JSON.stringify({ level: 'error', error: problem.message }))
    },
  })
  const onFault = (error: unknown): void => {
    errorLog(
      JSON.stringify({ level: 'error', error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }),
    )
  }
  const admission = createAdmission({
    snapshot: () => snapshot,
    portsFor: options.createPorts(trust),
    pins: options.pins,
    declared: options.declared,
    timers,
    onFault,
  })
  const inFlight = new InFlight(options.inFlight ?? DEFAULT_IN_FLIGHT)
  const routes = admissionRoutes({ admission, inFlight, onDecided: () => undefined, onFault })
  let draining = false
  const ready = async (): Promise<string | undefined> => {
    if (draining) return 'shutting down'
    return snapshot === undefined ? 'the policies are not loaded yet' : undefined
  }
  return {
    webhooks: compose(router(routes), observed({ clock, elapsed, errorLog, metrics })),
    health: router(healthRoutes(metrics, ready)),
    snapshot: () => snapshot,
    start: () => state.start(),
    drain: () => {
      draining = true
    },
    close: () => {
      state.close()
    },
  }
}
