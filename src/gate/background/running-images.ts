/** What a pod really runs: a tag says what was asked for, the status says what was pulled. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'

const LISTS = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const

const DIGEST = /@(sha256:[0-9a-f]{64})$/

/** The pod with the digests that its containers run, written behind their tags. What is not known is left as it is. */
export function withRunningDigests(pod: JsonObject): JsonObject {
  const { spec, status } = pod
  if (!isJsonObject(spec) || !isJsonObject(status)) return pod
  const lists = LISTS.flatMap(([list, statuses]) => {
    const containers = spec[list]
    if (!Array.isArray(containers)) return []
    const digests = digestsIn(status[statuses])
    return [[list, (containers as readonly JsonValue[]).map((container) => withDigest(container, digests))] as const]
  })
  return { ...pod, spec: { ...spec, ...Object.fromEntries(lists) } }
}

function digestsIn(statuses: JsonValue | undefined): ReadonlyMap<string, string> {
  if (!Array.isArray(statuses)) return new Map()
  return new Map(
    (statuses as readonly JsonValue[]).flatMap((status) => {
      if (!isJsonObject(status)) return []
      const { name, imageID } = status
      // Some runtimes give the configuration's digest alone, which names no manifest.
      const digest = typeof imageID === 'string' ? DIGEST.exec(imageID)?.[1] : undefined
      return typeof name === 'string' && digest !== undefined ? [[name, digest] as const] : []
    }),
  )
}

function withDigest(container: JsonValue, digests: ReadonlyMap<string, string>): JsonValue {
  if (!isJsonObject(container)) return container
  const { name, image } = container
  const digest = typeof name === 'string' ? digests.get(name) : undefined
  if (digest === undefined || typeof image !== 'string' || image === '' || image.includes('@')) return container
  return { ...container, image: `${image}@${digest}` }
}
