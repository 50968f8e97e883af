/** From documents that change to snapshots that do not: what changed is compiled, and then the whole is published at once. @module */
import type { Timers } from '#clients/http/fetch'
import { isCodedError } from '#errors'
import { CONTROLLER_CONFIG_NAME, DEFAULT_CONTROLLER_CONFIG, readControllerConfig } from '#policy/cip/controller-config'
import type { ControllerConfig } from '#policy/cip/controller-config'
import type { CompilePorts } from '#policy/cip/policy-text'
import { indexPolicies } from '#policy/engine/policy-index'
import type { PolicyIndex } from '#policy/engine/policy-index'
import { EXCEPTION_RESOURCES, familyOf, POLICY_FAMILIES, POLICY_RESOURCES, TRUST_ROOTS } from '#policy/front-ends'
import type { PolicyFamily, PolicyResource } from '#policy/front-ends'
import { Complaints, Fields } from '#policy/internal/fields'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import { fullKeyOf } from './documents.js'
import type { DocumentName, Documents } from './documents.js'
import { ExceptionShelf } from './exception-shelf.js'
import type { ExceptionNamespaces } from './exception-shelf.js'
import { withKeys } from './key-health.js'
import type { KeyKeeper } from './key-keeper.js'
import { keysOf } from './policy-keys.js'
import { PolicyShelf } from './policy-shelf.js'
import type { Snapshot } from './snapshot.js'
import type { TrustKeeper } from './trust-keeper.js'

export interface PolicyStateOptions {
  readonly documents: Documents
  readonly trust: TrustKeeper
  /** Where policies' ConfigMaps and settings are; undefined: in any namespace, as files have it. */
  readonly namespace: string | undefined
  readonly ports: Omit<CompilePorts, 'configMapText' | 'onUnusable'>
  readonly exceptionsFrom: ExceptionNamespaces
  readonly timers: Timers
  /** Undefined: nothing is told of how it stands with policies' keys. */
  readonly keys: KeyKeeper | undefined
  /** Told of every snapshot, the first one included. */
  readonly onSnapshot: (snapshot: Snapshot) => void
  /** Told of settings that cannot be read; the last good ones stay in force. */
  readonly onProblem: (problem: Error) => void
}

/** Changes that come together are compiled together. */
const GATHER = 50
/** How often it is tried again to have what policies depend on. */
const RETRY = 30_000
/** After so many policies requests get their turn. */
const BATCH = 20

export class PolicyState {
  readonly #options: PolicyStateOptions
  readonly #shelf: PolicyShelf
  readonly #exceptions: ExceptionShelf
  readonly #dirty = new Map<string, DocumentName>()
  #config: ControllerConfig = DEFAULT_CONTROLLER_CONFIG
  #generation = 0
  /** That of the keys' health that was published last. */
  #keysPublished = 0
  #gathering: (() => void) | undefined
  #retrying: (() => void) | undefined
  #noticing: (() => void) | undefined
  #settling: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: PolicyStateOptions) {
    this.#options = options
    this.#exceptions = new ExceptionShelf(options.exceptionsFrom)
    this.#shelf = new PolicyShelf({
      ports: { ...options.ports, configMapText: async (name, key) => this.#configMapText(name, key) },
    })
  }

  /** Compiles what is there, and from then on whatever changes. Resolves with the first snapshot published. */
  async start(): Promise<void> {
    const { documents, keys } = this.#options
    // Settings first: they say how policies are read.
    this.#readConfig()
    for (const name of documents.all()) this.#take(name)
    documents.onChange((name) => {
      this.#take(name)
      this.#gather()
    })
    keys?.onChange(() => {
      this.#notice()
    })
    await this.settle()
  }

  /** What compiling a policy takes besides its document. */
  get compiling(): { readonly configMapText: CompilePorts['configMapText']; readonly failOnEmptyAuthorities: boolean } {
    return {
      configMapText: async (name, key) => this.#configMapText(name, key),
      failOnEmptyAuthorities: this.#config.failOnEmptyAuthorities,
    }
  }

  /** Resolves when everything that has changed so far is in force. */
  settle(): Promise<void> {
    this.#settling = this.#settling.then(() => this.#settleOnce())
    return this.#settling
  }

  close(): void {
    this.#closed = true
    this.#gathering?.()
    this.#retrying?.()
    this.#noticing?.()
  }

  #gather(): void {
    if (this.#gathering !== undefined || this.#closed) return
    this.#gathering = this.#options.timers.after(GATHER, () => {
      this.#gathering = undefined
      void this.settle()
    })
  }

  /** Most of it is known before the policies are published. */
  #notice(): void {
    const { keys, timers } = this.#options
    if (this.#noticing !== undefined || this.#closed) return
    this.#noticing = timers.after(GATHER, () => {
      this.#noticing = undefined
      if (keys?.revision !== this.#keysPublished) void this.settle()
    })
  }

  #take(name: DocumentName): void {
    const { documents, trust } = this.#options
    if (isOneOf(POLICY_RESOURCES, name) || isOneOf(EXCEPTION_RESOURCES, name)) this.#mark([name])
    if (isOneOf([TRUST_ROOTS], name)) {
      const document = documents.get(name)
      if (document === undefined) trust.remove(name.name)
      else trust.put(document)
    }
    if (name.group === '' && name.kind === 'ConfigMap' && this.#isOwn(name)) {
      if (name.name === CONTROLLER_CONFIG_NAME) {
        this.#readConfig()
        this.#mark(this.#shelf.names)
      }
      this.#mark(this.#shelf.askingFor(name.name))
    }
  }

  #mark(names: readonly DocumentName[]): void {
    for (const name of names) this.#dirty.set(fullKeyOf(name), name)
  }

  #isOwn({ namespace }: DocumentName): boolean {
    return this.#options.namespace === undefined || namespace === this.#options.namespace
  }

  async #settleOnce(): Promise<void> {
    const { failOnEmptyAuthorities } = this.#config
    const names = [...this.#dirty.values()]
    this.#dirty.clear()
    for (let start = 0; start < names.length; start += BATCH) {
      await Promise.all(
        names.slice(start, start + BATCH).map(async (name) => {
          const document = this.#options.documents.get(name)
          const shelf = isOneOf(EXCEPTION_RESOURCES, name) ? this.#exceptions : this.#shelf
          if (document === undefined) shelf.remove(name)
          else await shelf.put(document, { failOnEmptyAuthorities })
        }),
      )
      await turn()
    }
    await this.#lookAtKeys()
    this.#retryLater()
    this.#publish()
  }

  #retryLater(): void {
    this.#retrying?.()
    this.#retrying = undefined
    const { keys } = this.#options
    if (this.#closed || (this.#shelf.unfinished.length === 0 && keys?.isTroubled !== true)) return
    this.#retrying = this.#options.timers.after(RETRY, () => {
      this.#mark(this.#shelf.unfinished)
      void this.settle()
    })
  }

  async #lookAtKeys(): Promise<void> {
    const { keys } = this.#options
    keys?.follow(this.#shelf.policies.flatMap(keysOf))
    if (keys !== undefined) await turn()
  }

  #publish(): void {
    const { documents, keys, onSnapshot } = this.#options
    const { policies, health } = this.#shelf
    this.#generation++
    this.#keysPublished = keys?.revision ?? 0
    onSnapshot({
      generation: this.#generation,
      policies: new Map(POLICY_FAMILIES.map((family) => [family, indexOf(policies, family)])),
      exceptions: this.#exceptions.exceptions,
      exceptionProblems: this.#exceptions.problems,
      unmatched: new Map<PolicyFamily, 'deny' | 'warn' | 'allow'>([
        ['sigstore', this.#config.noMatch],
        ['kyverno', 'allow'],
      ]),
      health: health.map((each) => (keys === undefined ? each.health : withKeys(each.health, each.policy, keys))),
      namespace: (name) => documents.get({ group: '', kind: 'Namespace', namespace: '', name }),
    })
  }

  #readConfig(): void {
    const document = this.#ownConfigMap(CONTROLLER_CONFIG_NAME)
    try {
      this.#config = document === undefined ? DEFAULT_CONTROLLER_CONFIG : readControllerConfig(document)
    } catch (error) {
      if (!isCodedError(error)) throw error
      this.#options.onProblem(error)
    }
  }

  #configMapText(name: string, key: string): string {
    const document = this.#ownConfigMap(name)
    const text =
      document === undefined ? undefined : new Fields(document, '', new Complaints()).textMap('data').get(key)
    if (text !== undefined) return text
    throw new PolicyError('POLICY_TEXT', `there is no ConfigMap ${name} with ${key}`, {
      expected: this.#options.namespace === undefined ? undefined : `one in the namespace ${this.#options.namespace}`,
      found: document === undefined ? 'no such ConfigMap' : 'no such key',
    })
  }

  #ownConfigMap(name: string): ReturnType<Documents['get']> {
    const { documents, namespace } = this.#options
    const kind = { group: '', kind: 'ConfigMap' }
    if (namespace !== undefined) return documents.get({ ...kind, namespace, name })
    return documents.ofKind(kind).find((stored) => stored.name === name)?.document
  }
}

/** Requests get theirs, and what is known already arrives. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function indexOf(policies: readonly CompiledPolicy[], family: PolicyFamily): PolicyIndex {
  return indexPolicies(policies.filter(({ language }) => familyOf(language) === family))
}

function isOneOf(resources: readonly PolicyResource[], { group, kind }: DocumentName): boolean {
  return resources.some((resource) => resource.group === group && resource.kind === kind)
}
