/** Conditions of the webhook: they leave out what they say, and what cannot be said is refused unless failures are ignored. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isCodedError } from '#errors'
import { openPolicyBench } from '#testing/policy/bench'
import { judged, ruleOf } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { Review } from '../internal/review.js'

const bench = await openPolicyBench()
const image = bench.pushImage('ghcr.io/acme/unsigned:1')
const ENTRY = `imageReferences: ['*'], attestors: [{entries: [{keyless: {issuer: 'https://a.example', subject: b}}]}]`
const USER = { username: 'ann', groups: ['dev'], roles: [], clusterRoles: [] }

type Spec = 'validationFailureAction: Enforce' | 'validationFailureAction: Audit' | 'failurePolicy: Ignore' | ''

function requested(review: Review = podOf(image)): Review {
  return { ...review, user: USER }
}

/** Whether a pod whose image nobody signed is let in, with these conditions. */
async function isLetIn(
  conditions: readonly string[],
  review: Review,
  more: Spec = 'validationFailureAction: Enforce',
): Promise<boolean> {
  const written = conditions.map((expression, index) => ({ name: `c${String(index)}`, expression }))
  const spec = `${more === 'failurePolicy: Ignore' ? 'validationFailureAction: Enforce, failurePolicy: Ignore' : more}, webhookConfiguration: {matchConditions: ${JSON.stringify(written)}}`
  const entry = more === 'validationFailureAction: Audit' ? `${ENTRY}, mutateDigest: false, verifyDigest: false` : ENTRY
  return (await judged([await ruleOf(entry, { spec })], review, { ports: bench.ports() })).allowed
}

describe('which requests a policy is asked about', () => {
  for (const [conditions, allowed] of [
    [['true'], false],
    [['false'], true],
    [["request.userInfo.username == 'ann'"], false],
    [["!('dev' in request.userInfo.groups)"], true],
    [["object.metadata.name == 'test'"], false],
    [["object.metadata.name != 'test'"], true],
    [["request.operation == 'CREATE'", "request.kind.kind == 'Pod'"], false],
    [["request.operation == 'CREATE'", "request.kind.kind == 'Job'"], true],
    [['oldObject == null'], false],
    // One that is false leaves it out, whatever is wrong with the others.
    [['object.spec.nothing', 'false'], true],
    [['has(object.metadata.labels) && object.metadata.labels.env == "prod"'], true],
  ] as const) {
    test(`${conditions.join(' and ')}: ${allowed ? 'not' : 'this'}`, async () => {
      assert.equal(await isLetIn(conditions, requested()), allowed)
    })
  }

  test('controllers of pods as well', async () => {
    const template = { spec: { containers: [{ name: 'a', image }] } }
    const deployment = requested(reviewOf('Deployment', { metadata: { name: 'test' }, spec: { template } }))
    assert.equal(await isLetIn(["request.kind.kind == 'Deployment'"], deployment), false)
    assert.equal(await isLetIn(["request.kind.kind == 'Pod'"], deployment), true)
  })
})

describe('what cannot be said', () => {
  const broken = [
    ['a member that is not there', 'object.metadata.labels.env == "prod"'],
    ['no bool', 'object.metadata.name'],
    [
      'too many steps',
      '[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a+b+c+d+e+f > 0))))))',
    ],
  ] as const
  for (const [name, expression] of broken) {
    test(`${name}: refused, also where refusals are reported`, async () => {
      assert.equal(await isLetIn([expression], requested()), false)
      assert.equal(await isLetIn([expression], requested(), 'validationFailureAction: Audit'), false)
    })

    test(`${name}: left out where failures are ignored`, async () => {
      assert.equal(await isLetIn([expression], requested(), 'failurePolicy: Ignore'), true)
    })
  }

  test('of what is not about the rule anyway, nothing is asked', async () => {
    const service = requested(reviewOf('Service', { metadata: { name: 'test' } }))
    assert.equal(await isLetIn(['object.spec.nothing'], service), true)
  })

  test('who it was, where nobody requested it: it is judged', async () => {
    assert.equal(await isLetIn(["request.userInfo.username != 'ann'"], podOf(image)), false)
    assert.equal(await isLetIn(["request.userInfo.username != 'ann'"], podOf(image), 'failurePolicy: Ignore'), false)
    assert.equal(await isLetIn(["request.userInfo.username != 'ann'", 'object.kind == "Job"'], podOf(image)), true)
  })
})

describe('refused when it is loaded', () => {
  for (const [name, conditions, why] of [
    [
      'no CEL',
      '[{name: a, expression: "a =="}]',
      'spec.webhookConfiguration.matchConditions[0].expression: Invalid value',
    ],
    ['no bool', '[{name: a, expression: "1"}]', 'bool'],
    ['a name that is not there', '[{name: a, expression: "objekt == null"}]', 'undeclared'],
    ['the namespace, which webhooks do not have', '[{name: a, expression: "namespaceObject == null"}]', 'undeclared'],
    ['the objects in the request', '[{name: a, expression: "request.object == null"}]', 'undefined field'],
    [
      'what a user may do',
      "[{name: a, expression: \"authorizer.group('').resource('pods').check('get').allowed()\"}]",
      'not asked of the cluster',
    ],
    ['functions of Kyverno', `[{name: a, expression: "resource.Get('v1', 'pods', 'a', 'b') == null"}]`, 'undeclared'],
    ['no expression', '[{name: a}]', 'spec.webhookConfiguration.matchConditions[0].expression: Required value'],
    ['an expression of nothing', '[{name: a, expression: " "}]', 'has no expression'],
    ['no name', '[{expression: "true"}]', 'spec.webhookConfiguration.matchConditions[0].name: Required value'],
    ['a name of two words', '[{name: a b, expression: "true"}]', 'matchConditions[0].name: Invalid value'],
    [
      'a name twice',
      '[{name: a, expression: "true"}, {name: a, expression: "true"}]',
      'matchConditions[1].name: Duplicate value',
    ],
    [
      'a misspelt field',
      '[{name: a, expresion: "true"}]',
      'unknown field "spec.webhookConfiguration.matchConditions[0].expresion"',
    ],
    [
      'too many',
      `[${Array.from({ length: 65 }, (_, index) => `{name: a${String(index)}, expression: "true"}`).join(', ')}]`,
      'must have at most 64 items',
    ],
    ['no list', '{name: a}', 'spec.webhookConfiguration.matchConditions'],
  ] as const) {
    test(name, async () => {
      await assert.rejects(
        ruleOf(ENTRY, { spec: `webhookConfiguration: {matchConditions: ${conditions}}` }),
        (error: unknown) => {
          assert.ok(isCodedError(error) && error.code === 'POLICY_FIELD', String(error))
          assert.ok(error.message.includes(why), error.message)
          return true
        },
      )
    })
  }
})

test('the conditions are told', async () => {
  const spec =
    'webhookConfiguration: {matchConditions: [{name: a, expression: "true"}, {name: b, expression: "object != null"}]}'
  const { rules } = await ruleOf(ENTRY, { spec })
  assert.deepEqual(rules[0]?.matcher.explained, ['Pod where a: true and b: object != null'])
})
