import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { compileConditions } from './conditions.js'
import { loadJmesPath } from './expression.js'
import { compileTemplate } from './template.js'

const compile = await loadJmesPath()
const clock = (): number => 0
const DATA: JsonValue = {
  n: 5,
  s: 'text',
  o: { x: [1] },
  name: 's',
  hostile: "x' || 's",
  again: '{{ s }}',
  wild: '{{',
  nothing: null,
}

for (const [text, expected] of [
  ['plain', 'plain'],
  ['', ''],
  ['{{ n }}', 5],
  ['{{o}}', { x: [1] }],
  ['{{ nothing }}', null],
  ['{{ n }} and {{s}}', '5 and text'],
  ['o={{ o }}', 'o={"x":[1]}'],
  [String.raw`\{{ n }}`, '{{ n }}'],
  ['{{ {{ name }} }}', 'text'],
  ["{{ '{{ s }}' }}!", 'text!'],
  ['{{ length(`{{ o.x }}`) }}', 1],
  ['{{ again }}.', '{{ s }}.'],
  ['{{- s }}', 'text'],
  ['{{ {a: {b: n}} }}', { a: { b: 5 } }],
  ["{{ '}}' }}", '}}'],
] as const) {
  test(`variables: ${text} → ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(compileTemplate(compile, text).substitute(DATA, clock), expected)
  })
}

test('variables in members and their names', () => {
  const template = compileTemplate(compile, { 'a-{{ s }}': ['{{ n }}', true] })
  assert.deepEqual(template.substitute(DATA, clock), { 'a-text': [5, true] })
})

for (const [value, code] of [
  ['{{ n', 'JMESPATH_SYNTAX'],
  ['{{}}', 'JMESPATH_SYNTAX'],
  ['{{ a. }}', 'JMESPATH_SYNTAX'],
  ['{{ @ }}', 'JMESPATH_UNSUPPORTED'],
  ["{{ random('x') }}", 'JMESPATH_UNSUPPORTED'],
  ['$(./key)', 'JMESPATH_UNSUPPORTED'],
  ['{{'.repeat(20), 'JMESPATH_LIMIT'],
  [{ "{{ md5('x') }}": 1 }, 'JMESPATH_UNSUPPORTED'],
] as const) {
  test(`variables not loaded: ${JSON.stringify(value)}`, () => {
    assert.throws(() => compileTemplate(compile, value), { code })
  })
}

for (const [value, code] of [
  ['{{ gone }}', 'JMESPATH_UNRESOLVED'],
  ['a {{ gone }}', 'JMESPATH_UNRESOLVED'],
  ["{{ '{{ hostile }}' }}", 'JMESPATH_EVALUATION'],
  ['{{ {{ hostile }} }}', 'JMESPATH_EVALUATION'],
  ['{{ {{ n }}x }}', 'JMESPATH_SYNTAX'],
  [{ '{{ s }}': 1, text: 2 }, 'JMESPATH_EVALUATION'],
] as const) {
  test(`variables not resolved: ${JSON.stringify(value)}`, () => {
    const template = compileTemplate(compile, value)
    assert.throws(() => template.substitute(DATA, clock), { code })
  })
}

for (const [key, operator, value, expected] of [
  ['a', 'Equals', 'a', true],
  ['abc', 'Equal', 'a*', true],
  ['abc', 'Equals', 'b*', false],
  [1, 'Equals', '1.0', true],
  [1, 'Equals', true, false],
  ['1Gi', 'Equals', '1024Mi', true],
  ['1Gi', 'Equals', 'x', false],
  ['1h', 'Equals', '60m', true],
  ['60s', 'Equals', 60, true],
  [null, 'Equals', null, false],
  [null, 'NotEquals', 'a', false],
  ['a', 'NotEqual', 'b', true],
  [{ a: 1 }, 'Equals', { a: 1 }, true],
  [[1, 2], 'Equals', [2, 1], false],
  [5, 'GreaterThan', 4, true],
  ['5', 'GreaterThan', 5, false],
  ['2h', 'GreaterThan', '90m', true],
  ['1Gi', 'LessThan', '1G', false],
  ['1.10.0', 'GreaterThan', '1.9.0', true],
  ['1.0.0-rc1', 'LessThan', '1.0.0', true],
  ['x', 'LessThan', 'y', false],
  ['x', 'GreaterThanOrEquals', 1, false],
  ['1h', 'LessThanOrEquals', 3600, true],
  ['1h', 'DurationGreaterThan', '59m', true],
  [true, 'DurationLessThan', '59m', false],
  ['a', 'AnyIn', ['a', 'b'], true],
  ['abc', 'In', ['a*'], true],
  ['c', 'AnyIn', ['a', 'b'], false],
  ['a', 'AnyIn', '["a"]', true],
  ['a', 'AnyIn', '[1]', false],
  ['a', 'AnyNotIn', '[1]', false],
  [['a', 'c'], 'AnyIn', ['a', 'b'], true],
  [['a', 'c'], 'AllIn', ['a', 'b'], false],
  [['a', 'c'], 'AnyNotIn', ['a', 'b'], true],
  [['a', 'c'], 'AllNotIn', ['a', 'b'], false],
  [['x', 'y'], 'AllNotIn', ['a', 'b'], true],
  [['a'], 'NotIn', ['a', 'b'], false],
  [['abc'], 'In', ['a*'], false],
  [5, 'AnyIn', '1-10', true],
  [11, 'AnyIn', '1-10', false],
  [11, 'AnyNotIn', '1-10', true],
  ['x', 'AnyNotIn', '1-10', true],
  ['x', 'AnyIn', '1-10', false],
  [['x'], 'AnyNotIn', '1-10', false],
  [['1-10'], 'AllIn', '1-10', true],
  [[], 'AllIn', ['a'], true],
  [[], 'AllIn', 5, false],
  [[], 'AllNotIn', true, false],
  ['a', 'AnyNotIn', '5', false],
  ['*', 'AnyIn', 'x', false],
  ['*', 'AnyIn', ['x'], true],
  ['x', 'NotIn', 'y', false],
  [['x'], 'NotIn', 'x', false],
  ['0.5', 'LessThan', '1h', true],
  [[1, 2], 'AllIn', '1-10', true],
  [[1, 20], 'AllNotIn', '1-10', false],
  ['600Mi', 'AnyIn', '1Mi-1Gi', true],
  [{ a: 1 }, 'AllNotIn', ['a'], false],
  [null, 'AnyNotIn', ['a'], false],
] as const) {
  test(`${JSON.stringify(key)} ${operator} ${JSON.stringify(value)} is ${String(expected)}`, () => {
    const outcome = compileConditions(compile, [{ key, operator, value }]).evaluate({}, clock)
    assert.equal(outcome.holds, expected)
  })
}

const yes = { key: '{{ n }}', operator: 'Equals', value: 5, message: 'n is {{ n }}' }
const no = { key: '{{ n }}', operator: 'Equals', value: 6, message: 'n is not 6' }

for (const [name, source, holds, failed, message] of [
  ['nothing to meet', [], true, undefined, ''],
  ['a flat list', [yes, no], false, '[1]', 'n is not 6'],
  ['a block', { any: [no, yes] }, true, undefined, 'n is 5'],
  ['any without one', [{ any: [no] }], false, '[0].any', 'n is not 6'],
  ['any of none', [{ any: [] }], false, '[0].any', ''],
  ['all', [{ all: [yes] }, { all: [yes, no] }], false, '[1].all[1]', 'n is not 6'],
  ['any and all', [{ any: [yes], all: [no] }], false, '[0].all[0]', 'n is not 6'],
] as const) {
  test(`conditions: ${name}`, () => {
    assert.deepEqual(compileConditions(compile, source).evaluate(DATA, clock), { holds, failed, message })
  })
}

for (const [name, source, code] of [
  ['a text', 'x', 'JMESPATH_CONDITION'],
  ['an empty block', [{}], 'JMESPATH_CONDITION'],
  ['a block with more', [{ all: [], some: [] }], 'JMESPATH_CONDITION'],
  ['all that is no list', { all: yes }, 'JMESPATH_CONDITION'],
  ['a mixed list', [yes, { all: [] }], 'JMESPATH_CONDITION'],
  ['an unknown operator', [{ key: 1, operator: 'Matches', value: 1 }], 'JMESPATH_CONDITION'],
  ['an operator of every object', [{ key: 1, operator: 'constructor', value: 1 }], 'JMESPATH_CONDITION'],
  ['no key', [{ operator: 'Equals', value: 1 }], 'JMESPATH_CONDITION'],
  ['no operator', { all: [{ key: 1, value: 1 }] }, 'JMESPATH_CONDITION'],
  ['a message that is none', [{ ...yes, message: 1 }], 'JMESPATH_CONDITION'],
  ['an expression that is none', [{ ...yes, value: '{{ a. }}' }], 'JMESPATH_SYNTAX'],
] as const) {
  test(`conditions not loaded: ${name}`, () => {
    assert.throws(() => compileConditions(compile, source), { code })
  })
}

test('a condition on what is not there is an error, not a verdict', () => {
  const conditions = compileConditions(compile, [{ key: '{{ gone }}', operator: 'NotEquals', value: 'x' }])
  assert.throws(() => conditions.evaluate(DATA, clock), { code: 'JMESPATH_UNRESOLVED' })
})

test('any text with variables gives a value or a coded error', () => {
  const word = fc.constantFrom('{{', '}}', '\\', 'n', 's', ' ', "'", '`', '"', '{', '}', '.', '$(', ')')
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        assert.notEqual(compileTemplate(compile, words.join('')).substitute(DATA, clock), undefined)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
