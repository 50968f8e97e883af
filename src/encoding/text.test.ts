import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { decodeBase64, decodeBase64Any, decodeBase64Url, encodeBase64, encodeBase64Url } from './base64.js'
import { decodeHex, encodeHex } from './hex.js'
import { canonicalize } from './jcs.js'
import { parseJson } from './json.js'
import { encodePem, parsePem } from './pem.js'
import { decodeUtf8 } from './utf8.js'

const anyBytes = fc.uint8Array({ maxLength: 200 })

test('base64 agrees with the runtime, both ways, in both alphabets', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'))
      assert.equal(encodeBase64Url(bytes), Buffer.from(bytes).toString('base64url'))
      assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes)
      assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes)
      for (const text of [encodeBase64(bytes), encodeBase64Url(bytes), encodeBase64(bytes).replace(/=+$/, '')]) {
        assert.deepEqual(decodeBase64Any(text), bytes)
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

for (const text of [
  'A',
  'AA',
  'AA=',
  'AAA',
  'AB==',
  'AAB=',
  'A===',
  '====',
  'AA==AA==',
  'AA\n==',
  'A-==',
  ' AAA',
  'AAA\u00e9',
  'AAAA=',
]) {
  test(`${JSON.stringify(text)} is not strict base64`, () => {
    assert.throws(() => decodeBase64(text), { code: 'BASE64' })
  })
}

for (const text of ['A', 'AA==', 'AB', 'A+AA', 'A/AA', 'AAA\u0141', 'A AA', 'A\0AA']) {
  test(`${JSON.stringify(text)} is not strict base64url`, () => {
    assert.throws(() => decodeBase64Url(text), { code: 'BASE64' })
  })
}

for (const text of ['A', 'AA=', 'AB', 'AA===', 'A A=', 'AA=A']) {
  test(`${JSON.stringify(text)} is not base64 even for protobuf`, () => {
    assert.throws(() => decodeBase64Any(text), { code: 'BASE64' })
  })
}

test("protobuf's base64 may mix the alphabets", () => {
  assert.deepEqual(decodeBase64Any('+_-/'), Uint8Array.of(251, 255, 191))
})

test('what is decoded shares no memory with anything else', () => {
  const decoded = decodeBase64('AAEC')
  assert.equal(Object.getPrototypeOf(decoded), Uint8Array.prototype)
  assert.equal(decoded.buffer.byteLength, 3)
})

test("protobuf's base64 may be wrapped, strict base64 may not", () => {
  assert.deepEqual(decodeBase64Any('AAEC\r\nAw==\n'), Uint8Array.of(0, 1, 2, 3))
  assert.throws(() => decodeBase64('AAEC\nAw=='), { code: 'BASE64' })
  assert.throws(() => decodeBase64Any('AAEC\n Aw=='), { code: 'BASE64' })
})

test('hexadecimal reads back, in either case', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.deepEqual(decodeHex(encodeHex(bytes)), bytes)
      assert.deepEqual(decodeHex(encodeHex(bytes).toUpperCase()), bytes)
    }),
    { numRuns: fuzzRuns() },
  )
})

for (const text of ['a', 'zz', '0x00', '00 ', '\u0660\u0660']) {
  test(`${JSON.stringify(text)} is not hexadecimal`, () => {
    assert.throws(() => decodeHex(text), { code: 'HEX' })
  })
}

test('bytes that are not UTF-8 are refused', () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    assert.throws(() => decodeUtf8(Uint8Array.from(bytes)), { code: 'UTF8' })
  }
})

test('PEM reads back, several blocks, text around them, CRLF', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)
  const text = `a comment\n${encodePem('CERTIFICATE', bytes)}\n${encodePem('PUBLIC KEY', bytes)}`
  for (const form of [text, text.replaceAll('\n', '\r\n')]) {
    assert.deepEqual(parsePem(form), [
      { label: 'CERTIFICATE', bytes },
      { label: 'PUBLIC KEY', bytes },
    ])
  }
})

for (const [name, text] of [
  ['no block', 'hello'],
  ['no end', '-----BEGIN A-----\nAAAA\n'],
  ['another label at the end', '-----BEGIN A-----\nAAAA\n-----END B-----\n'],
  ['a body that is not base64', '-----BEGIN A-----\n!!!!\n-----END A-----\n'],
  ['a block inside a block', '-----BEGIN A-----\n-----BEGIN A-----\nAAAA\n-----END A-----\n'],
  ['a header', '-----BEGIN A-----\nKind: x\n\nAAAA\n-----END A-----\n'],
  ['a good block and a broken one', `${encodePem('A', new Uint8Array(3))}-----BEGIN A-----\n`],
] as const) {
  test(`PEM refused: ${name}`, () => {
    assert.throws(() => parsePem(text), { code: 'PEM_MALFORMED' })
  })
}

test('any text gives PEM blocks or a coded error', () => {
  const pieces = fc.constantFrom('-----BEGIN A-----', '-----END A-----', '\n', 'AAAA', '-', '=')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          parsePem(text)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      },
    ),
    { numRuns: fuzzRuns() },
  )
})

test('JSON is bounded in depth', () => {
  assert.throws(() => parseJson('['.repeat(5000) + ']'.repeat(5000)), { code: 'JSON' })
  assert.throws(() => parseJson('{'), { code: 'JSON' })
  assert.throws(() => parseJson(Uint8Array.of(0xff)), { code: 'UTF8' })
  assert.deepEqual(parseJson('{"a":[1]}'), { a: [1] })
})

test('JSON: a name stands once in an object', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":[{"x":{}}],"a":2}',
    '{"o":{"a":1,"a":2}}',
    '[{"a":1,"a":2}]',
    String.raw`{"a":1,"\u0061":2}`,
    String.raw`{"\"":1,"\u0022":2}`,
    String.raw`{"\\":1,"b":"\\","\\":2}`,
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
    ' { "a" : [ "a" , {"a":"a"} ] , "b" : "a" , "a" : 0 } ',
  ]) {
    assert.throws(() => parseJson(text), { code: 'JSON' }, text)
  }
  for (const text of [
    '{"a":"a","b":["a","a"],"c":{"a":"a"},"A":1}',
    '[{"a":1},{"a":1}]',
    String.raw`{"a":"\",\"a\":\"","b":"{\"a\":1,\"a\":2}"}`,
    '"a"',
    '{}',
  ]) {
    assert.deepEqual(parseJson(text), JSON.parse(text))
  }
})

test('JSON: what has each name once is read as the engine reads it, and one name more of any object is seen', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (value, choice) => {
      const text = JSON.stringify(value)
      assert.deepEqual(parseJson(text), JSON.parse(text))
      // Before any name of any object its own first name again: the braces within strings are told apart by parsing.
      const objects = [...text.matchAll(/\{(?="((?:[^"\\]|\\.)*)":)/g)]
      const object = objects[choice % Math.max(1, objects.length)]
      if (object === undefined) return
      const doubled = `${text.slice(0, object.index + 1)}"${object[1] ?? ''}":0,${text.slice(object.index + 1)}`
      if (!isJson(doubled) || JSON.stringify(JSON.parse(doubled)) !== text) return
      assert.throws(() => parseJson(doubled), { code: 'JSON' }, doubled)
    }),
    { numRuns: fuzzRuns() },
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('a JSON error never quotes the text', () => {
  assert.throws(
    () => parseJson('{"token": secret123'),
    (error: unknown) =>
      isCodedError(error) && !JSON.stringify(error).includes('secret') && !error.message.includes('secret'),
  )
})

test('JCS: the example of RFC 8785 §3.2.2', () => {
  const value = parseJson(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  assert.equal(
    canonicalize(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('JCS: members are sorted by UTF-16 code units (RFC 8785 §3.2.3)', () => {
  const value = parseJson('{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}')
  assert.equal(canonicalize(value), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
})

test('JCS refuses half characters and numbers that JSON cannot write', () => {
  for (const value of ['\ud800', '\udc00', 'a\udc00\ud800', NaN, Infinity]) {
    assert.throws(() => canonicalize(value), { code: 'JCS' })
  }
  assert.equal(canonicalize('😀😀'), '"😀😀"')
})

test('JCS: its output reads back as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.parse(JSON.stringify(value)) as Parameters<typeof canonicalize>[0]
      try {
        assert.deepEqual(JSON.parse(canonicalize(json)), json)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
