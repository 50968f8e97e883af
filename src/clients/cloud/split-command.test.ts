import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { fuzzRuns } from '#testing/fuzz'
import { splitCommand } from './split-command.js'

describe('what only a shell could make something of', () => {
  for (const text of [
    ...['a "b', "a 'b", 'a \\', '"a\\'],
    ...['a $HOME', 'a "$HOME"', 'a `b`', 'a "`b`"', 'a $(b)', '$a'],
    ...['a | b', 'a; b', 'a && b', 'a & ', 'a > b', 'a < b', '(a)', 'a\nb', '"a\nb"', "'a\nb'"],
    ...['~/a', 'a ~', 'a ~/b', 'a *', 'a ?', 'a [b]', '{a,b}', '! a', 'a # b'],
  ]) {
    test(JSON.stringify(text), () => {
      assert.equal(splitCommand(text), undefined)
    })
  }
})

describe('words', () => {
  for (const [text, words] of [
    ['', []],
    ['  ', []],
    ['a', ['a']],
    [' /a/b  -c\td ', ['/a/b', '-c', 'd']],
    ['"/a b/c" d', ['/a b/c', 'd']],
    ["'/a b/c' d", ['/a b/c', 'd']],
    ['a "" \'\'', ['a', '', '']],
    ['a"b"\'c\'d', ['abcd']],
    ['a\\ b c\\$d', ['a b', 'c$d']],
    ['"a\\"b\\\\c\\$d"', ['a"b\\c$d']],
    ["'a\\b$c'", ['a\\b$c']],
    ['a=b --c=~d', ['a=b', '--c=~d']],
    ['aws-vault exec --json grüße', ['aws-vault', 'exec', '--json', 'grüße']],
  ] as const) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(splitCommand(text), words)
    })
  }
})

test('words in quotes are the words', () => {
  const word = fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !/['\n]/.test(text))
  fc.assert(
    fc.property(fc.array(word), (words) => {
      assert.deepEqual(splitCommand(words.map((each) => `'${each}'`).join(' ')), words)
    }),
    { numRuns: fuzzRuns() },
  )
})

test('any text is words, or not for us', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const words = splitCommand(text)
      assert.ok(words === undefined || words.every((each) => typeof each === 'string'))
    }),
    { numRuns: fuzzRuns() },
  )
})
