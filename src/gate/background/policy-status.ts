/** How it stands with each policy, written into its status: `Ready`, or why not. @module */
import { isCodedError } from '#errors'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { formatRfc3339 } from '#time'
import type { Clock } from '#time'
import { POLICY_RESOURCES } from '#policy/front-ends'
import type { Documents } from '../snapshot/documents.js'
import { fullKeyOf } from '../snapshot/documents.js'
import type { PolicyCondition, PolicyHealth, Snapshot } from '../snapshot/snapshot.js'

export interface PolicyStatusOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  readonly clock: Clock
  readonly onTrouble: (error: unknown) => void
}

interface Words {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

const IN_FORCE: Words = { status: 'True', reason: 'Succeeded', message: 'Ready' }

/** What the condition `Ready` says. Kyverno's reason for a good policy, and policy-controller's for a missing key, are everybody's. */
const WORDS: Readonly<Record<PolicyHealth['cause'], Readonly<Record<PolicyCondition, Words>>>> = {
  policy: {
    'in force': IN_FORCE,
    'last good': {
      status: 'False',
      reason: 'LastGoodInForce',
      message: 'the policy cannot be used as it is; its last good form is in force',
    },
    refusing: {
      status: 'False',
      reason: 'Refusing',
      message: 'the policy cannot be used; what it is about is refused',
    },
  },
  key: {
    'in force': IN_FORCE,
    'last good': {
      status: 'False',
      reason: 'LastGoodKeyInForce',
      message: 'a key cannot be read any longer; its last good form is in force',
    },
    refusing: {
      status: 'False',
      reason: 'InliningKeysFailed',
      message: 'a key cannot be had; what needs it is refused',
    },
  },
}
const MAX_MESSAGE = 4096

/** Written by one replica at a time; a status that says it already is left alone. */
export class PolicyStatusWriter {
  readonly #options: PolicyStatusOptions
  readonly #written = new Map<string, string>()
  #pending: Promise<void> = Promise.resolve()

  constructor(options: PolicyStatusOptions) {
    this.#options = options
  }

  /** Writes what is new, one policy after the other. */
  write({ health }: Snapshot): Promise<void> {
    this.#pending = this.#pending.then(async () => {
      for (const each of health) await this.#writeOne(each)
    })
    return this.#pending
  }

  /** Whoever wrote meanwhile may have written something else. */
  forget(): void {
    this.#written.clear()
  }

  async #writeOne(health: PolicyHealth): Promise<void> {
    const key = fullKeyOf(health.policy)
    const essence = JSON.stringify([health.condition, health.cause, health.problem, health.observedGeneration])
    if (this.#written.get(key) === essence) return
    try {
      await this.#patch(health)
      this.#written.set(key, essence)
    } catch (error) {
      // Deleted, or changed at this moment: then it comes again.
      if (isCodedError(error) && PASSING.has(error.code)) return
      this.#options.onTrouble(error)
    }
  }

  async #patch(health: PolicyHealth): Promise<void> {
    const { api, documents, clock } = this.#options
    const { policy } = health
    const document = documents.get(policy)
    const resource = POLICY_RESOURCES.find(({ group, kind }) => group === policy.group && kind === policy.kind)
    const apiVersion = document?.['apiVersion']
    if (resource === undefined || typeof apiVersion !== 'string') return
    const namespace = policy.namespace === '' ? undefined : policy.namespace
    const at = { apiVersion, resource: resource.resource, namespace, name: policy.name }
    const found = await api.get(at)
    const status = isJsonObject(found['status']) ? found['status'] : {}
    const next = readyCondition(health, formatRfc3339(clock() - (clock() % 1000)))
    const conditions = conditionsOf(status)
    if (conditions.some((each) => says(each, next))) return
    await api.patch(
      at,
      {
        kind: 'merge',
        body: {
          metadata: { resourceVersion: found.metadata.resourceVersion ?? '' },
          status: {
            conditions: [...conditions.filter(({ type }) => type !== 'Ready'), next],
            ...(health.observedGeneration !== undefined && { observedGeneration: health.observedGeneration }),
          },
        },
      },
      { subresource: 'status', fieldManager: 'countersign-status' },
    )
  }
}

const PASSING: ReadonlySet<string> = new Set(['KUBERNETES_NOT_FOUND', 'KUBERNETES_CONFLICT'])

function readyCondition({ condition, cause, problem, observedGeneration }: PolicyHealth, now: string): JsonObject {
  const { status, reason, message } = WORDS[cause][condition]
  return {
    type: 'Ready',
    status,
    reason,
    message: (problem === '' ? message : `${message}: ${problem}`).slice(0, MAX_MESSAGE),
    lastTransitionTime: now,
    ...(observedGeneration !== undefined && { observedGeneration }),
  }
}

function conditionsOf({ conditions }: JsonObject): readonly JsonObject[] {
  return Array.isArray(conditions) ? (conditions as readonly JsonValue[]).filter(isJsonObject) : []
}

function says(condition: JsonObject, next: JsonObject): boolean {
  return ['type', 'status', 'reason', 'message', 'observedGeneration'].every((name) => condition[name] === next[name])
}
