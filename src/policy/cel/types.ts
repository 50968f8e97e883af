/** The types of CEL, as the checker reasons about them. @module */

export type ScalarName =
  'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null_type' | 'timestamp' | 'duration'

export type CelType =
  /** Anything; what it is turns out when it is evaluated. */
  | { readonly kind: 'dyn' }
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'list'; readonly of: readonly [element: CelType] }
  | { readonly kind: 'map'; readonly of: readonly [key: CelType, value: CelType] }
  | { readonly kind: 'optional'; readonly of: readonly [value: CelType] }
  /** The type of a type. */
  | { readonly kind: 'type' }
  /** A value with functions of its own: `kubernetes.Quantity`, `resource.Context`. */
  | { readonly kind: 'opaque'; readonly name: string }
  /** A value with declared fields; looked at as a map when it is evaluated. */
  | { readonly kind: 'object'; readonly name: string; readonly fields: ReadonlyMap<string, CelType> }
  /** Stands for a type that is not known yet: `A` of a signature, the element of an empty list. */
  | { readonly kind: 'parameter'; readonly name: string }

export const DYN: CelType = { kind: 'dyn' }
export const TYPE: CelType = { kind: 'type' }

function scalar(name: ScalarName): CelType {
  return { kind: 'scalar', name }
}

export const BOOL: CelType = scalar('bool')
export const INT: CelType = scalar('int')
export const UINT: CelType = scalar('uint')
export const DOUBLE: CelType = scalar('double')
export const STRING: CelType = scalar('string')
export const BYTES: CelType = scalar('bytes')
export const NULL: CelType = scalar('null_type')
export const TIMESTAMP: CelType = scalar('timestamp')
export const DURATION: CelType = scalar('duration')

export function listOf(element: CelType): CelType {
  return { kind: 'list', of: [element] }
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: 'map', of: [key, value] }
}

export function optionalOf(value: CelType): CelType {
  return { kind: 'optional', of: [value] }
}

export function opaque(name: string): CelType {
  return { kind: 'opaque', name }
}

export function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return { kind: 'object', name, fields: new Map(Object.entries(fields)) }
}

/** The parts of a type that is made of others. */
export function partsOf(type: CelType): readonly CelType[] {
  return 'of' in type ? type.of : []
}

/** The same type made of other parts. */
export function withParts(type: CelType, change: (part: CelType) => CelType): CelType {
  if (type.kind === 'list') return listOf(change(type.of[0]))
  if (type.kind === 'map') return mapOf(change(type.of[0]), change(type.of[1]))
  return type.kind === 'optional' ? optionalOf(change(type.of[0])) : type
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || nameOf(a) !== nameOf(b)) return false
  const [left, right] = [partsOf(a), partsOf(b)]
  return left.every((part, index) => {
    const other = right[index]
    return other !== undefined && sameType(part, other)
  })
}

function nameOf(type: CelType): string | undefined {
  return 'name' in type ? type.name : undefined
}

/** For messages, as the originals write types. */
export function formatType(type: CelType): string {
  if (type.kind === 'dyn' || type.kind === 'parameter') return 'dyn'
  if (type.kind === 'type') return 'type'
  if ('name' in type) return type.name
  const kind = type.kind === 'optional' ? 'optional_type' : type.kind
  return `${kind}(${type.of.map(formatType).join(', ')})`
}
