/** What an answer that cannot be had does to a resource; what must not soften anything first. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HttpError } from '#clients/http/http-error'
import { podOf } from '#testing/policy/reviews'
import type { CountDemand, SignatureDemand } from '../internal/demand.js'
import type { DemandOutcome, SignatureOutcome } from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Action, Enforcement, FailureCause } from '../internal/policy.js'
import { actionFor } from './failure-action.js'

const outage = new HttpError('HTTP_CONNECT', 'nobody answers')
const refusal = new PolicyError('POLICY_PREDICATE', 'no')

// Only what became of the demand is looked at.
const leaf = (met: boolean, problem?: SignatureOutcome['problem']): SignatureOutcome => ({
  demand: {} as SignatureDemand,
  met,
  accepted: [],
  rejected: [],
  problem,
  otherTypes: [],
  warnings: [],
})
const yes = leaf(true)
const no = leaf(false, refusal)
const unknown = leaf(false, outage)

function count(required: number, ...of: readonly DemandOutcome[]): DemandOutcome {
  return { demand: { required } as CountDemand, met: false, of }
}

const demand = (outcome: DemandOutcome): FailureCause => ({ kind: 'demand', outcome })
const error = (cause: Error): FailureCause => ({ kind: 'error', error: cause })

function enforcement(action: Action, onOutage?: Action): Enforcement {
  const actionOnOutage = onOutage === undefined ? {} : { actionOnOutage: () => onOutage }
  return { explained: [], actionFor: () => action, ...actionOnOutage }
}

describe('where outages let in', () => {
  for (const [title, cause, expected] of [
    ['a refusal', demand(no), 'deny'],
    ['nothing there', demand(leaf(false)), 'deny'],
    ['a refusal beside an outage, both required', demand(count(2, no, unknown)), 'deny'],
    ['a refusal beside an outage, sets within sets', demand(count(2, count(1, no), count(1, unknown, no))), 'deny'],
    ['nothing asked of nobody', demand(count(0)), 'deny'],
    ['another error', error(refusal), 'deny'],
    ['an error that has no code', error(new Error('x')), 'deny'],
    ['a digest that is missing', { kind: 'digest-missing' }, 'deny'],
    ['nobody verified', { kind: 'unverified' }, 'deny'],
    ['a conclusion', { kind: 'conclusion', error: outage }, 'deny'],
    ['an outage', demand(unknown), 'audit'],
    ['an outage, one suffices', demand(count(1, no, unknown)), 'audit'],
    ['an outage, the other is there', demand(count(2, yes, unknown)), 'audit'],
    ['an image that cannot be had', error(outage), 'audit'],
    ['a plan that needs what cannot be had', { kind: 'plan', error: outage }, 'audit'],
  ] as const satisfies readonly (readonly [string, FailureCause, Action])[]) {
    test(`${title}: ${expected}`, () => {
      assert.equal(actionFor(enforcement('deny', 'audit'), podOf('a'), cause), expected)
    })
  }
})

test('where outages refuse and refusals are reported', () => {
  const strict = enforcement('audit', 'deny')
  assert.equal(actionFor(strict, podOf('a'), demand(no)), 'audit')
  assert.equal(actionFor(strict, podOf('a'), demand(unknown)), 'deny')
  // Whoever wrote the resource may have caused it: the stricter of both.
  assert.equal(actionFor(strict, podOf('a'), error(refusal)), 'deny')
})

test('where nothing is said of outages', () => {
  for (const action of ['deny', 'warn', 'audit'] as const)
    for (const cause of [demand(no), demand(unknown), error(outage), error(refusal)])
      assert.equal(actionFor(enforcement(action), podOf('a'), cause), action)
})
