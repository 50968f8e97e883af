/** What whoever writes a statement may try against a Rego policy that is honest: an end within the limits, with their code. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from '#encoding/json'
import { compileRego } from './policy.js'

const options = { clock: (): number => 0 }
const MEGABYTE = 1024 * 1024
const BOMB = '(?:(?:a?){100}){90}b'
const long = 'a'.repeat(3 * MEGABYTE)
const many = Array.from({ length: 100_000 }, (_, index) => index)
const texts = many.map((index) => `t${String(index)}`)

function ask(policy: string, input: JsonValue): JsonValue | undefined {
  return compileRego(`package p\nimport future.keywords\n${policy}`).query('data.p.p', input, options)
}

const LIMITED: readonly (readonly [string, string, JsonValue])[] = [
  ['a large pattern of the input', 'p if regex.match(input.r, input.t)', { r: BOMB, t: long }],
  ['a large pattern of the policy', `p if regex.match("${BOMB}", input.t)`, { t: long }],
  ['a small pattern and a large text', 'p if regex.match("^(a|b)*c", input.t)', { t: 'a'.repeat(20 * MEGABYTE) }],
  ['many large patterns', 'p if regex.match(input.r[_], "x")', { r: texts.slice(0, 2000).map((each) => BOMB + each) }],
  ['many patterns of nothing', 'p if regex.match(input.r[_], "x")', { r: texts.map((each) => `(){1000}${each}`) }],
  ['a glob of many stars', 'p if glob.match(input.g, [], input.t)', { g: `${'*a'.repeat(200)}b`, t: long }],
  ['a huge glob', 'p if glob.match(input.t, [], "x")', { t: long }],
  ['many globs', 'p if glob.match(input.g[_], [], "x")', { g: texts.map((each) => `*${each}`) }],
  [
    'a text within another that repeats itself',
    'p if contains(input.t, input.u)',
    { t: long, u: `b${long.slice(0, MEGABYTE)}` },
  ],
  ['the same to be replaced', 'p = replace(input.t, input.u, "")', { t: long, u: `b${long.slice(0, MEGABYTE)}` }],
  ['the same to be found', 'p = indexof(input.t, input.u)', { t: long, u: `b${long.slice(0, MEGABYTE)}` }],
  ['the same to split at', 'p = split(input.t, input.u)', { t: long, u: `b${long.slice(0, MEGABYTE)}` }],
  ['a text that grows', 'p = replace(input.t, "a", input.u)', { t: long, u: 'b'.repeat(1000) }],
  ['a separator that is huge', 'p = concat(input.t, input.l)', { t: long, l: texts }],
  ['characters, again and again', 'p if { some each in input.l; each in split(input.t, "") }', { t: long, l: texts }],
  ['letters, again and again', 'p if { some each in input.l; lower(input.t) == each }', { t: long, l: texts }],
  ['a length, again and again', 'p if { some each in input.l; count(input.t) < each }', { t: long, l: many }],
  [
    'a part, again and again',
    'p if { some each in input.l; substring(input.t, each, 1) == "b" }',
    { t: long, l: many },
  ],
  ['a range', 'p if input.n in numbers.range(0, input.n + 1)', { n: 1e12 }],
  ['every pair', 'p if { input.l[_] + input.l[_] == -1 }', { l: many }],
  ['a comprehension for each', 'p if { some x in input.l; count({y | some y in input.l}) == x }', { l: many }],
  ['a comprehension in a comprehension', 'p = [[x, y] | some x in input.l; some y in input.l]', { l: many }],
  ['JSON of megabytes', 'p = json.unmarshal(input.j)', { j: `[${'{"a":{}},'.repeat(400_000)}1]` }],
  [
    'JSON, again and again',
    'p if { some each in input.l; json.unmarshal(input.j) == each }',
    { j: JSON.stringify(many), l: many },
  ],
  [
    'JSON within JSON',
    'p = json.marshal(json.marshal(json.marshal(json.marshal(input.t))))',
    { t: '"'.repeat(MEGABYTE) },
  ],
  ['digits', 'p if { to_number(input.l[_]) == 0.5 }', { l: many.map((each) => `${String(each + 1)}e-390`) }],
  ['a function, again and again', 'f(x) := count(x)\np if { some x in input.l; f([x, input.l]) == 1 }', { l: many }],
  ['a path without end', 'p if { some each in input.l; object.get(input, [[input.l, each]], 1) == 2 }', { l: many }],
  [
    'a world for each',
    'q if input.x == -1\np if { some each in input.l; q with input.x as each }',
    { l: many.concat(many, many) },
  ],
]

for (const [name, policy, input] of LIMITED) {
  test(`ends: ${name}`, () => {
    assert.throws(() => ask(policy, input), { code: 'REGO_LIMIT' })
  })
}

test('a pattern that is none is no answer', () => {
  assert.throws(() => ask('p if not regex.match(input.r, "x")', { r: '(' }), { code: 'REGO_UNSUPPORTED' })
})

test('who stops at the first one pays for the first one', () => {
  assert.equal(ask('p if every x in input.l { some y in input.l; y <= x }', { l: many }), true)
})

test('many sets become one in time', () => {
  assert.equal(ask('p = count(union({{x, "a"} | some x in input.l}))', { l: many.slice(0, 20_000) }), 20_001)
})

test('versions with millions of digits are compared', () => {
  const version = (digit: string): string => `1.0.0-${digit.repeat(MEGABYTE)}`
  const input = { a: version('1'), b: version('2'), c: `${version('1')}1` }
  assert.deepEqual(ask('p = [semver.compare(input.a, input.b), semver.compare(input.c, input.b)]', input), [-1, 1])
})

test('an honest statement is far from the limits', () => {
  const packages = texts.slice(0, 20_000).map((name) => ({ name, licence: 'MIT', version: '1.0.0' }))
  const policy =
    'p if every each in input.packages { each.licence in {"MIT", "BSD"}; regex.match("^t[0-9]+$", each.name) }'
  assert.equal(ask(policy, { packages }), true)
})
