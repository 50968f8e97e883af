import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { isNestedDeeper, parseJson } from './json.js'

function escape(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
}

describe('a name stands once in an object', () => {
  for (const [name, text] of [
    ['two members of one name', '{"a":1,"a":2}'],
    ['the same, deeper', '[{"b":{"a":1,"c":2,"a":1}}]'],
    ['one spelt with an escape', '{"a":1,"\\u0061":2}'],
    ['two empty names', '{"":1,"":2}'],
    ['two of a name with a quote', '{"a\\"":1,"a\\"":2}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":{}}'],
    ['a name that ends in backslashes, twice', '{"\\\\":1,"\\\\":2}'],
    ['hidden behind colons in strings', '{"a:":":","a:":"::"}'],
    ['not JSON', '{"a":1'],
  ] as const) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => parseJson(text),
        (error) => isCodedError(error) && error.code === 'JSON',
      )
    })
  }

  test('what others write is read', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
          assert.deepEqual(parseJson(text), JSON.parse(text))
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })

  test('a member that is written once more is always seen, wherever it stands and however it is spelled', () => {
    const named = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 })
    fc.assert(
      fc.property(named, fc.nat(), fc.boolean(), (members, pick, escaped) => {
        const names = Object.keys(members)
        const name = names[pick % names.length] ?? ''
        const spelled = escaped
          ? `"${Array.from({ length: name.length }, (_, at) => escape(name, at)).join('')}"`
          : JSON.stringify(name)
        const written = Object.entries(members).map(
          ([each, value]) => `${JSON.stringify(each)}: ${JSON.stringify(value)}`,
        )
        const text = `[{"x": [{}, {${[...written, `${spelled} : 0`].join(', ')}}]}]`
        assert.throws(() => parseJson(text), { code: 'JSON' })
      }),
      { numRuns: fuzzRuns() },
    )
  })

  test('any text gives a value or a coded error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' ') }),
        ),
        (text) => {
          try {
            parseJson(text)
          } catch (error) {
            assert.ok(isCodedError(error))
          }
        },
      ),
      { numRuns: fuzzRuns() },
    )
  })
})

test('the number of values is bounded before they are made', () => {
  const limits = { values: 4 }
  for (const text of [
    '[1,2,3]',
    '{"a":1,"b":[]}',
    '["a,b,c,d,e,[,{","\\",\\\\"]',
    '12345678',
    '"long [[[[[[[ text"',
    '[[[1]]]',
  ])
    assert.deepEqual(parseJson(text, limits), JSON.parse(text), text)
  for (const text of ['[1,2,3,4]', '[[[[1]]]]', '{"a":{"b":{"c":{}}}}', '[{},{},{}]', '[[[[[[', `[${'1,'.repeat(100)}`])
    assert.throws(() => parseJson(text, limits), { code: 'JSON' }, text)
  const bomb = `[${'[],'.repeat(5_000_000)}[]]`
  const start = process.hrtime.bigint()
  assert.throws(() => parseJson(bomb, { values: 1000 }), { code: 'JSON' })
  assert.ok(process.hrtime.bigint() - start < 200_000_000n)
})

test('more levels are read where that is asked for, and are seen without walking into them', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  assert.throws(() => parseJson(nested(201)), { code: 'JSON' })
  const value = parseJson(nested(10_000), { depth: 10_000 })
  assert.throws(() => parseJson(nested(10_001), { depth: 10_000 }), { code: 'JSON' })
  assert.deepEqual([isNestedDeeper(value, 9_999), isNestedDeeper(value, 10_000)], [true, false])
  for (const [shallow, levels] of [
    [null, 0],
    ['[[[', 0],
    [{}, 1],
    [[1, { a: [] }], 3],
  ] as const)
    assert.deepEqual([isNestedDeeper(shallow, levels), isNestedDeeper(shallow, levels - 1)], [false, levels > 0])
})
