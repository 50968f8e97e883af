/** The background scan: what runs already is judged by today's policies, slowly, one namespace after the other. @module */
import type { Timers } from '#clients/http/fetch'
import { wait } from '#clients/http/timers'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { isCodedError } from '#errors'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Clock } from '#time'
import { evaluate } from '#policy/engine/evaluate'
import type { EnginePorts } from '#policy/engine/ports'
import { POLICY_FAMILIES } from '#policy/front-ends'
import type { PolicyFamily } from '#policy/front-ends'
import type { Review } from '#policy/internal/review'
import { ReviewImages } from '#policy/internal/review-images'
import { withDeadline } from '../admission/deadline.js'
import type { Finding } from '../reports/report-writer.js'
import type { Documents } from '../snapshot/documents.js'
import type { Snapshot } from '../snapshot/snapshot.js'
import { withRunningDigests } from './running-images.js'
import type { ScanProgress } from './scan-progress.js'
import type { Scope } from './scope.js'
import { isMadeByAnother, WORKLOAD_KINDS, workloadsOf } from './workloads.js'
import type { WorkloadKind } from './workloads.js'

export interface ScanOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  readonly snapshot: () => Snapshot | undefined
  readonly portsFor: (review: Review) => EnginePorts
  /** Asked before each pass. */
  readonly scope: () => Promise<Scope>
  readonly progress: ScanProgress
  readonly onFinding: (finding: Finding) => void
  readonly onTrouble: (error: unknown) => void
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1). */
  readonly jitter: () => number
  /** From the beginning of one pass to that of the next, in milliseconds. */
  readonly interval: number
  /** Resources a second. */
  readonly perSecond: number
}

/** Nobody waits for a verdict of the scan, and nobody should have to wait because of it. */
const DEADLINE = 60_000
/** How often it is looked whether it is time, or whether the policies have changed. */
const LOOK = 5_000

export class BackgroundScan {
  readonly #options: ScanOptions

  constructor(options: ScanOptions) {
    this.#options = options
  }

  /** Scans again and again until the signal fires; begins where a pass was left. */
  async run(signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted
    while (!isOver()) {
      try {
        await this.#untilTime(signal)
        await this.#pass(signal)
      } catch (error) {
        if (isOver()) return
        this.#options.onTrouble(error)
        await this.#pause(LOOK, signal).catch(() => undefined)
      }
    }
  }

  /** A pass is due an interval after the last one began, and soon after the policies have changed. */
  async #untilTime(signal: AbortSignal): Promise<void> {
    const { progress, clock, interval, jitter, snapshot } = this.#options
    const { begun, generation, cursor } = await progress.load(signal)
    // A beginning that is yet to come is another clock's, or nobody's: it must not put the scan off for ever.
    const due = Math.min(begun, clock()) + interval * (0.9 + jitter() / 5)
    if (cursor !== undefined) return
    while (clock() < due && fingerprint(snapshot()) === generation) await this.#pause(LOOK, signal)
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { progress, documents, clock, snapshot, scope } = this.#options
    const before = await progress.load(signal)
    const generation = fingerprint(snapshot())
    // A pass of other policies than today's begins anew.
    const resumed = before.generation === generation ? before.cursor : undefined
    const begun = resumed === undefined ? clock() : before.begun
    const isInScope = await scope()
    const namespaces = documents
      .ofKind({ group: '', kind: 'Namespace' })
      .map(({ document, name }) => ({ document, name }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { document, name } of namespaces) {
      if (resumed !== undefined && name <= resumed) continue
      const families = POLICY_FAMILIES.filter((family) => isInScope(family, document))
      if (families.length > 0) await this.#namespace(document, { name, families, signal })
      await progress.store({ begun, generation, cursor: name }, signal)
    }
    await progress.store({ begun, generation, cursor: undefined }, signal)
  }

  async #namespace(
    namespaceObject: JsonObject,
    {
      name,
      families,
      signal,
    }: { readonly name: string; readonly families: readonly PolicyFamily[]; readonly signal: AbortSignal },
  ): Promise<void> {
    const { api, jitter, perSecond, onTrouble } = this.#options
    for (const kind of WORKLOAD_KINDS) {
      try {
        for await (const workload of workloadsOf(api, kind, { namespace: name, signal })) {
          if (isMadeByAnother(workload)) continue
          for (const family of families)
            await this.#judge(reviewOf(workload, kind, namespaceObject), { family, signal })
          await this.#pause((1000 / perSecond) * (0.5 + jitter()), signal)
        }
      } catch (error) {
        if (signal.aborted || !isCodedError(error)) throw error
        // The rest of this kind is looked at in the next pass.
        onTrouble(error)
      }
    }
  }

  async #judge(
    review: Review,
    { family, signal }: { readonly family: PolicyFamily; readonly signal: AbortSignal },
  ): Promise<void> {
    const { snapshot, portsFor, timers, onFinding } = this.#options
    const state = snapshot()
    if (state === undefined) return
    const images = new ReviewImages(review)
    const policies =
      state.policies
        .get(family)
        ?.candidates(images)
        .filter(({ background }) => background !== false) ?? []
    const { rules } = await withDeadline({ millis: DEADLINE, timers, caller: { signal } }, (deadline) =>
      evaluate({
        policies,
        exceptions: state.exceptions,
        review,
        images,
        ports: portsFor(review),
        deadline,
        // What runs may have been asked for by a tag: that was for admission to say.
        digestsMustStand: false,
        unmatched: 'allow',
      }),
    )
    const subject = subjectOf(review)
    if (subject !== undefined && !signal.aborted) onFinding({ subject, family, rules })
  }

  async #pause(millis: number, signal: AbortSignal): Promise<void> {
    await wait(this.#options.timers, millis, signal)
  }
}

const fingerprints = new WeakMap<Snapshot, string>()

/** Changes whenever what is decided may have changed. */
function fingerprint(snapshot: Snapshot | undefined): string {
  if (snapshot === undefined) return ''
  const known = fingerprints.get(snapshot)
  if (known !== undefined) return known
  const policies = [...snapshot.policies.values()].flatMap(({ all }) => all.map(({ contentHash }) => contentHash))
  const exceptions = snapshot.exceptions.map(({ contentHash }) => contentHash)
  const text = JSON.stringify([policies.sort(), exceptions.sort()])
  const print = encodeHex(sha256(encodeUtf8(text))).slice(0, 16)
  fingerprints.set(snapshot, print)
  return print
}

/** As if it were created now, but with the digests that its containers really run. */
function reviewOf(
  workload: JsonObject,
  { group, version, kind, resource }: WorkloadKind,
  namespaceObject: JsonObject,
): Review {
  const object = kind === 'Pod' ? withRunningDigests(workload) : workload
  const { name, namespace } = metadataOf(workload)
  return {
    operation: 'CREATE',
    kind: { group, version, kind },
    resource: { group, version, resource },
    name: textOf(name),
    namespace: textOf(namespace),
    object,
    namespaceObject,
  }
}

function subjectOf({
  object,
  kind: { kind, group, version },
  name,
  namespace,
}: Review): Finding['subject'] | undefined {
  const uid = textOf(metadataOf(object)['uid'])
  if (uid === '' || name === '') return undefined
  const apiVersion = group === '' ? version : `${group}/${version}`
  return { apiVersion, kind, name, uid, ...(namespace !== undefined && { namespace }) }
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isJsonObject(metadata) ? metadata : {}
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
