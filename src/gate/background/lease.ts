/** Who of the replicas does what only one should do: a Lease, held and renewed by compare-and-swap. Never in the way of a request. @module */
import { isCodedError } from '#errors'
import type { Timers } from '#clients/http/fetch'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import type { KubernetesObject } from '#clients/kubernetes/object'
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import type { Clock, UnixMillis } from '#time'

export interface LeaseOptions {
  readonly api: KubernetesApi
  readonly namespace: string
  readonly name: string
  /** Who this replica is; no other has the same. */
  readonly holder: string
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1). */
  readonly jitter: () => number
  /** Called when this replica becomes the one. */
  readonly onHeld: () => void
  /** Called when it no longer is. */
  readonly onLost: () => void
  readonly onTrouble: (error: unknown) => void
}

const DURATION = 30_000
const RENEW = 10_000
const ATTEMPTS = 3
const RESOURCE = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases' } as const

/**
 * Whoever sees the Lease unrenewed for its duration, by its own clock, may take it. Two may believe for moments that they hold it:
 * what is done under it must bear that.
 */
export class Lease {
  readonly #options: LeaseOptions
  #held = false
  #stop: (() => void) | undefined
  #closed = false
  /** What was seen last, and since when it has not changed. */
  #seen: { readonly renewed: string; readonly since: UnixMillis } | undefined
  #renewedAt: UnixMillis = 0

  constructor(options: LeaseOptions) {
    this.#options = options
  }

  get isHeld(): boolean {
    return this.#held
  }

  start(): void {
    void this.#round()
  }

  /** Lets go, so that another one need not wait. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop?.()
    if (!this.#held) return
    this.#set(false)
    try {
      const found = await this.#find()
      if (found !== undefined && holderOf(found) === this.#options.holder) await this.#update(found, '')
    } catch {
      // It runs out by itself.
    }
  }

  async #round(): Promise<void> {
    try {
      this.#set(await this.#hold())
    } catch (error) {
      this.#options.onTrouble(error)
      // Nobody can say who holds it now; when it would have run out, another one may.
      if (this.#options.clock() - this.#renewedAt >= DURATION - RENEW) this.#set(false)
    }
    if (this.#closed) return
    const { timers, jitter } = this.#options
    this.#stop = timers.after(RENEW * (0.75 + jitter() / 2), () => void this.#round())
  }

  /** Whether this replica holds it after this. */
  async #hold(): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#find()
      if (found === undefined) {
        if (await this.#won(() => this.#create())) return true
      } else {
        if (!this.#isFree(found)) return false
        // Lost against a note that this replica itself left on it meanwhile: the next attempt finds it still its own.
        if (await this.#won(() => this.#update(found, this.#options.holder))) return true
      }
    }
    return false
  }

  #isFree(found: KubernetesObject): boolean {
    const { holder, clock } = this.#options
    const now = clock()
    const renewed = JSON.stringify(found['spec'] ?? null)
    if (this.#seen?.renewed !== renewed) this.#seen = { renewed, since: now }
    const current = holderOf(found)
    return current === '' || current === holder || now - this.#seen.since >= DURATION
  }

  async #won(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write()
      this.#renewedAt = this.#options.clock()
      return true
    } catch (error) {
      // Another one was quicker.
      if (isCodedError(error) && LOST.has(error.code)) return false
      throw error
    }
  }

  async #find(): Promise<KubernetesObject | undefined> {
    const { api, namespace, name } = this.#options
    return await orAbsent(api.get({ ...RESOURCE, namespace, name }))
  }

  #create(): Promise<unknown> {
    const { api, namespace, name, holder } = this.#options
    const metadata = { name, namespace }
    const lease = { apiVersion: RESOURCE.apiVersion, kind: 'Lease', metadata, spec: this.#spec(holder, {}) }
    return api.create({ ...RESOURCE, namespace }, lease)
  }

  #update(found: KubernetesObject, holder: string): Promise<unknown> {
    const { api, namespace, name } = this.#options
    const before = isJsonObject(found['spec']) ? found['spec'] : {}
    return api.update({ ...RESOURCE, namespace, name }, { ...found, spec: this.#spec(holder, before) })
  }

  #spec(holder: string, before: JsonObject): JsonObject {
    const now = microTime(this.#options.clock())
    const same = before['holderIdentity'] === holder
    const transitions = typeof before['leaseTransitions'] === 'number' ? before['leaseTransitions'] : 0
    return {
      holderIdentity: holder,
      leaseDurationSeconds: DURATION / 1000,
      acquireTime: same ? (before['acquireTime'] ?? now) : now,
      renewTime: now,
      leaseTransitions: same ? transitions : transitions + 1,
    }
  }

  #set(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    if (held) this.#options.onHeld()
    else this.#options.onLost()
  }
}

const LOST: ReadonlySet<string> = new Set(['KUBERNETES_CONFLICT', 'KUBERNETES_EXISTS'])

function holderOf({ spec }: JsonObject): string {
  const holder = isJsonObject(spec) ? spec['holderIdentity'] : undefined
  return typeof holder === 'string' ? holder : ''
}

/** Kubernetes' MicroTime has exactly six digits. */
function microTime(time: UnixMillis): string {
  return new Date(time).toISOString().replace(/(\.\d{3})Z$/, '$1000Z')
}
