/** What whoever writes a statement may try against a CUE policy that is honest: an end within the limits, with their code. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import { compileCue } from './policy.js'

const MEGABYTE = 1024 * 1024
const BOMB = '(?:(?:a?){100}){90}b'
const text = 'a'.repeat(50_000)
const long = 'a'.repeat(3 * MEGABYTE)
const many = Array.from({ length: 100_000 }, (_, index) => index)
const names = many.slice(0, 2000).map((index) => `${'a'.repeat(500)}${String(index)}`)
const grown = (of: (last: string) => string, length = 6): string =>
  Array.from({ length }, (_, index) => `x${String(index + 1)}: ${of(`x${String(index)}`)}`).join('\n')

function nested(depth: number): JsonObject {
  let value: JsonObject = {}
  for (let level = 0; level < depth; level++) value = { a: value }
  return value
}

const LIMITED: readonly (readonly [string, string, JsonValue])[] = [
  ['a large pattern', `x: =~"${BOMB}"`, { x: text }],
  ['a large pattern that must not be', `x: !~"${BOMB}"`, { x: text }],
  ['a pattern of the input', 'p: string\nx: !~p', { x: text, p: BOMB }],
  ['a pattern of the input, as an operator', 'p: string\nx: string\ny: x !~ p\ny: true', { x: text, p: BOMB }],
  ['a pattern of the input, as a function', 'import "regexp"\np: string\nx: regexp.Match(p)', { x: text, p: BOMB }],
  ['a small pattern and a large text', 'x: =~"^(a|b)*c"', { x: long }],
  ['a large pattern for many fields', `{[=~"${BOMB}"]: 1}`, Object.fromEntries(names.map((name) => [name, 1]))],
  [
    'a large pattern in a closed struct',
    `#D: {[=~"${BOMB}"]: 1}\nx: #D`,
    { x: Object.fromEntries(names.map((name) => [name, 1])) },
  ],
  ['a large pattern for many items', `x: [...!~"${BOMB}"]`, { x: names }],
  [
    'many large patterns',
    'x: [...string]\ny: [for p in x {"a" =~ p}]',
    { x: names.slice(0, 1000).map((_, index) => `${BOMB}${String(index)}`) },
  ],
  ['a text that doubles', `x0: string\n${grown((last) => `${last} + ${last}`)}`, { x0: long }],
  ['a text that doubles between quotes', `x0: string\n${grown((last) => `"\\(${last})\\(${last})"`)}`, { x0: long }],
  [
    'a separator that is huge',
    'import "strings"\nx: [...string]\ny: strings.Join(x, z)\nz: string',
    { x: names, z: text },
  ],
  ['characters', 'import "strings"\nx: string\ny: strings.Split(x, "")', { x: long }],
  [
    'a text within another that repeats itself',
    'import "strings"\nx: string\ny: string\nz: strings.Contains(x, y)',
    { x: long, y: `b${long.slice(0, MEGABYTE)}` },
  ],
  [
    'letters, again and again',
    'import "strings"\nx: string\nl: [...]\ny: [for i in l {strings.ToLower(x)}]',
    { x: long, l: many },
  ],
  ['every pair', 'x: [...int]\ny: [for a in x for b in x {a + b}]', { x: many }],
  ['every pair, of which few are wanted', 'x: [...int]\ny: [for a in x for b in x if a + b == 3 {1}]', { x: many }],
  ['fields for every pair', 'x: [...int]\ny: {for a in x for b in x {"\\(a).\\(b)": 1}}', { x: many }],
  ['alternatives within alternatives', '#N: {a?: #N} | {a?: #N, b?: 2}\nx: #N', { x: nested(25) }],
  [
    'a place that many refer to',
    `x: [...int]\n${many
      .slice(0, 100)
      .map((i) => `y${String(i)}: x`)
      .join('\n')}`,
    { x: many },
  ],
  ['more levels than anybody writes', 'x: _', { x: nested(5000) }],
]

for (const [name, policy, input] of LIMITED) {
  test(`ends: ${name}`, () => {
    const compiled = compileCue(policy)
    assert.throws(
      () => {
        compiled.judge(input)
      },
      { code: 'CUE_LIMIT' },
    )
  })
}

test('a number that is squared again and again ends, before there is one', () => {
  const squared = compileCue(`x0: int\n${grown((last) => `${last} * ${last}`, 40)}`)
  assert.throws(
    () => {
      squared.judge({ x0: 7 })
    },
    { code: 'CUE_LIMIT' },
  )
})

test('a definition that is bound, in a list, costs what it says', () => {
  compileCue('_both: [d, d]\nlet d = #D\n#D: {b: [1, 2], a!: d.a}\na!: c * c\nc?: b.a + b.b\nb?: [#D]')
})

test('a number of the policy has no millions of digits', () => {
  assert.throws(() => compileCue(`x: ${'9'.repeat(900_000)}`), { code: 'CUE_LIMIT' })
})

for (const [name, policy] of [
  ['a field', 'x: x + x'],
  ['two fields', 'x: y + y\ny: x + x'],
  ['two bound names', 'let x = y\nlet y = x\nz: x'],
  ['two bound names that calculate', 'let x = y + y\nlet y = x + x\nz: x + x'],
] as const) {
  test(`what is calculated from itself is not loaded: ${name}`, () => {
    assert.throws(() => compileCue(policy), { code: 'CUE_LIMIT' })
  })
}

for (const [name, policy, input] of [
  ['as a bound', 'p: string\nx: !~p', { p: '(', x: 'a' }],
  ['as an operator', 'p: string\nx: string\ny: x !~ p\ny: true', { p: '(', x: 'a' }],
  ['as a function', 'import "regexp"\np: string\nx: regexp.Match(p)', { p: '(', x: 'a' }],
] as const) {
  test(`a pattern that is none is no answer: ${name}`, () => {
    const compiled = compileCue(policy)
    assert.throws(
      () => {
        compiled.judge(input)
      },
      { code: 'CUE_REJECTED' },
    )
  })
}

test('many items are compared in time', () => {
  compileCue('import "list"\nx: list.UniqueItems()').judge({ x: many })
  const twice = compileCue('import "list"\nx: list.UniqueItems()')
  assert.throws(
    () => {
      twice.judge({ x: [...many, 7] })
    },
    { code: 'CUE_REJECTED' },
  )
})

test('an honest statement is far from the limits', () => {
  const packages = many.slice(0, 20_000).map((index) => ({ name: `t${String(index)}`, licence: 'MIT' }))
  compileCue('packages: [...{name: =~"^t[0-9]+$", licence: "MIT" | "BSD"}]').judge({
    packages: packages.slice(0, 5000),
  })
  compileCue('packages: [...{name: =~"^t[0-9]+$", licence: "MIT"}]').judge({ packages })
})
