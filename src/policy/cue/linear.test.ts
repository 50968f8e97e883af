/** What a chain of fields takes, each of which uses the one before it twice: a step a use, by the evaluator's own count. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { Evaluator } from './evaluator.js'
import { deepFlaw } from './judge.js'
import { parseCue } from './parser.js'
import { Vertex } from './vertex.js'

/** Steps of one judgement. */
function spent(policy: string, input: JsonObject | undefined): number {
  const { imports, root } = parseCue(policy)
  const evaluator = new Evaluator(imports)
  const vertex = new Vertex('')
  evaluator.say(vertex, { kind: 'expression', expression: root, scope: undefined, groups: [], embedded: false })
  if (input !== undefined) evaluator.say(vertex, { kind: 'data', data: input })
  assert.equal(deepFlaw(evaluator, vertex, 'input'), undefined)
  return evaluator.budget.spent
}

type Shape = readonly [name: string, begin: string, link: (name: string, last: string) => string, input: JsonObject]

const SHAPES: readonly Shape[] = [
  ['a sum', 'x0: int', (name, last) => `${name}: ${last} + ${last}`, { x0: 0 }],
  ['a sum with what is bound', 'x0: int', (name, last) => `let ${name} = ${last} + ${last}`, { x0: 0 }],
  ['fields of structs', 'x0: {v: int}', (name, last) => `${name}: {v: ${last}.v + ${last}.v}`, { x0: { v: 0 } }],
  ['items of lists', 'x0: [...int]', (name, last) => `${name}: [${last}[0] + ${last}[0]]`, { x0: [0] }],
  ['bounds', 'x0: int', (name, last) => `${name}: int & >=${last} & <=${last} & ${last} * ${last}`, { x0: 1 }],
  ['arguments', 'x0: int', (name, last) => `${name}: ${last} + len([${last}, ${last}]) - 2`, { x0: 0 }],
  [
    'conditions',
    'x0: {v: int}',
    (name, last) => `${name}: {if ${last}.v == ${last}.v {v: ${last}.v + ${last}.v}}`,
    { x0: { v: 0 } },
  ],
  ['alternatives', 'x0: int', (name, last) => `${name}: ${last} + ${last} | (${last} + ${last} & 7)`, { x0: 0 }],
]

function chain([, begin, link]: Shape, length: number, order: 'forwards' | 'backwards'): string {
  const links = Array.from({ length }, (_, index) => link(`x${String(index + 1)}`, `x${String(index)}`))
  const used = `end: {a: x${String(length)}}`
  return [begin, ...(order === 'forwards' ? links : links.reverse()), used].join('\n')
}

for (const shape of SHAPES) {
  const [name, , , input] = shape
  for (const order of ['forwards', 'backwards'] as const) {
    test(`${name}, ${order}: twice as many take twice as much`, () => {
      for (const given of [input, undefined]) {
        const [short, long] = [20, 40].map((length) => spent(chain(shape, length, order), given))
        assert.ok((long ?? Infinity) <= 2.2 * (short ?? 0), `${String(short)} steps, ${String(long)} steps`)
      }
    })
  }
}
