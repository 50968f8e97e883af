/** Digests that are written into a resource before it is judged as it stands. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { podOf, reviewOf } from '#testing/policy/reviews'
import { withPins } from './pins.js'

const pin = (pointer: string): Parameters<typeof withPins>[1][number] => ({ pointer, path: '', from: 'a', to: 'b' })

test('each at its place, and nothing else is touched', () => {
  const review = podOf('one:1', 'two:2')
  const written = withPins(review, [pin('/spec/containers/1/image')])
  assert.deepEqual(written.object, podOf('one:1', 'b').object)
  assert.deepEqual(review.object, podOf('one:1', 'two:2').object)
  assert.deepEqual(withPins(review, []).object, review.object)
})

test('names that pointers escape, and names of prototypes', () => {
  const object = JSON.parse('{"a/b": {"c~d": "x"}, "__proto__": {"image": "x"}}') as JsonObject
  const written = withPins(reviewOf('Task', object), [pin('/a~1b/c~0d'), pin('/__proto__/image')])
  assert.deepEqual(written.object, JSON.parse('{"a/b": {"c~d": "b"}, "__proto__": {"image": "b"}}'))
  assert.equal(({} as { image?: string }).image, undefined)
})

test('a place that is not there stays so', () => {
  const { object } = podOf('one:1')
  for (const pointer of ['/spec/containers/7/image', '/spec/gone/image', '/spec/containers/x', '/kind/0/image'])
    assert.deepEqual(withPins(podOf('one:1'), [pin(pointer)]).object, object, pointer)
})

test('any pointers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.constantFrom('spec', 'containers', '0', 'image', '~', 'toString'))),
      (pointers) => {
        withPins(
          podOf('a'),
          pointers.map((steps) => pin(steps.map((step) => `/${step}`).join(''))),
        )
      },
    ),
    { numRuns: fuzzRuns() },
  )
})
