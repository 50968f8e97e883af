/** Objects of a cluster, and where they are. @module */
import { isJsonObject, isNestedDeeper, type JsonObject, type JsonValue } from '#encoding/json'
import { KubernetesError } from './kubernetes-error.js'

/** Which objects: a version of an API and a plural. */
export interface Resource {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  /** The plural, as in addresses: `pods`. */
  readonly resource: string
}

/** The objects of a resource in one namespace, in all of them, or of the cluster itself. */
export interface Collection extends Resource {
  readonly namespace?: string | undefined
}

export interface ObjectAddress extends Collection {
  readonly name: string
}

/** An object, whole. What is named here was checked; the rest is as it came. */
export interface KubernetesObject extends JsonObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export interface ObjectMeta extends JsonObject {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Names the type that an item of a list leaves out. */
export interface ItemType {
  readonly apiVersion: string
  readonly kind: string
}

/** What an API server itself stores at most (sigs.k8s.io/json), and the levels of a list around it. */
export const MAX_NESTING: number = 10_000 + 8
/** Beyond it nobody walks an object. */
const MAX_OBJECT_NESTING = 150

/**
 * Reads an object. Of one that is nested too deeply to be walked only its name is taken: what reads it misses everything else, and
 * nothing else suffers. Refused as a whole, one such object would hide every other one in its list from whoever watches.
 * @throws {@link KubernetesError} KUBERNETES_ANSWER if it has no type or no name, or its metadata is malformed.
 */
export function parseObject(value: JsonValue | undefined, what: string, type?: ItemType): KubernetesObject {
  if (!isJsonObject(value)) throw malformed(what, 'an object')
  const apiVersion = value['apiVersion'] ?? type?.apiVersion
  const kind = value['kind'] ?? type?.kind
  const metadata = value['metadata']
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw malformed(what, 'apiVersion and kind')
  if (!isObjectMeta(metadata)) throw malformed(what, 'metadata with a name')
  if (isNestedDeeper(value, MAX_OBJECT_NESTING)) return { apiVersion, kind, metadata: identityOf(metadata) }
  return { ...value, apiVersion, kind, metadata }
}

function identityOf({ name, namespace, uid, resourceVersion, generation }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(typeof generation === 'number' && { generation }),
  }
}

/** `apps/v1 deployments team-a/web`, for messages. */
export function describeAddress({ apiVersion, resource, namespace, name }: Collection & { name?: string }): string {
  const where = [namespace, name].filter((part) => part !== undefined && part !== '').join('/')
  return [apiVersion === 'v1' ? resource : `${apiVersion} ${resource}`, where].filter((part) => part !== '').join(' ')
}

/** Whether two objects are the same state of the same object. */
export function isSameState(a: KubernetesObject, b: KubernetesObject): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion
  )
}

function isObjectMeta(value: JsonValue | undefined): value is ObjectMeta {
  if (!isJsonObject(value) || typeof value['name'] !== 'string' || value['name'] === '') return false
  const texts = ['namespace', 'uid', 'resourceVersion'].map((name) => value[name])
  if (!texts.every((member) => member === undefined || typeof member === 'string')) return false
  return [value['labels'], value['annotations']].every((member) => member === undefined || isTextRecord(member))
}

function isTextRecord(value: JsonValue): boolean {
  return isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string')
}

function malformed(what: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_ANSWER', `${what}: the answer is not an object of Kubernetes`, { expected })
}
