import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { loadJmesPath } from './expression.js'

const compile = await loadJmesPath()
const NOW = Date.UTC(2025, 0, 31, 12)
const clock = (): number => NOW

const DATA: JsonValue = {
  a: { b: [{ n: 1, t: 'x' }, { n: 3, t: 'y' }, { t: 'z' }], s: 'Text', nothing: null },
  list: [3, 1, 2],
  labels: { app: 'web', tier: 'front' },
}

for (const [expression, expected] of [
  ['a.s', 'Text'],
  ['a.nothing', null],
  ['a.nothing.more', null],
  ['a.gone || `"none"`', 'none'],
  ['a.gone || also.gone', null],
  ['a.b[*].n', [1, 3]],
  ["a.b[?t=='y'].n | [0]", 3],
  ['list[::-1]', [2, 1, 3]],
  ['list[1:]', [1, 2]],
  ['list[9]', null],
  ['list[-1]', 2],
  ['`"reg.io"`', 'reg.io'],
  ['`"a"`', 'a'],
  ['`5`', 5],
  ['sort(list)', [1, 2, 3]],
  ['max_by(a.b[?n], &n).t', 'y'],
  ['{x: a.s, y: gone}', { x: 'Text', y: null }],
  ['!gone', true],
  ["time_to_cron('2023-02-28T23:05:00-05:00')", '5 23 28 2 2'],
  ["compare('a','b')", -1],
  ["equal_fold('Go','gO')", true],
  ["replace('aaa','a','b',`2`)", 'bba'],
  ["replace_all('aaa','a','b')", 'bbb'],
  ["trim('xxaxx','x')", 'a'],
  ["trim_prefix('v1','v')", '1'],
  ["split('a/b','/')", ['a', 'b']],
  ["truncate('abc',`2`)", 'ab'],
  ["regex_match('^[a-z]+$','abc')", true],
  ["regex_match('^[a-z]+$','ab1')", false],
  ["pattern_match('a*c?','abbcd')", true],
  ['label_match({app: `"web"`}, labels)', true],
  ['label_match({app: `"db"`}, labels)', false],
  ["to_boolean('TRUE')", true],
  ['add(`1`,`2`)', 3],
  ["add('100Mi','28Mi')", '128Mi'],
  ["add('1h','1800s')", '1h30m0s'],
  ["subtract('1Gi','1Mi')", '1023Mi'],
  ["multiply('500m',`3`)", '1500m'],
  ["multiply(`2`,'1h')", '2h0m0s'],
  ["divide('1h','1800s')", 2],
  ["divide('10',`4`)", '2'],
  ["divide('10.0',`4`)", '2500m'],
  ["modulo('10','4')", '2'],
  ['modulo(`10`,`4`)', 2],
  ["sum(['1Ki','1Ki'])", '2Ki'],
  ['round(`2.345`,`1`)', 2.3],
  ["base64_decode(base64_encode('é'))", 'é'],
  ["sha256('')", 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['time_now_utc()', '2025-01-31T12:00:00Z'],
  ["time_since('','2025-01-31T11:59:00Z','')", '1m0s'],
  ["time_add('2025-01-31T12:00:00+02:00','1h')", '2025-01-31T13:00:00+02:00'],
  ["time_parse('2006-01-02','2025-02-03')", '2025-02-03T00:00:00Z'],
  ["time_parse('1','1700000000')", '2023-11-14T22:13:20Z'],
  ["time_diff('2025-01-31T12:00:00Z','2025-01-31T11:00:00Z')", '-1h0m0s'],
  ["time_before('2025-01-31T12:00:00+02:00','2025-01-31T11:00:00Z')", true],
  ["time_between('2025-01-02T00:00:00Z','2025-01-01T00:00:00Z','2025-01-02T00:00:00Z')", false],
  ["time_truncate('2025-01-31T12:34:56Z','1h')", '2025-01-31T12:00:00Z'],
  ["path_canonicalize('/a//b/../c/')", '/a/c'],
  ["semver_compare('1.2.3','>=1.2.0 <2.0.0 || 3.x')", true],
  ["semver_compare('2.0.0','1.x')", false],
  ["semver_compare('1.0.0-rc.1','>=1.0.0')", false],
  ['parse_json(\'{"a":[1]}\').a[0]', 1],
  ["parse_yaml('a: [1]').a[0]", 1],
  ["lookup(labels,'app')", 'web'],
  ["lookup(labels,'constructor')", null],
  ["items(labels,'k','v')[0]", { k: 'app', v: 'web' }],
  ['object_from_lists([`"a"`,`"b"`],[`1`])', { a: 1, b: null }],
  ["is_external_url('http://10.1.2.3/')", false],
  ["is_external_url('http://8.8.8.8/')", true],
  ["is_external_url('http://[::1]/')", false],
] as const) {
  test(`${expression} → ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(compile(expression).evaluate(DATA, clock), expected)
  })
}

const doubling = Array.from({ length: 60 }, () => '[@,@]').join('|')

for (const [expression, code] of [
  ['', 'JMESPATH_SYNTAX'],
  ['a.', 'JMESPATH_SYNTAX'],
  ['a[', 'JMESPATH_SYNTAX'],
  ["'open", 'JMESPATH_SYNTAX'],
  ['`bare`', 'JMESPATH_SYNTAX'],
  ['length()', 'JMESPATH_SYNTAX'],
  ['length(a,b)', 'JMESPATH_SYNTAX'],
  ['not_null()', 'JMESPATH_SYNTAX'],
  ["random('[a-z]')", 'JMESPATH_UNSUPPORTED'],
  ["x509_decode('x')", 'JMESPATH_UNSUPPORTED'],
  ["md5('x')", 'JMESPATH_UNSUPPORTED'],
  ["sha1('x')", 'JMESPATH_UNSUPPORTED'],
  ["regex_replace_all('a','b','c')", 'JMESPATH_UNSUPPORTED'],
  ['a[?nonsense(@)]', 'JMESPATH_UNSUPPORTED'],
  ['constructor(@)', 'JMESPATH_UNSUPPORTED'],
  ['upper(`"a"`)', 'JMESPATH_UNSUPPORTED'],
  ['a-b', 'JMESPATH_UNSUPPORTED'],
  ['$.a', 'JMESPATH_UNSUPPORTED'],
  ['a ? b : c', 'JMESPATH_UNSUPPORTED'],
  ['let $x = a in $x', 'JMESPATH_UNSUPPORTED'],
  ['!'.repeat(300) + 'a', 'JMESPATH_LIMIT'],
  ['a'.repeat(20_000), 'JMESPATH_LIMIT'],
] as const) {
  test(`not loaded: ${expression.slice(0, 40)}`, () => {
    assert.throws(() => compile(expression), { code })
  })
}

for (const [expression, code] of [
  ['gone', 'JMESPATH_UNRESOLVED'],
  ['a.gone.more', 'JMESPATH_UNRESOLVED'],
  ['a.s && gone', 'JMESPATH_UNRESOLVED'],
  ['constructor', 'JMESPATH_UNRESOLVED'],
  ['labels.__proto__', 'JMESPATH_UNRESOLVED'],
  ['length(gone)', 'JMESPATH_EVALUATION'],
  ['to_upper(list)', 'JMESPATH_EVALUATION'],
  ["to_boolean('yes')", 'JMESPATH_EVALUATION'],
  ["add('1',`1`)", 'JMESPATH_EVALUATION'],
  ["add('1h','1Mi')", 'JMESPATH_EVALUATION'],
  ["add('1h','30m')", 'JMESPATH_EVALUATION'], // 30m is a quantity first: thirty thousandths
  ["add('x','y')", 'JMESPATH_EVALUATION'],
  ["multiply('1h','1h')", 'JMESPATH_EVALUATION'],
  ["multiply('2000000h',`9`)", 'JMESPATH_EVALUATION'],
  ['divide(`1`,`0`)', 'JMESPATH_EVALUATION'],
  ["divide('1','0')", 'JMESPATH_EVALUATION'],
  ['modulo(`1.5`,`1`)', 'JMESPATH_EVALUATION'],
  ['sum(`[]`)', 'JMESPATH_EVALUATION'],
  ['round(`1`,`-1`)', 'JMESPATH_EVALUATION'],
  ["base64_decode('%')", 'JMESPATH_EVALUATION'],
  ["base64_decode('/w==')", 'JMESPATH_EVALUATION'],
  ["regex_match('(','a')", 'JMESPATH_EVALUATION'],
  [String.raw`regex_match('(a)\\1','a')`, 'JMESPATH_EVALUATION'],
  ["time_add('yesterday','1h')", 'JMESPATH_EVALUATION'],
  ["time_add('2025-01-31T12:00:00Z','soon')", 'JMESPATH_EVALUATION'],
  ["time_parse('2006-01-02','2025-02-30')", 'JMESPATH_EVALUATION'],
  ["time_parse('3 PM','3 PM')", 'JMESPATH_EVALUATION'],
  ["semver_compare('latest','<2.0.0')", 'JMESPATH_EVALUATION'],
  ["semver_compare('1.0.0','~1')", 'JMESPATH_EVALUATION'],
  ["parse_json('{')", 'JMESPATH_EVALUATION'],
  ["parse_yaml('a: [')", 'JMESPATH_EVALUATION'],
  ["parse_yaml('&a [*a]')", 'JMESPATH_LIMIT'],
  ['lookup(labels,`0`)', 'JMESPATH_EVALUATION'],
  ["image_normalize('A B')", 'JMESPATH_EVALUATION'],
  ["is_external_url('http://example.com/')", 'JMESPATH_EVALUATION'],
  ['sort([`1`,`"a"`])', 'JMESPATH_EVALUATION'],
  ['list[::0]', 'JMESPATH_EVALUATION'],
  [doubling, 'JMESPATH_LIMIT'],
  [`regex_match('[a-z]{1000}z','${'a'.repeat(8000)}')`, 'JMESPATH_LIMIT'],
  [`pattern_match('${'*a'.repeat(400)}b','${'a'.repeat(8000)}')`, 'JMESPATH_LIMIT'],
  [`to_string(${doubling})`, 'JMESPATH_LIMIT'],
  [
    Array.from({ length: 40 }, () => "replace_all(@,'a','aaaaaaaa')")
      .join('|')
      .replace('@', "'a'"),
    'JMESPATH_LIMIT',
  ],
] as const) {
  test(`no value: ${expression.slice(0, 60)}`, () => {
    const compiled = compile(expression)
    assert.throws(() => compiled.evaluate(DATA, clock), { code })
  })
}

test('any expression and any value give a value or a coded error', () => {
  const word = fc.constantFrom(
    'a',
    '.',
    '[',
    ']',
    '*',
    '?',
    '(',
    ')',
    '`1`',
    "'x'",
    '|',
    '&',
    '!',
    '==',
    ',',
    '@',
    'sort',
    'add',
    'to_string',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join('')),
  )
  fc.assert(
    fc.property(text, fc.jsonValue(), (source, data) => {
      try {
        assert.notEqual(compile(source).evaluate(data as JsonValue, clock), undefined)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
