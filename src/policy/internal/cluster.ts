/** What policies may read of the cluster that they guard, while they judge. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import type { InTurn } from './turns.js'

/** Resources of one kind, in one namespace or in all. */
export interface ResourceList {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  /** The plural: `pods`. */
  readonly resource: string
  readonly namespace: string | undefined
}

/** A request that a policy writes out. */
export interface ClusterCall {
  readonly method: 'GET' | 'POST'
  readonly body?: JsonValue
}

/** Everything throws PolicyError `POLICY_CLUSTER` where it cannot be said: what is not known is not absent. */
export interface ClusterReader {
  /** Undefined: there is none of this name. */
  get(of: ResourceList, name: string, signal: AbortSignal): Promise<JsonObject | undefined>
  list(of: ResourceList, signal: AbortSignal): Promise<readonly JsonObject[]>
  /** An address below the API server, as a policy writes it: `/api/v1/namespaces/default/pods?limit=5`. */
  call(path: string, call: ClusterCall, signal: AbortSignal): Promise<JsonValue>
  /** What a GlobalContextEntry holds, or one projection of it. */
  globalContext(name: string, projection: string | undefined, signal: AbortSignal): Promise<JsonValue>
}

/** The first answer under a key, the same for all who ask for it about one review. */
export type Once = <T>(key: object, make: () => T) => T

/** What selecting and judging may use besides the review itself. */
export interface Circumstances {
  readonly cluster: ClusterReader
  readonly clock: Clock
  readonly signal: AbortSignal
  /** For what may take long and cannot be interrupted. Absent: at once. */
  readonly inTurn?: InTurn
  /** Absent: everybody makes an answer of their own. */
  readonly once?: Once
}
