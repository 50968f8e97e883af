import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { load } from 'js-yaml'
import { fuzzRuns } from '#testing/fuzz'
import { podOf } from '#testing/policy/reviews'
import { readImageName } from '../internal/image-name.js'
import type { RuleVerdict } from '../engine/verdict.js'
import { blockedMessage } from './blocked-message.js'
import { imageInfo } from '../jmespath/image-info.js'

const DIGEST = `sha256:${'a'.repeat(64)}`

const denial = (policy: string, rule: string, message: string): RuleVerdict => ({
  language: 'ClusterPolicy',
  policy,
  rule,
  action: 'deny',
  digests: { mutate: true, verify: true, required: true },
  occurrence: undefined,
  pinned: undefined,
  verdict: 'denied',
  message,
  expected: [],
  signers: [],
  warnings: [],
  outcome: undefined,
})

describe('the message of a refusal', () => {
  test('as Kyverno writes it', () => {
    const why = 'failed to verify image ghcr.io/a/b:t: .attestors[0].entries[0].keyless: no matching signatures: x'
    assert.equal(
      blockedMessage(podOf('a'), [
        denial('zulu', 'r', why),
        denial('check-image', 'verify', "it's"),
        denial('check-image', 'a', 'plain'),
      ]),
      `\n\nresource Pod/default/test was blocked due to the following policies \n\ncheck-image:\n  a: plain\n  verify: it's\nzulu:\n  r: '${why}'\n`,
    )
  })

  test('several images of one rule, and lines', () => {
    const text = blockedMessage(podOf('a'), [
      denial('p', 'r', 'one: 1'),
      denial('p', 'r', 'two: 2'),
      denial('p', 'q', 'a\n b\n\nc'),
    ])
    assert.match(text, /p:\n {2}q: \|-\n {4}a\n {5}b\n\n {4}c\n {2}r: 'one: 1; two: 2'\n$/)
  })

  test('only of what Kyverno’s rules deny', () => {
    const audited: RuleVerdict = { ...denial('p', 'r', 'x'), verdict: 'audited' }
    const other: RuleVerdict = { ...denial('p', 'r', 'x'), language: 'ClusterImagePolicy' }
    assert.equal(blockedMessage(podOf('a'), [audited, other]), '')
    assert.equal(blockedMessage(podOf('a'), []), '')
  })

  test('any text is the text that YAML reads', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'true',
        'no',
        '1.5',
        '~',
        'a: b',
        "'",
        '- a',
        'a #b',
        '2025-01-01',
        '0x1f',
        'a\n',
        '\n',
        'x\n\n',
        '?',
        'null',
        '=',
        '.5',
      ),
    )
    fc.assert(
      fc.property(
        fc.dictionary(text, fc.dictionary(text, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true }), {
          minKeys: 1,
          maxKeys: 3,
          noNullPrototype: true,
        }),
        (policies) => {
          const verdicts = Object.entries(policies).flatMap(([policy, rules]) =>
            Object.entries(rules).map(([rule, message]) => denial(policy, rule, message)),
          )
          const written = blockedMessage(podOf('a'), verdicts)
          const [, yaml = ''] = written.split('was blocked due to the following policies \n\n')
          assert.deepEqual(load(yaml), policies)
        },
      ),
      { numRuns: fuzzRuns() },
    )
  })
})

for (const [text, reference, path] of [
  ['nginx', 'docker.io/nginx:latest', 'nginx'],
  ['nginx:1', 'docker.io/nginx:1', 'nginx'],
  ['acme/app', 'docker.io/acme/app:latest', 'acme/app'],
  ['docker.io/nginx', 'docker.io/nginx:latest', 'nginx'],
  ['docker.io/library/nginx', 'docker.io/library/nginx:latest', 'library/nginx'],
  ['library/nginx', 'docker.io/library/nginx:latest', 'library/nginx'],
  ['index.docker.io/nginx', 'index.docker.io/nginx:latest', 'nginx'],
  ['ghcr.io/acme/app:v1', 'ghcr.io/acme/app:v1', 'acme/app'],
  [`ghcr.io/acme/app:v1@${DIGEST}`, `ghcr.io/acme/app@${DIGEST}`, 'acme/app'],
  [`localhost:5000/app@${DIGEST}`, `localhost:5000/app@${DIGEST}`, 'app'],
] as const) {
  test(`Kyverno calls ${text.slice(0, 40)} ${reference.slice(0, 40)}`, () => {
    const info = imageInfo(readImageName(text))
    assert.equal(info.reference, reference)
    assert.equal(info.path, path)
    assert.equal(info.name, path.replace(/.*\//, ''))
  })
}
