import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { concatBytes } from './bytes.js'
import {
  DerReader,
  TAG,
  readBitString,
  readBitStringBytes,
  readBoolean,
  readDer,
  readInteger,
  readNull,
  readOid,
  readSmallInteger,
  readString,
  readTime,
} from './der.js'
import {
  der,
  derBitString,
  derBoolean,
  derGeneralizedTime,
  derInteger,
  derNull,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from './der-writer.js'
import { decodeHex, encodeHex } from './hex.js'
import { encodeUtf8 } from './utf8.js'

test('integers read back as they were written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
      assert.equal(readInteger(readDer(derInteger(value))), value)
    }),
    { numRuns: fuzzRuns() },
  )
})

for (const [value, hex] of [
  [0n, '020100'],
  [127n, '02017f'],
  [128n, '02020080'],
  [-1n, '0201ff'],
  [-128n, '020180'],
  [-129n, '0202ff7f'],
  [65537n, '0203010001'],
] as const) {
  test(`the INTEGER ${String(value)} is ${hex}`, () => {
    assert.equal(encodeHex(derInteger(value)), hex)
  })
}

test('object identifiers read back as they were written', () => {
  for (const oid of [
    '1.2.840.113549.1.1.11',
    '2.5.29.17',
    '2.999.3',
    '0.0',
    '1.3.6.1.4.1.57264.1.8',
    '2.16.840.1.101.3.4.2.1',
  ]) {
    assert.equal(readOid(readDer(derOid(oid))), oid)
  }
})

for (const oid of ['', '1', '3.1', '1.40', '1.02', '1..2', 'a.b', '1.2.']) {
  test(`'${oid}' is not an object identifier`, () => {
    assert.throws(() => derOid(oid), { code: 'DER_VALUE' })
  })
}

test('times read back as they were written, on both sides of 2050', () => {
  for (const text of [
    '1970-01-01T00:00:00Z',
    '2049-12-31T23:59:59Z',
    '2050-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '1950-01-01T00:00:00Z',
  ]) {
    const time = Date.parse(text)
    assert.equal(readTime(readDer(derTime(time))), time)
    assert.equal(readTime(readDer(derGeneralizedTime(time))), time)
  }
  assert.equal(derTime(Date.parse('2049-12-31T23:59:59Z'))[0], TAG.UTC_TIME)
  assert.equal(derTime(Date.parse('2050-01-01T00:00:00Z'))[0], TAG.GENERALIZED_TIME)
})

test('fractions of a second are kept to the millisecond', () => {
  assert.equal(readTime(der24('20250131120000.123456Z')) % 1000, 123)
})

function der24(text: string): ReturnType<typeof readDer> {
  return readDer(der(TAG.GENERALIZED_TIME, encodeUtf8(text)))
}

for (const text of [
  '20250131120000',
  '20250131120000+0100',
  '20250229120000Z',
  '20251301120000Z',
  '20250131246000Z',
  '20250131120000.Z',
  '20250131120000.10Z',
  '2025',
]) {
  test(`'${text}' is not a time in DER`, () => {
    assert.throws(() => readTime(der24(text)), { code: 'DER_VALUE' })
  })
}

for (const [name, hex, code] of [
  ['nothing', '', 'DER_TRUNCATED'],
  ['a tag alone', '30', 'DER_TRUNCATED'],
  ['a value that is too short', '300501', 'DER_TRUNCATED'],
  ['the indefinite length', '30800000', 'DER_LENGTH'],
  ['a length in a longer form than needed', '30810100', 'DER_LENGTH'],
  ['a long length with a leading zero', '3082007f', 'DER_LENGTH'],
  ['a length of five bytes', '308500000000010000000000', 'DER_LENGTH'],
  ['a tag of several bytes', '1f8101020500', 'DER_TAG'],
  ['bytes after the element', '050000', 'DER_TRAILING'],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => readDer(decodeHex(hex)), { code })
  })
}

for (const [name, read] of [
  ['a BOOLEAN of 01', () => readBoolean(readDer(decodeHex('010101')))],
  ['an empty INTEGER', () => readInteger(readDer(decodeHex('0200')))],
  ['an INTEGER with a needless zero', () => readInteger(readDer(decodeHex('0202007f')))],
  ['an INTEGER with a needless FF', () => readInteger(readDer(decodeHex('0202ff80')))],
  ['a negative small INTEGER', () => readSmallInteger(readDer(decodeHex('0201ff')))],
  ['a small INTEGER of five bytes', () => readSmallInteger(readDer(decodeHex('02050100000000')))],
  ['an object identifier with padding', () => readOid(readDer(decodeHex('06032a8001')))],
  ['an unfinished object identifier', () => readOid(readDer(decodeHex('06022a81')))],
  ['a BIT STRING with set unused bits', () => readBitString(readDer(decodeHex('03020101')))],
  ['a BIT STRING of nothing', () => readBitString(readDer(decodeHex('0300')))],
  ['a key of seven bits', () => readBitStringBytes(readDer(derBitString(Uint8Array.of(0xfe), 1)))],
  ['a NULL with content', () => readNull(readDer(decodeHex('050100')))],
  ['an IA5String beyond ASCII', () => readString(readDer(decodeHex('1601e9')))],
  ['half a BMPString character', () => readString(readDer(decodeHex('1e0141')))],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(read, { code: 'DER_VALUE' })
  })
}

test('an element of another type than asked for is refused', () => {
  assert.throws(() => readInteger(readDer(derNull())), { code: 'DER_TAG' })
  assert.throws(() => readDer(derNull(), TAG.SEQUENCE), { code: 'DER_TAG' })
  assert.throws(() => readString(readDer(derNull())), { code: 'DER_TAG' })
})

test('a sequence is walked element by element', () => {
  const reader = readDer(derSequence(derInteger(5), derBoolean(true), derUtf8String('ü'))).contents()
  assert.equal(readInteger(reader.next(TAG.INTEGER)), 5n)
  assert.equal(reader.optional(TAG.NULL), undefined)
  assert.equal(readBoolean(reader.next()), true)
  assert.throws(() => reader.end(), { code: 'DER_TRAILING' })
  assert.equal(readString(reader.next()), 'ü')
  reader.end()
  assert.throws(() => reader.next(), { code: 'DER_TRUNCATED' })
})

test('the elements of a SET are sorted', () => {
  assert.deepEqual(derSet(derInteger(2), derInteger(1)), derSet(derInteger(1), derInteger(2)))
})

test('lengths of one to three bytes', () => {
  for (const size of [0, 127, 128, 255, 256, 65535, 65536]) {
    const content = new Uint8Array(size)
    assert.equal(readDer(der(TAG.OCTET_STRING, content)).content.length, size)
  }
})

test('any bytes are read to the end or refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        walk(new DerReader(bytes))
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('what is read and written again is the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const reader = new DerReader(bytes)
      const again: Uint8Array[] = []
      try {
        while (!reader.done) {
          const element = reader.next()
          again.push(der(element.tag, element.content))
        }
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
        return
      }
      assert.deepEqual(concatBytes(...again), bytes)
    }),
    { numRuns: fuzzRuns() },
  )
})

function walk(reader: DerReader): void {
  const readers = [readBoolean, readInteger, readOid, readBitString, readTime, readString]
  while (!reader.done) {
    const element = reader.next()
    if ((element.tag & 0x20) !== 0) walk(element.contents())
    for (const read of readers) {
      try {
        read(element)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }
  }
}
