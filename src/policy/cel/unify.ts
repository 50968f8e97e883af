/** Which types may stand for which, and what the parameters of a signature come to. @module */
import { DYN, partsOf, sameType, withParts } from './types.js'
import type { CelType } from './types.js'

type Bindings = ReadonlyMap<string, CelType>

/** The parameters of one expression's types. What does not fit leaves it unchanged. */
export class Unifier {
  #bindings: Bindings = new Map()
  #fresh = 0

  /** A parameter that nothing is known about. */
  newParameter(): CelType {
    return { kind: 'parameter', name: `_${String(this.#fresh++)}` }
  }

  /** Copies of types in which each parameter of a signature is a new one, the same one throughout. */
  instantiate(types: readonly CelType[]): readonly CelType[] {
    const renamed = new Map<string, CelType>()
    const rename = (type: CelType): CelType => {
      if (type.kind !== 'parameter') return withParts(type, rename)
      const known = renamed.get(type.name) ?? this.newParameter()
      renamed.set(type.name, known)
      return known
    }
    return types.map(rename)
  }

  /** Whether each type can stand where the other one is asked for; then that is so from now on. */
  unify(given: readonly CelType[], asked: readonly CelType[]): boolean {
    if (given.length !== asked.length) return false
    const bindings = new Map(this.#bindings)
    if (!assignableLists(bindings, given, asked)) return false
    this.#bindings = bindings
    return true
  }

  /** The type with what is known of its parameters. */
  resolve(type: CelType): CelType {
    if (type.kind !== 'parameter') return withParts(type, (part) => this.resolve(part))
    const bound = this.#bindings.get(type.name)
    return bound === undefined ? type : this.resolve(bound)
  }

  /** As {@link resolve}; parameters of which nothing is known are anything. */
  final(type: CelType): CelType {
    const resolved = this.resolve(type)
    if (resolved.kind === 'parameter') return DYN
    return withParts(resolved, (part) => this.final(part))
  }

  /** Whether a type, with what is known of its parameters, is made of more parts than these. */
  isLarger(type: CelType, most: number): boolean {
    let left = most
    const exceeds = (each: CelType): boolean => {
      if (--left < 0) return true
      const bound = each.kind === 'parameter' ? this.#bindings.get(each.name) : undefined
      return bound === undefined ? partsOf(each).some(exceeds) : exceeds(bound)
    }
    return exceeds(type)
  }

  /** The type of a list with elements of both types, or undefined if there is none. */
  join(previous: CelType | undefined, next: CelType): CelType | undefined {
    if (previous === undefined) return next
    return this.unify([previous], [next]) ? moreGeneral(previous, next) : undefined
  }
}

function assignableLists(
  bindings: Map<string, CelType>,
  given: readonly CelType[],
  asked: readonly CelType[],
): boolean {
  return given.every((type, index) => {
    const other = asked[index]
    return other !== undefined && assignable(bindings, type, other)
  })
}

function assignable(bindings: Map<string, CelType>, given: CelType, asked: CelType): boolean {
  if (asked.kind === 'parameter') {
    const substituted = substitute(bindings, given, asked)
    if (substituted !== 'unbound') return substituted === 'fits'
  }
  if (given.kind === 'parameter') return substitute(bindings, asked, given) === 'fits'
  if (given.kind === 'dyn' || asked.kind === 'dyn') return true
  if (isNull(given)) return isNull(asked) || isNullable(asked)
  if (isNull(asked)) return isNullable(given)
  if (given.kind !== asked.kind) return false
  if ('name' in given && 'name' in asked) return given.name === asked.name
  return assignableLists(bindings, partsOf(given), partsOf(asked))
}

/** Whether a parameter can be this type: `unbound` if nothing was known of it and it cannot become a part of itself. */
function substitute(
  bindings: Map<string, CelType>,
  type: CelType,
  parameter: Extract<CelType, { readonly kind: 'parameter' }>,
): 'fits' | 'differs' | 'unbound' {
  if (sameType(type, parameter)) return 'fits'
  const bound = bindings.get(parameter.name)
  if (bound === undefined) {
    if (occursIn(bindings, parameter, type)) return 'unbound'
    bindings.set(parameter.name, type)
    return 'fits'
  }
  if (sameType(type, bound)) return 'fits'
  if (!assignable(bindings, type, bound)) return 'differs'
  const general = moreGeneral(type, bound)
  if (!occursIn(bindings, parameter, general)) bindings.set(parameter.name, general)
  return 'fits'
}

/** The occurs check: a type that contains itself has no end. */
function occursIn(bindings: Bindings, parameter: CelType, within: CelType): boolean {
  if (sameType(parameter, within)) return true
  if (within.kind !== 'parameter') return partsOf(within).some((part) => occursIn(bindings, parameter, part))
  const bound = bindings.get(within.name)
  return bound !== undefined && occursIn(bindings, parameter, bound)
}

function moreGeneral(a: CelType, b: CelType): CelType {
  return isAsGeneral(a, b) ? a : b
}

function isAsGeneral(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'parameter') return true
  if (b.kind === 'dyn' || b.kind === 'parameter') return false
  if (a.kind !== b.kind) return false
  const [left, right] = [partsOf(a), partsOf(b)]
  if (left.length === 0) return sameType(a, b)
  return left.every((part, index) => {
    const other = right[index]
    return other !== undefined && isAsGeneral(part, other)
  })
}

function isNull(type: CelType): boolean {
  return type.kind === 'scalar' && type.name === 'null_type'
}

/** Null stands for these as well, as it does in protocol buffers. */
function isNullable(type: CelType): boolean {
  if (type.kind === 'scalar') return type.name === 'timestamp' || type.name === 'duration'
  return type.kind === 'opaque' || type.kind === 'object' || type.kind === 'optional'
}
