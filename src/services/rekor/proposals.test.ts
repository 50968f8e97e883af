import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { decodeAnnotation, encodeAnnotation } from './annotation.js'
import { parseProposal, payloadHashOf } from './intoto-001.js'
import { retrieveQuery, searchQuery } from './parameters.js'
import { entrySearchKeys, statementTerms } from './search-terms.js'

function codedOrNothing(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    assert.ok(isCodedError(error), String(error))
  }
}

/** JSON whose objects have the names that the readers look for. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<JsonValue>(
      'intoto',
      '0.0.1',
      'dsse',
      'hashedrekord',
      'x509',
      'AAAA',
      'and',
      null,
      0,
      -1,
      1.5,
      true,
    ),
    fc.string(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...[
          'kind',
          'apiVersion',
          'spec',
          'content',
          'envelope',
          'publicKey',
          'proposedContent',
          'verifiers',
          'payload',
        ],
        ...['payloadType', 'signatures', 'sig', 'hash', 'algorithm', 'value', 'data', 'signature', 'subject', 'digest'],
        ...[
          'entryUUIDs',
          'logIndexes',
          'entries',
          'email',
          'format',
          'operator',
          '__proto__',
          'predicate',
          'materials',
        ],
      ),
      tie('value'),
      { maxKeys: 6 },
    ),
  ),
})).value as fc.Arbitrary<JsonValue>

test('any JSON gives a proposal, a query, terms, or a coded error', () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = encodeUtf8(JSON.stringify(value))
      codedOrNothing(() => parseProposal(bytes))
      codedOrNothing(() => retrieveQuery(value))
      codedOrNothing(() => searchQuery(value))
      assert.ok(Array.isArray(statementTerms(bytes)))
      assert.ok(payloadHashOf(bytes) === undefined || /^[0-9a-f]{64}$/.test(payloadHashOf(bytes)!))
      entrySearchKeys(bytes, encodeAnnotation({ integratedTime: 0, terms: [] }))
    }),
    { numRuns: 500 },
  )
})

test('any bytes give a proposal, terms, an annotation, or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      codedOrNothing(() => parseProposal(bytes))
      codedOrNothing(() => decodeAnnotation(bytes))
      statementTerms(bytes)
    }),
  )
})

test('an annotation is read back, and its terms are bounded', () => {
  const annotation = { integratedTime: 1_748_779_200_123, terms: ['sha256:ab', 'x'] }
  assert.deepEqual(decodeAnnotation(encodeAnnotation(annotation)), annotation)
  assert.deepEqual(decodeAnnotation(encodeAnnotation({ integratedTime: 1, terms: [] })).terms, [])
  const many = Array.from({ length: 10_000 }, (_, i) => `sha256:${String(i).padStart(64, '0')}`)
  const kept = decodeAnnotation(encodeAnnotation({ integratedTime: 1, terms: many })).terms
  assert.ok(kept.length > 400 && kept.length < 500, String(kept.length))
  assert.deepEqual(kept, many.slice(0, kept.length))
})

test('terms are those of subjects and materials, and nothing that could pass for two', () => {
  const statement = {
    subject: [
      { digest: { sha256: 'AB', sha512: 'cd' } },
      { digest: { sha256: 'ab' } },
      {},
      null,
      { digest: { md5: 7 } },
    ],
    predicate: { materials: [{ digest: { sha1: 'ef' } }], other: 1 },
  }
  assert.deepEqual(statementTerms(encodeUtf8(JSON.stringify(statement))), ['sha256:ab', 'sha512:cd', 'sha1:ef'])
  const sly = { subject: [{ digest: { sha256: 'ab\nbob@example.com', 'x\ny': 'z' } }] }
  assert.deepEqual(statementTerms(encodeUtf8(JSON.stringify(sly))), [])
})
