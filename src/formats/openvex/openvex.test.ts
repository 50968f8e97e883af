import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { parsePurl } from '../purl/purl.js'
import { isVexPredicateType, readVexPredicate } from './document.js'
import { judgeVex, type AttestedVex, type VexSubject } from './judgement.js'

const statement = (more: JsonObject = {}): JsonObject => ({
  vulnerability: { name: 'CVE-2021-44228', aliases: ['GHSA-jfh8-c2jp-5v3q'] },
  status: 'not_affected',
  justification: 'vulnerable_code_not_in_execute_path',
  ...more,
})
const document = (statements: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://openvex.dev/docs/example/1',
  author: 'Ann',
  timestamp: '2024-01-01T00:00:00.123456789-06:00',
  version: 1,
  statements,
  ...more,
})

describe('documents', () => {
  test('a document with everything', () => {
    const read = readVexPredicate(
      document([
        statement({
          timestamp: '2024-02-01T00:00:00Z',
          products: [
            {
              '@id': 'pkg:oci/app@sha256%3Aaa',
              identifiers: { purl: 'pkg:oci/app@sha256%3Abb', cpe23: 'cpe:2.3:a:b' },
              hashes: { 'sha-256': 'AA', sha512: 'BB' },
              subcomponents: [{ '@id': 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1' }],
            },
          ],
        }),
        statement({ status: 'affected', justification: null, action_statement: 'update' }),
      ]),
    )
    assert.deepEqual([read.id, read.author, read.version], ['https://openvex.dev/docs/example/1', 'Ann', 1])
    const [first, second] = read.statements
    assert.deepEqual(first?.vulnerabilities, ['CVE-2021-44228', 'GHSA-jfh8-c2jp-5v3q'])
    assert.deepEqual(first.products[0]?.hashes, ['sha256:aa', 'sha512:bb'])
    assert.equal(first.products[0].purls.length, 2)
    assert.equal(first.products[0].subcomponents[0]?.purls[0]?.name, 'log4j-core')
    assert.equal(first.timestamp, Date.UTC(2024, 1, 1))
    assert.deepEqual([second?.timestamp, second?.action], [Date.UTC(2024, 0, 1, 6, 0, 0, 123), 'update'])
  })

  test('the first form of documents', () => {
    const read = readVexPredicate({
      '@context': 'https://openvex.dev/ns',
      '@id': 'x',
      author: 'Ann',
      version: '3',
      statements: [
        {
          vulnerability: 'CVE-1',
          timestamp: '2023-01-01T00:00:00Z',
          products: ['pkg:apk/wolfi/bash@1.0.0', 'something else'],
          subcomponents: ['pkg:apk/wolfi/readline@1'],
          status: 'fixed',
        },
      ],
    })
    const [first] = read.statements
    assert.deepEqual([read.version, first?.vulnerabilities, first?.products.length], [3, ['CVE-1'], 2])
    assert.equal(first?.products[1]?.subcomponents[0]?.purls[0]?.name, 'readline')
  })

  const withStatement = (more: JsonObject): JsonObject => document([statement(more)])
  for (const [name, predicate, code] of [
    ['nothing', undefined, 'VEX_FORMAT'],
    ['a text', 'x', 'VEX_FORMAT'],
    ['a bill of materials', { bomFormat: 'CycloneDX' }, 'VEX_FORMAT'],
    ['a context like it', document([], { '@context': 'https://openvex.dev/nsx' }), 'VEX_FORMAT'],
    ['a version of tomorrow', document([], { '@context': 'https://openvex.dev/ns/v0.9.0' }), 'VEX_VERSION'],
    ['no id', document([], { '@id': null }), 'VEX_MALFORMED'],
    ['no author', document([], { author: '' }), 'VEX_MALFORMED'],
    ['a version that is none', document([], { version: 'one' }), 'VEX_MALFORMED'],
    ['a version below zero', document([], { version: -1 }), 'VEX_MALFORMED'],
    ['a time that is none', document([], { timestamp: 'now' }), 'VEX_MALFORMED'],
    ['no time at all', document([statement()], { timestamp: null }), 'VEX_MALFORMED'],
    ['statements are an object', document([], { statements: {} }), 'VEX_MALFORMED'],
    ['a statement is a text', { ...document([]), statements: ['x'] }, 'VEX_MALFORMED'],
    ['a status that is none', withStatement({ status: 'fine' }), 'VEX_MALFORMED'],
    ['no status', withStatement({ status: null }), 'VEX_MALFORMED'],
    ['not affected, and no reason', withStatement({ justification: null }), 'VEX_MALFORMED'],
    ['a reason that is none', withStatement({ justification: 'because' }), 'VEX_MALFORMED'],
    ['no vulnerability', withStatement({ vulnerability: null }), 'VEX_MALFORMED'],
    ['a vulnerability without a name', withStatement({ vulnerability: { aliases: [] } }), 'VEX_MALFORMED'],
    ['aliases are numbers', withStatement({ vulnerability: { name: 'x', aliases: [1] } }), 'VEX_MALFORMED'],
    ['a product of nothing', withStatement({ products: [{}] }), 'VEX_MALFORMED'],
    ['a product is a number', withStatement({ products: [1] }), 'VEX_MALFORMED'],
    ['products are a text', withStatement({ products: 'pkg:oci/app' }), 'VEX_MALFORMED'],
    ['hashes are a list', withStatement({ products: [{ '@id': 'x', hashes: ['aa'] }] }), 'VEX_MALFORMED'],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => readVexPredicate(predicate), { code }))
  }

  test('types', () => {
    for (const type of ['https://openvex.dev/ns', 'https://openvex.dev/ns/v0.2.0', 'text/vex'])
      assert.ok(isVexPredicateType(type), type)
    for (const type of ['https://openvex.dev/nsx', 'http://openvex.dev/ns', 'https://cyclonedx.org/vex', ''])
      assert.ok(!isVexPredicateType(type), type)
  })
})

const DIGEST = `sha256:${'ab'.repeat(32)}`
const SUBJECT: VexSubject = { digests: [DIGEST], repositories: ['registry.example.com/team/app'] }
const LOG4J = {
  purls: [parsePurl('pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar')],
  hashes: ['sha1:aa'],
}
const NAMES = new Set(['CVE-2021-44228'])

const attested = (predicate: JsonObject, more: Partial<AttestedVex> = {}): AttestedVex => ({
  document: readVexPredicate(predicate),
  signer: 'ann',
  signedAt: undefined,
  ...more,
})
const judge = (...all: readonly AttestedVex[]) =>
  judgeVex(all, SUBJECT, { vulnerability: NAMES, target: LOG4J })?.status

const product = (more: JsonObject, ...subcomponents: readonly JsonValue[]) =>
  attested(document([statement({ products: [{ ...more, subcomponents }] })]))

describe('what is said now', () => {
  test('a statement without products is about what it is attached to', () => {
    assert.equal(judge(attested(document([statement()]))), 'not_affected')
    assert.equal(judge(attested(document([]))), undefined)
    assert.equal(judge(), undefined)
  })

  test('any name of the vulnerability, and no other vulnerability', () => {
    const names = new Set(['GHSA-jfh8-c2jp-5v3q', 'X'])
    const all = [attested(document([statement()]))]
    assert.equal(judgeVex(all, SUBJECT, { vulnerability: names, target: LOG4J })?.status, 'not_affected')
    const other = { vulnerability: new Set(['CVE-2021-45046']), target: LOG4J }
    assert.equal(judgeVex(all, SUBJECT, other), undefined)
  })

  for (const [name, more, expected] of [
    ['its digest in a package URL', { '@id': `pkg:oci/app@${encodeURIComponent(DIGEST)}` }, true],
    ['its digest as a hash', { hashes: { 'sha-256': 'ab'.repeat(32) } }, true],
    ['its name with the digest', { '@id': `registry.example.com/team/app@${DIGEST}` }, true],
    ['its name', { '@id': 'registry.example.com/team/app' }, true],
    ['its name as a package URL', { '@id': 'pkg:oci/app?repository_url=registry.example.com/team/app' }, true],
    ['the short name as a package URL', { identifiers: { purl: 'pkg:oci/app' } }, true],
    ['another digest', { '@id': `pkg:oci/app@sha256:${'cd'.repeat(32)}` }, false],
    ['another repository', { '@id': 'pkg:oci/app?repository_url=registry.example.com/evil/app' }, false],
    ['another name', { '@id': 'pkg:oci/application' }, false],
    ['a tag, which may be anything', { '@id': 'pkg:oci/app?tag=1.2' }, false],
    ['the name as another type', { '@id': 'pkg:generic/app' }, false],
    ['the component itself', { '@id': 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1' }, false],
    ['another hash', { hashes: { 'sha-256': 'cd'.repeat(32) } }, false],
  ] as const) {
    test(`the product is ${name}`, () => assert.equal(judge(product(more)) !== undefined, expected))
  }

  for (const [name, subcomponent, expected] of [
    ['the component', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1', true],
    ['any version of it', 'pkg:maven/org.apache.logging.log4j/log4j-core', true],
    ['with its qualifier', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar', true],
    ['its hash', { hashes: { sha1: 'AA' } }, true],
    ['another version', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1', false],
    ['another qualifier', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=war', false],
    ['another artifact', 'pkg:maven/org.apache.logging.log4j/log4j-api@2.14.1', false],
    ['something that is no package URL', 'log4j-core', false],
  ] as const) {
    test(`the subcomponent is ${name}`, () => {
      assert.equal(judge(product({ '@id': 'pkg:oci/app' }, subcomponent)) !== undefined, expected)
    })
  }

  const at = (timestamp: string, status: string, more: JsonObject = {}): JsonObject =>
    document([statement({ timestamp, status })], { '@id': `doc-${timestamp}-${status}`, ...more })

  test('the latest statement counts, wherever it stands', () => {
    const early = attested(at('2024-01-01T00:00:00Z', 'not_affected'))
    const late = attested(at('2024-03-01T00:00:00Z', 'affected'))
    assert.equal(judge(early, late), 'affected')
    assert.equal(judge(late, early), 'affected')
    assert.equal(judge(late, attested(at('2024-04-01T00:00:00Z', 'fixed')), early), 'fixed')
  })

  test('of two at one moment the more alarming one counts', () => {
    const moment = '2024-01-01T00:00:00Z'
    const of = (status: string) => attested(at(moment, status))
    assert.equal(judge(of('not_affected'), of('affected'), of('fixed')), 'affected')
    assert.equal(judge(of('not_affected'), of('under_investigation')), 'under_investigation')
  })

  test('a statement cannot date itself later than it was signed', () => {
    const future = attested(at('2034-01-01T00:00:00Z', 'not_affected'), { signedAt: Date.UTC(2024, 0, 1) })
    const taken = attested(at('2024-02-01T00:00:00Z', 'affected'), { signedAt: Date.UTC(2024, 1, 1) })
    assert.equal(judge(future, taken), 'affected')
  })

  test('a later version of a document takes the place of an earlier one, by the same signer only', () => {
    const id = { '@id': 'doc' }
    const first = attested(at('2024-05-01T00:00:00Z', 'not_affected', { ...id, version: 1 }))
    const second = at('2024-01-01T00:00:00Z', 'affected', { ...id, version: 2 })
    assert.equal(judge(first, attested(second)), 'affected')
    assert.equal(judge(first, attested(second, { signer: 'eve' })), 'not_affected')
    assert.equal(judge(first, attested(document([], { ...id, version: 2 }))), undefined)
  })
})

test('any JSON is a document or is refused with a code', () => {
  const component = fc.oneof(
    fc.string(),
    fc.jsonValue(),
    fc.record({ '@id': fc.string(), identifiers: fc.dictionary(fc.string(), fc.string()), hashes: fc.jsonValue() }),
  )
  const any = fc.record(
    {
      '@context': fc.constantFrom('https://openvex.dev/ns', 'https://openvex.dev/ns/v0.2.0'),
      '@id': fc.string(),
      author: fc.string(),
      timestamp: fc.oneof(fc.constant('2024-01-01T00:00:00Z'), fc.jsonValue()),
      version: fc.oneof(fc.nat(), fc.jsonValue()),
      statements: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record({
            vulnerability: fc.oneof(fc.string(), fc.jsonValue(), fc.record({ name: fc.string() })),
            products: fc.oneof(fc.jsonValue(), fc.array(component)),
            subcomponents: fc.oneof(fc.jsonValue(), fc.array(component)),
            status: fc.constantFrom('not_affected', 'affected', 'x'),
            justification: fc.constantFrom('component_not_present', undefined, 'x'),
          }),
        ),
      ),
    },
    { requiredKeys: ['@context'] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), any), (predicate) => {
      try {
        const all = [attested(predicate as JsonObject)]
        judgeVex(all, SUBJECT, { vulnerability: NAMES, target: LOG4J })
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('VEX_'), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
