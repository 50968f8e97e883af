import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CliError } from './errors.js'
import { describeFailure } from './failure.js'
import { forTerminal, inline, printable } from './printable.js'

// What a terminal acts on: C0 without line end and tab, DEL, C1, and what turns the direction of text around.
const ACTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b1A\r\u202egnp.exe\u0000'
const text = fc.string({ unit: 'binary', maxLength: 60 })

describe('texts of others', () => {
  test('nothing that a terminal acts on gets through, and everything else does', () => {
    fc.assert(
      fc.property(text, (value) => {
        assert.doesNotMatch(printable(value), ACTIVE)
        assert.doesNotMatch(inline(value), /[\n\t\u0085\u2028\u2029]/)
        if (!ACTIVE.test(value)) assert.equal(printable(value), value)
      }),
    )
    assert.doesNotMatch(inline(HOSTILE), ACTIVE)
  })

  test('an output keeps its own bold, and nothing else of the kind', () => {
    const output = `\u001b[1mError:\u001b[22m ${HOSTILE}`
    assert.ok(forTerminal(output).startsWith('\u001b[1mError:\u001b[22m '))
    fc.assert(
      fc.property(text, (value) => {
        assert.doesNotMatch(forTerminal(value).replaceAll(/\u001b\[(?:1|22)m/g, ''), ACTIVE)
      }),
    )
  })

  test('a failure begins one line, whatever it has to repeat', () => {
    const forged = 'x\nVerified OK\n  ✓ everything\u2028Verified OK'
    const detail = { expected: forged, found: forged, hint: forged, cause: new Error(forged) }
    const described = describeFailure(new CliError('CLI_INPUT', forged, detail), {
      bold: (plain) => plain,
      verbose: false,
    })
    const lines = described.split('\n')
    assert.equal(lines.filter((line) => /^\S/.test(line)).length, 1, described)
    assert.equal(lines.filter((line) => line.startsWith('  expected: x')).length, 1)
  })
})
