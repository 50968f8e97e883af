/** The type checker: every name and function is known, and every type fits, before anything is evaluated. @module */
import type { Call, Expr, Loop, Select } from './ast.js'
import { loopType, rangeTypes, TESTS } from './check-loops.js'
import { CelError } from './cel-error.js'
import type { CheckedExpression, Reference, Resolution } from './checked.js'
import type { CelEnvironment, Overload } from './environment.js'
import { Complaints } from './complaints.js'
import { checkLiterals, literalType } from './literals.js'
import { Scope } from './scope.js'
import { BOOL, DYN, listOf, mapOf, optionalOf, sameType, TYPE } from './types.js'
import type { CelType } from './types.js'
import { Unifier } from './unify.js'

/**
 * Checks an expression.
 * @throws CelError `CEL_TYPE`, `CEL_UNSUPPORTED`, with the place; `CEL_LIMIT`
 */
export function checkExpression(root: Expr, source: string, environment: CelEnvironment): CheckedExpression {
  const checker = new Checker(source, environment)
  checker.check(root, new Scope())
  const checked = checker.finish(root)
  checkLiterals(checked)
  return checked
}

/**
 * Parts of a type. A map by maps by maps has more at each step than a name is long, and whatever looks at a type walks all of it.
 */
const MAX_TYPE = 500

/** Types that are values as well, by the names under which expressions know them. */
const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ...['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint', 'optional_type'].map(
    (name) => [name, name] as const,
  ),
  ['google.protobuf.Timestamp', 'google.protobuf.Timestamp'],
  ['google.protobuf.Duration', 'google.protobuf.Duration'],
])

class Checker {
  readonly #source: string
  readonly #environment: CelEnvironment
  readonly #unifier = new Unifier()
  readonly #complaints: Complaints
  readonly #types = new Map<Expr, CelType>()
  readonly #references = new Map<Expr, Reference>()
  readonly #resolutions = new Map<Expr, Resolution>()
  readonly #slots = new Map<Expr, readonly number[]>()

  constructor(source: string, environment: CelEnvironment) {
    this.#source = source
    this.#environment = environment
    this.#complaints = new Complaints(source, this.#unifier)
  }

  finish(root: Expr): CheckedExpression {
    const typeOf = (expr: Expr): CelType => this.#unifier.final(this.#types.get(expr) ?? DYN)
    return {
      source: this.#source,
      root,
      type: typeOf(root),
      typeOf,
      isName: (expr) => this.#references.has(expr),
      reference: (expr) => known(this.#references.get(expr)),
      resolution: (call) => known(this.#resolutions.get(call)),
      slots: (expr) => known(this.#slots.get(expr)),
    }
  }

  check(expr: Expr, scope: Scope): CelType {
    const type = this.#check(expr, scope)
    if (this.#unifier.isLarger(type, MAX_TYPE)) {
      throw new CelError('CEL_LIMIT', 'an expression has too large a type', {
        expected: `at most ${String(MAX_TYPE)} parts`,
      })
    }
    this.#types.set(expr, type)
    return type
  }

  #check(expr: Expr, scope: Scope): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value)
      case 'name':
        return this.#declared(expr, expr.name, scope)
      case 'select':
        return this.#qualified(expr, scope) ?? this.#field(expr, scope)
      case 'has':
        this.#field({ ...expr, kind: 'select', optional: false }, scope)
        return BOOL
      case 'call':
        return this.#call(expr, scope)
      case 'logical':
        for (const side of [expr.left, expr.right]) this.#expect(side, BOOL, scope)
        return BOOL
      case 'conditional':
        return this.#conditional(expr, scope)
      case 'list':
        return this.#list(expr, scope)
      case 'map':
        return this.#map(expr, scope)
      case 'loop':
        return this.#loop(expr, scope)
      case 'bind': {
        const inner = this.#introduce(expr, scope, [[expr.name, this.check(expr.value, scope)]])
        return this.check(expr.body, inner)
      }
      case 'optional-map':
        return this.#optionalMap(expr, scope)
    }
  }

  #declared(expr: Expr, name: string, scope: Scope): CelType {
    const type = this.#name(expr, name, scope)
    if (type === undefined) throw this.#complaints.undeclared(name, expr.at)
    return type
  }

  #name(expr: Expr, name: string, scope: Scope): CelType | undefined {
    const local = scope.find(name)
    if (local !== undefined) {
      this.#references.set(expr, { kind: 'local', slot: local.slot })
      return local.type
    }
    const refusal = this.#environment.refusal(name)
    if (refusal !== undefined) throw this.#complaints.refused(name, refusal, expr.at)
    const variable = this.#environment.variable(name)
    if (variable !== undefined) {
      this.#references.set(expr, { kind: 'variable', name })
      return variable
    }
    const type = TYPE_NAMES.get(name)
    if (type === undefined) return undefined
    this.#references.set(expr, { kind: 'type', name: type })
    return TYPE
  }

  /** `google.protobuf.Timestamp`: a name with dots, unless its first part is a variable. */
  #qualified(expr: Select, scope: Scope): CelType | undefined {
    const name = qualifiedName(expr)
    const [first = ''] = name?.split('.') ?? []
    return name === undefined || scope.find(first) !== undefined ? undefined : this.#name(expr, name, scope)
  }

  #field({ operand, field, optional, at }: Select, scope: Scope): CelType {
    const type = this.#unifier.resolve(this.check(operand, scope))
    const target = type.kind === 'optional' ? type.of[0] : type
    const result = this.#fieldType(target, field, at)
    return optional || type.kind === 'optional' ? optionalOf(result) : result
  }

  #fieldType(target: CelType, field: string, at: number): CelType {
    if (target.kind === 'map') return target.of[1]
    if (target.kind === 'object') {
      const type = target.fields.get(field)
      if (type === undefined)
        throw this.#complaints.error(`undefined field '${field}'`, at, `a field of ${target.name}`)
      return type
    }
    if (target.kind === 'parameter') this.#unifier.unify([DYN], [target])
    else if (target.kind !== 'dyn')
      throw this.#complaints.error(`type '${this.#complaints.format(target)}' does not support field selection`, at)
    return DYN
  }

  #call(call: Call, scope: Scope): CelType {
    const { name, receiver, args, at } = call
    const argTypes = args.map((arg) => this.check(arg, scope))
    if (receiver === undefined) {
      return this.#resolve(call, { name, args, argTypes, isMember: false })
    }
    const prefix = qualifiedName(receiver)
    const full = prefix === undefined ? undefined : `${prefix}.${name}`
    if (full !== undefined) {
      const refusal = this.#environment.refusal(full)
      if (refusal !== undefined) throw this.#complaints.refused(full, refusal, at)
      if (this.#environment.overloads(full) !== undefined)
        return this.#resolve(call, { name: full, args, argTypes, isMember: false })
    }
    const types = [this.check(receiver, scope), ...argTypes]
    return this.#resolve(call, { name, args: [receiver, ...args], argTypes: types, isMember: true })
  }

  #resolve(
    call: Call,
    {
      name,
      args,
      argTypes,
      isMember,
    }: Omit<Resolution, 'overloads'> & {
      readonly argTypes: readonly CelType[]
      readonly isMember: boolean
    },
  ): CelType {
    const refusal = this.#environment.refusal(name)
    if (refusal !== undefined) throw this.#complaints.refused(name, refusal, call.at)
    const declared = this.#environment.overloads(name)
    if (declared === undefined) throw this.#complaints.undeclared(name, call.at)
    let result: CelType | undefined
    const fitting: Overload[] = []
    for (const overload of declared.filter(({ member }) => member === isMember)) {
      const [resultType = DYN, ...asked] = this.#unifier.instantiate([
        overload.result,
        ...overload.parameters.map(({ type }) => type),
      ])
      if (!this.#unifier.unify(argTypes, asked)) continue
      fitting.push(overload)
      const type = this.#unifier.resolve(resultType)
      // Where several forms fit and differ in what they give, only evaluating can tell.
      result = result === undefined || sameType(result, type) ? type : DYN
    }
    if (result === undefined) {
      const shown = argTypes.map((type) => this.#complaints.format(type))
      const [target = '', ...others] = shown
      const form = isMember ? `${target}.(${others.join(', ')})` : `(${shown.join(', ')})`
      throw this.#complaints.error(`found no matching overload for '${name}' applied to '${form}'`, call.at)
    }
    this.#resolutions.set(call, { name, overloads: fitting, args })
    return result
  }

  #conditional({ condition, yes, no, at }: Extract<Expr, { kind: 'conditional' }>, scope: Scope): CelType {
    this.#expect(condition, BOOL, scope)
    const [a, b] = [this.check(yes, scope), this.check(no, scope)]
    const [joined = DYN] = this.#unifier.instantiate([{ kind: 'parameter', name: 'A' }])
    if (this.#unifier.unify([a, b], [joined, joined])) return this.#unifier.resolve(joined)
    const types = ['bool', this.#complaints.format(a), this.#complaints.format(b)].join(', ')
    throw this.#complaints.error(`found no matching overload for '_?_:_' applied to '(${types})'`, at)
  }

  #list({ elements, optional }: Extract<Expr, { kind: 'list' }>, scope: Scope): CelType {
    let joined: CelType | undefined
    for (const [index, element] of elements.entries()) {
      const type = this.#entry(element, optional.has(index), scope)
      joined = this.#join(type, joined)
    }
    return listOf(joined ?? this.#unifier.newParameter())
  }

  #map({ entries, optional }: Extract<Expr, { kind: 'map' }>, scope: Scope): CelType {
    let [keys, values]: (CelType | undefined)[] = []
    for (const [index, [key, value]] of entries.entries()) {
      keys = this.#join(this.check(key, scope), keys)
      values = this.#join(this.#entry(value, optional.has(index), scope), values)
    }
    return mapOf(keys ?? this.#unifier.newParameter(), values ?? this.#unifier.newParameter())
  }

  /** What an element comes to; of an optional one, what may be in it. */
  #entry(expr: Expr, optional: boolean, scope: Scope): CelType {
    const type = this.check(expr, scope)
    if (!optional) return type
    const value = this.#unifier.newParameter()
    if (this.#unifier.unify([type], [optionalOf(value)])) return this.#unifier.resolve(value)
    throw this.#complaints.mismatch(optionalOf(type), type, expr.at)
  }

  #join(type: CelType, previous: CelType | undefined): CelType {
    // Elements of several types may be meant: what a text is formatted from.
    return this.#unifier.join(previous, type) ?? DYN
  }

  #loop(loop: Loop, scope: Scope): CelType {
    const range = this.#unifier.resolve(this.check(loop.range, scope))
    const [first, second] = rangeTypes(range, loop, this.#complaints)
    const [one, two] = loop.names
    const names: readonly (readonly [string, CelType])[] =
      two === undefined
        ? [[one, first]]
        : [
            [one, first],
            [two, second],
          ]
    const inner = this.#introduce(loop, scope, names)
    if (loop.filter !== undefined) this.#expect(loop.filter, BOOL, inner)
    const body = this.check(loop.body, inner)
    if (TESTS.has(loop.loop)) this.#expect(loop.body, BOOL, inner)
    return loopType(loop, { range, element: first, body }, this.#complaints)
  }

  #optionalMap(expr: Extract<Expr, { kind: 'optional-map' }>, scope: Scope): CelType {
    const operand = this.check(expr.operand, scope)
    const value = this.#unifier.newParameter()
    if (!this.#unifier.unify([operand], [optionalOf(value)]))
      throw this.#complaints.mismatch(optionalOf(DYN), operand, expr.operand.at)
    const inner = this.#introduce(expr, scope, [[expr.name, this.#unifier.resolve(value)]])
    const body = this.check(expr.body, inner)
    if (!expr.flat) return optionalOf(body)
    const result = optionalOf(this.#unifier.newParameter())
    if (!this.#unifier.unify([body], [result])) throw this.#complaints.mismatch(optionalOf(DYN), body, expr.body.at)
    return this.#unifier.resolve(result)
  }

  #introduce(expr: Expr, scope: Scope, names: readonly (readonly [string, CelType])[]): Scope {
    const slots: number[] = []
    let inner = scope
    for (const [name, type] of names) {
      inner = inner.with(name, type)
      slots.push(inner.find(name)?.slot ?? 0)
    }
    this.#slots.set(expr, slots)
    return inner
  }

  #expect(expr: Expr, asked: CelType, scope: Scope): void {
    const type = this.#types.get(expr) ?? this.check(expr, scope)
    if (!this.#unifier.unify([type], [asked])) throw this.#complaints.mismatch(asked, type, expr.at)
  }
}

/** Set for every expression that was checked. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('an expression that was not checked')
  return value
}

/** `a.b.c`, where it is nothing but names. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'name') return expr.name
  if (expr.kind !== 'select' || expr.optional) return undefined
  const prefix = qualifiedName(expr.operand)
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`
}
