import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { attestationStatement } from './predicate.js'

const subject = { name: 'registry.example/app', sha256: 'ab'.repeat(32) }
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const make = (type: string, predicate: string): Record<string, unknown> =>
  JSON.parse(
    new TextDecoder().decode(attestationStatement({ type, predicate: encodeUtf8(predicate), subject, now })),
  ) as Record<string, unknown>

describe('statements for attestations', () => {
  test('custom wraps the text and says when', () => {
    assert.deepEqual(make('custom', 'any text'), {
      _type: 'https://in-toto.io/Statement/v0.1',
      subject: [{ name: subject.name, digest: { sha256: subject.sha256 } }],
      predicateType: 'https://cosign.sigstore.dev/attestation/v1',
      predicate: { Data: 'any text', Timestamp: '2026-01-02T03:04:05Z' },
    })
  })
  test('JSON goes in letter by letter', () => {
    const text = ' {"components": [], "big": 12345678901234567890.10} \n'
    const statement = new TextDecoder().decode(
      attestationStatement({ type: 'cyclonedx', predicate: encodeUtf8(text), subject, now }),
    )
    assert.ok(statement.endsWith(`"predicate":${text.trim()}}`))
  })
  test('spdx is text, spdxjson is JSON', () => {
    assert.equal(make('spdx', 'SPDXVersion: SPDX-2.3')['predicate'], 'SPDXVersion: SPDX-2.3')
    assert.deepEqual(make('spdxjson', '{"a":1}')['predicate'], { a: 1 })
  })
  test('a URI is a type', () => {
    assert.equal(make('https://example.com/t/v1', '{}')['predicateType'], 'https://example.com/t/v1')
  })
  const refused: readonly (readonly [string, string])[] = [
    ['cyclonedx', 'not json'],
    ['cyclonedx', '[]'],
    ['cyclonedx', '"text"'],
    ['cyclonedx', ''],
    ['spdxjson', '{'],
    ['slsaprovenance', '{}'],
    ['slsaprovenance1', '{"buildDefinition":{}}'],
    ['link', '{"name":"x"}'],
    ['vuln', '{"scanner":{}}'],
    ['https://example.com/t/v1', '1'],
  ]
  for (const [type, predicate] of refused) {
    test(`refuses ${JSON.stringify(predicate)} as ${type}`, () => {
      assert.throws(() => make(type, predicate), { code: 'SIGN_PREDICATE' })
    })
  }
  test('refuses a type that there is not', () => {
    assert.throws(() => make('no-such-type', '{}'), { code: 'IN_TOTO_PREDICATE_TYPE' })
  })
  test('refuses bytes that are no text', () => {
    const predicate = Uint8Array.of(0xff, 0xfe)
    assert.throws(() => attestationStatement({ type: 'custom', predicate, subject, now }), { code: 'SIGN_PREDICATE' })
  })
})
