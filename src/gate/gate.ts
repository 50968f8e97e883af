/** The gate, put together: documents become snapshots, requests become verdicts, and what happens is told. @module */
import type { Fetch, Timers } from '#clients/http/fetch'
import type { OnAsked } from '#clients/registry/bulkhead'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock } from '#time'
import type { EnginePorts } from '#policy/engine/ports'
import type { DeclaredPlaces, Review } from '#policy/internal/review'
import { observed } from '#serving/access-log'
import { compose } from '#serving/handler'
import type { Handler } from '#serving/handler'
import { healthRoutes } from '#serving/health'
import { createMetrics } from '#serving/metrics'
import type { Metrics } from '#serving/metrics'
import { router } from '#serving/routes'
import { createAdmission } from './admission/admission.js'
import type { Decided, OnVerification } from './admission/admission.js'
import { DEFAULT_IN_FLIGHT, InFlight } from './admission/in-flight.js'
import type { InFlightLimits } from './admission/in-flight.js'
import type { PinKinds } from './admission/pinning.js'
import { admitPolicy } from './admission/policy-admission.js'
import { admissionRoutes } from './admission/routes.js'
import type { Documents } from './snapshot/documents.js'
import type { ExceptionNamespaces } from './snapshot/exception-shelf.js'
import type { KeyKeeper } from './snapshot/key-keeper.js'
import { PolicyState } from './snapshot/policy-state.js'
import type { Snapshot } from './snapshot/snapshot.js'
import { TrustKeeper } from './snapshot/trust-keeper.js'
import { logDecision } from './telemetry/decision-log.js'
import type { LoggedDecisions } from './telemetry/decision-log.js'
import { createGateMetrics } from './telemetry/gate-metrics.js'
import type { GateMetrics, ProcessMemory } from './telemetry/gate-metrics.js'
import type { Log } from './telemetry/log.js'
import { DEFAULT_CACHE_LIMITS, VerificationCache } from './verification/verification-cache.js'
import type { CacheLimits } from './verification/verification-cache.js'

/** The world that a gate is in. */
export interface GateWorld {
  readonly clock: Clock
  /** Milliseconds from any fixed point, never going back. */
  readonly elapsed: () => number
  readonly timers: Timers
  /** For trust roots and policies' texts. */
  readonly fetch: Fetch
  readonly log: Log
  readonly memory: () => ProcessMemory
}

/** Makes the ports of each review. `onVerification` is absent where nobody measures. */
export type ReviewPorts = (review: Review, onVerification?: OnVerification) => EnginePorts

/** What ports are made of that the gate itself has. */
export interface GateParts {
  readonly trust: TrustKeeper
  readonly cache: VerificationCache
  readonly onAsked: OnAsked
}

export interface GateOptions extends GateWorld {
  readonly documents: Documents
  /** Where policies' ConfigMaps, Secrets and settings are; undefined: in any namespace, as files have it. */
  readonly namespace: string | undefined
  /** The installation's own trust root. */
  readonly trustedRoot: () => Promise<TrustedRoot>
  readonly remoteText: (url: string) => Promise<string>
  readonly createPorts: (parts: GateParts) => ReviewPorts
  /** Where the ports have policies' keys from. Absent: nothing is told of how it stands with them. */
  readonly keys?: KeyKeeper
  readonly exceptionsFrom: ExceptionNamespaces
  readonly pins: PinKinds
  readonly declared: (review: Review) => DeclaredPlaces | undefined
  readonly logged: LoggedDecisions
  readonly cache?: Partial<CacheLimits>
  readonly inFlight?: InFlightLimits
  /** Told of every decision, besides log and metrics. */
  readonly onDecided?: (decided: Decided) => void
  /** Told of every state of the policies. */
  readonly onSnapshot?: (snapshot: Snapshot) => void
}

export interface Gate {
  /** What the API server calls. */
  readonly webhooks: Handler
  /** What orchestrators and Prometheus call. */
  readonly health: Handler
  readonly metrics: Metrics
  readonly gateMetrics: GateMetrics
  readonly snapshot: () => Snapshot | undefined
  readonly portsFor: ReviewPorts
  /** Compiles what is there. Until it has resolved, every request is denied. */
  start(): Promise<void>
  /** Resolves when all that was told of the policies so far is in force. */
  settle(): Promise<void>
  /** Says from now on that it is not ready; it goes on to answer. */
  drain(): void
  close(): void
}

/** TUF's metadata is looked at so often, and TrustRoots with it. */
const REFRESH = 6 * 60 * 60_000

export function createGate(options: GateOptions): Gate {
  const { documents, clock, timers, fetch, log } = options
  const metrics = createMetrics()
  const trust = new TrustKeeper({
    fetch,
    clock,
    installed: options.trustedRoot,
    onProblem: (name, problem) => {
      log.trouble('a trust root cannot be loaded', problem, { name: name ?? 'the installation’s own' })
    },
  })
  const inFlight = new InFlight(options.inFlight ?? DEFAULT_IN_FLIGHT)
  const cache = new VerificationCache({
    limits: { ...DEFAULT_CACHE_LIMITS, ...options.cache },
    clock,
    timers,
    onAnswer: (answer) => {
      gateMetrics.cacheAnswered(answer)
    },
  })
  let snapshot: Snapshot | undefined
  let draining = false
  const gateMetrics = createGateMetrics(metrics, {
    snapshot: () => snapshot,
    trust: () => trust.health,
    requests: () => inFlight.requests,
    cache: () => cache.size,
    memory: options.memory,
  })
  const portsFor = options.createPorts({ trust, cache, onAsked: gateMetrics.registryAsked })
  const state = new PolicyState({
    documents,
    trust,
    namespace: options.namespace,
    ports: { remoteText: options.remoteText, clock },
    exceptionsFrom: options.exceptionsFrom,
    timers,
    keys: options.keys,
    onSnapshot: (next) => {
      tellChanges(log, snapshot, next)
      snapshot = next
      options.onSnapshot?.(next)
    },
    onProblem: (problem) => {
      log.trouble('the settings cannot be read; the last good ones are in force', problem)
    },
  })
  const ready = async (): Promise<string | undefined> => {
    if (draining) return 'shutting down'
    return snapshot === undefined ? 'the policies are not loaded yet' : undefined
  }
  let stopRefreshing: () => void = () => undefined
  return {
    webhooks: webhooksOf(options, { state, inFlight, gateMetrics, metrics, portsFor, snapshot: () => snapshot }),
    health: router(healthRoutes(metrics, ready)),
    metrics,
    gateMetrics,
    snapshot: () => snapshot,
    portsFor,
    start: async () => {
      // Asked for now, so that the first request need not wait; a cluster of policies by key may do without.
      void trust.refresh()
      stopRefreshing = refreshing(trust, timers)
      await state.start()
    },
    settle: () => state.settle(),
    drain: () => {
      draining = true
    },
    close: () => {
      state.close()
      stopRefreshing()
    },
  }
}

interface Served {
  readonly state: PolicyState
  readonly inFlight: InFlight
  readonly gateMetrics: GateMetrics
  readonly metrics: Metrics
  readonly portsFor: ReviewPorts
  readonly snapshot: () => Snapshot | undefined
}

function webhooksOf(
  options: GateOptions,
  { state, inFlight, gateMetrics, metrics, portsFor, snapshot }: Served,
): Handler {
  const { clock, elapsed, timers, log, logged, pins, declared } = options
  const onFault = (error: unknown): void => {
    log.trouble('a fault of the gate', error)
  }
  const admission = createAdmission({ snapshot, portsFor, pins, declared, timers, onFault })
  const routes = admissionRoutes({
    admission,
    policyAdmission: (body) => {
      const { configMapText, failOnEmptyAuthorities } = state.compiling
      return admitPolicy(body, {
        ports: { clock, configMapText },
        failOnEmptyAuthorities: () => failOnEmptyAuthorities,
      })
    },
    inFlight,
    elapsed,
    onDecided: (decided, seconds) => {
      gateMetrics.decided(decided, seconds)
      logDecision(log, decided, { seconds, which: logged })
      options.onDecided?.(decided)
    },
    onFault,
  })
  const errorLog = (line: string): void => {
    log.trouble('a fault of the gate', new Error(line))
  }
  return compose(router(routes), observed({ clock, elapsed, errorLog, metrics }))
}

/** Policies that came into another condition than they were in. */
function tellChanges(
  log: Log,
  before: Snapshot | undefined,
  { health, generation, exceptionProblems }: Snapshot,
): void {
  const known = new Map(
    before?.health.map(({ policy, condition, problem }) => [JSON.stringify(policy), condition + problem]),
  )
  for (const { policy, condition, problem } of health) {
    if (known.get(JSON.stringify(policy)) === condition + problem) continue
    const { kind, namespace, name } = policy
    if (condition === 'in force') log.info('policy in force', { kind, namespace, name, generation })
    else log.warn(`policy ${condition}`, { kind, namespace, name, problem, generation })
  }
  for (const { exception, problem } of exceptionProblems) {
    if (before?.exceptionProblems.some((each) => each.exception.name === exception.name && each.problem === problem))
      continue
    log.warn('exception does not count', { namespace: exception.namespace, name: exception.name, problem })
  }
}

function refreshing(trust: TrustKeeper, timers: Timers): () => void {
  let cancel: () => void = () => undefined
  const later = (): void => {
    cancel = timers.after(REFRESH, () => {
      void trust.refresh()
      later()
    })
  }
  later()
  return () => {
    cancel()
  }
}
