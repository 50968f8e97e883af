import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { parseJson } from '#encoding/json'
import { compileCue } from '#policy/cue/policy'
import { fuzzRuns } from '#testing/fuzz'
import { askOracle, oracleNamed } from './oracle.js'

interface Answer {
  readonly ok: boolean
  readonly error?: string
}

const name = fc.constantFrom('a', 'b', 'c')
const scalar = fc.constantFrom('1', '2', '7', '"x"', '"xy"', 'true', 'null', '1.5')
const constraint = fc.oneof(
  scalar,
  fc.constantFrom(
    'int',
    'string',
    'bool',
    'number',
    '_',
    '>1',
    '<=7',
    '>1 & <7',
    '=~"^x"',
    '!="x"',
    '!=null',
    '*1 | int',
    '"x" | "y"',
    'null | string',
  ),
  name,
  fc.constantFrom('#D', '#E', 'len(a)', 'a.b', 'list.MaxItems(1)', 'struct.MaxFields(1)', 'strings.HasPrefix("x")'),
)
const { value } = fc.letrec<{ value: string; struct: string; list: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 3 }, constraint, tie('struct'), tie('list')),
  struct: fc
    .array(fc.tuple(name, fc.constantFrom(':', ':', ':', '?:', '!:'), tie('value')), { maxLength: 3 })
    .map((fields) => `{${fields.map(([field, mark, of]) => `${field}${mark} ${of}`).join(', ')}}`),
  list: fc.oneof(
    fc.array(tie('value'), { maxLength: 2 }).map((items) => `[${items.join(', ')}]`),
    tie('value').map((item) => `[...${item}]`),
    fc.constant('[for k, v in [1, 2] if v > 1 {v}]'),
  ),
}))
const policy = fc
  .tuple(
    fc.array(fc.tuple(name, fc.constantFrom(':', ':', '?:', '!:'), value), { minLength: 1, maxLength: 4 }),
    value,
    value,
  )
  .map(([fields, anything, e]) => {
    const d = /^[abc#]/.test(anything) ? '{a?: int}' : anything // an alias of a field is refused when a policy is loaded
    const body = [
      ...fields.map(([field, mark, of]) => `${field}${mark} ${of}`),
      `#D: ${d}`,
      `#E: {a?: int, b?: ${e}}`,
      'a?: _',
      'b?: _',
      'c?: _',
    ].join('\n')
    const imports = ['list', 'struct', 'strings'].filter((each) => body.includes(`${each}.`))
    return `${imports.map((each) => `import "${each}"`).join('\n')}\n${body}`
  })
/** What is calculated from fields that stand before it, each of which was calculated from others. */
const calculated = (...names: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('int', 'string', '_', '1', '7', '"x"', '{a: 1}', '[1, 2]', 'null', '*2 | int'),
    ...names.map((of) =>
      fc.constantFrom(
        of,
        `${of} + ${of}`,
        `${of} * ${of} + 1`,
        `"\\(${of})\\(${of})"`,
        `${of} == ${of}`,
        `>${of}`,
        `${of}.a`,
        `${of}.a + ${of}.a`,
        `${of}[0]`,
        `${of}[0] + ${of}[1]`,
        `len(${of})`,
        `{a: ${of}}`,
        `{b: 1, if ${of} == 1 {a: ${of}}}`,
        `[for v in ${of} {v}]`,
        `[${of}, ${of}]`,
      ),
    ),
  )
const chain = fc
  .tuple(
    calculated(),
    calculated('a'),
    calculated('a', 'b'),
    calculated('b', 'c'),
    calculated('c', 'd'),
    fc.constantFrom(':', '?:'),
  )
  .map(([a, b, c, d, e, mark]) =>
    [`a${mark} ${a}`, `b: ${b}`, `c: ${c}`, `let d = ${d}`, `let e = ${e}`, 'x: {y: d, z: e}', 'x: y: _'].join('\n'),
  )
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.constantFrom(1, 2, 7, 'x', 'xy', true, null, 1.5),
    fc.dictionary(name, tie('json'), { maxKeys: 3 }),
    fc.array(tie('json'), { maxLength: 2 }),
  ),
}))
const input = fc.dictionary(name, json, { maxKeys: 3 })
const result = fc.record({ y: json, z: json }, { requiredKeys: [] })
const chainInput = fc.tuple(input, fc.option(result)).map(([fields, x]) => ({ ...fields, ...(x !== null && { x }) }))

const GENERATED = {
  'policies and inputs': { generated: fc.tuple(policy, input), refused: 0.01 },
  // What can never be calculated is refused here at once; CUE leaves it open while something else of it is not known.
  'chains of fields, and inputs': { generated: fc.tuple(chain, chainInput), refused: 0.05 },
}

const oracle = oracleNamed('cue-oracle')

for (const [what, { generated, refused }] of Object.entries(GENERATED)) {
  test(
    `the same verdicts as CUE on generated ${what}`,
    { skip: oracle === undefined ? 'no CUE oracle' : false },
    () => {
      const questions = fc
        .sample(generated, { numRuns: fuzzRuns() * 20, seed: Number(process.env['FUZZ_SEED'] ?? 1) })
        .map(([text, data]) => ({ policy: text, input: JSON.stringify(data) }))
      const answers = askOracle(oracle ?? '', questions) as readonly Answer[]
      // To load a policy and then reject everything, or not to load it at all, is the same to whoever is to be admitted.
      const different = questions.flatMap((question, index) => {
        const own = verdict(question)
        const { ok, error } = answers[index] ?? { ok: false }
        return (own === 'accepted') === ok ? [] : [{ ...question, own, error }]
      })
      const wronglyAccepted = different.filter((each) => each.own === 'accepted')
      assert.deepEqual(
        wronglyAccepted.slice(0, 5),
        [],
        `${String(wronglyAccepted.length)} of ${String(questions.length)}`,
      )
      // A cycle that CUE can still make sense of may be refused here, never the other way round.
      assert.ok(different.length <= questions.length * refused, JSON.stringify(different.slice(0, 5), undefined, 1))
    },
  )
}

function verdict(question: { readonly policy: string; readonly input: string }): 'accepted' | 'rejected' | 'refused' {
  try {
    compileCue(question.policy).judge(parseJson(question.input))
    return 'accepted'
  } catch (error) {
    if (!isCodedError(error)) throw new Error(`${question.policy} ← ${question.input}`, { cause: error })
    return error.code === 'CUE_REJECTED' ? 'rejected' : 'refused'
  }
}
