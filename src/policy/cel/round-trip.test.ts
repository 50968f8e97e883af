/** What is written comes back: literals, quantities, times, addresses; and whatever else is written is an error with a code. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { formatIp, formatIpRange, maskedRange, parseIp, parseIpRange, rangeHasIp } from './ip-address.js'
import type { IpAddress } from './ip-address.js'
import { KUBERNETES } from './kubernetes.js'
import { Evaluation, loadCel } from './program.js'
import { durationOf, formatDuration, formatTimestamp, parseDuration, parseTimestamp, timestampOf } from './times.js'
import { DYN } from './types.js'
import type { CelValue, Outcome } from './values.js'

const compile = await loadCel()
const environment = KUBERNETES.withVariables({ a: DYN, b: DYN })
const runs = { numRuns: fuzzRuns() }

function evaluated(source: string, variables: Readonly<Record<string, CelValue>> = {}): Outcome {
  return compile(source, environment).evaluate(new Evaluation((name) => variables[name]))
}

/** The value, or undefined for an error of this code; any other error is the test's. */
function orRefused<T>(work: () => T, code: string): T | undefined {
  try {
    return work()
  } catch (error) {
    assert.ok(isCodedError(error) && error.code === code, String(error))
    return undefined
  }
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const text = fc.string({ unit: 'binary' })

/** Each character by its number: no other is left to be read as anything else. */
function escaped(value: string): string {
  return Array.from(value, (character) => {
    const point = character.codePointAt(0) ?? 0
    return `\\U${point.toString(16).padStart(8, '0')}`
  }).join('')
}

describe('literals', () => {
  test('integers, signed and unsigned, in both notations', () => {
    fc.assert(
      fc.property(int64, uint64, (signed, unsigned) => {
        assert.equal(evaluated(String(signed)), signed)
        const hex = signed < 0n ? `-0x${(-signed).toString(16)}` : `0x${signed.toString(16)}`
        assert.equal(evaluated(hex), signed)
        assert.equal(evaluated(`string(${String(unsigned)}u)`), String(unsigned))
        assert.equal(evaluated(`0x${unsigned.toString(16)}u == uint(a)`, { a: String(unsigned) }), true)
      }),
      runs,
    )
  })

  test('no integer that does not fit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 63n, max: 2n ** 80n }), (beyond) => {
        for (const source of [String(beyond), `-${String(beyond + 1n)}`, `${String(beyond + 2n ** 64n)}u`])
          assert.throws(() => compile(source, environment), isCodedError)
      }),
      runs,
    )
  })

  test('numbers with a point', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }), (value) => {
        const written = value.toExponential()
        assert.equal(evaluated(written.includes('.') ? written : written.replace('e', '.0e')), value)
        assert.equal(evaluated('double(string(a)) == a', { a: value }), true)
      }),
      runs,
    )
  })

  test('texts, by the numbers of their characters and as they are', () => {
    fc.assert(
      fc.property(text, (value) => {
        for (const quote of ['"', "'", '"""', "'''"])
          assert.equal(evaluated(`${quote}${escaped(value)}${quote}`), value)
        assert.equal(evaluated('string(bytes(a))', { a: value }), value)
        const plain = value.replace(/["'\\\r\n]/g, '')
        assert.equal(evaluated(`"${plain}"`), plain)
        assert.equal(evaluated(`r'${plain}'`), plain)
      }),
      runs,
    )
  })

  test('bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const written = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
        assert.equal(evaluated(`b"${written}" == a`, { a: bytes }), true)
        assert.equal(evaluated('base64.decode(base64.encode(a)) == a', { a: bytes }), true)
      }),
      runs,
    )
  })

  test('quotes around any text make it itself again', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const quoted = evaluated('strings.quote(a)', { a: value })
        assert.ok(typeof quoted === 'string')
        assert.equal(evaluated(quoted), value)
      }),
      runs,
    )
  })
})

describe('quantities', () => {
  const SUFFIXES = new Map([
    ...(['', 'k', 'M', 'G', 'T', 'P'] as const).map((suffix, power) => [suffix, 1000n ** BigInt(power)] as const),
    ...(['Ki', 'Mi', 'Gi'] as const).map((suffix, power) => [suffix, 1024n ** BigInt(power + 1)] as const),
  ])
  const amount = fc.integer({ min: -9_000, max: 9_000 })
  const suffix = fc.constantFrom(...SUFFIXES.keys())

  test('are worth what they say', () => {
    fc.assert(
      fc.property(amount, suffix, (count, unit) => {
        const worth = BigInt(count) * (SUFFIXES.get(unit) ?? 1n)
        const a = `${String(count)}${unit}`
        assert.equal(evaluated('quantity(a).asInteger()', { a }), worth)
        assert.equal(evaluated('quantity(a).compareTo(quantity(b))', { a, b: String(worth) }), 0n)
        assert.equal(evaluated('quantity(a).add(quantity(b)).sub(quantity(b)) == quantity(a)', { a, b: '3Mi' }), true)
      }),
      runs,
    )
  })

  test('are in the order of what they are worth', () => {
    fc.assert(
      fc.property(fc.tuple(amount, suffix), fc.tuple(amount, suffix), (...two) => {
        const [x = 0n, y = 0n] = two.map(([count, unit]) => BigInt(count) * (SUFFIXES.get(unit) ?? 1n))
        const [a = '', b = ''] = two.map(([count, unit]) => `${String(count)}${unit}`)
        assert.equal(evaluated('quantity(a).compareTo(quantity(b))', { a, b }), x < y ? -1n : x > y ? 1n : 0n)
        assert.equal(evaluated('quantity(a).isLessThan(quantity(b))', { a, b }), x < y)
      }),
      runs,
    )
  })

  test('of any text: one, or an error', () => {
    const parts = fc.constantFrom(
      '1',
      '0',
      '9',
      '.',
      '-',
      '+',
      'e',
      'E',
      'Ki',
      'M',
      'n',
      'u',
      'm',
      ' ',
      '_',
      '９',
      '\n',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(parts).map((all) => all.join('')),
        ),
        (a) => {
          const read = orRefused(() => evaluated('quantity(a)', { a }), 'CEL_EVALUATION')
          assert.equal(evaluated('isQuantity(a)', { a }), read !== undefined)
        },
      ),
      runs,
    )
  })
})

describe('times', () => {
  const nanos = fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n })

  test('timestamps', () => {
    fc.assert(
      fc.property(nanos, (value) => {
        const written = formatTimestamp(timestampOf(value))
        assert.equal(parseTimestamp(written).nanos, value)
        assert.equal(evaluated('string(timestamp(a))', { a: written }), written)
      }),
      runs,
    )
  })

  test('durations', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const written = formatDuration(durationOf(value))
        assert.equal(parseDuration(written).nanos, value)
        assert.equal(evaluated('string(duration(a))', { a: written }), written)
      }),
      runs,
    )
  })

  test('what is added is the difference', () => {
    fc.assert(
      fc.property(nanos, fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (start, length) => {
        const [a, b] = [timestampOf(start), durationOf(length)]
        const same = orRefused(() => evaluated('(a + b) - a == b && (a + b) - b == a', { a, b }), 'CEL_EVALUATION')
        assert.notEqual(same, false)
      }),
      runs,
    )
  })

  test('of any text: one, or an error', () => {
    const parts = fc.constantFrom(
      '2025',
      '-',
      '02',
      '29',
      'T',
      '24',
      ':',
      '60',
      '.',
      'Z',
      '+',
      '1',
      'h',
      'm',
      's',
      'ns',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(parts).map((all) => all.join('')),
        ),
        (written) => {
          const time = orRefused(() => parseTimestamp(written), 'CEL_EVALUATION')
          if (time !== undefined) assert.equal(parseTimestamp(formatTimestamp(time)).nanos, time.nanos)
          const span = orRefused(() => parseDuration(written), 'CEL_EVALUATION')
          if (span !== undefined) assert.equal(parseDuration(formatDuration(span)).nanos, span.nanos)
        },
      ),
      runs,
    )
  })
})

describe('addresses', () => {
  const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value): IpAddress => ({ family: 4, value }))
  // Of version 4 in the dress of version 6 is none.
  const groups = fc.array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), {
    minLength: 8,
    maxLength: 8,
  })
  const v6 = groups
    .map((all): IpAddress => ({ family: 6, value: all.reduce((value, group) => value * 65_536n + group, 0n) }))
    .filter(({ value }) => value >> 32n !== 0xffffn)
  const address = fc.oneof(v4, v6)

  test('of both versions', () => {
    fc.assert(
      fc.property(address, (value) => {
        const written = formatIp(value)
        assert.deepEqual(parseIp(written), value)
        assert.equal(evaluated('string(ip(a))', { a: written }), written)
        assert.equal(
          evaluated('ip.isCanonical(a) && ip(a).family() == b', { a: written, b: BigInt(value.family) }),
          true,
        )
      }),
      runs,
    )
  })

  test('ranges, each of which has its own addresses', () => {
    fc.assert(
      fc.property(address, fc.nat({ max: 128 }), (value, length) => {
        const range = { address: value, bits: Math.min(length, value.family === 4 ? 32 : 128) }
        const written = formatIpRange(range)
        assert.deepEqual(parseIpRange(written), range)
        assert.equal(rangeHasIp(range, value), true)
        assert.equal(rangeHasIp(maskedRange(range), value), true)
        assert.equal(
          evaluated('cidr(a).containsIP(b) && cidr(a).masked().containsCIDR(a)', { a: written, b: formatIp(value) }),
          true,
        )
      }),
      runs,
    )
  })

  test('of any text: one that is written as another, or none', () => {
    const parts = fc.constantFrom(
      '0',
      '1',
      '01',
      '255',
      '256',
      '.',
      ':',
      '::',
      'ffff',
      'g',
      '/',
      '8',
      '129',
      '%eth0',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(parts).map((all) => all.join('')),
        ),
        (written) => {
          const found = parseIp(written)
          if (found !== undefined) assert.deepEqual(parseIp(formatIp(found)), found)
          const range = parseIpRange(written)
          if (range !== undefined) assert.deepEqual(parseIpRange(formatIpRange(range)), range)
          assert.equal(evaluated('isIP(a)', { a: written }), found !== undefined)
        },
      ),
      runs,
    )
  })
})
