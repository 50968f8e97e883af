/** What Prometheus is told of the gate. Label values that others can make up are bounded in number. @module */
import type { OnAsked } from '#clients/registry/bulkhead'
import type { PolicyLanguage } from '#policy/internal/policy'
import type { Metrics } from '#serving/metrics'
import type { Decided } from '../admission/admission.js'
import type { Snapshot } from '../snapshot/snapshot.js'
import type { TrustHealth } from '../snapshot/trust-keeper.js'
import type { CacheAnswer } from '../verification/verification-cache.js'

/** What is looked at when the metrics are read. */
export interface ObservedState {
  readonly snapshot: () => Snapshot | undefined
  readonly trust: () => readonly TrustHealth[]
  readonly requests: () => number
  readonly cache: () => { readonly entries: number; readonly bytes: number; readonly flights: number }
  readonly memory: () => ProcessMemory
}

/** What this process takes, in bytes. */
export interface ProcessMemory {
  readonly resident: number
  readonly heap: number
}

export interface GateMetrics {
  readonly decided: (decided: Decided, seconds: number) => void
  readonly cacheAnswered: (answer: CacheAnswer) => void
  /** `outcome` is `ok` or a code. */
  readonly registryAsked: OnAsked
  /** Of what is told besides the answers: events and reports. */
  readonly told: (what: 'event' | 'report', outcome: 'written' | 'dropped' | 'failed') => void
}

/** More registries than this are told of together. */
const MAX_REGISTRIES = 100
/** More rules than this are told of together, so that ten thousand policies do not make ten thousand series a verdict. */
const MAX_RULES = 2000

export function createGateMetrics(metrics: Metrics, observed: ObservedState): GateMetrics {
  observeState(metrics, observed)
  const requests = metrics.counter('countersign_admission_requests_total', 'Requests for admission answered.')
  const duration = metrics.histogram(
    'countersign_admission_duration_seconds',
    'Time for a verdict; warm if everything was verified before.',
  )
  const results = metrics.counter('countersign_policy_results_total', 'Verdicts of rules on images.')
  const deadlines = metrics.counter('countersign_admission_deadlines_total', 'Requests that ran out of time.')
  const answers = metrics.counter('countersign_verification_cache_total', 'How verifications were answered.')
  const asked = metrics.counter('countersign_registry_requests_total', 'Questions to registries.')
  const told = metrics.counter('countersign_told_total', 'Events and reports.')
  const registries = bounded(MAX_REGISTRIES)
  const ruleNames = bounded(MAX_RULES)
  return {
    decided: (decided, seconds) => {
      const { phase, decision, verdict, cold } = decided
      const outcome = verdict === undefined ? 'refused' : decision.denial === undefined ? 'allowed' : 'denied'
      requests.increment({ phase, outcome })
      duration.observe(seconds, { phase, temperature: cold ? 'cold' : 'warm' })
      if (verdict === undefined) return
      if (isOutOfTime(decided)) deadlines.increment({ phase })
      for (const { language, policy, rule, verdict: result } of verdict.rules)
        results.increment({ result, ...ruleLabels(ruleNames, { language, policy, rule }) })
    },
    cacheAnswered: (answer) => {
      answers.increment({ answer })
    },
    registryAsked: (registry, what, outcome) => {
      asked.increment({ registry: registries(registry), what, outcome })
    },
    told: (what, outcome) => {
      told.increment({ what, outcome })
    },
  }
}

function observeState(metrics: Metrics, { snapshot, trust, requests, cache, memory }: ObservedState): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.observedGauge(name, help, () => [[{}, read()]])
  }
  gauge('countersign_admission_in_flight', 'Requests being judged.', requests)
  gauge('countersign_policy_generation', 'The state of the policies that decides.', () => snapshot()?.generation ?? 0)
  gauge('countersign_verification_cache_entries', 'Verifications remembered.', () => cache().entries)
  gauge('countersign_verification_cache_bytes', 'Estimated memory of verifications remembered.', () => cache().bytes)
  gauge('countersign_verifications_under_way', 'Verifications under way.', () => cache().flights)
  // Under the names that Prometheus' own clients use, which dashboards know.
  gauge('process_resident_memory_bytes', 'Memory of this process.', () => memory().resident)
  gauge('nodejs_heap_size_used_bytes', 'Of that, what the heap holds.', () => memory().heap)
  metrics.observedGauge('countersign_policies', 'Policies by how it stands with them.', () =>
    (['in force', 'last good', 'refusing'] as const).map((condition) => [
      { condition },
      snapshot()?.health.filter((each) => each.condition === condition).length ?? 0,
    ]),
  )
  metrics.observedGauge(
    'countersign_trust_root_loaded',
    'Whether a trust root was loaded when it was last tried.',
    () => trust().map(({ name, problem, loaded }) => [{ name: name ?? '' }, loaded && problem === undefined ? 1 : 0]),
  )
}

interface RuleName {
  readonly language: PolicyLanguage
  readonly policy: string
  readonly rule: string
}

function ruleLabels(rules: (name: string) => string, { language, policy, rule }: RuleName): Record<string, string> {
  const known = rules(JSON.stringify([language, policy, rule])) !== OTHER
  return known ? { language, policy, rule } : { language, policy: OTHER, rule: OTHER }
}

const OTHER = 'other'

/** The first so many names are themselves. */
function bounded(limit: number): (name: string) => string {
  const known = new Set<string>()
  return (name) => {
    if (known.has(name)) return name
    if (known.size >= limit) return OTHER
    known.add(name)
    return name
  }
}

function isOutOfTime({ decision }: Decided): boolean {
  return decision.denial?.message.includes('context was canceled before validation completed') === true
}
