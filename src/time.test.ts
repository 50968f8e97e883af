import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatRfc3339, parseRfc3339 } from '#time'

test('RFC 3339 times, with fractions and offsets', () => {
  assert.equal(parseRfc3339('2025-01-31T12:00:00Z'), Date.UTC(2025, 0, 31, 12))
  assert.equal(parseRfc3339('2025-01-31T12:00:00.5Z'), Date.UTC(2025, 0, 31, 12) + 500)
  assert.equal(parseRfc3339('2025-01-31T12:00:00.123456789Z'), Date.UTC(2025, 0, 31, 12) + 123)
  assert.equal(parseRfc3339('2025-01-31T12:00:00+01:30'), Date.UTC(2025, 0, 31, 10, 30))
  assert.equal(parseRfc3339('0001-01-01T00:00:00Z'), -62135596800000)
})

test('a time is written in UTC, with milliseconds only where there are some', () => {
  assert.equal(formatRfc3339(Date.UTC(2025, 0, 31, 12)), '2025-01-31T12:00:00Z')
  assert.equal(formatRfc3339(Date.UTC(2025, 0, 31, 12) + 5), '2025-01-31T12:00:00.005Z')
})

for (const text of [
  '',
  '2025-01-31',
  '2025-02-29T00:00:00Z',
  '2025-01-31T24:00:00Z',
  '2025-01-31T12:00:60Z',
  '2025-01-31 12:00:00Z',
  '2025-01-31T12:00:00',
  '2025-01-31T12:00:00+24:00',
  '2025-01-31T12:00:00.Z',
]) {
  test(`'${text}' is not a time`, () => {
    assert.throws(() => parseRfc3339(text), { code: 'TIME_FORMAT' })
  })
}
