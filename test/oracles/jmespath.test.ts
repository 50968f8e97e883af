import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonValue } from '#encoding/json'
import { compileConditions } from '#policy/jmespath/conditions'
import { loadJmesPath } from '#policy/jmespath/expression'
import { compileTemplate } from '#policy/jmespath/template'
import { fuzzRuns } from '#testing/fuzz'
import { askOracle, oracleNamed } from './oracle.js'

interface Answer {
  readonly value: JsonValue
  readonly error?: string
}

type Kind = 'expression' | 'template' | 'conditions'

interface Question {
  readonly kind: Kind
  readonly source: JsonValue
  readonly data: JsonValue
}

const compile = await loadJmesPath()
const oracle = oracleNamed('kyverno-oracle')
const skip = oracle === undefined ? 'the Kyverno oracle is not built: make oracles-kyverno' : false
const seed = Number(process.env['FUZZ_SEED'] ?? 1)
const clock = (): number => Date.parse('2026-01-01T00:00:00Z')

const pick = fc.constantFrom
const TEXTS = [
  '',
  'x',
  'xy',
  'X',
  'a*',
  '?y',
  '*',
  'a b',
  'ä€𝄞',
  '5',
  '-2.50',
  '1e3',
  '0x10',
  '1h',
  '60m',
  '3600s',
  '1h30m',
  '0',
  '1Gi',
  '1024Mi',
  '500m',
  '0.5',
  '100k',
  '1.2.3',
  'v1.2.3',
  '1.10.0',
  '>1.0.0 <2.0.0',
  '1-5',
  '!1-5',
  '["x","y"]',
  '[1,2]',
  '{"a":1}',
  'true',
  'False',
  '2024-01-02T03:04:05Z',
  '2023-12-31T22:04:05-05:00',
  '2024-01-02',
  '2006-01-02',
  '2006-01-02T15:04:05Z07:00',
  'aGVsbG8=',
  'nginx',
  'ghcr.io/a/b:1@sha256:4a8c93adb2008a370d59b9288d7d91801dd5ac48da2e280685f6249ed91395ca',
  '/a/../b//c',
  '^x.?$',
  '(x|y)+',
  'https://10.0.0.1/x',
  'https://8.8.8.8',
  'a-b',
  'it’s',
] as const
const text = pick(...TEXTS)
const number = pick(0, 1, 2, -1, 3, 5, 10, 1.5, -2.5, 2.675, 3600, 1e3, 1e12, 1024)
const scalar = fc.oneof(text, text, number, pick(true, false, null))
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(pick('a', 'b', 'x', 'a-b'), tie('json'), { maxKeys: 3 }),
  ),
}))
const data = fc.record({
  a: json,
  b: fc.dictionary(pick('a', 'b', 'x', 'a-b'), json, { maxKeys: 3 }),
  c: fc.array(fc.dictionary(pick('a', 'b', 'x'), json, { maxKeys: 3 }), { maxLength: 3 }),
  l: fc.oneof(fc.array(number, { maxLength: 4 }), fc.array(text, { maxLength: 4 })),
  k: pick('a', 'b', 'x'),
  t: text,
  u: text,
  n: number,
  m: number,
})

const literal = fc.oneof(
  text.filter((each) => !/['\\]/.test(each)).map((each) => `'${each}'`),
  scalar.map((each) => `\`${JSON.stringify(each).replaceAll('`', '')}\``),
  pick('`[1, 2]`', '`["x"]`', '`{"a": 1}`'),
)
const textual = fc.oneof({ arbitrary: pick('t', 'u', 'b.a', 'a', 'c[0].a', 'l[0]'), weight: 2 }, literal)
const numeric = fc.oneof(
  pick('n', 'm', 'l[0]', 'a', 'length(t)', 'length(l)'),
  number.map((each) => `\`${JSON.stringify(each)}\``),
)
const path = pick(
  ...[
    'a',
    'b',
    'c',
    'l',
    't',
    'n',
    '@',
    'gone',
    'b.a',
    'b.gone',
    'b."a-b"',
    'c[0]',
    'c[-1]',
    'c[9]',
    'c[*].a',
    'c[].b',
  ],
  ...[
    'c[?a]',
    "c[?a == 'x'].b",
    'c[?x > `1`] | [0]',
    'l[::-1]',
    'l[1:]',
    'l[:-1:2]',
    'l[::0]',
    'c[*].a[]',
    'a[*]',
    'a.b.x',
  ],
  ...[
    'c[*].[a, b]',
    'c[*].{q: a, r: x}',
    'b.*',
    'c[].*',
    '*.a',
    'c[?b].a | [-1]',
    '!a',
    'a.*.b',
    'l | [0]',
    'b.[a, b]',
  ],
)

const TEXT_CALLS: readonly (readonly [name: string, ...parameters: readonly ('t' | 'n' | 'any')[]])[] = [
  ['compare', 't', 't'],
  ['equal_fold', 't', 't'],
  ['replace', 't', 't', 't', 'n'],
  ['replace_all', 't', 't', 't'],
  ['to_upper', 't'],
  ['to_lower', 't'],
  ['trim', 't', 't'],
  ['trim_prefix', 't', 't'],
  ['split', 't', 't'],
  ['truncate', 't', 'n'],
  ['regex_match', 't', 't'],
  ['regex_match', 't', 'n'],
  ['pattern_match', 't', 't'],
  ['pattern_match', 't', 'n'],
  ['to_boolean', 't'],
  ['base64_encode', 't'],
  ['base64_decode', 't'],
  ['sha256', 't'],
  ['path_canonicalize', 't'],
  ['semver_compare', 't', 't'],
  ['parse_json', 't'],
  ['parse_yaml', 't'],
  ['image_normalize', 't'],
  ['is_external_url', 't'],
  ['starts_with', 't', 't'],
  ['ends_with', 't', 't'],
  ['contains', 'any', 't'],
  ['contains', 't', 't'],
  ['length', 'any'],
  ['to_number', 'any'],
  ['to_string', 'any'],
  ['to_array', 'any'],
  ['type', 'any'],
  ['not_null', 'any', 'any'],
  ['abs', 'n'],
  ['ceil', 'n'],
  ['floor', 'n'],
  ['round', 'n', 'n'],
  ...(['add', 'subtract', 'multiply', 'divide', 'modulo'] as const).flatMap((name) => [
    [name, 'n', 'n'] as const,
    [name, 't', 't'] as const,
    [name, 't', 'n'] as const,
  ]),
  ['time_parse', 't', 't'],
  ['time_utc', 't'],
  ['time_add', 't', 't'],
  ['time_diff', 't', 't'],
  ['time_before', 't', 't'],
  ['time_after', 't', 't'],
  ['time_between', 't', 't', 't'],
  ['time_truncate', 't', 't'],
  ['time_since', 't', 't', 't'],
  ['time_to_cron', 't'],
  ['label_match', 'any', 'any'],
  ['lookup', 'any', 't'],
  ['lookup', 'any', 'n'],
  ['items', 'any', 't', 't'],
  ['object_from_lists', 'any', 'any'],
  ['sum', 'any'],
  ['avg', 'any'],
  ['max', 'any'],
  ['min', 'any'],
  ['sort', 'any'],
  ['reverse', 'any'],
  ['join', 't', 'any'],
  ['merge', 'any', 'any'],
  ['keys', 'any'],
  ['values', 'any'],
]

const { expression } = fc.letrec<{ expression: string; call: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    path,
    literal,
    tie('call'),
    tie('call'),
    fc
      .tuple(tie('expression'), pick('==', '!=', '<', '<=', '>', '>=', '&&', '||', '|'), tie('expression'))
      .map(([a, sign, b]) => `${a} ${sign} ${b}`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `[${a}, ${b}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `{x: ${a}, y: ${b}}`),
    tie('expression').map((each) => `(${each})`),
    tie('expression').map((each) => `!${each}`),
    fc.tuple(pick('c', 'l', 'a'), tie('expression')).map(([list, each]) => `${list}[?${each}]`),
    fc.tuple(tie('expression'), pick('c', 'l', 'a')).map(([each, list]) => `map(&${each}, ${list})`),
    fc
      .tuple(pick('sort_by', 'max_by', 'min_by'), pick('c', 'a'), pick('a', 'x', 'length(@)'))
      .map(([name, list, by]) => `${name}(${list}, &${by})`),
  ),
  call: pick(...TEXT_CALLS).chain(([name, ...parameters]) =>
    fc
      .tuple(
        ...parameters.map((each) =>
          each === 't' ? textual : each === 'n' ? numeric : fc.oneof(path, tie('expression')),
        ),
      )
      .map((args) => `${name}(${args.join(', ')})`),
  ),
}))

const variable = fc.oneof(
  path.filter((each) => !/^@|\.\*|\*\./.test(each)).map((each) => `{{ ${each} }}`),
  pick('{{a}}', "{{ t || 'x' }}", "{{ b.{{ k }} || 'x' }}", "{{ equal_fold('{{ t }}', 'x') }}", '{{ n }}', '\\{{ a }}'),
)
const written = fc
  .array(fc.oneof(variable, pick('', 'x', ' ', 'a: ')), { minLength: 1, maxLength: 3 })
  .map((pieces) => pieces.join(''))
const template = fc.oneof(
  written,
  fc.array(written, { maxLength: 2 }),
  fc.tuple(written, json).map(([a, b]): JsonValue => ({ a, b })),
)

const OPERATORS = [
  ...['Equals', 'NotEquals', 'Equal', 'NotEqual', 'In', 'AnyIn', 'AllIn', 'NotIn', 'AnyNotIn', 'AllNotIn'],
  ...['GreaterThan', 'GreaterThanOrEquals', 'LessThan', 'LessThanOrEquals', 'DurationGreaterThan'],
  ...['DurationGreaterThanOrEquals', 'DurationLessThan', 'DurationLessThanOrEquals'],
]
const operand = fc.oneof(
  { arbitrary: scalar, weight: 3 },
  fc.array(scalar, { maxLength: 3 }),
  json,
  pick('{{ a }}', '{{ t }}', '{{ n }}', '{{ l }}', '{{ c[*].a }}', '{{ b.a }}', "{{ a || '' }}"),
)
const condition = fc
  .tuple(operand, pick(...OPERATORS), operand)
  .map(([key, operator, value]): JsonValue => ({ key, operator, value }))
const conditions = fc.oneof(
  { arbitrary: condition.map((each): JsonValue => [{ all: [each] }]), weight: 4 },
  fc.array(condition, { minLength: 1, maxLength: 3 }).map((any): JsonValue => [{ any }]),
  fc.tuple(condition, condition).map(([a, b]): JsonValue => [{ all: [a] }, { any: [b] }]),
)

/** What is made of it here: a value, or the code of the refusal. */
function own({ kind, source, data: of }: Question): { readonly value: JsonValue } | { readonly code: string } {
  try {
    if (typeof source === 'string' && kind === 'expression') return { value: compile(source).evaluate(of, clock) }
    if (kind === 'template') return { value: compileTemplate(compile, source).substitute(of, clock) }
    return { value: compileConditions(compile, source).evaluate(of, clock).holds }
  } catch (error) {
    if (!isCodedError(error)) throw new Error(JSON.stringify({ kind, source, of }), { cause: error })
    return { code: error.code }
  }
}

function comparable(value: JsonValue, ordered: boolean): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) {
    const entries = Object.entries(value as Readonly<Record<string, JsonValue>>)
    return Object.fromEntries(entries.map(([name, each]) => [name, comparable(each, ordered)] as const).sort())
  }
  const each = (value as readonly JsonValue[]).map((one) => comparable(one, ordered))
  return ordered ? each : each.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** Go goes through the members of objects in any order, and sorts what is equal in any. */
function isOrdered({ source }: Question): boolean {
  return !/\*|keys|values/.test(JSON.stringify(source))
}

/** Where there is nothing to compare with. */
function isBeside(question: Question, error = ''): boolean {
  // It fell over, or took a letter apart; or the name of an image begins with punctuation, which is read here as in any reference.
  if (error.startsWith('panic:') || error.includes('\ufffd') || error.includes('bad image')) return true
  const source = JSON.stringify(question.source)
  if (source.includes('sort_by')) return true // which sorts the data itself
  // A variable beside an empty text keeps its type, as if it stood alone.
  if (question.kind === 'template' && JSON.stringify(question.data).includes('""')) return true
  if (question.kind === 'conditions' && dependsOnGoTypes(source)) return true
  return !isOrdered(question) && /to_string|lookup|join|m[ai][xn]_by|\[-?\d/.test(source)
}

/** Whole numbers in a policy's list are of another type to it than the same numbers in data, and texts of them differ from a million on. */
function dependsOnGoTypes(source: string): boolean {
  return /Equals?"/.test(source) ? /\[(?:[^[{]*,)?-?\d+[,\]]/.test(source) : source.includes('1000000000000')
}

/** The deprecated operator finds what is there not to be there, if it is the only key. */
function isFoundMissing({ source }: Question, ours: unknown, theirs: unknown): boolean {
  return JSON.stringify(source).includes('"NotIn"') && ours === false && theirs === true
}

function questionsOf(kind: Kind, sources: fc.Arbitrary<JsonValue>): readonly Question[] {
  return fc
    .sample(fc.tuple(sources, data), { numRuns: fuzzRuns() * 50, seed })
    .map(([source, of]) => ({ kind, source, data: of }))
}

function differences(questions: readonly Question[]): void {
  const answers = askOracle(oracle ?? '', questions) as readonly Answer[]
  const compared = questions.map((question, index) => {
    const { value = null, error } = answers[index] ?? {}
    const ours = own(question)
    const text = (each: JsonValue): string => JSON.stringify(comparable(each, isOrdered(question)))
    const same = 'value' in ours ? error === undefined && text(ours.value) === text(value) : error !== undefined
    return { question, ours, theirs: { value, error }, same }
  })
  const different = compared.filter(
    ({ same, question, ours, theirs }) =>
      !same &&
      !isBeside(question, theirs.error) &&
      !('value' in ours && isFoundMissing(question, ours.value, theirs.value)),
  )
  const wrong = different.filter(({ ours }) => 'value' in ours)
  const told = wrong
    .slice(0, 10)
    .map(({ question: { source, data: of }, ours, theirs }) => JSON.stringify({ source, ours, theirs, of }))
  assert.deepEqual(told, [], `${String(wrong.length)} of ${String(questions.length)}`)
  assert.ok(compared.filter(({ ours }) => 'value' in ours).length > questions.length / 4, 'too few have a value')
  assert.ok(different.length <= questions.length / 20, JSON.stringify(different.slice(0, 5), undefined, 1))
}

describe('the same as Kyverno', { skip }, () => {
  test('expressions', () => {
    differences(questionsOf('expression', expression))
  })

  test('values with variables', () => {
    differences(questionsOf('template', template))
  })

  test('conditions', () => {
    differences(questionsOf('conditions', conditions))
  })
})
