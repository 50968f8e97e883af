/** Checks, when a policy is loaded, that every name stands for something and every call is to a known builtin. @module */
import type { Comprehension, CueFile, Declaration, Expression, Field, StructLiteral } from './ast.js'
import { isBuiltin, isTypeName } from './builtins.js'
import { CueError, unsupported } from './cue-error.js'
import { isDefinitionKey, showKey } from './field-key.js'

/** The packages whose builtins are there. */
const PACKAGES = new Set(['time', 'struct', 'list', 'strings', 'regexp'])

type Names = readonly ReadonlySet<string>[]

/** @throws {@link CueError} CUE_REFERENCE or CUE_UNSUPPORTED, with the line */
export function resolveNames(file: CueFile): void {
  for (const path of file.imports.values()) if (!PACKAGES.has(path)) throw unsupported(`the package ${path}`, 1)
  new Resolver(file.imports).struct(file.root, [])
}

class Resolver {
  readonly #imports: ReadonlyMap<string, string>

  constructor(imports: ReadonlyMap<string, string>) {
    this.#imports = imports
  }

  struct(literal: StructLiteral, outer: Names): void {
    const names = [fieldNames(literal), ...outer]
    for (const declaration of literal.declarations) this.#declaration(declaration, names)
  }

  #declaration(declaration: Declaration, names: Names): void {
    switch (declaration.kind) {
      case 'field':
        this.#field(declaration, names)
        return
      case 'comprehension':
        this.#comprehension(declaration, names)
        return
      case 'embedding':
        this.#expression(declaration.value, names)
        return
      case 'let':
        // In its own value the name stands for nothing, not even for another of that name further out.
        this.#expression(
          declaration.value,
          names.map((set) => without(set, declaration.name)),
        )
        return
      case 'ellipsis':
        return
    }
  }

  #field({ label, value }: Field, names: Names): void {
    if (label.kind !== 'name') this.#expression(label.value, names)
    else if (
      isDefinitionKey(label.key) &&
      value.kind === 'reference' &&
      !isTypeName(value.name) &&
      (!isDefinitionKey(value.name) || value.name === label.key)
    ) {
      throw unsupported('a definition that is another field, or itself,', value.line)
    }
    const alias = label.kind === 'pattern' ? label.alias : undefined
    this.#expression(value, alias === undefined ? names : [new Set([alias]), ...names])
  }

  #comprehension({ clauses, body }: Comprehension, outer: Names): void {
    let names = outer
    for (const clause of clauses) {
      if (clause.kind === 'if') this.#expression(clause.condition, names)
      else this.#expression(clause.kind === 'for' ? clause.source : clause.value, names)
      if (clause.kind === 'let') names = [new Set([clause.name]), ...names]
      if (clause.kind === 'for')
        names = [new Set([clause.value, ...(clause.key === undefined ? [] : [clause.key])]), ...names]
    }
    this.struct(body, names)
  }

  #expression(expression: Expression, names: Names): void {
    if (expression.kind === 'call') {
      this.#call(expression, names)
    } else if (expression.kind === 'reference') {
      this.#reference(expression.name, expression.line, names)
    } else if (expression.kind === 'select' && this.#packageOf(expression.of, names) !== undefined) {
      this.#builtin(expression, names)
    } else if (expression.kind === 'struct') {
      this.struct(expression, names)
    } else if (expression.kind === 'list') {
      for (const item of expression.items) {
        if (item.kind === 'comprehension') this.#comprehension(item, names)
        else this.#expression(item, names)
      }
      if (expression.rest !== 'closed') this.#expression(expression.rest, names)
    } else for (const part of partsOf(expression)) this.#expression(part, names)
  }

  #call({ callee, args }: Expression & { readonly kind: 'call' }, names: Names): void {
    this.#builtin(callee, names)
    for (const arg of args) this.#expression(arg, names)
  }

  #builtin(callee: Expression, names: Names): void {
    const name = builtinName(callee, this.#imports)
    const hidden = callee.kind === 'reference' && names.some((set) => set.has(callee.name))
    if (name === undefined || hidden) throw unsupported('a call of something that is not a builtin', callee.line)
    if (!isBuiltin(name)) throw unsupported(`the builtin ${name}`, callee.line)
  }

  #packageOf(expression: Expression, names: Names): string | undefined {
    if (expression.kind !== 'reference' || names.some((set) => set.has(expression.name))) return undefined
    return this.#imports.get(expression.name)
  }

  #reference(name: string, line: number, names: Names): void {
    if (names.some((set) => set.has(name)) || isTypeName(name)) return
    if (name === 'bytes') throw unsupported('the type bytes', line)
    const what = this.#imports.has(name) ? 'a package is not a value' : `there is nothing called ${showKey(name)}`
    throw new CueError('CUE_REFERENCE', `line ${String(line)}: ${what}`, { found: showKey(name) })
  }
}

/** The full name of a builtin: `len`, or `time.Parse` whatever the package is called in the file. */
export function builtinName(callee: Expression, imports: ReadonlyMap<string, string>): string | undefined {
  if (callee.kind === 'reference') return callee.name
  if (callee.kind !== 'select' || callee.of.kind !== 'reference') return undefined
  const path = imports.get(callee.of.name)
  return path === undefined ? undefined : `${path}.${callee.name}`
}

/** The names that a struct literal makes visible inside itself. */
export function fieldNames(literal: StructLiteral): ReadonlySet<string> {
  const names = new Set<string>()
  for (const declaration of literal.declarations) {
    if (declaration.kind === 'let') names.add(declaration.name)
    if (declaration.kind === 'field' && declaration.label.kind === 'name' && !declaration.label.quoted)
      names.add(declaration.label.key)
  }
  return names
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...names].filter((each) => each !== name))
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'interpolation':
      return expression.parts.filter((part) => typeof part !== 'string')
    case 'select':
      return [expression.of]
    case 'index':
      return [expression.of, expression.index]
    case 'unary':
    case 'bound':
      return [expression.operand]
    case 'binary':
      return [expression.left, expression.right]
    case 'disjunction':
      return expression.alternatives.map((alternative) => alternative.value)
    default:
      return []
  }
}
