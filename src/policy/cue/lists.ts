/** Lists, and data given from outside. @module */
import type { JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Comprehension, Expression } from './ast.js'
import { comprehensionItems } from './comprehension.js'
import { takeError } from './compute.js'
import type { Evaluation } from './evaluation.js'
import { CONTAINS_ITSELF, meetKinds, meetScalar, setFlaw } from './meet.js'
import { KIND } from './scalar.js'
import type { Conjunct, Surroundings } from './vertex.js'
import { Vertex } from './vertex.js'

/** Given data is concrete: objects may hold further fields that the policy has, lists have their length. */
export function takeData(evaluation: Evaluation, vertex: Vertex, data: JsonValue): void {
  if (Array.isArray(data)) {
    const items = (data as readonly JsonValue[]).map((item): Conjunct => ({ kind: 'data', data: item }))
    meetList(evaluation, vertex, { items, rest: 'closed' })
  } else if (isJsonObject(data)) {
    meetKinds(vertex, KIND.struct, 'struct')
    for (const [key, value] of Object.entries(data)) {
      evaluation.say(evaluation.arcOf(vertex, key, 'regular').vertex, { kind: 'data', data: value })
    }
  } else meetScalar(vertex, scalarOf(data as null | boolean | number | string))
}

/** JSON's numbers have one kind in JavaScript: whole ones are integers here, however they were written. */
function scalarOf(data: null | boolean | number | string): Parameters<typeof meetScalar>[1] {
  if (typeof data !== 'number') return data
  return Number.isInteger(data) ? BigInt(data) : { float: data }
}

export function takeListLiteral(
  evaluation: Evaluation,
  vertex: Vertex,
  {
    literal,
    surroundings,
  }: { readonly literal: Expression & { readonly kind: 'list' }; readonly surroundings: Surroundings },
): void {
  if (vertex.repeats(literal)) {
    setFlaw(vertex, { path: vertex.path, message: CONTAINS_ITSELF })
    return
  }
  const inside = { ...surroundings, groups: [], embedded: false }
  const items: Conjunct[] = []
  for (const item of literal.items) {
    if (item.kind !== 'comprehension') items.push({ ...inside, kind: 'expression', expression: item })
    else {
      const made = madeBy(evaluation, vertex, { comprehension: item, inside })
      if (made === undefined) {
        // It is a list whatever comes of it.
        meetKinds(vertex, KIND.list, 'list')
        vertex.deferred.push({ ...surroundings, kind: 'expression', expression: literal })
        return
      }
      items.push(...made)
    }
  }
  const rest: Conjunct | 'closed' =
    literal.rest === 'closed' ? 'closed' : { ...inside, kind: 'expression', expression: literal.rest }
  meetList(evaluation, vertex, { items, rest })
}

function madeBy(
  evaluation: Evaluation,
  vertex: Vertex,
  { comprehension, inside }: { readonly comprehension: Comprehension; readonly inside: Surroundings },
): readonly Conjunct[] | undefined {
  try {
    return comprehensionItems(evaluation, comprehension, inside)
  } catch (error) {
    takeError(vertex, error)
    return []
  }
}

function meetList(
  evaluation: Evaluation,
  vertex: Vertex,
  list: { readonly items: readonly Conjunct[]; readonly rest: Conjunct | 'closed' },
): void {
  meetKinds(vertex, KIND.list, 'list')
  const { items, rest } = list
  const tooMany = vertex.lengthFixed && items.length > vertex.items.length
  const tooFew = rest === 'closed' && vertex.items.length > items.length
  if (tooMany || tooFew || (rest === 'closed' && vertex.lengthFixed && vertex.items.length !== items.length)) {
    setFlaw(vertex, {
      path: vertex.path,
      message: 'lists of different lengths',
      expected: `${String(vertex.items.length)} items`,
      found: `${String(items.length)} items`,
    })
    return
  }
  while (vertex.items.length < items.length) {
    const item = new Vertex(vertex.childPath(String(vertex.items.length)), { parent: vertex })
    vertex.items.push(item)
    for (const each of vertex.rest) evaluation.say(item, each)
  }
  if (rest === 'closed') vertex.lengthFixed = true
  else vertex.rest.push(rest)
  vertex.items.forEach((item, index) => {
    const said = items[index] ?? (rest === 'closed' ? undefined : rest)
    if (said !== undefined) evaluation.say(item, said)
  })
}
