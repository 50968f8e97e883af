import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { SIGN_PREDICATE_TYPE, imageSignatureStatement } from './image-signature.js'
import { predicateFromFile, predicateTypeUri } from './predicate-types.js'
import { STATEMENT_V01, STATEMENT_V1, parseStatement, serializeStatement } from './statement.js'

const json = (value: unknown): string => JSON.stringify(value)
const GOOD = {
  _type: STATEMENT_V1,
  subject: [{ name: 'x', digest: { sha256: 'AB' } }],
  predicateType: 'https://example.com/p',
  predicate: { a: 1 },
}

test('the statement of an image signature is as cosign writes it', () => {
  const text = imageSignatureStatement('ab'.repeat(32), new Map([['k', 'v']]))
  assert.equal(
    text,
    `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${'ab'.repeat(32)}"},"annotations":{"k":"v"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`,
  )
  assert.match(imageSignatureStatement('ab', new Map()), /"annotations":\{\}/)
  const { predicateType, subjects } = parseStatement(text)
  assert.deepEqual(
    [predicateType, subjects[0]?.annotations.get('k'), subjects[0]?.digest.get('sha256'), subjects[0]?.name],
    [SIGN_PREDICATE_TYPE, 'v', 'ab'.repeat(32), undefined],
  )
})

test('statements of both versions read back', () => {
  for (const type of [STATEMENT_V01, STATEMENT_V1]) {
    const statement = parseStatement(json({ ...GOOD, _type: type, more: 1 }))
    assert.equal(statement.subjects[0]?.digest.get('sha256'), 'ab')
    assert.deepEqual(parseStatement(serializeStatement(statement)), statement)
  }
  assert.equal(parseStatement(json({ ...GOOD, predicate: undefined })).predicate, undefined)
  assert.equal(parseStatement(json({ ...GOOD, predicate: 'text' })).predicate, 'text')
})

test('annotations that are no text are left out', () => {
  const [subject] = parseStatement(
    json({ ...GOOD, subject: [{ digest: {}, annotations: { a: 'b', c: 1, d: { e: 'f' } } }] }),
  ).subjects
  assert.deepEqual([...(subject?.annotations ?? [])], [['a', 'b']])
})

test('names like those of objects are only names', () => {
  const [subject] = parseStatement(
    '{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{"digest":{"__proto__":"aa","constructor":"bb"}}]}',
  ).subjects
  assert.deepEqual(
    [...(subject?.digest ?? [])],
    [
      ['__proto__', 'aa'],
      ['constructor', 'bb'],
    ],
  )
  assert.equal(subject?.digest.get('toString'), undefined)
})

test('what is no statement is refused', () => {
  for (const [change, code] of [
    [{ _type: 'https://in-toto.io/Statement/v2' }, 'IN_TOTO_TYPE'],
    [{ _type: undefined }, 'IN_TOTO_TYPE'],
    [{ _type: 1 }, 'IN_TOTO_TYPE'],
    [{ predicateType: undefined }, 'IN_TOTO_MALFORMED'],
    [{ predicateType: {} }, 'IN_TOTO_MALFORMED'],
    [{ subject: undefined }, 'IN_TOTO_MALFORMED'],
    [{ subject: {} }, 'IN_TOTO_MALFORMED'],
    [{ subject: [null] }, 'IN_TOTO_MALFORMED'],
    [{ subject: [{ digest: [] }] }, 'IN_TOTO_MALFORMED'],
    [{ subject: [{ digest: { sha256: 1 } }] }, 'IN_TOTO_MALFORMED'],
    [{ subject: [{ name: 1 }] }, 'IN_TOTO_MALFORMED'],
  ] as const) {
    assert.throws(() => parseStatement(json({ ...GOOD, ...change })), { code }, json(change))
  }
  for (const source of ['', '[]', 'null', '"x"'])
    assert.throws(() => parseStatement(source), { code: 'IN_TOTO_MALFORMED' })
})

test('predicate types by short name or address', () => {
  assert.equal(predicateTypeUri('cyclonedx'), 'https://cyclonedx.org/bom')
  assert.equal(predicateTypeUri('slsaprovenance'), predicateTypeUri('slsaprovenance02'))
  assert.equal(predicateTypeUri('https://example.com/mine'), 'https://example.com/mine')
  for (const type of ['', 'Cyclonedx', 'constructor', 'no uri', 'x y:z'])
    assert.throws(() => predicateTypeUri(type), { code: 'IN_TOTO_PREDICATE_TYPE' }, type)
})

test('predicates are made of files as cosign makes them', () => {
  const make = (type: string, text: string): unknown => predicateFromFile({ type, text, time: 1_700_000_000_999 })
  assert.deepEqual(make('custom', 'any\n'), { Data: 'any\n', Timestamp: '2023-11-14T22:13:20Z' })
  assert.equal(make('spdx', 'SPDXVersion: 2.2\n'), 'SPDXVersion: 2.2\n')
  assert.deepEqual(make('spdxjson', '{"a":1}'), { a: 1 })
  assert.deepEqual(make('https://example.com/mine', '{}'), {})
  for (const text of ['', 'x', '[]', 'null'])
    assert.throws(() => make('cyclonedx', text), { code: 'IN_TOTO_PREDICATE' })
})

test('any JSON is a statement or is refused with a code', () => {
  const shaped = fc
    .record({
      _type: fc.constantFrom(STATEMENT_V1, STATEMENT_V01),
      subject: fc.oneof(fc.jsonValue(), fc.array(fc.record({ digest: fc.jsonValue(), annotations: fc.jsonValue() }))),
      predicateType: fc.oneof(fc.string(), fc.jsonValue()),
      predicate: fc.jsonValue(),
    })
    .map(json)
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped), (source) => {
      try {
        parseStatement(source)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('IN_TOTO_'), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
