/** Variables in Kyverno's policies against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { ruleOf } from '#testing/policy/kyverno'
import type { RuleText } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { ReviewVerdict } from '../engine/verdict.js'
import type { Review } from '../internal/review.js'
import { openKyvernoVerifying, ISSUER, pem, by } from '#testing/policy/kyverno-verifying'

const { ann, key, otherKey, imageBy, verdict } = await openKyvernoVerifying()

describe('variables', () => {
  const keys = (data: JsonObject, namespace = 'default'): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'keys', namespace },
    data,
  })
  const context = 'context: [{name: keys, configMap: {name: keys, namespace: default}}]'

  async function outcome(
    entry: string,
    more: string,
    documents: readonly JsonObject[],
    review: Review,
  ): Promise<ReviewVerdict> {
    return await verdict([await ruleOf(entry, { more })], review, documents)
  }

  test('a key from a ConfigMap, also by the namespace of the resource', async () => {
    const image = await imageBy(key)
    const of = async (expression: string, data: JsonObject): Promise<ReviewVerdict> =>
      await outcome(by(`keys: {publicKeys: '${expression}'}`), context, [keys(data)], podOf(image))
    assert.equal((await of('{{ keys.data.org }}', { org: `${pem(key)}    ` })).message, '')
    assert.equal((await of('{{ keys.data.{{request.namespace}} }}', { default: pem(key) })).message, '')
    assert.match(
      (await of('{{ keys.data.org }}', { org: pem(otherKey) })).message,
      /\.attestors\[0\]\.entries\[0\]\.keys: /,
    )
    assert.match(
      (await of('{{ keys.data.gone }}', { org: pem(key) })).message,
      /failed to substitute variables: .*there is no gone/,
    )
    assert.match(
      (await of('{{ keys.data.org }}', { org: 'no key' })).message,
      /what variables stand for cannot be used: /,
    )
    assert.match((await of('{{ keys.data.org }}', { org: '' })).message, /A public key, kms key or secret is required/)
    // What is filled in is not read as a variable again.
    assert.match(
      (await of('{{ keys.data.org }}', { org: '{{ keys.data.other }}', other: pem(key) })).message,
      /cannot be used/,
    )
    // Two keys of one text are two attestors.
    assert.equal((await of('{{ keys.data.org }}', { org: pem(key) + pem(otherKey) })).allowed, false)
  })

  test('two reviews of one policy, two keys', async () => {
    const policy = await ruleOf(by("keys: {publicKeys: '{{ keys.data.{{request.namespace}} }}'}"), { more: context })
    const documents = [keys({ default: pem(key), team: pem(otherKey) })]
    const image = await imageBy(key)
    assert.equal((await verdict([policy], podOf(image), documents)).allowed, true)
    assert.equal((await verdict([policy], { ...podOf(image), namespace: 'team' }, documents)).allowed, false)
  })

  test('identities that resources fill in stay what they are', async () => {
    const image = await imageBy(ann)
    const entry = by(`keyless: {issuer: '${ISSUER}', subject: '{{ request.object.metadata.annotations.by }}'}`)
    const pod = (by: string): Review =>
      reviewOf('Pod', { metadata: { name: 'a', annotations: { by } }, spec: { containers: [{ name: 'a', image }] } })
    assert.equal((await outcome(entry, 'reportProperties: {}', [], pod('ann@example.com'))).allowed, true)
    assert.match((await outcome(entry, 'reportProperties: {}', [], pod(''))).message, /no subject is named/)
    assert.match(
      (await outcome(entry, 'reportProperties: {}', [], pod("x' || 'ann@example.com"))).message,
      /subject mismatch/,
    )
  })

  test('a ConfigMap that is not there: refused, also where refusals are reported, unless failures are ignored', async () => {
    const image = await imageBy(key)
    const entry = by("keys: {publicKeys: '{{ keys.data.org }}'}", ', mutateDigest: false, verifyDigest: false')
    const allowed = async (spec: string): Promise<ReviewVerdict> =>
      await verdict([await ruleOf(entry, { more: context, spec })], podOf(image))
    assert.match((await allowed('validationFailureAction: Enforce')).message, /failed to load context entry keys: /)
    assert.equal((await allowed('validationFailureAction: Audit')).allowed, false)
    assert.equal((await allowed('validationFailureAction: Audit, failurePolicy: Ignore')).allowed, true)
    // Nobody asks for it where no image is selected.
    const other = await verdict([await ruleOf(entry, { more: context })], podOf('quay.io/a/b:1'))
    assert.deepEqual(other.rules, [])
  })

  test('a policy of a namespace reads nothing of others', async () => {
    const image = await imageBy(key)
    const entry = by("keys: {publicKeys: '{{ keys.data.org }}'}")
    const text: RuleText = { kind: 'Policy', metadata: 'name: p, namespace: team', more: context }
    const review = { ...podOf(image), namespace: 'team' }
    const foreign = await verdict([await ruleOf(entry, text)], review, [keys({ org: pem(key) })])
    assert.match(foreign.message, /is not of the policy's own namespace/)
    const own = await ruleOf(entry, { ...text, more: 'context: [{name: keys, configMap: {name: keys}}]' })
    assert.equal((await verdict([own], review, [keys({ org: pem(key) }, 'team')])).message, '')
  })
})
