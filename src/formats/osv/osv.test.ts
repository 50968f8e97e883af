import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { compareMaven } from '../versions/maven.js'
import { compareSemver } from '../versions/semver.js'
import { ECOSYSTEMS } from './ecosystem.js'
import { impactOn } from './evaluate.js'
import { parseOsvRecord, type OsvAffected, type OsvRange } from './record.js'

const GOOD = {
  schema_version: '1.7.5',
  id: 'GHSA-jfh8-c2jp-5v3q',
  modified: '2024-01-01T00:00:00Z',
  published: '2021-12-10T00:40:56Z',
  aliases: ['CVE-2021-44228'],
  related: ['GHSA-7rjr-3q55-vv33'],
  summary: 'Remote code injection in Log4j',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }],
  affected: [
    {
      package: {
        ecosystem: 'Maven',
        name: 'org.apache.logging.log4j:log4j-core',
        purl: 'pkg:maven/org.apache.logging.log4j/log4j-core',
      },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.13.0' }, { fixed: '2.15.0' }] }],
      versions: ['2.13.0'],
      database_specific: { any: 'thing' },
    },
  ],
  database_specific: { severity: 'CRITICAL' },
  unknown: { fields: true },
}
const parse = (document: unknown) => parseOsvRecord(JSON.stringify(document))

describe('records', () => {
  test('a record with everything', () => {
    const record = parse(GOOD)
    assert.deepEqual([record.id, record.aliases, record.withdrawn], [GOOD.id, GOOD.aliases, undefined])
    assert.deepEqual(
      record.severities.map(({ type }) => type),
      ['CVSS_V3', 'label'],
    )
    const [affected] = record.affected
    assert.deepEqual(
      [affected?.package?.ecosystem, affected?.package?.release, affected?.package?.purl?.name],
      ['Maven', undefined, 'log4j-core'],
    )
    assert.deepEqual(affected?.ranges[0]?.events[1], { kind: 'fixed', version: '2.15.0' })
  })

  test('releases of distributions, and the packages that are built of a source', () => {
    const [ubuntu, suse] = parse({
      ...GOOD,
      affected: [
        {
          package: { ecosystem: 'Ubuntu:22.04:LTS', name: 'openssl' },
          ecosystem_specific: { binaries: [{ binary_name: 'libssl3', binary_version: '3.0.2' }] },
        },
        {
          package: { ecosystem: 'SUSE:Linux Enterprise Server 15 SP4', name: 'openssl' },
          ecosystem_specific: { binaries: [{ 'libopenssl-1_1-devel': '1.1.1l', libopenssl1_1: '1.1.1l' }] },
        },
      ],
    }).affected
    assert.deepEqual([ubuntu?.package?.ecosystem, ubuntu?.package?.release], ['Ubuntu', '22.04:LTS'])
    assert.deepEqual([ubuntu?.binaries, suse?.binaries], [['libssl3'], ['libopenssl-1_1-devel', 'libopenssl1_1']])
  })

  test('a record that says nothing but its name', () => {
    const record = parse({ id: 'X-1', modified: '2024-01-01T00:00:00.123456789Z' })
    assert.deepEqual([record.affected, record.aliases, record.summary], [[], [], undefined])
  })

  const affected = (more: unknown) => ({ ...GOOD, affected: [more] })
  const ranges = (...list: readonly unknown[]) => affected({ ranges: list })
  for (const [name, document, code] of [
    ['no object', [], 'OSV_MALFORMED'],
    ['null', null, 'OSV_MALFORMED'],
    ['no id', { ...GOOD, id: undefined }, 'OSV_MALFORMED'],
    ['an empty id', { ...GOOD, id: '' }, 'OSV_MALFORMED'],
    ['no time', { ...GOOD, modified: undefined }, 'OSV_MALFORMED'],
    ['a time that is none', { ...GOOD, modified: 'yesterday' }, 'OSV_MALFORMED'],
    ['withdrawn at no time', { ...GOOD, withdrawn: true }, 'OSV_MALFORMED'],
    ['aliases are a text', { ...GOOD, aliases: 'CVE-1' }, 'OSV_MALFORMED'],
    ['an alias is a number', { ...GOOD, aliases: [1] }, 'OSV_MALFORMED'],
    ['affected is an object', { ...GOOD, affected: {} }, 'OSV_MALFORMED'],
    ['an affected is a text', affected('x'), 'OSV_MALFORMED'],
    ['a package without a name', affected({ package: { ecosystem: 'npm' } }), 'OSV_MALFORMED'],
    ['a package without an ecosystem', affected({ package: { name: 'x' } }), 'OSV_MALFORMED'],
    ['versions are an object', affected({ versions: { 1: 1 } }), 'OSV_MALFORMED'],
    ['a range without a type', ranges({ events: [{ introduced: '0' }] }), 'OSV_MALFORMED'],
    ['a range of a type of tomorrow', ranges({ type: 'VERS', events: [{ introduced: '0' }] }), 'OSV_MALFORMED'],
    ['a range without events', ranges({ type: 'SEMVER' }), 'OSV_MALFORMED'],
    ['nothing introduced it', ranges({ type: 'SEMVER', events: [{ fixed: '1' }] }), 'OSV_MALFORMED'],
    ['two events in one', ranges({ type: 'SEMVER', events: [{ introduced: '0', fixed: '1' }] }), 'OSV_MALFORMED'],
    ['an event of nothing', ranges({ type: 'SEMVER', events: [{ introduced: '0' }, {}] }), 'OSV_MALFORMED'],
    ['a version that is a number', ranges({ type: 'SEMVER', events: [{ introduced: 0 }] }), 'OSV_MALFORMED'],
    ['a schema of tomorrow', { ...GOOD, schema_version: '2.0.0' }, 'OSV_VERSION'],
    ['a schema that is none', { ...GOOD, schema_version: 'x' }, 'OSV_VERSION'],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => parse(document), { code }))
  }

  test('refused: what is not JSON', () => {
    for (const text of ['', '{', '{"id":', '\ufeff{}', new Uint8Array([0xff]), JSON.stringify(GOOD).slice(0, 100)])
      assert.throws(() => parseOsvRecord(text), { code: 'OSV_MALFORMED' })
  })
})

const range = (type: OsvRange['type'], ...events: readonly string[]): OsvRange => ({
  type,
  repo: undefined,
  events: events.map((event) => {
    const [kind, version = ''] = event.split(' ')
    return { kind: kind as 'introduced', version }
  }),
})
const about = (...ranges: readonly OsvRange[]): OsvAffected => ({
  package: undefined,
  ranges,
  versions: new Set(),
  binaries: [],
})

describe('evaluation', () => {
  const two = about(range('SEMVER', 'introduced 1.0.0', 'fixed 1.0.2', 'introduced 3.0.0', 'fixed 3.2.5'))
  const shuffled = about(range('SEMVER', 'fixed 3.2.5', 'introduced 1.0.0', 'introduced 3.0.0', 'fixed 1.0.2'))
  const last = about(range('ECOSYSTEM', 'introduced 0', 'last_affected 2.1.214'))
  const limited = about(range('SEMVER', 'introduced 0', 'limit 1.0.0', 'limit 2.0.0'))
  const git = about(range('GIT', 'introduced 0', 'fixed c43455749b914feef56b178b256f29b3016146eb'))
  const both = about(range('GIT', 'introduced 0', 'fixed abc'), range('ECOSYSTEM', 'introduced 2.8.0', 'fixed 2.10.0'))
  for (const [affected, version, expected] of [
    [two, '0.9.0', 'unaffected'],
    [two, '1.0.0', 'affected'],
    [two, '1.0.1', 'affected'],
    [two, '1.0.2-rc.1', 'affected'],
    [two, '1.0.2', 'unaffected'],
    [two, '2.0.0', 'unaffected'],
    [two, '3.2.4', 'affected'],
    [two, '3.2.5', 'unaffected'],
    [two, 'v3.0.0', 'affected'],
    [two, 'latest', 'unknown'],
    [two, undefined, 'unknown'],
    [shuffled, '1.0.1', 'affected'],
    [shuffled, '2.0.0', 'unaffected'],
    [shuffled, '3.2.4', 'affected'],
    [last, '2.1.214', 'affected'],
    [last, '2.1.215', 'unaffected'],
    [limited, '1.5.0', 'affected'],
    [limited, '2.0.0', 'unaffected'],
    [about(range('SEMVER', 'introduced 0', 'limit *')), '9.9.9', 'affected'],
    [about(range('SEMVER', 'introduced 0')), '9.9.9', 'affected'],
    [about(range('SEMVER', 'introduced 0')), undefined, 'affected'],
    [about(range('SEMVER', 'introduced 0')), 'no version at all', 'affected'],
    [about(range('GIT', 'introduced 0')), undefined, 'affected'],
    [about(range('SEMVER', 'introduced 1.0.0')), '0.9.0', 'unaffected'],
    [about(range('SEMVER', 'introduced 0', 'fixed not-a-version')), '1.0.0', 'unknown'],
    [
      about(range('SEMVER', 'introduced 0', 'fixed x'), range('SEMVER', 'introduced 0', 'fixed 2.0.0')),
      '1.0.0',
      'affected',
    ],
    [
      about(range('SEMVER', 'introduced 0', 'fixed x'), range('SEMVER', 'introduced 0', 'fixed 1.0.0')),
      '1.0.0',
      'unknown',
    ],
    [git, '1.0.0', 'unknown'],
    [{ ...git, versions: new Set(['v1.0.0']) }, 'v1.0.0', 'affected'],
    [{ ...git, versions: new Set(['v1.0.0']) }, '1.0.0', 'affected'],
    [{ ...git, versions: new Set(['v1.0.0']) }, '1.0.1', 'unknown'],
    [both, '2.9.0', 'affected'],
    [both, '2.10.0', 'unaffected'],
    [about(), '1.0.0', 'unknown'],
    [{ ...about(), versions: new Set(['1.0.0', '1.1']) }, '1.1.0', 'affected'],
    [{ ...about(), versions: new Set(['1.0.0']) }, '1.0.1', 'unaffected'],
    [{ ...two, versions: new Set(['2.0.0']) }, '2.0.0', 'affected'],
  ] as const) {
    test(`${JSON.stringify(affected.ranges.map(({ events }) => events.map((each) => `${each.kind} ${each.version}`).join(', ')))} + ${[...affected.versions].join()}: ${String(version)} is ${expected}`, () => {
      assert.equal(impactOn(affected, version, compareSemver), expected)
    })
  }

  test('without an order nothing is ruled out', () => {
    assert.equal(impactOn(last, '2.1.215', undefined), 'unknown')
    assert.equal(impactOn({ ...last, versions: new Set(['1']) }, '2', undefined), 'unknown')
    assert.equal(impactOn({ ...last, versions: new Set(['2']) }, '2', undefined), 'affected')
    // SEMVER ranges bring their order along.
    assert.equal(impactOn(two, '1.0.1', undefined), 'affected')
  })

  test('the order of the ecosystem decides', () => {
    const affected = about(range('ECOSYSTEM', 'introduced 2.0-beta9', 'fixed 2.15.0'))
    assert.equal(impactOn(affected, '2.0-beta9', compareMaven), 'affected')
    assert.equal(impactOn(affected, '2.0-beta8', compareMaven), 'unaffected')
    assert.equal(impactOn(affected, '2.15.0', compareMaven), 'unaffected')
  })
})

test('every ecosystem has an order and types of package URLs', () => {
  for (const [name, { compare, purlTypes, distribution, namespaces }] of ECOSYSTEMS) {
    assert.ok(compare !== undefined && purlTypes.length > 0, name)
    assert.equal(distribution === true, namespaces !== undefined, name)
  }
})

test('any JSON is a record or is refused with a code, and any record is evaluated', () => {
  const version = fc.oneof(fc.string(), fc.constantFrom('0', '1.0.0', '2.0.0', '*'))
  const event = fc.oneof(
    fc.jsonValue(),
    fc
      .tuple(fc.constantFrom('introduced', 'fixed', 'last_affected', 'limit'), version)
      .map((pair) => Object.fromEntries([pair])),
  )
  const document = fc.record({
    id: fc.string(),
    modified: fc.constantFrom('2024-01-01T00:00:00Z', 'x'),
    aliases: fc.oneof(fc.jsonValue(), fc.array(fc.string())),
    affected: fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record(
          {
            package: fc.oneof(
              fc.jsonValue(),
              fc.record({ ecosystem: fc.string(), name: fc.string(), purl: fc.string() }),
            ),
            ranges: fc.array(
              fc.record({ type: fc.constantFrom('SEMVER', 'ECOSYSTEM', 'GIT'), events: fc.array(event) }),
            ),
            versions: fc.array(version),
            ecosystem_specific: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
      ),
    ),
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        document.map((each) => JSON.stringify(each)),
      ),
      version,
      (source, of) => {
        try {
          for (const affected of parseOsvRecord(source).affected) impactOn(affected, of, compareSemver)
        } catch (error) {
          assert.ok(isCodedError(error) && error.code.startsWith('OSV_'), String(error))
        }
      },
    ),
    { numRuns: fuzzRuns() },
  )
})
