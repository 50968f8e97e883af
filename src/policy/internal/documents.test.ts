import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { readDocuments } from './documents.js'

const read = (text: string) => readDocuments(text, 'f.yaml')

test('several documents, empty ones, and lists', async () => {
  const documents = await read('a: 1\n---\n---\nkind: List\nitems: [{b: 2}, {kind: Pod, metadata: {name: p}}]\n')
  assert.deepEqual(
    documents.map(({ value }) => value),
    [{ a: 1 }, { b: 2 }, { kind: 'Pod', metadata: { name: 'p' } }],
  )
  assert.match(documents[2]?.label ?? '', /Pod p/)
})

const bomb = `a: &a [${'x,'.repeat(20)}]\n${'b c d e f g'
  .split(' ')
  .map((name, index) => `${name}: &${name} [${`*${'abcdef'[index] ?? ''},`.repeat(20)}]`)
  .join('\n')}`

for (const [name, text] of [
  ['an open quote', 'a: "'],
  ['a tab', 'a:\n\t- b'],
  ['a key twice', 'a: 1\na: 2'],
  ['an alias of nothing', 'a: *b'],
  ['aliases that unfold to everything', bomb],
  ['an alias of itself', 'a: &a [*a]'],
  ['nesting without end', `a: ${'['.repeat(2000)}${']'.repeat(2000)}`],
  ['moderate nesting, still too deep', `a: ${'['.repeat(80)}${']'.repeat(80)}`],
  ['a text of a tag', 'a: !!js/function "x"'],
  ['not an object', '- a'],
  ['a bare text', 'hello'],
  ['infinity', 'a: .inf'],
  ['a prototype', '{"__proto__": {"x": 1}, a: 1}'],
  ['too long', 'a: 1\n# '.padEnd(1.6 * 1024 * 1024, 'x')],
  ['too many documents', '---\na: 1\n'.repeat(1001)],
] as const) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(read(text), { code: 'POLICY_DOCUMENT' })
  })
}

test('a mistake is told with its line', async () => {
  await assert.rejects(read('a: 1\nb: "\n'), /f\.yaml, line \d/)
})

test('any text gives documents or a coded error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom(...Array.from('ab: -{}[]&*!|>"\'\n\t#,?%@0.~')) }),
      async (text) => {
        try {
          await read(text)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      },
    ),
    { numRuns: fuzzRuns() },
  )
})
