import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { parseJson } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { compileCue } from './policy.js'

interface Case {
  readonly policy: string
  readonly input: string
  /** What CUE 0.15 says, the way cosign asks it: refused is a policy that is no good whatever the input. */
  readonly verdict: 'accepted' | 'rejected' | 'refused'
}

const CASES = JSON.parse(readFileSync(new URL('testdata/verdicts.json', import.meta.url), 'utf8')) as readonly Case[]

function verdict(policy: string, input: string): Case['verdict'] {
  try {
    compileCue(policy).judge(parseJson(input))
    return 'accepted'
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.code === 'CUE_REJECTED' ? 'rejected' : 'refused'
  }
}

for (const each of CASES) {
  test(`${each.verdict}: ${each.policy.replaceAll('\n', ' ⏎ ')} ← ${each.input}`, () => {
    assert.equal(verdict(each.policy, each.input), each.verdict)
  })
}

for (const [name, policy, code] of [
  ['an attribute', 'a: 1 @go(A)', 'CUE_UNSUPPORTED'],
  ['a bytes literal', "a: 'x'", 'CUE_UNSUPPORTED'],
  ['the type bytes', 'a: bytes', 'CUE_UNSUPPORTED'],
  ['a package that is not there', 'import "net"\na: net.IP', 'CUE_UNSUPPORTED'],
  ['a builtin that is not there', 'import "time"\na: time.Format("2006")', 'CUE_UNSUPPORTED'],
  ['matchN', 'a: matchN(1, [int])', 'CUE_UNSUPPORTED'],
  ['a call of a field', 'f: 1\na: f(2)', 'CUE_UNSUPPORTED'],
  ['a slice', 'a: b[1:2]\nb: [...]', 'CUE_UNSUPPORTED'],
  ['a typed ellipsis', 'a: {...int}', 'CUE_UNSUPPORTED'],
  ['integer division', 'a: 5 div 2', 'CUE_UNSUPPORTED'],
  ['a field alias', 'X=a: 1', 'CUE_UNSUPPORTED'],
  ['a definition of itself', '#D: #D', 'CUE_UNSUPPORTED'],
  ['a definition of a field', 'c: {b: 1}\n#D: c', 'CUE_UNSUPPORTED'],
  ['a name that nobody gave', 'a: b', 'CUE_REFERENCE'],
  ['a package as a value', 'import "time"\na: time', 'CUE_REFERENCE'],
  ['a default alone', 'a: *1', 'CUE_SYNTAX'],
  ['an open brace', 'a: {', 'CUE_SYNTAX'],
  ['an open string', 'a: "x', 'CUE_SYNTAX'],
  ['two values for a field', 'a: 1 2', 'CUE_SYNTAX'],
  ['an unknown escape', 'a: "\\q"', 'CUE_SYNTAX'],
  ['a contradiction', 'a: 1 & 2', 'CUE_CONTRADICTION'],
  ['a struct without end', 'a: {b: a}', 'CUE_CONTRADICTION'],
  ['too deep a nesting', `a: ${'('.repeat(500)}1${')'.repeat(500)}`, 'CUE_LIMIT'],
  ['too long a text', `// ${'x'.repeat(1_000_001)}`, 'CUE_LIMIT'],
  [
    'too many combinations',
    `a: {\n${Array.from({ length: 14 }, (_, i) => `{x${String(i)}: 1} | {y${String(i)}: 2}`).join('\n')}\n}`,
    'CUE_LIMIT',
  ],
] as const) {
  test(`not loaded: ${name}`, () => {
    assert.throws(() => compileCue(policy), { code })
  })
}

test('a rejection names the path, what was expected and what was found', () => {
  assert.throws(
    () => {
      compileCue('predicate: {scanner: {uri: "a"}}').judge({ predicate: { scanner: { uri: 'b' } } })
    },
    (error: unknown) =>
      isCodedError(error) &&
      error.message.startsWith('predicate.scanner.uri') &&
      error.expected === '"a"' &&
      error.found === '"b"',
  )
})

test('"_type" in quotes is a field of the statement, _type without is the policy\'s own', () => {
  assert.equal(verdict('"_type": "x"', '{"_type":"y"}'), 'rejected')
  assert.equal(verdict('_type: "x"', '{"_type":"y"}'), 'accepted')
})

test('a policy can be judged by again and again', () => {
  const policy = compileCue('#S: {n: int | *1}\na: [...#S]')
  for (let i = 0; i < 3; i++) {
    policy.judge({ a: [{ n: 5 }, {}] })
    assert.throws(
      () => {
        policy.judge({ a: [{ n: 'x' }] })
      },
      { code: 'CUE_REJECTED' },
    )
  }
})

const pieces = fc.constantFrom(
  'a',
  'b',
  '#D',
  '_h',
  ':',
  '?:',
  '!:',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  ',',
  '\n',
  '...',
  '|',
  '&',
  '*',
  '"x"',
  '1',
  '1.5',
  'int',
  'string',
  '<',
  '>=',
  '=~',
  '"^x"',
  'if',
  'for',
  'in',
  'let',
  '=',
  '.',
  'true',
  'null',
  '_',
  '_|_',
  '+',
  'len',
  'close',
  '"\\(a)"',
)

test('any text is loaded or refused with a code, and then judges or rejects with a code', () => {
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(' ')),
      fc.jsonValue(),
      (policy, input) => {
        try {
          compileCue(policy).judge(parseJson(JSON.stringify(input)))
        } catch (error) {
          assert.ok(isCodedError(error), `${policy}: ${String(error)}`)
        }
      },
    ),
    { numRuns: fuzzRuns() * 5 },
  )
})
