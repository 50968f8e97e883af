import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { Review } from '../internal/review.js'
import { needsNoVerdict } from './needs-no-verdict.js'

const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z' }

const deployment = (metadata: JsonObject, image = 'bare', replicas = 1): JsonObject => ({
  metadata: { name: 'x', ...metadata },
  spec: { replicas, template: { spec: { containers: [{ image }] } } },
})
const update = (oldObject: JsonObject | undefined, object: JsonObject, more: Partial<Review> = {}): Review => ({
  operation: 'UPDATE',
  kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
  resource: { group: 'apps', version: 'v1', resource: 'deployments' },
  name: 'x',
  object,
  ...(oldObject !== undefined && { oldObject }),
  ...more,
})

describe('updates that are judged although they call themselves deletions', () => {
  const running = deployment({})
  const deleted = deployment(DELETED)
  const JUDGED: readonly (readonly [string, Review])[] = [
    ['a timestamp that only the new object has', update(running, deleted)],
    ['a timestamp that only the new object has, with another image', update(running, deployment(DELETED, 'other'))],
    ['a timestamp without an old object', update(undefined, deleted)],
    ['a timestamp that only the old object has', update(deleted, running)],
    [
      'a timestamp that is no text',
      update(deployment({ deletionTimestamp: true }), deployment({ deletionTimestamp: 1 })),
    ],
    [
      'a timestamp that is null',
      update(deployment({ deletionTimestamp: null }), deployment({ deletionTimestamp: null })),
    ],
    ['metadata that is a list', update({ ...deleted, metadata: [DELETED] }, { ...deleted, metadata: [DELETED] })],
    ['another image of what is being deleted', update(deleted, deployment(DELETED, 'other'))],
    ['more replicas of what is being deleted', update(deleted, deployment(DELETED, 'bare', 2))],
    ['a place for images beside the specification', update(deleted, { ...deleted, template: { image: 'other' } })],
    ['a creation', update(undefined, deleted, { operation: 'CREATE' })],
    ['a creation that brings an old object along', update(deleted, deleted, { operation: 'CREATE' })],
    ['a connection', update(deleted, deleted, { operation: 'CONNECT' })],
  ]
  for (const [name, review] of JUDGED) {
    test(name, () => {
      assert.equal(needsNoVerdict(review), false)
    })
  }
})

describe('what is let go', () => {
  const held = deployment({ ...DELETED, finalizers: ['example.com/wait'] })
  const PASSES: readonly (readonly [string, Review])[] = [
    ['a finalizer that is removed', update(held, deployment({ ...DELETED, finalizers: [] }))],
    ['a status that is written on the way', update({ ...held, status: { replicas: 1 } }, { ...held, status: {} })],
    ['fewer replicas', update(deployment({}, 'bare', 3), deployment({}))],
    ['fewer replicas of what is being deleted', update(deployment(DELETED, 'bare', 3), deployment(DELETED, 'bare', 0))],
    ['a deletion', update(held, held, { operation: 'DELETE' })],
  ]
  for (const [name, review] of PASSES) {
    test(name, () => {
      assert.equal(needsNoVerdict(review), true)
    })
  }
})
