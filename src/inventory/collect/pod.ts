/** What a pod runs: names out of its specification, digests out of its status. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { podImages } from '#policy/internal/pod-images'
import type { Workload } from '../model.js'
import type { RunningImage, Sighting } from './sighting.js'

/** Whom a pod belongs to. */
export type Owner = Pick<Workload, 'namespace' | 'kind' | 'name'>

/** Where the runtime says what runs, by the field that names it. */
const STATUSES: ReadonlyMap<string, string> = new Map([
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
])

/** A workload's images: of a pod with a status, with the digests that run. */
export function imagesOfWorkload(
  object: JsonObject,
  { kind, owner, platform }: { readonly kind: string; readonly owner: Owner; readonly platform?: string | undefined },
): readonly Sighting[] {
  const status = isJsonObject(object['status']) ? object['status'] : {}
  return podImages(kind, object).map(({ group, name, value }) => ({
    name: typeof value === 'string' ? value : JSON.stringify(value ?? null),
    workload: { ...owner, container: name },
    running: runningImage(imageIdOf(status[STATUSES.get(group) ?? ''], name)),
    platform,
  }))
}

function imageIdOf(statuses: JsonValue | undefined, container: string): JsonValue | undefined {
  if (!Array.isArray(statuses)) return undefined
  const found = (statuses as readonly JsonValue[]).find((each) => isJsonObject(each) && each['name'] === container)
  return found !== undefined && isJsonObject(found) ? found['imageID'] : undefined
}

/**
 * `docker.io/library/nginx@sha256:…`, with `docker-pullable://` before it in old clusters. An id without a repository
 * (`sha256:…`, `docker://sha256:…`) is that of a configuration and names no manifest.
 */
export function runningImage(imageId: JsonValue | undefined): RunningImage | undefined {
  const match = typeof imageId === 'string' ? /^(?:[a-z-]+:\/\/)?([^@]+)@(sha256:[0-9a-f]{64})$/.exec(imageId) : null
  return match === null ? undefined : { repository: match[1] ?? '', digest: match[2] ?? '' }
}
