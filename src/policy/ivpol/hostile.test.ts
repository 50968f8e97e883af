/** Policies that take all that they are given: they use up their own time, and not that of others. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openPolicyBench } from '#testing/policy/bench'
import { policyOf } from '#testing/policy/ivpol'
import { podOf } from '#testing/policy/reviews'
import { deadlineOf } from '../internal/deadline.js'
import { evaluate } from '../engine/evaluate.js'
import type { ReviewVerdict } from '../engine/verdict.js'
import type { CompiledPolicy } from '../internal/policy.js'

const ENDLESS = 'lists.range(100000).all(a, lists.range(100000).all(b, true))'
const bench = await openPolicyBench()
const image = bench.pushImage('ghcr.io/acme/app:1')

async function verdictOf(
  policies: readonly CompiledPolicy[],
  images: readonly string[],
  signal: AbortSignal,
): Promise<ReviewVerdict> {
  let now = 0
  // Every look at the clock is a second later: each piece of work is a long one.
  const ports = bench.ports({ clock: () => (now += 1_000) })
  return await evaluate({
    ...{ policies, review: podOf(...images), ports, deadline: deadlineOf(signal) },
    ...{ digestsMustStand: false, unmatched: 'allow' },
  })
}

describe('expressions that do not end', () => {
  for (const [name, spec] of [
    ['validations', { validations: [{ expression: ENDLESS }] }],
    ['match conditions', { matchConditions: [{ name: 'a', expression: ENDLESS }], failurePolicy: 'Fail' }],
    ['images', { images: [{ name: 'a', expression: `${ENDLESS} ? ["a"] : ["b"]` }] }],
    ['variables', { variables: [{ name: 'a', expression: ENDLESS }], validations: [{ expression: 'variables.a' }] }],
    ['references', { matchImageReferences: [{ expression: ENDLESS }] }],
  ] as const) {
    test(`${name}: refused`, async () => {
      const { allowed, message } = await verdictOf([await policyOf({ spec })], [image], new AbortController().signal)
      assert.equal(allowed, false)
      assert.match(message, /too many steps/)
    })

    test(`${name} of many policies: others have their turn, and the time of the review ends it`, async () => {
      const policies = await Promise.all(Array.from({ length: 12 }, () => policyOf({ spec })))
      const ending = new AbortController()
      const turns = { others: 0 }
      const other = (): void => {
        if (++turns.others === 3) ending.abort()
        else setImmediate(other)
      }
      setImmediate(other)
      const { allowed, rules } = await verdictOf(policies, [image], ending.signal)
      assert.equal(allowed, false)
      assert.equal(turns.others, 3)
      const finished = rules.filter(({ message }) => message.includes('too many steps'))
      assert.ok(finished.length < 8, `${String(finished.length)} were evaluated to their end`)
      assert.ok(rules.every(({ verdict }) => verdict === 'denied'))
    })
  }

  test('references of many images, likewise', async () => {
    const images = Array.from({ length: 400 }, (_, index) => `ghcr.io/acme/app${String(index)}:1`)
    const ending = new AbortController()
    setImmediate(() => {
      ending.abort()
    })
    const nearly = 'lists.range(4000).all(a, a >= 0) && false'
    const policy = await policyOf({ spec: { matchImageReferences: [{ expression: nearly }] } })
    const { allowed, message } = await verdictOf([policy], images, ending.signal)
    assert.equal(allowed, false)
    assert.match(message, /context was canceled/)
  })
})
