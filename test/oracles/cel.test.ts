import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { fromJson } from '#policy/cel/json'
import { KUBERNETES } from '#policy/cel/kubernetes'
import { Evaluation, loadCel } from '#policy/cel/program'
import { BOOL, DOUBLE, DYN, INT, listOf, mapOf, STRING, UINT } from '#policy/cel/types'
import { Uint } from '#policy/cel/values'
import { fuzzRuns } from '#testing/fuzz'
import { EXPRESSIONS } from './cel-expressions/expressions.js'
import { celExpression } from './cel-expressions/generated.js'
import { askOracle, oracleNamed } from './oracle.js'
import { showCel } from './show-cel.js'

interface Answer {
  readonly type?: string
  readonly value?: string
  readonly stage?: string
  readonly error?: string
}

const environment = KUBERNETES.withVariables({
  object: DYN,
  strings: mapOf(STRING, listOf(STRING)),
  i: INT,
  u: UINT,
  d: DOUBLE,
  s: STRING,
  b: BOOL,
})

const OBJECT: JsonValue = {
  metadata: { name: 'web', labels: { app: 'web', 'a/b': 'c' }, annotations: {}, generation: 3, ratio: 1.5 },
  spec: {
    replicas: 2,
    paused: false,
    none: null,
    containers: [
      { name: 'a', image: 'ghcr.io/acme/web:v1', ports: [80, 443] },
      { name: 'b', image: 'nginx', resources: { limits: { memory: '64Mi', cpu: '100m' } } },
    ],
  },
}

const compile = await loadCel()

function verdict(expression: string): string {
  const variables = new Map([
    ['object', fromJson(OBJECT)],
    ['strings', fromJson({ a: ['x', 'y'], b: [] })],
    ['i', 7n],
    ['u', new Uint(7n)],
    ['d', 1.5],
    ['s', 'text'],
    ['b', true],
  ])
  let stage = 'compile'
  try {
    const program = compile(expression, environment)
    stage = 'eval'
    return showCel(program.evaluate(new Evaluation((name) => variables.get(name))))
  } catch (error) {
    if (isCodedError(error)) return error.code === 'CEL_LIMIT' ? 'limit' : stage
    throw error
  }
}

/** Go goes through a map in another order each time. */
function inOrder(shown: string): string {
  return shown
    .split(/[,[\]{}]+/)
    .sort()
    .join()
}

const oracle = oracleNamed('cel-oracle')
const skip = oracle === undefined ? 'no CEL oracle' : false

function differences(expressions: readonly string[]): {
  readonly different: readonly string[]
  readonly valued: number
} {
  const questions = expressions.map((expression) => ({ expression, variables: { object: OBJECT } }))
  const answers = askOracle(oracle ?? '', questions) as readonly Answer[]
  let valued = 0
  const different = expressions.flatMap((expression, index) => {
    const own = verdict(expression)
    const { value, stage, error } = answers[index] ?? {}
    const theirs = stage ?? value ?? ''
    if (stage === undefined) valued++
    return own === 'limit' || inOrder(own) === inOrder(theirs)
      ? []
      : [`${expression}\n  own    ${own}\n  theirs ${theirs} ${error ?? ''}`]
  })
  return { different, valued }
}

test('the same values as cel-go on expressions that show what each function does', { skip }, () => {
  const { different, valued } = differences(EXPRESSIONS)
  assert.equal(different.join('\n'), '')
  assert.ok(valued > EXPRESSIONS.length / 2)
})

test('the same values as cel-go on generated expressions', { skip }, () => {
  const expressions = fc.sample(celExpression, {
    numRuns: fuzzRuns() * 50,
    seed: Number(process.env['FUZZ_SEED'] ?? 1),
  })
  const { different, valued } = differences(expressions)
  assert.equal(different.join('\n'), '')
  assert.ok(valued > expressions.length / 10)
})
