/** From the syntax tree to plans: names are looked up, and what is not supported is refused. @module */
import type { Body, Literal, Module, RuleText, Term } from './ast.js'
import type { Builtin } from './builtins/builtin.js'
import { BUILTINS } from './builtins/table.js'
import { orderBody, patternSlots, requireFilled } from './order.js'
import type { Action, Node, Plan, PlannedClause, Rule, Step } from './plan.js'
import { inOrder } from './recursion.js'
import { fault, RegoError, unsupported } from './rego-error.js'
import { Scope } from './scope.js'
import { checkTypes } from './types.js'
import { children } from './walk.js'
import { isArray, RegoObject, RegoSet, type Value } from './value.js'

/** The rules of a policy by their full names, such as `data.sigstore.isCompliant`. */
export type Rules = ReadonlyMap<string, Rule>

/** Looking names up and ordering rules takes time that grows with their number. */
const MAX_RULES = 1000

/** @throws RegoError */
export function planModules(modules: readonly Module[]): Rules {
  const rules = new Map<string, Rule>()
  for (const module of modules) for (const text of module.rules) declare(rules, module, text)
  if (rules.size > MAX_RULES)
    throw new RegoError('REGO_LIMIT', 'too many rules', { expected: `at most ${String(MAX_RULES)}` })
  for (const module of modules) {
    const planner = new Planner(module, rules)
    for (const text of module.rules) planner.plan(text)
  }
  checkTypes(inOrder(rules))
  return rules
}

function fullName(module: Module, name: string): string {
  return ['data', ...module.path, name].join('.')
}

function declare(rules: Map<string, Rule>, module: Module, { name, kind, args, line }: RuleText): void {
  if (module.imports.some(({ alias }) => alias === name) || name === 'input' || name === 'data') {
    throw fault('REGO_CONFLICT', line, `${name} is both a rule and something else`)
  }
  const full = fullName(module, name)
  const there = rules.get(full)
  if (there === undefined) {
    rules.set(full, { name: full, kind, arity: args.length, line, initial: undefined, chains: [] })
  } else if (there.kind !== kind || there.arity !== args.length) {
    throw fault('REGO_CONFLICT', line, `the rules ${name} are of different kinds`)
  }
}

class Planner {
  readonly #module: Module
  readonly #rules: Rules

  constructor(module: Module, rules: Rules) {
    this.#module = module
    this.#rules = rules
    for (const full of rules.keys()) {
      if ([...rules.keys()].some((other) => other.startsWith(`${full}.`))) {
        throw fault('REGO_CONFLICT', 1, `${full} is both a rule and a package`)
      }
    }
  }

  plan(text: RuleText): void {
    const rule = this.#rules.get(fullName(this.#module, text.name))
    if (rule === undefined) return
    const clauses = text.clauses.map((clause): PlannedClause => {
      const scope = new Scope()
      for (const arg of text.args) declareNames(arg, scope)
      const args = text.args.map((arg) => this.#node(arg, scope))
      const filled = new Set(args.flatMap(patternSlots))
      for (const arg of args) requireFilled(arg, filled, clause.line)
      const body = this.#body(clause.body, scope)
      const key = clause.key === undefined ? undefined : this.#node(clause.key, scope)
      const value = this.#node(clause.value, scope)
      const after = orderBody(body, filled, [...(key === undefined ? [] : [key]), value])
      for (const node of key === undefined ? [value] : [key, value]) requireFilled(node, after, clause.line)
      scope.requireUsed()
      return { args, key, value, body, slots: scope.slots, line: clause.line }
    })
    if (!text.isDefault) rule.chains.push(clauses)
    else if (rule.initial !== undefined) throw fault('REGO_CONFLICT', text.line, `two defaults for ${text.name}`)
    else rule.initial = constantOf(clauses[0]?.value, text.line)
  }

  #body(body: Body, scope: Scope): Plan {
    return { steps: body.flatMap((literal) => this.#literal(literal, scope)) }
  }

  #literal(literal: Literal, scope: Scope): readonly Step[] {
    const { negated, line } = literal
    const withs = literal.with.map(({ path, value }) => ({ path, value: this.#node(value, scope) }))
    return this.#actions(literal, scope).map((action) => ({ action, negated, with: withs, line }))
  }

  #actions({ statement, negated, line }: Literal, scope: Scope): readonly Action[] {
    switch (statement.kind) {
      case 'term':
        return [{ kind: 'test', node: this.#node(statement.term, scope) }]
      case 'unify': {
        const [from, to] = [this.#node(statement.left, scope), this.#node(statement.right, scope)]
        requireSameLength(from, to, line)
        return negated ? [{ kind: 'unify', from, to }] : takenApart(from, to)
      }
      case 'assign': {
        const from = this.#node(statement.right, scope)
        declareTarget(statement.left, scope, line)
        return [{ kind: 'unify', from, to: this.#node(statement.left, scope) }]
      }
      case 'some':
        for (const name of statement.names) scope.declare(name, line, 'must be used')
        return []
      case 'some-in': {
        const domain = this.#node(statement.domain, scope)
        const { key, value } = statement
        for (const term of key === undefined ? [value] : [key, value]) declareNames(term, scope)
        return [
          {
            kind: 'some',
            key: key === undefined ? undefined : this.#node(key, scope),
            value: this.#node(value, scope),
            domain,
          },
        ]
      }
      case 'every': {
        const domain = this.#node(statement.domain, scope)
        const inner = scope.inner()
        const key = statement.key === undefined ? undefined : declareUsed(inner, statement.key, line)
        const value = declareUsed(inner, statement.value, line)
        const within = inner.inner()
        const body = this.#body(statement.body, within)
        within.requireUsed()
        inner.requireUsed()
        return [{ kind: 'every', key, value, domain, body }]
      }
    }
  }

  #node(term: Term, scope: Scope): Node {
    switch (term.kind) {
      case 'constant':
        return term
      case 'variable':
        return this.#ref(term, [], scope)
      case 'ref': {
        const { head, path } = term
        if (head.kind === 'variable') return this.#ref(head, path, scope)
        return this.#steps(this.#node(head, scope), path, scope)
      }
      case 'call':
        return this.#call(term, scope)
      case 'array':
      case 'set':
        return folded({ kind: term.kind, items: term.items.map((item) => this.#node(item, scope)) })
      case 'object':
        return folded({
          kind: 'object',
          entries: term.entries.map(([key, of]) => [this.#node(key, scope), this.#node(of, scope)] as const),
        })
      case 'comprehension': {
        const inner = scope.inner()
        const body = this.#body(term.body, inner)
        const key = term.key === undefined ? undefined : this.#node(term.key, inner)
        const value = this.#node(term.value, inner)
        inner.requireUsed()
        return { kind: 'comprehension', of: term.of, key, value, body, line: term.line }
      }
    }
  }

  #steps(from: Node, path: readonly Term[], scope: Scope): Node {
    return path.reduce<Node>((of, key) => ({ kind: 'step', of, key: this.#node(key, scope) }), from)
  }

  #ref(head: Extract<Term, { kind: 'variable' }>, path: readonly Term[], scope: Scope): Node {
    const { name, line } = head
    const local = scope.declared(name)
    if (local !== undefined) return this.#steps({ kind: 'slot', slot: local, name }, path, scope)
    if (name === 'input') return this.#steps({ kind: 'input' }, path, scope)
    if (name === 'data') return this.#data(['data'], path, { scope, line })
    const imported = this.#module.imports.find(({ alias }) => alias === name)
    if (imported !== undefined) {
      const [root, ...below] = imported.path
      const steps = below.map((value): Term => ({ kind: 'constant', value, line }))
      if (root === 'input') return this.#steps({ kind: 'input' }, [...steps, ...path], scope)
      return this.#data(['data'], [...steps, ...path], { scope, line })
    }
    const rule = this.#rules.get(fullName(this.#module, name))
    if (rule !== undefined) return this.#steps(ruleNode(rule, line), path, scope)
    return this.#steps({ kind: 'slot', slot: scope.use(name), name }, path, scope)
  }

  /** What is below `data`: a rule, or nothing where no package is. */
  #data(names: readonly string[], path: readonly Term[], at: { readonly scope: Scope; readonly line: number }): Node {
    const [first, ...rest] = path
    if (first?.kind !== 'constant' || typeof first.value !== 'string') throw unsupported('all of a package', at.line)
    const full = [...names, first.value]
    const rule = this.#rules.get(full.join('.'))
    if (rule !== undefined) return this.#steps(ruleNode(rule, at.line), rest, at.scope)
    if ([...this.#rules.keys()].some((name) => name.startsWith(`${full.join('.')}.`))) {
      return this.#data(full, rest, at)
    }
    // The slots of the rest must still be filled by something, or the rule would have been refused.
    return this.#steps({ kind: 'nothing' }, rest, at.scope)
  }

  #call({ name, args, line }: Extract<Term, { kind: 'call' }>, scope: Scope): Node {
    const nodes = args.map((arg) => this.#node(arg, scope))
    const [head = '', ...below] = name.split('.')
    if (scope.declared(head) !== undefined) throw fault('REGO_REFERENCE', line, `${name} is not a function`)
    const imported = this.#module.imports.find(({ alias }) => alias === head)?.path
    const full = imported === undefined ? name : [...imported, ...below].join('.')
    const rule = this.#rules.get(full) ?? this.#rules.get(fullName(this.#module, full))
    if (rule !== undefined) {
      if (rule.kind !== 'function') throw fault('REGO_REFERENCE', line, `${name} is not a function`)
      if (rule.arity !== args.length) throw arity(name, rule.arity, args.length, line)
      return { kind: 'invoke', rule, args: nodes }
    }
    const builtin: Builtin | undefined = BUILTINS.get(name)
    if (builtin === undefined) throw unsupported(`the function ${name}`, line)
    if (builtin.args.length !== args.length) throw arity(name, builtin.args.length, args.length, line)
    const constants = nodes.map((node) => (node.kind === 'constant' ? node.value : undefined))
    builtin.check?.(constants, line)
    return { kind: 'builtin', builtin, args: nodes, line }
  }
}

function arity(name: string, expected: number, found: number, line: number): Error {
  return fault('REGO_REFERENCE', line, `${name} takes ${String(expected)} arguments, not ${String(found)}`)
}

function ruleNode(rule: Rule, line: number): Node {
  if (rule.kind === 'function') throw fault('REGO_REFERENCE', line, `${rule.name} is a function`)
  return { kind: 'rule', rule }
}

/** Arrays that are written out in different lengths are a mistake, as with types that do not fit. */
function requireSameLength(from: Node, to: Node, line: number): void {
  const [a, b] = [lengthOf(from), lengthOf(to)]
  if (a !== undefined && b !== undefined && a !== b) {
    throw fault('REGO_TYPE', line, 'arrays of different lengths are never the same')
  }
}

function lengthOf(node: Node): number | undefined {
  if (node.kind === 'array') return node.items.length
  return node.kind === 'constant' && isArray(node.value) ? node.value.length : undefined
}

/** `[a, b] = [c, d]` says two things, which may come at different times. */
function takenApart(from: Node, to: Node): readonly Action[] {
  if (from.kind === 'array' && to.kind === 'array' && from.items.length === to.items.length) {
    return from.items.flatMap((item, index) => takenApart(item, to.items[index] ?? item))
  }
  return [{ kind: 'unify', from, to }]
}

/** Declares a name that must be used, unless it is `_`. */
function declareUsed(scope: Scope, name: string, line: number): number {
  return scope.declare(name, line, name.endsWith('$') ? undefined : 'must be used')
}

/** Declares the names of a pattern: those that nobody declared in an outer scope's stead. */
function declareNames(term: Term, scope: Scope): void {
  if (term.kind === 'variable') {
    if (!term.name.endsWith('$')) scope.declare(term.name, term.line)
  } else if (term.kind === 'array') for (const item of term.items) declareOnce(item, scope)
  else if (term.kind === 'object') for (const [, value] of term.entries) declareOnce(value, scope)
  else if (term.kind !== 'constant') throw unsupported('that as a pattern', term.line)
}

function declareOnce(term: Term, scope: Scope): void {
  if (term.kind !== 'variable' || !scope.declaredHere(term.name)) declareNames(term, scope)
}

function declareTarget(term: Term, scope: Scope, line: number): void {
  if (term.kind !== 'variable' && term.kind !== 'array' && term.kind !== 'object') {
    throw fault('REGO_SYNTAX', line, ':= wants a name on its left')
  }
  declareNames(term, scope)
}

function constantOf(node: Node | undefined, line: number): Value {
  if (node?.kind === 'constant') return node.value
  throw unsupported('a default that is no constant', line)
}

/** A collection of constants as a constant. */
function folded(node: Node): Node {
  const values = children(node).flatMap((part) => (part.kind === 'constant' ? [part.value] : []))
  if (values.length < children(node).length) return node
  if (node.kind === 'array') return { kind: 'constant', value: values }
  if (node.kind === 'set') return { kind: 'constant', value: new RegoSet(values) }
  if (node.kind !== 'object') return node
  const entries = node.entries.map((_, index) => [values[2 * index] ?? null, values[2 * index + 1] ?? null] as const)
  return { kind: 'constant', value: new RegoObject(entries) }
}
