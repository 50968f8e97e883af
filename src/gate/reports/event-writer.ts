/** Writes events, few enough that a storm of refused pods is not one of events. @module */
import { RecentMap } from '#clients/recent-map'
import type { KubernetesApi } from '#clients/kubernetes/api'
import type { RuleVerdict, Verdict } from '#policy/engine/verdict'
import type { Clock, UnixMillis } from '#time'
import type { Documents } from '../snapshot/documents.js'
import { violationEvent, violationText } from './event.js'
import type { EventContent, EventTarget } from './event.js'
import { policyDocumentOf, targetOf } from './policy-document.js'
import { RateLimit } from './rate-limit.js'

export interface EventWriterOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  readonly clock: Clock
  readonly onTold: (outcome: 'written' | 'dropped' | 'failed') => void
}

/** The same is not told again so soon. */
const QUIET = 5 * 60_000
const PER_SECOND = 5
const BURST = 50
const MAX_REMEMBERED = 5000
/** Events that wait to be written: more are not worth their memory. */
const MAX_WAITING = 200

const VIOLATIONS: ReadonlySet<Verdict> = new Set<Verdict>(['denied', 'warned', 'audited'])

export class EventWriter {
  readonly #options: EventWriterOptions
  readonly #limit: RateLimit
  readonly #told = new RecentMap<string, UnixMillis>(MAX_REMEMBERED)
  #waiting = 0

  constructor(options: EventWriterOptions) {
    this.#options = options
    this.#limit = new RateLimit({ perSecond: PER_SECOND, burst: BURST, clock: options.clock })
  }

  /** Tells of violations, on their policies and, where the resource was stored all the same, on it. */
  tell(resource: EventTarget, rules: readonly RuleVerdict[]): void {
    const { documents, clock } = this.#options
    for (const rule of rules) {
      if (!VIOLATIONS.has(rule.verdict)) continue
      const document = policyDocumentOf(rule, documents)
      const policy = document === undefined ? undefined : targetOf(document)
      const message = violationText(resource, rule)
      if (policy !== undefined) this.#write({ about: policy, message, now: clock() })
      if (rule.verdict !== 'denied' && resource.uid !== undefined)
        this.#write({ about: resource, message: `policy ${rule.policy}: ${message}`, now: clock() })
    }
  }

  #write(content: EventContent): void {
    const { api, onTold } = this.#options
    if (this.#wasTold(content)) return
    if (this.#waiting >= MAX_WAITING || !this.#limit.take()) {
      onTold('dropped')
      return
    }
    this.#waiting++
    const event = violationEvent(content)
    const namespace = content.about.namespace === '' ? 'default' : content.about.namespace
    api
      .create({ apiVersion: 'v1', resource: 'events', namespace }, event)
      .then(
        () => {
          onTold('written')
        },
        () => {
          // An event more or less: the answer and the metrics say it, too.
          onTold('failed')
        },
      )
      .finally(() => this.#waiting--)
  }

  /** A ReplicaSet tries again and again, each time under another name. */
  #wasTold({ about, message, now }: EventContent): boolean {
    const key = `${about.kind} ${about.namespace}/${about.name} ${message.replace(/^\S+ \S+: /, '')}`
    const before = this.#told.get(key)
    if (before !== undefined && now - before < QUIET) return true
    this.#told.set(key, now)
    return false
  }
}
