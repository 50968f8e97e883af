import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { type JsonValue, parseJson } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { allows, compileRego, isCompliant } from './policy.js'

interface Case {
  readonly policy: string
  readonly input: string
  readonly query: string
  /** What OPA 1 says about it as Rego v0: a value in JSON, `undefined`, or `refused`, when loading or when asked. */
  readonly verdict: string
}

const CASES = JSON.parse(readFileSync(new URL('testdata/verdicts.json', import.meta.url), 'utf8')) as readonly Case[]
const options = { clock: (): number => Date.parse('2026-01-01T00:00:00Z') }

function verdict({ policy, input, query }: Omit<Case, 'verdict'>): string {
  try {
    const value = compileRego(policy).query(query, parseJson(input), options)
    return value === undefined ? 'undefined' : JSON.stringify(value)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return 'refused'
  }
}

for (const each of CASES) {
  test(`${each.verdict}: ${each.policy.replaceAll('\n', ' ⏎ ')} ← ${each.input} ${each.query}`, () => {
    assert.equal(verdict(each), each.verdict)
  })
}

for (const [name, policy, code] of [
  ['a function that is not there', 'p { http.send({}) }', 'REGO_UNSUPPORTED'],
  ['all of a package', 'p = data', 'REGO_UNSUPPORTED'],
  ['a rule with a dot', 'p.q = 1', 'REGO_UNSUPPORTED'],
  ['with for data', 'p { true with data.x as 1 }', 'REGO_UNSUPPORTED'],
  ['a verb of sprintf', 'p = sprintf("%5d", [1])', 'REGO_UNSUPPORTED'],
  ['a regular expression', 'p { regex.match("(", input.x) }', 'REGO_UNSUPPORTED'],
  ['another import', 'import rego.v2\np = 1', 'REGO_UNSUPPORTED'],
  ['a body that is open', 'p { true', 'REGO_SYNTAX'],
  ['a string that is open', 'p = "x', 'REGO_SYNTAX'],
  ['if without its import', 'p if { true }', 'REGO_SYNTAX'],
  ['no if under version 1', 'import rego.v1\np { true }', 'REGO_SYNTAX'],
  ['two declarations', 'p { x := 1; x := 2 }', 'REGO_REFERENCE'],
  ['a function with too few arguments', 'f(x, y) = 1\np = f(1)', 'REGO_REFERENCE'],
  ['a name without a value', 'p { x == 1 }', 'REGO_UNSAFE_VAR'],
  ['a name only under not', 'p { not input[x] }', 'REGO_UNSAFE_VAR'],
  ['a rule of itself', 'p { q }\nq { p }', 'REGO_RECURSION'],
  ['types that never fit', 'p { 1 == "a" }', 'REGO_TYPE'],
  ['rules of two kinds', 'p = 1\np[x] { x := 1 }', 'REGO_CONFLICT'],
  ['two defaults', 'default p = 1\ndefault p = 2', 'REGO_CONFLICT'],
  ['too deep a nesting', `p = ${'['.repeat(300)}${']'.repeat(300)}`, 'REGO_LIMIT'],
  ['too long a text', `# ${'x'.repeat(1_000_001)}`, 'REGO_LIMIT'],
  ['too many rules', Array.from({ length: 1001 }, (_, i) => `p${String(i)} = 1`).join('\n'), 'REGO_LIMIT'],
] as const) {
  test(`not loaded: ${name}`, () => {
    assert.throws(() => compileRego(`package p\n${policy}`), { code })
  })
}

const LIST = JSON.stringify(Array.from({ length: 300 }, (_, i) => i))
for (const [name, policy, code] of [
  ['different values', 'p = 1\np = 2', 'REGO_CONFLICT'],
  ['too many steps', `p { x := ${LIST}; x[_] + x[_] + x[_] == -1 }`, 'REGO_LIMIT'],
  [
    'a value that doubles',
    `x0 = ["aaaa"]\n${Array.from({ length: 40 }, (_, i) => `x${String(i + 1)} = [x${String(i)}, x${String(i)}]`).join('\n')}\np { x40 == [1] }`,
    'REGO_LIMIT',
  ],
  [
    'a text that doubles',
    `x0 = "aaaa"\n${Array.from({ length: 40 }, (_, i) => `x${String(i + 1)} = concat(x${String(i)}, [x${String(i)}, ""])`).join('\n')}\np { x40 == "" }`,
    'REGO_LIMIT',
  ],
  ['more digits than are known', 'p { x := 1 / 3; x * 3 == 1 }', 'REGO_LIMIT'],
] as const) {
  test(`not answered: ${name}`, () => {
    const loaded = compileRego(`package p\n${policy}`)
    assert.throws(() => loaded.query('data.p.p', null, options), { code })
  })
}

test('compliance is a boolean or an object; anything else is none', () => {
  for (const [value, expected] of [
    ['true', { compliant: true }],
    ['false', { compliant: false }],
    ['"true"', { compliant: false }],
    ['1', { compliant: false }],
    ['[true]', { compliant: false }],
    ['{"result": true}', { compliant: true }],
    ['{"result": "true"}', { compliant: false }],
    ['{"result": false, "error": "e"}', { compliant: false, error: 'e' }],
    ['{"result": true, "warning": "w"}', { compliant: true, warning: 'w' }],
  ] as const) {
    assert.deepEqual(isCompliant(compileRego(`package sigstore\nisCompliant = ${value}`), null, options), expected)
  }
})

test('contains is a function even where it is a keyword', () => {
  for (const line of ['import rego.v1', 'import future.keywords', 'import future.keywords.contains']) {
    const policy = compileRego(`package p\n${line}\nq := contains(input.list[0], "b")`)
    assert.equal(policy.query('data.p.q', { list: ['abc'] }, options), true)
  }
  const both = compileRego('package p\nimport rego.v1\np contains x if { some x in input; contains(x, "b") }')
  assert.deepEqual(both.query('data.p.p', ['abc', 'c'], options), ['abc'])
})

test('only true allows', () => {
  const policy = (value: string): boolean => allows(compileRego(`package signature\nallow = ${value}`), null, options)
  assert.equal(policy('true'), true)
  for (const value of ['false', '1', '"true"', '{"result": true}', 'input.x']) assert.equal(policy(value), false)
})

test('not does not make an argument that is missing into an acceptance', () => {
  const policy = compileRego('package signature\nallow { not startswith(input.builder, "evil") }')
  const ask = (input: JsonValue): boolean => allows(policy, input, options)
  assert.deepEqual([ask({ builder: 'good' }), ask({ builder: 'evil' }), ask({})], [true, false, false])
})

const pieces = fc.constantFrom(
  ...'p q x := = == != { } [ ] ( ) , ; | & + - * / % . : input data true null 1 1.5 "x" `r` _ not some in every if contains with as else default import count('.split(
    ' ',
  ),
  '\n',
)

test('any text is loaded or refused with a code, and then answers or throws with a code', () => {
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 25 }).map((parts) => `package p\nimport future.keywords\np ${parts.join(' ')}`),
      fc.jsonValue(),
      (policy, input) => {
        try {
          compileRego(policy).query('data.p.p', parseJson(JSON.stringify(input)), options)
        } catch (error) {
          assert.ok(isCodedError(error), `${policy}: ${String(error)}`)
        }
      },
    ),
    { numRuns: fuzzRuns() * 5 },
  )
})
