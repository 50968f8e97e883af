import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from '#encoding/json'
import { compileRegoJudge } from './rego-judge.js'

const judge = (source: string, input: JsonValue) => compileRegoJudge(source, () => Date.UTC(2026, 0, 1)).judge(input)

const PLAIN = 'package sigstore\ndefault isCompliant = false\nisCompliant { input.predicate.ok == true }'
const WORDY = `package sigstore
isCompliant = response {
  result = input.ok
  error = "it is not ok"
  warning = input.warning
  response := {"result": result, "error": error, "warning": warning}
}`

test('what is compliant', () => {
  assert.deepEqual(judge(PLAIN, { predicate: { ok: true } }), { warnings: [] })
  assert.deepEqual(judge(WORDY, { ok: true, warning: '' }), { warnings: [] })
  assert.deepEqual(judge(WORDY, { ok: true, warning: 'old' }), { warnings: ['old'] })
})

for (const [name, source, input, text] of [
  [
    'false',
    PLAIN,
    { predicate: {} },
    /^policy is not compliant for query 'isCompliant = data\.sigstore\.isCompliant'$/,
  ],
  ['false with words', WORDY, { ok: false, warning: '' }, /with errors: it is not ok$/],
  ['nothing to say', WORDY, {}, /not compliant/],
  ['another package', 'package other\nisCompliant = true', {}, /not compliant/],
  ['a text', 'package sigstore\nisCompliant = "true"', {}, /not compliant/],
  ['a result that is a text', 'package sigstore\nisCompliant = {"result": "true"}', {}, /not compliant/],
  ['one', 'package sigstore\nisCompliant = 1', {}, /not compliant/],
] as const) {
  test(`not compliant: ${name}`, () => {
    assert.throws(() => judge(source, input), { code: 'POLICY_NOT_COMPLIANT', message: text })
  })
}

test('a policy that is none is refused when it is read', () => {
  assert.throws(() => compileRegoJudge('package sigstore\nisCompliant {', () => 0), { code: 'REGO_SYNTAX' })
})
