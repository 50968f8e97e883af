/** Writes reports: one a resource, only when it says something new, at a pace that the API server's storage bears. @module */
import { isCodedError } from '#errors'
import type { Timers } from '#clients/http/fetch'
import { RecentMap } from '#clients/recent-map'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import type { JsonObject } from '#encoding/json'
import type { Clock, UnixMillis } from '#time'
import type { RuleVerdict } from '#policy/engine/verdict'
import type { PolicyFamily } from '#policy/front-ends'
import type { Documents } from '../snapshot/documents.js'
import { annotationsOf, policyDocumentOf } from './policy-document.js'
import { policyReport, REPORT_API, reportEssence, reportName } from './policy-report.js'
import type { ReportSubject } from './policy-report.js'

export interface ReportWriterOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  readonly clock: Clock
  readonly timers: Timers
  readonly onTold: (outcome: 'written' | 'dropped' | 'failed') => void
}

/** What is to be reported. */
export interface Finding {
  readonly subject: ReportSubject
  readonly family: PolicyFamily
  readonly rules: readonly RuleVerdict[]
}

/** Between two writes: twenty a second, as a background task of an API server may. */
const PACE = 50
/** Beyond it the oldest are left to the background scan. */
const MAX_WAITING = 5000
const MAX_REMEMBERED = 50_000
/** Without the kind of reports there is nothing to write to for a while. */
const UNSERVED = 60_000

export class ReportWriter {
  readonly #options: ReportWriterOptions
  /** The newest finding on each resource. */
  readonly #waiting = new Map<string, Finding>()
  readonly #written = new RecentMap<string, string>(MAX_REMEMBERED)
  #stop: (() => void) | undefined
  #busy = false
  #closed = false
  #unservedUntil: UnixMillis = 0

  constructor(options: ReportWriterOptions) {
    this.#options = options
  }

  put(finding: Finding): void {
    const { clock, onTold } = this.#options
    const key = keyOf(finding)
    if (this.#written.get(key) === reportEssence(finding.rules)) return
    if (this.#closed || clock() < this.#unservedUntil) return
    this.#waiting.delete(key)
    this.#waiting.set(key, finding)
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) {
      this.#waiting.delete(oldest)
      onTold('dropped')
    }
    this.#writeLater()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  close(): void {
    this.#closed = true
    this.#stop?.()
  }

  #writeLater(): void {
    if (this.#busy || this.#closed || this.#waiting.size === 0) return
    this.#busy = true
    this.#stop = this.#options.timers.after(PACE, () => {
      void this.#writeNext().finally(() => {
        this.#busy = false
        this.#writeLater()
      })
    })
  }

  async #writeNext(): Promise<void> {
    const [entry] = this.#waiting
    if (entry === undefined) return
    const [key, finding] = entry
    this.#waiting.delete(key)
    const { onTold, clock } = this.#options
    try {
      await this.#write(finding)
      this.#written.set(key, reportEssence(finding.rules))
      onTold('written')
    } catch (error) {
      onTold('failed')
      const unserved = isCodedError(error) && error.code === 'KUBERNETES_NOT_FOUND'
      if (unserved) {
        this.#unservedUntil = clock() + UNSERVED
        this.#waiting.clear()
      }
    }
  }

  async #write({ subject, family, rules }: Finding): Promise<void> {
    const { api, clock } = this.#options
    const { namespace } = subject
    const at = {
      apiVersion: REPORT_API,
      resource: namespace === undefined ? 'clusterpolicyreports' : 'policyreports',
      namespace,
      name: reportName(subject, family),
    }
    if (rules.length === 0) {
      await orAbsent(api.delete(at))
      return
    }
    const report = policyReport({
      subject,
      family,
      rules,
      now: clock(),
      annotationsOf: (rule) => this.#annotations(rule),
    })
    await api.apply(at, report, { fieldManager: 'countersign-reports', force: true })
  }

  #annotations(rule: RuleVerdict): Readonly<Record<string, string>> {
    const document: JsonObject | undefined = policyDocumentOf(rule, this.#options.documents)
    return annotationsOf(document)
  }
}

function keyOf({ subject, family }: Finding): string {
  return `${subject.namespace ?? ''}/${reportName(subject, family)}`
}
