/** Objects by namespace and name, and what changes when others take their place. @module */
import { isSameState, type KubernetesObject } from './object.js'

export type ObjectChange =
  | { readonly type: 'added'; readonly object: KubernetesObject }
  | { readonly type: 'changed'; readonly object: KubernetesObject; readonly before: KubernetesObject }
  | { readonly type: 'removed'; readonly object: KubernetesObject }

export interface ObjectStore {
  get(name: string, namespace?: string): KubernetesObject | undefined
  /** In the order in which they came. */
  list(): readonly KubernetesObject[]
  /** Takes one in; nothing changes if it is known in this very state. */
  put(object: KubernetesObject): readonly ObjectChange[]
  remove(object: KubernetesObject): readonly ObjectChange[]
  /** These and no others. */
  replace(objects: readonly KubernetesObject[]): readonly ObjectChange[]
}

export function createObjectStore(): ObjectStore {
  const objects = new Map<string, KubernetesObject>()
  let listed: readonly KubernetesObject[] | undefined
  const put = (object: KubernetesObject): readonly ObjectChange[] => {
    const key = keyOf(object)
    const before = objects.get(key)
    if (before !== undefined && isSameState(before, object)) return []
    listed = undefined
    objects.set(key, object)
    if (before === undefined) return [{ type: 'added', object }]
    if (before.metadata.uid === object.metadata.uid) return [{ type: 'changed', object, before }]
    // Another object of the same name: the first one's end was not seen.
    return [
      { type: 'removed', object: before },
      { type: 'added', object },
    ]
  }
  const remove = (key: string): readonly ObjectChange[] => {
    const object = objects.get(key)
    if (object === undefined) return []
    listed = undefined
    objects.delete(key)
    return [{ type: 'removed', object }]
  }
  return {
    get: (name, namespace) => objects.get(key(name, namespace)),
    list: () => (listed ??= [...objects.values()]),
    put,
    remove: (object) => remove(keyOf(object)),
    replace: (next) => {
      const kept = new Set(next.map(keyOf))
      const gone = [...objects.keys()].filter((each) => !kept.has(each)).flatMap(remove)
      return [...gone, ...next.flatMap(put)]
    },
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return key(metadata.name, metadata.namespace)
}

/** No name holds a slash. */
function key(name: string, namespace = ''): string {
  return `${namespace}/${name}`
}
