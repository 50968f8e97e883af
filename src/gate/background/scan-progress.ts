/** How far the scan has come, kept on the Lease under which it runs, so that the next holder goes on from there. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import type { JsonObject } from '#encoding/json'
import type { UnixMillis } from '#time'

export interface Progress {
  /** When the pass began; 0: there was none yet. */
  readonly begun: UnixMillis
  /** Of which policies it is. */
  readonly generation: string
  /** The last namespace that was looked at; undefined: the pass is over. */
  readonly cursor: string | undefined
}

export interface ScanProgress {
  load(signal: AbortSignal): Promise<Progress>
  store(progress: Progress, signal: AbortSignal): Promise<void>
}

const BEGUN = 'countersign.dev/scan-begun'
const GENERATION = 'countersign.dev/scan-policies'
const CURSOR = 'countersign.dev/scan-cursor'

/** @throws KubernetesError, HttpError */
export function progressOnLease(
  api: KubernetesApi,
  lease: { readonly namespace: string; readonly name: string },
): ScanProgress {
  const at = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases', ...lease }
  return {
    load: async (signal) => {
      const { metadata } = await api.get(at, signal)
      const { annotations = {} } = metadata
      const begun = annotations[BEGUN] ?? ''
      const cursor = annotations[CURSOR] ?? ''
      return {
        begun: /^\d{1,15}$/.test(begun) ? Number(begun) : 0,
        generation: annotations[GENERATION] ?? '',
        cursor: cursor === '' ? undefined : cursor,
      }
    },
    store: async ({ begun, generation, cursor }, signal) => {
      const annotations: JsonObject = { [BEGUN]: String(begun), [GENERATION]: generation, [CURSOR]: cursor ?? '' }
      await api.patch(at, { kind: 'merge', body: { metadata: { annotations } } }, { signal })
    },
  }
}
