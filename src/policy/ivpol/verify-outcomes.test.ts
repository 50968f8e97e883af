/** Digests, actions and messages of image validating policies, against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { PolicyText } from '#testing/policy/ivpol'
import { podOf } from '#testing/policy/reviews'
import { openIvpolVerifying } from '#testing/policy/ivpol-verifying'

const { key, imageBy, verdictOn, admitted, denied, keyPolicy } = await openIvpolVerifying()

describe('digests', () => {
  test('expressions see them written in', async () => {
    const { tagged, pinned } = await imageBy(key)
    const digest = pinned.split('@')[1] ?? ''
    const validations = [
      {
        expression: 'false',
        messageExpression:
          "images.containers[0] + ' ' + object.spec.containers[0].image + ' ' + request.object.spec.containers[0].image",
      },
    ]
    const written = `${tagged}@${digest}`
    await denied(podOf(tagged), keyPolicy({ validations }), `Policy test failed: ${written} ${written} ${written}`)
  })

  test('are asked for, where nothing writes them in', async () => {
    const { tagged, pinned } = await imageBy(key)
    const policy = keyPolicy({ validationConfigurations: { mutateDigest: false } })
    await denied(podOf(tagged), policy, `Policy test failed: image ${tagged} does not have a digest`)
    await admitted(podOf(pinned), policy)
    await denied(podOf(tagged), keyPolicy(), `Policy test failed: image ${tagged} does not have a digest`, {
      digestsMustStand: true,
    })
    const loose = keyPolicy({ validationConfigurations: { mutateDigest: false, verifyDigest: false } })
    const { pins } = await admitted(podOf(tagged), loose)
    assert.deepEqual(pins, [])
  })

  test('are written in whatever a policy that only warns has to say', async () => {
    const [good, bad] = [await imageBy(key), await imageBy()]
    const verdict = await admitted(podOf(good.tagged, bad.tagged), keyPolicy({ validationActions: ['Warn'] }))
    assert.deepEqual(verdict.warnings, ['Policy test failed: not signed'])
    assert.equal(verdict.pins.length, 2)
  })
})

describe('actions', () => {
  test('the strictest one counts', async () => {
    const { tagged } = await imageBy()
    const verdict = async (...validationActions: readonly string[]): Promise<string> => {
      const { allowed, rules } = await verdictOn(podOf(tagged), keyPolicy({ validationActions }))
      return `${allowed ? 'allowed' : 'refused'} ${rules[0]?.verdict ?? ''}`
    }
    assert.equal(await verdict('Deny'), 'refused denied')
    assert.equal(await verdict('Audit', 'Deny'), 'refused denied')
    assert.equal(await verdict('Warn'), 'allowed warned')
    assert.equal(await verdict('Audit'), 'allowed audited')
    assert.equal(await verdict(), 'refused denied')
  })

  test('errors follow them, too', async () => {
    const validations = [{ expression: 'object.nothing.there' }]
    const verdict = await admitted(
      podOf((await imageBy(key)).tagged),
      keyPolicy({ validations, validationActions: ['Warn'] }),
    )
    assert.deepEqual(verdict.warnings, ['Policy test error: failed to evaluate policy: no such key: nothing'])
  })

  test('what is reported, and annotations for audits', async () => {
    const { tagged } = await imageBy()
    const auditAnnotations = [
      { key: 'first', valueExpression: "images.containers[0].split(':')[0]" },
      { key: 'none', valueExpression: 'null' },
    ]
    const { rules } = await verdictOn(podOf(tagged), keyPolicy({ auditAnnotations, validationActions: ['Audit'] }))
    assert.equal(rules[0]?.reported, 'not signed')
    assert.deepEqual([...(rules[0].auditAnnotations ?? [])], [['first', 'ghcr.io/acme/app']])
  })
})

describe('messages', () => {
  test('of the first validation that fails', async () => {
    const { pinned } = await imageBy(key)
    const failing = (...validations: readonly JsonObject[]): PolicyText => keyPolicy({ validations })
    const pod = podOf(pinned)
    await denied(
      pod,
      failing({ expression: 'true' }, { expression: 'false' }),
      'Policy test failed: CEL expression validation failed at index 1',
    )
    await denied(
      pod,
      failing({ expression: 'false', message: 'a' }, { expression: 'false', message: 'b' }),
      'Policy test failed: a',
    )
    await denied(
      pod,
      failing({ expression: 'false', message: 'a', messageExpression: "'b' + 'c'" }),
      'Policy test failed: bc',
    )
    await denied(
      pod,
      failing({ expression: 'false', messageExpression: 'object.nothing' }),
      'Policy test failed: failed to evaluate message expression: no such key: nothing',
    )
    await denied(
      pod,
      failing({ expression: 'object.nothing' }, { expression: 'false' }),
      'Policy test error: failed to evaluate policy: no such key: nothing',
    )
    await denied(pod, failing({ expression: 'dyn(1)' }), /a validation came to int, not to bool/)
  })

  test('of an expression that takes too much', async () => {
    const { pinned } = await imageBy(key)
    const range = 'lists.range(1000)'
    const expression = `${range}.all(a, ${range}.all(b, ${range}.all(c, a + b + c >= 0)))`
    await denied(podOf(pinned), keyPolicy({ validations: [{ expression }] }), /takes too many steps/)
  })
})
