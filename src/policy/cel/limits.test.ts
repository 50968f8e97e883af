/** Expressions that are meant to take too much: each comes to a value or to an error with a code, and none takes long. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { fromJson } from './json.js'
import { KUBERNETES } from './kubernetes.js'
import { Evaluation, loadCel } from './program.js'
import { DYN } from './types.js'
import type { CelValue } from './values.js'

const compile = await loadCel()
const environment = KUBERNETES.withVariables({ object: DYN, text: DYN, pattern: DYN })

/** Far more than any of these takes; without limits they would take hours. */
const LONG = 30_000

interface Given {
  readonly object?: JsonValue
  readonly text?: string
  readonly pattern?: string
}

function outcome(expression: string, { object = {}, text = '', pattern = '' }: Given = {}): string {
  const variables = new Map<string, CelValue>([
    ['object', fromJson(object)],
    ['text', text],
    ['pattern', pattern],
  ])
  try {
    const value = compile(expression, environment).evaluate(new Evaluation((name) => variables.get(name)))
    return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : 'value'
  } catch (error) {
    if (isCodedError(error)) return error.code
    throw error
  }
}

function nested(depth: number, open: string, inner: string, close: string): string {
  return open.repeat(depth) + inner + close.repeat(depth)
}

/** `cel.bind(v1, f(v0), cel.bind(v2, f(v1), … vN))` */
function doubling(times: number, first: string, f: (name: string) => string, last = 'true'): string {
  const binds = Array.from({ length: times }, (_, index) => {
    const value = index === 0 ? first : f(`v${String(index - 1)}`)
    return `cel.bind(v${String(index)}, ${value}, `
  })
  return `${binds.join('')}${last.replaceAll('$', `v${String(times - 1)}`)}${')'.repeat(times)}`
}

const BIG = 'a'.repeat(500_000)
const [LIMIT, SYNTAX, EVALUATION] = ['CEL_LIMIT', 'CEL_SYNTAX', 'CEL_EVALUATION']

function table(cases: readonly (readonly [name: string, expression: string, expected: string, given?: Given])[]): void {
  for (const [name, expression, expected, given] of cases)
    test(name, { timeout: LONG }, () => {
      assert.equal(outcome(expression, given), expected)
    })
}

describe('depth and size of what is written', () => {
  table([
    ['parentheses', nested(5_000, '(', 'true', ')'), LIMIT],
    ['a few parentheses', nested(50, '(', 'true', ')'), 'true'],
    ['lists in lists', nested(1_000, '[', '', ']'), LIMIT],
    ['maps in maps', nested(1_000, '{"a": ', '1', '}'), LIMIT],
    ['negations', `${'!'.repeat(5_000)}true`, LIMIT],
    ['minuses', `${'-'.repeat(5_000)}1 == 1`, LIMIT],
    ['a chain of conditions', `${'true && '.repeat(3_000)}true`, LIMIT],
    ['a chain of choices', `${'false ? 1 : '.repeat(3_000)}1`, LIMIT],
    ['a chain of fields', `object${'.a'.repeat(5_000)}`, LIMIT],
    ['a chain of indexes', `object${'[0]'.repeat(5_000)}`, LIMIT],
    ['a chain of calls', `"a"${'.trim()'.repeat(3_000)}`, LIMIT],
    ['calls in calls', nested(1_000, 'size(', '"a"', ')'), LIMIT],
    ['loops in loops', nested(400, '[1].all(x, ', 'true', ')'), LIMIT],
    ['a long list', `[${'1,'.repeat(12_000)}1].size()`, LIMIT],
    ['a long text', `"${'a'.repeat(40_000)}" == ""`, LIMIT],
    ['many comparisons', `[${'[1]==[1],'.repeat(1_400)}true].size() > 0`, 'true'],
    ['nothing but quotes', '"'.repeat(20_000), SYNTAX],
    ['a quote that is not closed', `"${'\\\\'.repeat(10_000)}`, SYNTAX],
    ['a number without an end', `${'9'.repeat(20_000)} == 1`, SYNTAX],
  ])
})

describe('loops', () => {
  const pairs = '[0, 1]'
  const manyLoops = Array.from({ length: 40 }, (_, index) => `${pairs}.all(x${String(index)}, `)
  table([
    ['within loops, two elements each', `${manyLoops.join('')}true${')'.repeat(40)}`, LIMIT],
    [
      'within loops, over what is given',
      'object.l.all(a, object.l.all(b, object.l.all(c, true)))',
      LIMIT,
      { object: { l: Array<JsonValue>(2_000).fill(1) } },
    ],
    ['over a range', 'lists.range(100000).all(a, lists.range(100000).all(b, true))', LIMIT],
    ['over too long a range', 'lists.range(9223372036854775807).size() == 0', LIMIT],
    ['that make lists of lists', 'lists.range(5000).map(a, lists.range(5000)).size() > 0', LIMIT],
    ['that sort in loops', 'lists.range(5000).all(a, lists.range(5000).sortBy(x, -x).size() > 0)', LIMIT],
    ['that look for what is not there', 'lists.range(100000).all(a, !(-1 in lists.range(100000)))', LIMIT],
    ['over sets', 'sets.contains(lists.range(20000), lists.range(20000).reverse())', LIMIT],
    ['that make maps', 'lists.range(2000).all(a, lists.range(2000).transformMap(i, v, v).size() > 0)', LIMIT],
    ['of lists that are all different', 'lists.range(20000).map(x, [x]).distinct().size()', LIMIT],
    ['that need not go on', 'lists.range(100000).exists(a, a == 0)', 'true'],
  ])
})

describe('values that double', () => {
  table([
    ['texts', doubling(60, '"ab"', (v) => `${v} + ${v}`), LIMIT],
    ['lists', doubling(60, '[1]', (v) => `${v} + ${v}`), LIMIT],
    ['lists that are compared', doubling(60, '[1]', (v) => `[${v}, ${v}]`, '$ == $'), LIMIT],
    ['lists that are written out', doubling(60, '[1]', (v) => `[${v}, ${v}]`, '"%s".format([$]) == ""'), LIMIT],
    ['lists that are encoded', doubling(60, '[1]', (v) => `[${v}, ${v}]`, 'json.encode($) == ""'), LIMIT],
    [
      'lists that are flattened',
      doubling(60, '[dyn(1)]', (v) => `[dyn(${v}), dyn(${v})]`, '$.flatten(100).size() > 0'),
      LIMIT,
    ],
    ['lists that nobody looks at', doubling(60, '[1]', (v) => `[${v}, ${v}]`), 'true'],
    ['types of maps', doubling(60, '{"a": 1}', (v) => `{"a": ${v}, "b": ${v}}`), 'true'],
    ['types of maps by maps', doubling(60, '{"a": 1}', (v) => `{${v}: ${v}}`), LIMIT],
    ['types of optionals', doubling(60, 'optional.of(1)', (v) => `optional.of([${v}, ${v}])`), 'true'],
    ['replacements', doubling(30, '"aa"', (v) => `${v}.replace("a", "aaaa")`), LIMIT],
    ['joined lists', doubling(30, '"aa"', (v) => `[${v}, ${v}, ${v}].join(${v})`), LIMIT],
    ['quotes of quotes', doubling(60, "'\\\\\\\\'", (v) => `strings.quote(${v})`), LIMIT],
    ['bytes of bytes', doubling(60, '"aaaa"', (v) => `base64.encode(bytes(${v} + ${v}))`), LIMIT],
  ])
})

describe('long texts, again and again', () => {
  const LOOP = 'lists.range(100000).all(n, '
  const EACH: readonly string[] = [
    'text.lowerAscii() != ""',
    'text.upperAscii() != ""',
    'text.trim() != ""',
    'text.size() > 0',
    'text.contains("b") || true',
    'text.startsWith(text)',
    'text.endsWith(text)',
    'text.replace("b", "c") != ""',
    'text.split("b").size() == 1',
    'text.indexOf("b") < 0',
    'text.lastIndexOf("b") < 0',
    'text.charAt(5) != ""',
    'text.substring(5) != ""',
    'text == text',
    'text <= text',
    'type(text) == string',
    'strings.quote(text) != ""',
    'bytes(text).size() > 0',
    'text.find("b") == ""',
    'text.findAll("b").size() == 0',
    'regex.replace(text, "b", "c") != ""',
    '!text.matches("b")',
    '!isURL(text)',
    '!isQuantity(text)',
    '!isIP(text)',
    '!isCIDR(text)',
    '!isSemver(text)',
    '!format.dns1123Label().validate(text).hasValue() || true',
    'text in {text: 1}',
  ]
  table(EACH.map((body) => [body, `${LOOP}${body})`, LIMIT, { text: BIG }]))

  const BROKEN = [
    'int(text)',
    'uint(text)',
    'double(text)',
    'bool(text)',
    'timestamp(text)',
    'duration(text)',
    'quantity(text)',
    'ip(text)',
    'cidr(text)',
    'url(text)',
    'semver(text)',
  ]
  table(BROKEN.map((call) => [call, `${LOOP}${call} == ${call} || true)`, LIMIT, { text: BIG }]))

  table([
    [
      'a replacement that is long and comes to nothing',
      `${LOOP}regex.replace("bbbbbbbb", "(a?)b", text) == "")`,
      LIMIT,
      { text: '\\1'.repeat(200_000) },
    ],
    ['digits', 'quantity(text).isGreaterThan(quantity("1"))', EVALUATION, { text: '9'.repeat(500_000) }],
    ['digits of a version', 'semver(text).major() > 0', EVALUATION, { text: `${'9'.repeat(500_000)}.0.0` }],
  ])
})

describe('patterns', () => {
  table([
    ['that go back and forth elsewhere', 'text.matches("^(a+)+$")', 'false', { text: `${'a'.repeat(20_000)}b` }],
    ['of choices that are all the same', 'text.matches("^(a|a|a|a)*$")', 'false', { text: `${'a'.repeat(20_000)}b` }],
    ['on too long a text', 'text.matches("^(a{1,50})+$")', LIMIT, { text: BIG }],
    ['that repeat what repeats', 'text.matches("((a{100}){100}){100}")', 'CEL_TYPE', { text: 'a' }],
    ['that repeat too often', 'text.matches("a{100000}")', 'CEL_TYPE', { text: 'a' }],
    ['that are nested', 'text.matches(pattern)', EVALUATION, { text: 'a', pattern: nested(20_000, '(', 'a', ')') }],
    [
      'that are long',
      'lists.range(100000).all(n, "a".matches(pattern + string(n)) || true)',
      LIMIT,
      { pattern: 'a'.repeat(1_000) },
    ],
    ['that find everything', 'text.findAll("").size() > 0', LIMIT, { text: BIG }],
    ['that are broken', 'text.matches("(")', 'CEL_TYPE'],
    ['that are broken, and given', 'text.matches(pattern)', EVALUATION, { pattern: '(' }],
  ])
})

describe('formats', () => {
  table([
    ['more digits than there are', '"%.999999999f".format([1.0]) == ""', 'CEL_TYPE'],
    ['more digits than fit a number', '"%.99999999999999999999f".format([1.0]) == ""', 'CEL_TYPE'],
    ['a clause that is not closed', '"%".format([1]) == ""', 'CEL_TYPE'],
    ['more digits than there are, given', 'text.format([1.0]) == ""', EVALUATION, { text: '%.999999999f' }],
    ['many clauses', 'text.format([1]) == ""', EVALUATION, { text: '%d'.repeat(100_000) }],
    [
      'a long argument many times',
      'lists.range(1000).map(x, "%s%s%s%s".format([text, text, text, text])).size() > 0',
      LIMIT,
      { text: BIG },
    ],
  ])
})

describe('numbers', () => {
  table([
    ['too large by one', '9223372036854775807 + 1 > 0', EVALUATION],
    ['too small by one', '-9223372036854775808 - 1 < 0', EVALUATION],
    ['a product', '9223372036854775807 * 9223372036854775807 > 0', EVALUATION],
    ['the one quotient that does not fit', '-9223372036854775808 / -1 > 0', EVALUATION],
    ['divided by nothing', '1 / 0 == 0', EVALUATION],
    ['unsigned, below nothing', '0u - 1u > 0u', EVALUATION],
    ['a date beyond all dates', 'timestamp("9999-12-31T23:59:59Z") + duration("24h") > timestamp(0)', EVALUATION],
    ['a duration that does not end', 'duration(text) > duration("1s")', EVALUATION, { text: '9999999999999h' }],
    ['no number', 'double("NaN") == double("NaN")', 'false'],
  ])
})

test('whatever is written, it is compiled or refused', () => {
  const words = fc.constantFrom(
    ...[
      'object',
      'text',
      '.',
      '.?',
      '[',
      ']',
      '[?',
      '(',
      ')',
      '{',
      '}',
      ',',
      ':',
      '?',
      '!',
      '-',
      '+',
      '*',
      '/',
      '%',
      '==',
      '!=',
      '<',
      '<=',
    ],
    ...[
      '&&',
      '||',
      'in',
      'has(',
      'all(',
      'exists(',
      'map(',
      'filter(',
      'cel.bind(',
      'optMap(',
      'x',
      'x,',
      '1',
      '1u',
      '1.5',
      '0x1f',
      '-1',
    ],
    ...[
      '"a"',
      "'a'",
      'r"\\"',
      'b"\\xff"',
      '"""',
      "'''",
      '"\\u12"',
      '"\\U00110000"',
      '//',
      '\n',
      '\u0000',
      '\ud800',
      'é',
      'true',
      'null',
      '[]',
      '{}',
    ],
    ...[
      'size(',
      'type(',
      'dyn(',
      'timestamp(',
      'sortBy(',
      'transformMap(',
      'format(',
      'matches(',
      '__proto__',
      'constructor',
      'toString',
    ],
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' ')),
        fc.string({ unit: 'binary' }),
      ),
      (source) => {
        const known = outcome(source, { object: { a: [1, 'b', null] }, text: 'abc' })
        assert.match(known, /^(CEL_[A-Z]+|value|true|false|-?\d+)$/)
      },
    ),
    { numRuns: fuzzRuns() },
  )
})

describe('names that JavaScript gives a meaning', () => {
  table([
    ['a field of an object', 'has(object.constructor) || has(object.__proto__) || has(object.toString)', 'false'],
    ['a key of a map', '"constructor" in {"a": 1}', 'false'],
    ['a key of an object', '"__proto__" in object', 'false'],
    [
      'a key that is there',
      'object["__proto__"] == 1',
      'true',
      { object: JSON.parse('{"__proto__": 1}') as JsonValue },
    ],
    ['a variable', 'constructor == 1', 'CEL_TYPE'],
    ['a function', 'toString() == ""', 'CEL_TYPE'],
    ['a method', 'object.hasOwnProperty("a")', 'CEL_TYPE'],
  ])
})
