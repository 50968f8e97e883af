import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortedObject, stringifyLikeGo } from './go-json.js'

test('escapes what Go escapes', () => {
  // Made with Go 1.26 (since 1.22 it knows \\b and \\f): json.Marshal("<a>&\u2028\u2029\b\f\n\r\t\"\\b\x7f/é😀\x01")
  const text = '<a>&\u2028\u2029\b\f\n\r\t"\\b\x7f/é😀\x01'
  const written = String.raw`"\u003ca\u003e\u0026\u2028\u2029\b\f\n\r\t\"\\b` + '\x7f/é😀' + String.raw`\u0001"`
  assert.equal(stringifyLikeGo(text), written)
  assert.equal(JSON.parse(stringifyLikeGo(text)), text)
})

test('sorts members by UTF-8, where JavaScript would sort by UTF-16', () => {
  assert.deepEqual(Object.keys(sortedObject({ b: 1, '\u{1F600}': 1, '\uFF5E': 1, a: 1, ab: 1 })), [
    'a',
    'ab',
    'b',
    '\uFF5E',
    '\u{1F600}',
  ])
})
