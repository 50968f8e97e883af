/** What a broken policy is taken to be about: rather too much than too little. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from '#encoding/json'
import { guardedByKyvernoPolicy } from './guarded.js'

const about = (spec: JsonValue): ReturnType<typeof guardedByKyvernoPolicy> => guardedByKyvernoPolicy({ spec })

for (const [title, spec] of [
  ['no specification', null],
  ['no rules', { rules: 5 }],
  ['a rule that is none', { rules: ['x'] }],
  ['images that are none', { rules: [{ verifyImages: 5 }] }],
  ['an entry that is none', { rules: [{ verifyImages: [5] }] }],
  ['an entry without images', { rules: [{ verifyImages: [{}] }] }],
  ['no images', { rules: [{ verifyImages: [{ imageReferences: [] }] }] }],
  ['images that are not texts', { rules: [{ verifyImages: [{ imageReferences: [5] }] }] }],
  ['images that a review decides', { rules: [{ verifyImages: [{ imageReferences: ['{{ x }}'] }] }] }],
] as const) {
  test(`anything: ${title}`, () => {
    assert.equal(about(spec), undefined)
  })
}

test('the images of its rules, refused wherever it says so', () => {
  const rules = [{ verifyImages: [{ imageReferences: ['a/*'] }, { image: 'b/*' }] }, { validate: {} }]
  const include = [
    { kind: 'wildcard', pattern: 'a/*' },
    { kind: 'wildcard', pattern: 'b/*' },
  ]
  assert.deepEqual(about({ rules }), { include, action: 'audit' })
  for (const spec of [
    { validationFailureAction: 'enforce', rules },
    { rules, validationFailureActionOverrides: [{ action: 'Enforce', namespaces: ['a'] }] },
    { rules: [...rules, { verifyImages: [{ image: 'c', failureAction: 'Enforce' }] }] },
  ]) {
    assert.equal(about(spec)?.action, 'deny')
  }
  assert.deepEqual(about({ rules: [{ validate: {} }] }), { include: [], action: 'audit' })
})
