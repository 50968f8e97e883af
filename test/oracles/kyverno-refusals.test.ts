import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RuleVerdict } from '#policy/engine/verdict'
import { blockedMessage } from '#policy/kyverno/blocked-message'
import { fuzzRuns } from '#testing/fuzz'
import { podOf } from '#testing/policy/reviews'
import { askOracle, oracleNamed } from './oracle.js'

const oracle = oracleNamed('kyverno-oracle')

type Failures = Readonly<Record<string, Readonly<Record<string, string>>>>

const ODD = [
  ...[
    'a: b',
    'yes',
    '- a',
    'a\nb',
    ' a',
    '~',
    'a #b',
    "'",
    '&a',
    'a\n',
    '<<',
    '1:30',
    '---a',
    '2025-1-1',
    '+1_0',
    'a:',
  ],
  ...[
    '0o8',
    '.5e3',
    '\n a',
    'a\n\n',
    'null',
    '0x1f',
    '1e3',
    '*',
    '%',
    'ä',
    '𝄞',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u0007',
  ],
]
const text = fc.oneof(
  fc.constantFrom(...ODD),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.stringMatching(/^[-+.:_0-9eExob #?a\n\t]{0,6}$/),
)
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,5}$/),
  fc.constantFrom('p2', 'p10', 'p', 'p-1', 'p2a', '1', 'p02'),
)
const rules = fc.dictionary(name, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const failures = fc.dictionary(name, rules, { minKeys: 1, maxKeys: 3, noNullPrototype: true })

test(
  'a refusal is written as Kyverno writes it',
  { skip: oracle === undefined ? 'the Kyverno oracle is not built: make oracles-kyverno' : false },
  () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? 1)
    const sources = fc.sample(failures, { numRuns: fuzzRuns() * 50, seed })
    const questions = sources.map((source) => ({ kind: 'failures', source, data: {} }))
    const answers = askOracle(oracle ?? '', questions) as readonly { readonly value: string }[]
    const wrong = sources.flatMap((source, index) => {
      const own = blockedMessage(podOf('a'), denialsOf(source)).replace(/^[\s\S]*?policies \n\n/, '')
      const theirs = answers[index]?.value
      // Go's library writes these as ends of lines within quotes.
      if (/[\r\u0085\u2028\u2029]/.test(JSON.stringify(source))) return []
      return own === theirs ? [] : [JSON.stringify({ own, theirs })]
    })
    assert.deepEqual(wrong.slice(0, 10), [], `${String(wrong.length)} of ${String(sources.length)}`)
  },
)

function denialsOf(of: Failures): readonly RuleVerdict[] {
  return Object.entries(of).flatMap(([policy, messages]) =>
    Object.entries(messages).map(([rule, message]): RuleVerdict => ({
      language: 'ClusterPolicy',
      policy,
      rule,
      action: 'deny',
      digests: { mutate: false, verify: false, required: false },
      occurrence: undefined,
      pinned: undefined,
      verdict: 'denied',
      message,
      expected: [],
      signers: [],
      warnings: [],
      outcome: undefined,
    })),
  )
}
