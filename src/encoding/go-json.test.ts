import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fuzzRuns } from '#testing/fuzz'
import { compareCodePoints, stringifyLikeGo } from './go-json.js'

test('escapes what Go escapes', () => {
  // Made with Go 1.26 (since 1.22 it knows \b and \f): json.Marshal("<a>&\u2028\u2029\b\f\n\r\t\"\\b\x7f/é😀\x01")
  const text = '<a>&\u2028\u2029\b\f\n\r\t"\\b\x7f/é😀\x01'
  const written = String.raw`"\u003ca\u003e\u0026\u2028\u2029\b\f\n\r\t\"\\b` + '\x7f/é😀' + String.raw`\u0001"`
  assert.equal(stringifyLikeGo(text), written)
  assert.equal(JSON.parse(stringifyLikeGo(text)), text)
})

test('maps are sorted by UTF-8, structs are not sorted', () => {
  const names = ['b', '\u{1F600}', '\uFF5E', '9', '10', 'ab', '']
  const map = new Map(names.map((name) => [name, 0]))
  assert.equal(stringifyLikeGo(map), '{"":0,"10":0,"9":0,"ab":0,"b":0,"\uFF5E":0,"\u{1F600}":0}')
  assert.equal(stringifyLikeGo({ b: [map], a: null }), `{"b":[${stringifyLikeGo(map)}],"a":null}`)
})

test('the order is that of the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      assert.equal(Math.sign(compareCodePoints(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }),
    { numRuns: fuzzRuns() },
  )
})

test('without maps it is JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(stringifyLikeGo(value as never)), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: fuzzRuns() },
  )
})
