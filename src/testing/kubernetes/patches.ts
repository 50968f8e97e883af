/** The patches of the Kubernetes API on plain JSON. @module */
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'

/** JSON merge patch (RFC 7386). */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  const result = new Map(isJsonObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, mergePatch(result.get(name), value))
  }
  return Object.fromEntries(result)
}

/** JSON patch (RFC 6902); undefined for an operation that does not fit. */
export function jsonPatch(target: JsonValue, operations: readonly JsonValue[]): JsonValue | undefined {
  let result: JsonValue | undefined = target
  for (const operation of operations) {
    if (result === undefined || !isJsonObject(operation)) return undefined
    const { op, path, from, value = null } = operation
    const to = pointer(path)
    if (op === 'move' || op === 'copy') {
      const moved = at(result, pointer(from))
      const rest: JsonValue | undefined = op === 'move' ? edit(result, pointer(from), { op: 'remove' }) : result
      result = moved === undefined || rest === undefined ? undefined : edit(rest, to, { op: 'add', value: moved })
    } else if (op === 'test') {
      result = JSON.stringify(at(result, to)) === JSON.stringify(value) ? result : undefined
    } else if (op === 'add' || op === 'replace') result = edit(result, to, { op, value })
    else result = op === 'remove' ? edit(result, to, { op }) : undefined
  }
  return result
}

type Edit =
  { readonly op: 'add' | 'replace'; readonly value: JsonValue } | { readonly op: 'remove'; readonly value?: undefined }

function pointer(path: JsonValue | undefined): readonly string[] {
  const parts = typeof path === 'string' ? path.split('/').slice(1) : []
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function at(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((inside, name) => {
    if (Array.isArray(inside)) return (inside as readonly JsonValue[])[Number(name)]
    return isJsonObject(inside) && Object.hasOwn(inside, name) ? inside[name] : undefined
  }, value)
}

function edit(target: JsonValue, [name, ...rest]: readonly string[], change: Edit): JsonValue | undefined {
  if (name === undefined) return change.op === 'remove' ? null : change.value
  if (Array.isArray(target)) return editList(target as readonly JsonValue[], [name, ...rest], change)
  if (!isJsonObject(target)) return undefined
  const inside = Object.hasOwn(target, name) ? target[name] : undefined
  if (rest.length > 0) {
    const edited = inside === undefined ? undefined : edit(inside, rest, change)
    return edited === undefined ? undefined : { ...target, [name]: edited }
  }
  if (change.op !== 'add' && inside === undefined) return undefined
  if (change.op !== 'remove') return { ...target, [name]: change.value }
  return Object.fromEntries(Object.entries(target).filter(([each]) => each !== name))
}

function editList(
  list: readonly JsonValue[],
  [name = '', ...rest]: readonly string[],
  change: Edit,
): JsonValue | undefined {
  const index = name === '-' ? list.length : Number(name)
  if (!Number.isInteger(index) || index < 0 || index > list.length) return undefined
  if (rest.length > 0) {
    const inside = list[index]
    const edited = inside === undefined ? undefined : edit(inside, rest, change)
    return edited === undefined ? undefined : list.with(index, edited)
  }
  if (change.op === 'add') return list.toSpliced(index, 0, change.value)
  if (index === list.length) return undefined
  return change.op === 'replace' ? list.with(index, change.value) : list.toSpliced(index, 1)
}

/** Who applied which field: path → manager. Lists are whole: which of their items belong together, only a schema says. */
export type FieldOwners = ReadonlyMap<string, string>

export interface Applied {
  readonly object: JsonObject
  readonly owners: FieldOwners
  /** `.spec.replicas (other-manager)`: fields that others applied with another value. */
  readonly conflicts: readonly string[]
}

/** Server-side apply, as far as it goes without schemas. */
export function applyFields(
  current: JsonObject,
  applied: JsonObject,
  { owners, manager }: { readonly owners: FieldOwners; readonly manager: string },
): Applied {
  const wanted = new Map(leaves(applied))
  const conflicts = [...wanted].flatMap(([path, value]) => {
    const owner = owners.get(path)
    const isOthers = owner !== undefined && owner !== manager
    return isOthers && JSON.stringify(at(current, pointer(path))) !== JSON.stringify(value)
      ? [`${path.replaceAll('/', '.')} (${owner})`]
      : []
  })
  const dropped = [...owners].filter(([path, owner]) => owner === manager && !wanted.has(path)).map(([path]) => path)
  const without = dropped.reduce<JsonValue>(
    (rest, path) => edit(rest, pointer(path), { op: 'remove' }) ?? rest,
    current,
  )
  const merged = mergePatch(without, applied)
  const kept = [...owners].filter(([path]) => !dropped.includes(path))
  const mine = [...wanted.keys()].map((path) => [path, manager] as const)
  return { object: isJsonObject(merged) ? merged : {}, owners: new Map([...kept, ...mine]), conflicts }
}

const IDENTITY: ReadonlySet<string> = new Set(['/apiVersion', '/kind', '/metadata/name', '/metadata/namespace'])

function leaves(value: JsonValue, path = ''): readonly (readonly [string, JsonValue])[] {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return IDENTITY.has(path) ? [] : [[path, value]]
  return Object.entries(value).flatMap(([name, inside]) =>
    leaves(inside, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  )
}
