/** Variables in texts; those that would say more than a value first. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { loadJmesPath } from './expression.js'
import { compileTemplate } from './template.js'

const compile = await loadJmesPath()

function fill(value: JsonValue, data: JsonValue): JsonValue {
  return compileTemplate(compile, value).substitute(data, () => 0)
}

describe('values stay values', () => {
  for (const [title, text, ns] of [
    ['an end of a quote', `{{ equal_fold('{{ ns }}', 'x') }}`, `' || 'x`],
    ['an escape at the end of a quote', `{{ equal_fold('{{ ns }}', 'x') }}`, 'a\\'],
    ['an end of a name in quotes', '{{ data."{{ ns }}" }}', 'a" || "b'],
    ['an end of a literal', '{{ contains(`"{{ ns }}"`, `"x"`) }}', '`'],
    ['an operator after a dot', '{{ data.{{ ns }} }}', 'a || b'],
    ['a function where a name is', '{{ data.{{ ns }} }}', 'keys(@)'],
    ['a quote where a name is', '{{ data.{{ ns }} }}', 'a"'],
    ['an operator where a whole expression could be', '{{ {{ ns }} }}', 'a-b'],
    ['nothing where a name is', '{{ data.{{ ns }} }}', ''],
  ] as const) {
    test(title, () => {
      assert.throws(() => fill(text, { ns, data: { a: 1 } }), isCodedError)
    })
  }

  test('what a variable stands for is not read again', () => {
    assert.equal(fill('{{ a }}', { a: '{{ b }}', b: 'secret' }), '{{ b }}')
    assert.equal(fill('x-{{ a }}', { a: '{{ b }}', b: 'secret' }), 'x-{{ b }}')
    assert.throws(() => fill('{{ d.{{ a }} }}', { a: '{{ b }}', b: 'c', d: { c: 1 } }), isCodedError)
  })

  test('two members of one name', () => {
    assert.throws(() => fill({ '{{ a }}': 1, x: 2 }, { a: 'x' }), { code: 'JMESPATH_EVALUATION' })
    assert.deepEqual(fill({ '{{ a }}': 1 }, { a: '__proto__' }), JSON.parse('{"__proto__": 1}'))
  })

  test('any texts: a value, or a coded error', () => {
    const piece = fc.constantFrom('{{', '}}', 'a', '.', "'", '"', '`', '\\', '$(x)', '@', '{', '}', ' ', 'b-c')
    const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, text, (template, a) => {
        try {
          fill(template, { a, b: { a } })
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })
})

describe('variables', () => {
  for (const [text, data, expected] of [
    ['{{ a }}', { a: [1] }, [1]],
    ['{{a}}-{{ b }}', { a: 1, b: 'x' }, '1-x'],
    ['{{ a }} ', { a: { b: true } }, '{"b":true} '],
    ['\\{{ a }}', { a: 1 }, '{{ a }}'],
    ['{{ d.{{ a }} }}', { a: 'x', d: { x: 5 } }, 5],
    ['{{ d.{{ a }} }}', { a: 'team-a', d: { 'team-a': 5 } }, 5],
    ['{{ d.{{ a }} }}', { a: '2024', d: { '2024': 5 } }, 5],
    ['{{ d.{{ a }}.e }}', { a: 'b.c', d: { b: { c: { e: 5 } } } }, 5],
    ['{{ d."{{ a }}" }}', { a: 'b.c', d: { 'b.c': 5 } }, 5],
    [`{{ contains('{{ a }}', 'x') }}`, { a: 'axe' }, true],
    ['{{ {x: a} }}', { a: 1 }, { x: 1 }],
    ['{{- a }}', { a: 1 }, 1],
  ] as const) {
    test(text, () => {
      assert.deepEqual(fill(text, data), expected)
    })
  }

  test('what is not there', () => {
    assert.throws(() => fill('{{ gone }}', {}), { code: 'JMESPATH_UNRESOLVED' })
  })

  test('too much', () => {
    const deep = `${'{{ a.'.repeat(20)}b${' }}'.repeat(20)}`
    assert.throws(() => fill(deep, {}), { code: 'JMESPATH_LIMIT' })
    const large = 'x'.repeat(1_000_000)
    assert.throws(() => fill('{{ a }}'.repeat(50), { a: large }), { code: 'JMESPATH_LIMIT' })
    let nested: JsonValue = 'x'
    for (let depth = 0; depth < 200; depth++) nested = [nested]
    assert.throws(() => fill(nested, {}), { code: 'JMESPATH_LIMIT' })
  })
})
