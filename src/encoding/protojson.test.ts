import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { JsonValue } from './json.js'
import { readMessage } from './protojson.js'

const NAMES = ['mediaType', 'rawBytes', 'logIndex', 'start', 'kind', 'items', 'flag'] as const
const KINDS = { UNSPECIFIED: 0, SHA2_256: 1 } as const

function read(value: JsonValue): ReturnType<typeof readMessage> {
  return readMessage(value, 'message', { names: NAMES })
}

test('fields are read under both of their names', () => {
  assert.equal(read({ mediaType: 'a' }).string('mediaType'), 'a')
  assert.equal(read({ media_type: 'a' }).string('mediaType'), 'a')
})

test('null is absence', () => {
  assert.equal(read({ mediaType: null }).optionalString('mediaType'), undefined)
  assert.equal(read({ mediaType: null }).has('mediaType'), false)
})

test('64-bit integers come as text or as exact numbers', () => {
  assert.equal(read({ logIndex: '9223372036854775807' }).int64('logIndex'), 2n ** 63n - 1n)
  assert.equal(read({ logIndex: 5 }).int64('logIndex'), 5n)
})

test('enums come by name or by number', () => {
  assert.equal(read({ kind: 'SHA2_256' }).optionalEnum('kind', KINDS), 'SHA2_256')
  assert.equal(read({ kind: 1 }).optionalEnum('kind', KINDS), 'SHA2_256')
})

for (const [name, attempt, code] of [
  ['a field twice', () => read({ mediaType: 'a', media_type: 'b' }), 'PROTOJSON_DUPLICATE_FIELD'],
  ['an unknown field', () => read({ other: 1 }), 'PROTOJSON_UNKNOWN_FIELD'],
  ['__proto__ as a field', () => read(JSON.parse('{"__proto__":1}') as JsonValue), 'PROTOJSON_UNKNOWN_FIELD'],
  ['no object', () => read([1]), 'PROTOJSON_TYPE'],
  ['a missing field', () => read({}).string('mediaType'), 'PROTOJSON_MISSING'],
  ['a number as a text', () => read({ mediaType: 1 }).string('mediaType'), 'PROTOJSON_TYPE'],
  ['a fraction as an integer', () => read({ logIndex: 1.5 }).int64('logIndex'), 'PROTOJSON_TYPE'],
  ['an inexact number', () => read({ logIndex: 2 ** 53 }).int64('logIndex'), 'PROTOJSON_TYPE'],
  ['2^63', () => read({ logIndex: '9223372036854775808' }).int64('logIndex'), 'PROTOJSON_VALUE'],
  ['a padded integer', () => read({ logIndex: '007' }).int64('logIndex'), 'PROTOJSON_TYPE'],
  ['2^31 as 32 bits', () => read({ logIndex: 2 ** 31 }).optionalInt32('logIndex'), 'PROTOJSON_VALUE'],
  ['text that is no base64', () => read({ rawBytes: '!' }).bytes('rawBytes'), 'PROTOJSON_VALUE'],
  ['text that is no time', () => read({ start: 'today' }).optionalTimestamp('start'), 'PROTOJSON_VALUE'],
  ['an unknown enum name', () => read({ kind: 'toString' }).optionalEnum('kind', KINDS), 'PROTOJSON_TYPE'],
  ['no array', () => read({ items: {} }).list('items', (value) => value), 'PROTOJSON_TYPE'],
  ['two of a oneof', () => read({ kind: 1, items: [] }).oneof('kind', 'items'), 'PROTOJSON_ONEOF'],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(attempt, { code })
  })
}

test('unknown fields are passed over where that is asked for', () => {
  assert.equal(
    readMessage({ other: 1, flag: true }, '', { names: NAMES, unknown: 'ignore' }).optionalBoolean('flag'),
    true,
  )
})

test('an error names the path', () => {
  assert.throws(
    () => read({ items: [{}, 1] }).list('items', (value, path) => readMessage(value, path, { names: [] })),
    (error: unknown) => isCodedError(error) && error.message.includes('message.items[1]'),
  )
})

test('any JSON gives a value or a coded error', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES, 'media_type'), fc.jsonValue()), (value) => {
      try {
        const message = read(JSON.parse(JSON.stringify(value)) as JsonValue)
        message.optionalString('mediaType')
        message.optionalBytes('rawBytes')
        message.optionalInt64('logIndex')
        message.optionalTimestamp('start')
        message.optionalEnum('kind', KINDS)
        message.list('items', (item) => item)
        message.optionalBoolean('flag')
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
