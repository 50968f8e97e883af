/** Identity patterns: what they accept, what they refuse, and that no text makes them slow. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { compilePattern } from './pattern.js'

const matches = (pattern: string, text: string): boolean => compilePattern(pattern).matches(text)

const ACCEPTED: readonly (readonly [string, string])[] = [
  ['abc', 'abc'],
  ['', ''],
  ['a|b|c', 'b'],
  ['a*', ''],
  ['a*', 'aaaa'],
  ['a{2,3}', 'aaa'],
  ['a{2}', 'aa'],
  ['a{2,}', 'aaaaa'],
  ['a{', 'a{'],
  ['a{,2}', 'a{,2}'],
  ['(?:ab)+', 'ababab'],
  ['(?P<name>a)(?<other>b)', 'ab'],
  ['[a-c]x[^a-c]', 'bxd'],
  ['[]a]', ']'],
  ['[^]a]', 'b'],
  ['[a-]', '-'],
  ['[-a]', '-'],
  ['[\\d-]', '-'],
  ['[[:alpha:]][[:^alpha:]]', 'q1'],
  ['\\d\\D\\w\\W\\s\\S', '1aa- x'],
  ['\\pL\\p{Lu}\\P{Lu}\\p{Greek}', 'aAaα'],
  ['\\x41\\x{1F600}', 'A😀'],
  ['.', '😀'],
  ['(?i)straße', 'STRAßE'],
  ['(?i:a)b', 'Ab'],
  ['a(?i)b|c', 'aB'],
  ['(?s).', '\n'],
  ['(?m)a$\\n^b', 'a\nb'],
  ['^abc$', 'abc'],
  ['\\Aabc\\z', 'abc'],
  ['\\Qa.c\\E+', 'a.ccc'],
  ['\\Qa+', 'a+'],
  ['a\\bc|a\\b c', 'a c'],
  ['\\Bb|b', 'b'],
  ['a+?b*?', 'aab'],
  ['(a*)*', 'aaa'],
  ['(a|)*b', 'aab'],
  ['https://github\\.com/acme/.*', 'https://github.com/acme/x/.github/workflows/y.yml@refs/heads/main'],
]

const REJECTED: readonly (readonly [string, string])[] = [
  ['abc', 'xabc'],
  ['abc', 'abcx'],
  ['abc', 'abc\n'],
  ['a|bc', 'abc'],
  ['a{2}', 'aaa'],
  ['.', '\n'],
  ['.', ''],
  ['^$', 'a'],
  ['(?i:a)b', 'AB'],
  ['(?-i)a', 'A'],
  ['[^a]', 'a'],
  ['\\x{41}', 'a'],
  // the reason for matching whole values
  ['https://github.com/acme', 'https://evil.example/?https://github.com/acme'],
  ['https://github.com/acme', 'https://github.com/acme-evil/x'],
  ['.*@example\\.com', 'eve@example.com.evil.example'],
  ['.*@example\\.com', 'eve@example.com\n@evil.example'],
]

const MALFORMED = [
  '(', ')', '(a', 'a)', '[', '[a', '[z-a]', '[[:nope:]]', '*', '+a', '?', 'a**', 'a{1001}', 'a{3,2}', '\\', '\\1', '\\k', '\\x{110000}',
  '\\xZ', '\\p{Nope}', '\\p', '(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(?P=n)', '(?z)', '(?)', '[\\d-z]', '((a{1000}){1000}){1000}',
  '((){1000}){1000}', '('.repeat(200), 'a'.repeat(5000),
] // prettier-ignore

test('accepts what matches as a whole', () => {
  for (const [pattern, text] of ACCEPTED) assert.ok(matches(pattern, text), `${pattern} on ${JSON.stringify(text)}`)
})

test('refuses what matches only in part, or not at all', () => {
  for (const [pattern, text] of REJECTED) assert.ok(!matches(pattern, text), `${pattern} on ${JSON.stringify(text)}`)
})

test('refuses what RE2 refuses, and what it would be dangerous to guess', () => {
  for (const pattern of MALFORMED) {
    assert.throws(
      () => compilePattern(pattern),
      { name: 'VerificationError', code: 'VERIFY_PATTERN' },
      pattern.slice(0, 30),
    )
  }
})

test('finds a part only for explaining', () => {
  assert.ok(compilePattern('github').occursIn('https://github.com/'))
  assert.ok(!compilePattern('gitlab').occursIn('https://github.com/'))
})

test('takes linear time where backtracking takes exponential time', () => {
  const text = 'a'.repeat(5000)
  for (const pattern of ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*)*b', 'a?'.repeat(30) + 'a'.repeat(30) + 'b']) {
    const start = process.hrtime.bigint()
    assert.ok(!matches(pattern, text))
    assert.ok(process.hrtime.bigint() - start < 2_000_000_000n, pattern)
  }
})

test('any text either compiles or is refused with a code, and never crashes on a text', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }), (pattern, text) => {
      try {
        compilePattern(pattern).matches(text)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code === 'VERIFY_PATTERN')
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('agrees with the regular expressions of the runtime', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    'c',
    '.',
    '[ab]',
    '[^a]',
    '\\w',
    '\\d',
    '(?:ab)',
    '(?:a|b)',
    '(?:a|)',
    '\\b',
    '^',
    '$',
  )
  const piece = fc
    .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '*?'))
    .filter(([core, repeat]) => repeat === '' || !['\\b', '^', '$'].includes(core))
  const pattern = fc.array(fc.array(piece, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '\n', ' '), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (alternatives, value) => {
      const source = alternatives.map((pieces) => pieces.map(([core, repeat]) => core + repeat).join('')).join('|')
      assert.equal(matches(source, value), new RegExp(`^(?:${source})$`, 'u').test(value), source)
    }),
    { numRuns: 10 * fuzzRuns() },
  )
})

test('agrees with the runtime also about how texts begin, in pairs of units and halves of them, and in parts', () => {
  const letter = fc.constantFrom('a', 'b', '/', '😀', '\ud83d', '\ude00', 'é')
  const text = fc.string({ unit: letter, maxLength: 8 })
  const literal = fc.string({ unit: letter, maxLength: 5 })
  const tail = fc.constantFrom('', '.*', '[^/]*', '.', '(?:a|b)*', '$', '\\b')
  fc.assert(
    fc.property(literal, tail, literal, text, (beginning, middle, end, value) => {
      const source = `${beginning}${middle}${end}`
      const pattern = compilePattern(source)
      for (const tried of [value, beginning + value, beginning + value + end]) {
        assert.equal(pattern.matches(tried), new RegExp(`^(?:${source})$`, 'u').test(tried), source)
        assert.equal(pattern.occursIn(tried), new RegExp(source, 'u').test(tried), source)
      }
    }),
    { numRuns: 10 * fuzzRuns() },
  )
})

const found = (pattern: string, text: string): readonly unknown[] =>
  [...compilePattern(pattern).occurrences(text)].map((match) => [match.start, match.text, ...match.groups])

const OCCURRENCES: readonly (readonly [pattern: string, text: string, ...found: unknown[]])[] = [
  ['a', 'xaya', [1, 'a'], [3, 'a']],
  ['b', 'xaya'],
  ['', 'ab', [0, ''], [1, ''], [2, '']],
  ['a*', 'baac', [0, ''], [1, 'aa'], [4, '']],
  ['a|ab', 'ab', [0, 'a']],
  ['ab|a', 'ab', [0, 'ab']],
  ['a+?', 'aa', [0, 'a'], [1, 'a']],
  ['(?U)a+', 'aa', [0, 'a'], [1, 'a']],
  ['(?U)a+?', 'aa', [0, 'aa']],
  ['a{1,2}?', 'aa', [0, 'a'], [1, 'a']],
  ['(a)(b)?', 'ab a', [0, 'ab', 'a', 'b'], [3, 'a', 'a', undefined]],
  ['(?P<x>\\d+)-(?:y)(z)', '12-yz', [0, '12-yz', '12', 'z']],
  ['(a|b)+', 'abb', [0, 'abb', 'b']],
  ['(a*)+', 'b', [0, '', ''], [1, '', '']],
  ['(|a)*', 'aa', [0, '', ''], [1, '', ''], [2, '', '']],
  ['(|a)+', 'aa', [0, '', ''], [1, '', ''], [2, '', '']],
  ['^a', 'aa', [0, 'a']],
  ['\\ba', 'a aa', [0, 'a'], [2, 'a']],
  ['(?m)^.', 'a\n😀b', [0, 'a'], [2, '😀']],
  ['b$', 'ab', [1, 'b']],
  ['.(?:x)', '😀x', [0, '😀x']],
]

test('what a pattern finds is the leftmost, and of those what is tried first', () => {
  for (const [pattern, text, ...expected] of OCCURRENCES)
    assert.deepEqual(found(pattern, text), expected, `${pattern} in ${text}`)
})

const piece = fc.constantFrom(
  'a',
  'b',
  '[ab]',
  '.',
  '(?:a|ab)',
  '(?:ab|a)',
  'a*',
  'a*?',
  'b+?',
  '(?:ab)*',
  '[ab]{1,2}',
  'a??',
  '\\b',
  'x?',
)
const sequence = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
const pattern = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join('|'))

test('finds what a backtracking engine finds', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'x', ' '), { maxLength: 12 }).map((letters) => letters.join(''))
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      const [own] = compilePattern(source).occurrences(subject)
      const theirs = new RegExp(source).exec(subject)
      assert.deepEqual([own?.start, own?.text], [theirs?.index, theirs?.[0]])
    }),
    { numRuns: fuzzRuns() },
  )
})

test('searching is linear too', () => {
  const evil = compilePattern('(a*)*(b|a*)*c')
  assert.deepEqual([...evil.occurrences('a'.repeat(3_000))], [])
})
