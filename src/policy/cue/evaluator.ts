/** Takes in what is said about a place until nothing new follows (CUE language specification, "Values"). @module */
import type { Expression, Field, StructLiteral } from './ast.js'
import { Budget } from './budget.js'
import { typeOf } from './builtins.js'
import { CloseGroup } from './close-group.js'
import { takeComprehension } from './comprehension.js'
import { placeAtPath, takeExpression } from './compute.js'
import { CueError } from './cue-error.js'
import { resolveDisjunctions } from './disjunction.js'
import type { Evaluation } from './evaluation.js'
import { isDataKey, isDefinitionKey } from './field-key.js'
import { takeData, takeListLiteral } from './lists.js'
import { CONTAINS_ITSELF, checkVertex, meetKinds, meetScalar, setFlaw } from './meet.js'
import { fieldNames } from './resolve.js'
import { KIND } from './scalar.js'
import { withBindings } from './scope.js'
import type { Arc, Binding, Conjunct, ExpressionConjunct, Presence, Scope, Surroundings } from './vertex.js'
import { Vertex } from './vertex.js'

const MAX_DEPTH = 200

/** What a place costs that stands for an expression alone, and is made anew each time that it is asked for. */
const STEPS_A_PLACE = 2

/** One evaluation: a policy, alone or with an input. Bounded in steps and depth. */
export class Evaluator implements Evaluation {
  readonly imports: ReadonlyMap<string, string>
  readonly budget: Budget = new Budget()
  readonly #bound = new WeakMap<Scope, Map<string, Vertex>>()
  readonly #calculated = new WeakMap<Scope, Map<Expression, { readonly changes: number; readonly result: unknown }>>()
  #changes = 0
  #depth = 0

  constructor(imports: ReadonlyMap<string, string>) {
    this.imports = imports
  }

  /** Looks a place through, and returns what stands for it: itself, or its copy with alternatives picked. */
  settle(vertex: Vertex): Vertex {
    if (vertex.state === 'working') {
      // A cycle: what is known so far is all there is.
      vertex.glimpse ??= glimpseOf(vertex)
      vertex.peeked = true
      return vertex
    }
    if (vertex.seen === this.#changes && vertex.state === 'done') return vertex.picked ?? vertex
    this.#deeper(vertex)
    vertex.state = 'working'
    try {
      do this.#lookThrough(vertex)
      while (this.#hasOutgrown(vertex))
    } finally {
      vertex.state = 'done'
      vertex.seen = this.#changes
      this.#depth--
    }
    return vertex.picked ?? vertex
  }

  #lookThrough(vertex: Vertex): void {
    while (this.#takeAll(vertex));
    if (vertex.checks.length > 0) for (const item of vertex.items) this.settle(item)
    checkVertex(vertex, this.budget)
    vertex.picked = vertex.flaw === undefined ? resolveDisjunctions(this, vertex) : undefined
  }

  /**
   * Whether more came of a place than others saw of it meanwhile: then they have to be looked at again, and so has the place,
   * which may have waited for them.
   */
  #hasOutgrown(vertex: Vertex): boolean {
    const { glimpse } = vertex
    if (glimpse === undefined) return false
    vertex.glimpse = undefined
    const now = glimpseOf(vertex)
    const hasGrown = now.some((part, index) => part !== glimpse[index])
    if (hasGrown || vertex.picked !== undefined) this.#changes++
    return hasGrown
  }

  /** Counts levels, of which each has to be left again. @throws CueError `CUE_LIMIT`, which ends the evaluation */
  #deeper({ depth }: Vertex): void {
    if (++this.#depth > MAX_DEPTH || depth > MAX_DEPTH)
      throw new CueError('CUE_LIMIT', 'a CUE value is nested too deeply, or contains itself')
  }

  /** A settled place for an expression: the one that it refers to, or one of its own. */
  place(expression: Expression, surroundings: Surroundings, path: string): Vertex {
    this.budget.spend(STEPS_A_PLACE)
    const known = this.#referredTo(expression, surroundings)
    if (known !== undefined) return this.settle(known)
    const vertex = new Vertex(path)
    this.say(vertex, { ...surroundings, kind: 'expression', expression })
    return this.settle(vertex)
  }

  /**
   * What a reference or a path leads to is found out once, however many ask: what is said there would otherwise be calculated
   * anew for each of them, and for each of those that these ask. A place that is being worked on refers to itself: it is no answer.
   */
  #referredTo(expression: Expression, surroundings: Surroundings): Vertex | undefined {
    if (surroundings.groups.length > 0) return undefined
    const known =
      expression.kind === 'reference'
        ? this.#namedPlace(expression.name, surroundings.scope)
        : placeAtPath(this, expression, surroundings)
    return known?.state === 'working' ? undefined : known
  }

  #namedPlace(name: string, scope: Scope | undefined): Vertex | undefined {
    const binding = this.lookup(name, scope)
    if (binding?.kind === 'arc') return binding.arc.presence === 'optional' ? undefined : binding.arc.vertex
    if (binding?.kind === 'place') return binding.vertex
    if (binding?.scope === undefined) return undefined
    const bound = this.#bound.get(binding.scope) ?? new Map<string, Vertex>()
    this.#bound.set(binding.scope, bound)
    const known = bound.get(name)
    if (known !== undefined) return known
    const vertex = new Vertex(name)
    bound.set(name, vertex)
    this.say(vertex, binding)
    return vertex
  }

  once<T>({ scope, expression }: ExpressionConjunct, calculate: () => T): T {
    if (scope === undefined) return calculate()
    const results = this.#calculated.get(scope) ?? new Map<Expression, { changes: number; result: unknown }>()
    this.#calculated.set(scope, results)
    const changes = this.#changes
    const known = results.get(expression)
    // Sound: an expression is calculated in one way, which has one type of results.
    if (known?.changes === changes) return known.result as T
    const result = calculate()
    results.set(expression, { changes, result })
    return result
  }

  /** Adds a conjunct to a place. */
  say(vertex: Vertex, conjunct: Conjunct): void {
    vertex.conjuncts.push(conjunct)
    this.#changed(vertex)
  }

  /** What was found out about other places with the help of this one has to be looked at again. */
  #changed(vertex: Vertex): void {
    if (vertex.state === 'done' || vertex.peeked) this.#changes++
  }

  arcOf(vertex: Vertex, key: string, presence: Presence): Arc {
    let arc = vertex.arcs.get(key)
    if (arc === undefined) {
      arc = { vertex: new Vertex(vertex.childPath(key), { parent: vertex }), presence }
      vertex.arcs.set(key, arc)
      this.#changed(vertex)
    } else if (arc.presence !== presence && (presence === 'regular' || arc.presence === 'optional')) {
      arc.presence = presence
      this.#changed(vertex)
    }
    return arc
  }

  /** Says what one conjunct means for a place. */
  take(vertex: Vertex, conjunct: Conjunct): void {
    this.budget.spend(1)
    if (conjunct.kind === 'data') {
      takeData(this, vertex, conjunct.data)
      return
    }
    const { expression } = conjunct
    switch (expression.kind) {
      case 'top':
        return
      case 'bottom':
        setFlaw(vertex, { path: vertex.path, message: 'the policy says _|_' })
        return
      case 'scalar':
        meetScalar(vertex, expression.value)
        return
      case 'struct':
        this.#takeStruct(vertex, expression, conjunct)
        return
      case 'list':
        takeListLiteral(this, vertex, { literal: expression, surroundings: conjunct })
        return
      case 'disjunction':
        this.#takeDisjunction(vertex, expression, conjunct)
        return
      case 'reference':
        if (!this.#takeReference(vertex, expression.name, conjunct)) vertex.deferred.push({ ...conjunct, expression })
        return
      default:
        if (!takeExpression(this, vertex, conjunct)) vertex.deferred.push({ ...conjunct, expression })
    }
  }

  /** Makes everything that is said about another place hold here too. */
  link(vertex: Vertex, target: Vertex, via: Surroundings): void {
    if (target === vertex || vertex.links.some((link) => link.target === target)) return
    vertex.links.push({ target, via, taken: 0 })
    this.#changed(vertex)
  }

  lookup(name: string, scope: Scope | undefined): Binding | undefined {
    for (let at = scope; at !== undefined; at = at.outer) {
      if ('bindings' in at) {
        const binding = at.bindings.get(name)
        if (binding !== undefined) return binding
      } else if (fieldNames(at.literal).has(name)) {
        const bound = at.literal.declarations.find((each) => each.kind === 'let' && each.name === name)
        if (bound?.kind === 'let')
          return { kind: 'expression', expression: bound.value, scope: at, groups: [], embedded: false }
        return { kind: 'arc', arc: this.arcOf(at.vertex, name, 'optional') }
      }
    }
    return undefined
  }

  /** Returns whether there may be more to take in. */
  #takeAll(vertex: Vertex): boolean {
    for (; vertex.taken < vertex.conjuncts.length; vertex.taken++) {
      const conjunct = vertex.conjuncts[vertex.taken]
      if (conjunct !== undefined) this.take(vertex, conjunct)
    }
    for (const link of vertex.links) {
      for (; link.taken < link.target.conjuncts.length; link.taken++) {
        const conjunct = link.target.conjuncts[link.taken]
        if (conjunct !== undefined) this.take(vertex, linked(conjunct, link.via))
      }
    }
    this.#applyPatterns(vertex)
    let progress = false
    for (const waiting of vertex.deferred.splice(0)) {
      const taken =
        waiting.kind === 'comprehension'
          ? takeComprehension(this, vertex, waiting)
          : takeExpression(this, vertex, waiting)
      if (!taken) vertex.deferred.push(waiting)
      progress ||= taken
    }
    return progress || vertex.taken < vertex.conjuncts.length
  }

  #takeStruct(vertex: Vertex, literal: StructLiteral, surroundings: Surroundings): void {
    if (vertex.repeats(literal)) {
      setFlaw(vertex, { path: vertex.path, message: CONTAINS_ITSELF })
      return
    }
    // {x} with an embedding alone is whatever x is.
    if (!isWrapper(literal)) meetKinds(vertex, KIND.struct, 'struct')
    const embedsClosed = literal.declarations.some((each) => each.kind === 'embedding' && isClosing(each.value))
    const groups = embedsClosed ? [...surroundings.groups, new CloseGroup()] : surroundings.groups
    const inside: Surroundings = { scope: { literal, vertex, outer: surroundings.scope }, groups, embedded: false }
    for (const group of groups) vertex.groups.add(group)
    for (const declaration of literal.declarations) {
      if (declaration.kind === 'field') this.#takeField(vertex, declaration, inside)
      else if (declaration.kind === 'ellipsis') for (const group of groups) group.allowAll()
      else if (declaration.kind === 'comprehension')
        vertex.deferred.push({ ...inside, kind: 'comprehension', comprehension: declaration })
      else if (declaration.kind === 'embedding')
        this.take(vertex, { ...inside, kind: 'expression', expression: declaration.value, embedded: true })
    }
  }

  #takeField(vertex: Vertex, field: Field, inside: Surroundings): void {
    const { label } = field
    if (label.kind === 'name') {
      this.#addField(vertex, { key: label.key, field, inside })
    } else if (label.kind === 'dynamic') {
      const key = this.place(label.value, inside, vertex.path).scalar
      if (typeof key === 'string') this.#addField(vertex, { key, field, inside })
      else setFlaw(vertex, { path: vertex.path, message: 'the name of a field is not a known text' })
    } else {
      const pattern = {
        ...inside,
        pattern: label.value,
        alias: label.alias,
        value: field.value,
        applied: new Set<string>(),
      }
      vertex.patterns.push(pattern)
      for (const group of inside.groups) group.allowPattern((name) => this.#matches(name, label.value, inside))
    }
  }

  #addField(
    vertex: Vertex,
    { key, field, inside }: { readonly key: string; readonly field: Field; readonly inside: Surroundings },
  ): void {
    const { vertex: child } = this.arcOf(vertex, key, field.presence)
    for (const group of inside.groups) group.allow(key)
    const inherited = isDataKey(key) ? inside.groups.map((group) => group.child(key)) : []
    const groups = isDefinitionKey(key) ? [definitionGroup(child)] : inherited
    this.say(child, { kind: 'expression', expression: field.value, scope: inside.scope, groups, embedded: false })
  }

  #takeDisjunction(vertex: Vertex, expression: Expression, conjunct: ExpressionConjunct): void {
    const choice = vertex.choices.get(expression)
    if (choice === undefined) vertex.disjunctions.push(conjunct)
    else this.take(vertex, { ...conjunct, expression: choice })
  }

  /** Returns false if the field that is referred to is not there (yet). */
  #takeReference(vertex: Vertex, name: string, conjunct: ExpressionConjunct): boolean {
    const binding = this.lookup(name, conjunct.scope)
    if (binding?.kind === 'arc') {
      if (binding.arc.presence === 'optional') return false
      this.link(vertex, binding.arc.vertex, conjunct)
    } else if (binding?.kind === 'place') this.link(vertex, binding.vertex, conjunct)
    else if (binding !== undefined) {
      // It may refer to itself.
      this.#deeper(vertex)
      this.take(vertex, { ...binding, groups: conjunct.groups, embedded: conjunct.embedded })
      this.#depth--
    } else {
      const type = typeOf(name)
      meetKinds(vertex, type.kinds, name)
      vertex.checks.push(...type.checks)
    }
    return true
  }

  #applyPatterns(vertex: Vertex): void {
    for (const pattern of vertex.patterns) {
      for (const [key, arc] of vertex.arcs) {
        if (pattern.applied.has(key) || !isDataKey(key)) continue
        pattern.applied.add(key)
        if (!this.#matches(key, pattern.pattern, pattern)) continue
        const scope = pattern.alias === undefined ? pattern.scope : withBindings(pattern.scope, [[pattern.alias, key]])
        const groups = pattern.groups.map((group) => group.child(key))
        this.say(arc.vertex, { kind: 'expression', expression: pattern.value, scope, groups, embedded: false })
      }
    }
  }

  #matches(name: string, pattern: Expression, surroundings: Surroundings): boolean {
    const probe = new Vertex(name)
    this.say(probe, { ...surroundings, kind: 'expression', expression: pattern })
    this.say(probe, { kind: 'data', data: name })
    return this.settle(probe).flaw === undefined
  }
}

/** A conjunct of another place, as it holds here: embedding leaves the other's own closedness behind. */
function linked(conjunct: Conjunct, via: Surroundings): Conjunct {
  if (conjunct.kind === 'data') return conjunct
  const groups = via.embedded ? via.groups : [...new Set([...conjunct.groups, ...via.groups])]
  return { ...conjunct, groups, embedded: via.embedded }
}

/** What others can see of a place, but for its fields' values, which tell of changes themselves. */
function glimpseOf({ kinds, scalar, flaw, checks, items, lengthFixed, arcs }: Vertex): readonly unknown[] {
  return [kinds, scalar, flaw, checks.length, items.length, lengthFixed, arcs.size]
}

const definitionGroups = new WeakMap<Vertex, CloseGroup>()

function definitionGroup(vertex: Vertex): CloseGroup {
  const group = definitionGroups.get(vertex) ?? new CloseGroup()
  definitionGroups.set(vertex, group)
  return group
}

function isWrapper(literal: StructLiteral): boolean {
  const { declarations } = literal
  return declarations.length > 0 && declarations.every((each) => each.kind === 'embedding' || each.kind === 'let')
}

/** Whether an embedded expression closes the struct that it is embedded in. */
function isClosing(expression: Expression): boolean {
  if (expression.kind === 'reference' || expression.kind === 'select') return isDefinitionKey(expression.name)
  if (expression.kind === 'call') return expression.callee.kind === 'reference' && expression.callee.name === 'close'
  return expression.kind === 'binary' && (isClosing(expression.left) || isClosing(expression.right))
}
