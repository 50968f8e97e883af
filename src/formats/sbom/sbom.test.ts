import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { formatPurl } from '../purl/purl.js'
import type { SbomComponent } from './component.js'
import { MAX_COMPONENTS } from './fields.js'
import { isSbomPredicateType, readSbomPredicate } from './predicate.js'

const short = ({ group, name, version, purl }: SbomComponent): string =>
  [group, name, version, purl === undefined ? undefined : formatPurl(purl)].map((part) => part ?? '-').join(' ')

const cyclonedx = (more: JsonObject): JsonObject => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  ...more,
})
const LOG4J = {
  type: 'library',
  group: 'org.apache.logging.log4j',
  name: 'log4j-core',
  version: '2.14.1',
  purl: 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
  cpe: 'cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*',
  hashes: [{ alg: 'SHA-256', content: 'AB12' }],
  evidence: { occurrences: [{ location: '/app/lib/log4j-core.jar' }] },
  properties: [
    { name: 'syft:location:0:path', value: '/app/lib/log4j-core.jar' },
    { name: 'syft:location:1:path', value: '/opt/log4j-core.jar' },
    { name: 'syft:cpe23', value: 'cpe:2.3:a:apache:log4j-core:2.14.1:*:*:*:*:*:*:*' },
    { name: 'other' },
  ],
}

describe('CycloneDX', () => {
  test('a component with everything', () => {
    const sbom = readSbomPredicate(cyclonedx({ components: [LOG4J] }))
    assert.deepEqual([sbom.format, sbom.version, sbom.completeness], ['CycloneDX', '1.5', 'unstated'])
    const [component] = sbom.components
    assert.equal(
      short(component!),
      'org.apache.logging.log4j log4j-core 2.14.1 pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
    )
    assert.deepEqual(component?.hashes, ['sha256:ab12'])
    assert.deepEqual(component.locations, ['/app/lib/log4j-core.jar', '/opt/log4j-core.jar'])
    assert.equal(component.cpes.length, 2)
  })

  test('components inside of components, the software itself, and not the tools', () => {
    const sbom = readSbomPredicate(
      cyclonedx({
        metadata: {
          tools: { components: [{ type: 'application', name: 'syft' }] },
          component: { type: 'container', name: 'app', components: [{ type: 'library', name: 'in the root' }] },
        },
        components: [
          { type: 'library', name: 'a', components: [{ type: 'library', name: 'b', components: [LOG4J] }] },
          { type: 'library', name: 'c' },
        ],
      }),
    )
    assert.deepEqual(sbom.components.map(({ name }) => name).sort(), [
      'a',
      'app',
      'b',
      'c',
      'in the root',
      'log4j-core',
    ])
  })

  test('what the software itself is does not make a bill say something', () => {
    const itself = { metadata: { component: { type: 'container', name: 'app' } } }
    assert.equal(readSbomPredicate(cyclonedx(itself)).contained, 0)
    assert.equal(readSbomPredicate(cyclonedx({ ...itself, components: [LOG4J] })).contained, 1)
    const spdx = {
      spdxVersion: 'SPDX-2.3',
      packages: [{ SPDXID: 'SPDXRef-a', name: 'app' }],
      relationships: [
        { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-a' },
      ],
    }
    assert.equal(readSbomPredicate(spdx).contained, 0)
    assert.equal(readSbomPredicate({ ...spdx, relationships: [], documentDescribes: ['SPDXRef-a'] }).contained, 0)
    assert.equal(readSbomPredicate({ ...spdx, relationships: [] }).contained, 1)
    const tags = 'SPDXVersion: SPDX-2.3\nPackageName: app\nSPDXID: SPDXRef-a\n'
    assert.equal(readSbomPredicate(`${tags}Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-a\n`).contained, 0)
    assert.equal(readSbomPredicate(tags).contained, 1)
    const graph = [
      { type: 'software_Sbom', rootElement: ['urn:a'] },
      { type: 'software_Package', spdxId: 'urn:a', name: 'app' },
      { type: 'software_Package', spdxId: 'urn:b', name: 'b' },
    ]
    const context = { '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld' }
    assert.equal(readSbomPredicate({ ...context, '@graph': graph }).contained, 1)
  })

  test('every version that is read, and none other', () => {
    for (const specVersion of ['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'])
      assert.equal(readSbomPredicate(cyclonedx({ specVersion })).version, specVersion)
    for (const specVersion of ['1.0', '1.1', '2.0', '1.10', '', null])
      assert.throws(() => readSbomPredicate(cyclonedx({ specVersion })), { code: 'SBOM_VERSION' })
  })

  for (const [name, compositions, expected] of [
    ['complete', [{ aggregate: 'complete', assemblies: ['x'] }], 'complete'],
    ['one part left out', [{ aggregate: 'complete' }, { aggregate: 'incomplete_third_party_only' }], 'incomplete'],
    ['unknown', [{ aggregate: 'unknown' }], 'unstated'],
    ['about vulnerabilities only', [{ aggregate: 'incomplete', vulnerabilities: ['v'] }], 'unstated'],
    ['nothing', [], 'unstated'],
  ] as const) {
    test(`completeness: ${name}`, () =>
      assert.equal(readSbomPredicate(cyclonedx({ compositions })).completeness, expected))
  }

  test('the distribution, and the sources of its packages', () => {
    const sbom = readSbomPredicate(
      cyclonedx({
        components: [
          { type: 'operating-system', name: 'Debian', version: '11.6' },
          {
            type: 'library',
            name: 'libssl1.1',
            version: '1.1.1n-0+deb11u3',
            purl: 'pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u3?distro=debian-11.6',
            properties: [
              { name: 'aquasecurity:trivy:SrcName', value: 'openssl' },
              { name: 'aquasecurity:trivy:SrcVersion', value: '1.1.1n' },
              { name: 'aquasecurity:trivy:SrcRelease', value: '0+deb11u3' },
              { name: 'aquasecurity:trivy:SrcEpoch', value: '1' },
            ],
          },
          { type: 'library', name: 'libc6', purl: 'pkg:deb/debian/libc6@2.36-9?upstream=glibc%402.36-8' },
          { type: 'library', name: 'libz', purl: 'pkg:rpm/redhat/libz@1?upstream=zlib-1.2.11-21.el8_7.src.rpm' },
          { type: 'library', name: 'x', properties: [{ name: 'syft:metadata:originPackage', value: 'busybox' }] },
        ],
      }),
    )
    assert.deepEqual(sbom.distribution, { name: 'debian', version: '11.6' })
    assert.deepEqual(
      sbom.components.map(({ source }) => source),
      [
        undefined,
        { name: 'openssl', version: '1:1.1.1n-0+deb11u3' },
        { name: 'glibc', version: '2.36-8' },
        { name: 'zlib', version: '1.2.11-21.el8_7' },
        { name: 'busybox', version: undefined },
      ],
    )
  })

  test('what is no package URL leaves the component to its name', () => {
    const { components } = readSbomPredicate(cyclonedx({ components: [{ type: 'library', name: 'x', purl: 'pkg:x' }] }))
    assert.deepEqual([components[0]?.name, components[0]?.purl], ['x', undefined])
  })

  for (const [name, more, code] of [
    ['components are no list', { components: {} }, 'SBOM_MALFORMED'],
    ['a component is no object', { components: [1] }, 'SBOM_MALFORMED'],
    ['a component without a name', { components: [{ type: 'library' }] }, 'SBOM_MALFORMED'],
    ['a name that is a number', { components: [{ name: 1 }] }, 'SBOM_MALFORMED'],
    ['deep inside', { components: [{ name: 'a', components: [{ name: 'b', components: 1 }] }] }, 'SBOM_MALFORMED'],
    ['metadata is a text', { metadata: 'x' }, 'SBOM_MALFORMED'],
    ['a name of megabytes', { components: [{ name: 'x'.repeat(1e6) }] }, 'SBOM_LIMIT'],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => readSbomPredicate(cyclonedx(more)), { code }))
  }

  test('too many components', () => {
    const components = new Array<JsonValue>(MAX_COMPONENTS + 1).fill({ name: 'x' })
    assert.throws(() => readSbomPredicate(cyclonedx({ components })), { code: 'SBOM_LIMIT' })
  })
})

const purlRef = (referenceLocator: string, referenceType = 'purl'): JsonObject => ({
  referenceCategory: 'PACKAGE-MANAGER',
  referenceType,
  referenceLocator,
})

describe('SPDX', () => {
  const document = {
    spdxVersion: 'SPDX-2.3',
    packages: [
      { name: 'app', versionInfo: 'NOASSERTION', primaryPackagePurpose: 'CONTAINER' },
      { name: 'Debian', versionInfo: '12', primaryPackagePurpose: 'OPERATING-SYSTEM' },
      {
        name: 'openssl',
        versionInfo: '3.0.11',
        sourceInfo: 'built package from: openssl 3.0.11-1~deb12u2',
        checksums: [{ algorithm: 'SHA1', checksumValue: 'FF' }],
        externalRefs: [
          purlRef('pkg:deb/debian/openssl@3.0.11'),
          purlRef('pkg:generic/openssl@3.0.11'),
          purlRef('cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*', 'cpe23Type'),
          purlRef('cpe:/a:openssl:openssl:3.0.11', 'http://spdx.org/rdf/references/cpe22Type'),
        ],
      },
    ],
    files: [{ fileName: './usr/bin/openssl' }],
  }

  test('packages, once for each package URL', () => {
    const sbom = readSbomPredicate(document)
    assert.deepEqual([sbom.format, sbom.version, sbom.distribution?.name], ['SPDX', '2.3', 'debian'])
    assert.deepEqual(sbom.components.map(short), [
      '- app - -',
      '- Debian 12 -',
      '- openssl 3.0.11 pkg:deb/debian/openssl@3.0.11',
      '- openssl 3.0.11 pkg:generic/openssl@3.0.11',
    ])
    const openssl = sbom.components[2]
    assert.deepEqual(openssl?.source, { name: 'openssl', version: '3.0.11-1~deb12u2' })
    assert.deepEqual(openssl.hashes, ['sha1:ff'])
    assert.equal(openssl.cpes.length, 2)
  })

  test('the same as tags and values', () => {
    const text = `# made by hand
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0

PackageName: openssl
SPDXID: SPDXRef-1
PackageVersion: 3.0.11
PackageSourceInfo: <text>built package from: openssl 3.0.11-1</text>
PackageComment: <text>over
PackageName: not a package
lines</text>
PackageChecksum: SHA256: ABCD
ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/openssl@3.0.11
ExternalRef: SECURITY cpe23Type cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*

FileName: ./x
SPDXID: SPDXRef-2
PackageVersion: not of a package

PackageName: other
`
    for (const predicate of [text, { Data: text, Timestamp: '2024-01-01T00:00:00Z' }, text.replaceAll('\n', '\r\n')]) {
      const { components, version } = readSbomPredicate(predicate)
      assert.equal(version, '2.3')
      assert.deepEqual(components.map(short), ['- openssl 3.0.11 pkg:deb/debian/openssl@3.0.11', '- other - -'])
      assert.deepEqual(components[0]?.source, { name: 'openssl', version: '3.0.11-1' })
      assert.deepEqual([components[0].hashes, components[0].cpes.length], [['sha256:abcd'], 1])
    }
    assert.throws(() => readSbomPredicate(`${text}PackageComment: <text>no end`), { code: 'SBOM_MALFORMED' })
  })

  test('3.0 in JSON-LD', () => {
    const graph = (...elements: readonly JsonObject[]): JsonObject => ({
      '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
      '@graph': elements,
    })
    const sbom = readSbomPredicate(
      graph(
        { type: 'SpdxDocument', spdxId: 'urn:doc' },
        {
          type: 'software_Package',
          spdxId: 'urn:a',
          name: 'a',
          software_packageVersion: '1',
          software_packageUrl: 'pkg:npm/a@1',
          externalIdentifier: [
            { type: 'ExternalIdentifier', externalIdentifierType: 'packageUrl', identifier: 'pkg:npm/a@1' },
            '_:cpe',
          ],
          verifiedUsing: [{ type: 'Hash', algorithm: 'sha256', hashValue: 'aa' }],
        },
        { '@id': '_:cpe', type: 'ExternalIdentifier', externalIdentifierType: 'cpe23', identifier: 'cpe:2.3:a:a:a' },
        { type: 'https://spdx.org/rdf/3.0.1/terms/Software/Package', spdxId: 'urn:b', name: 'b' },
        { type: 'software_Package', name: 'Alpine', software_primaryPurpose: 'operatingSystem' },
        { type: 'software_File', spdxId: 'urn:f', name: 'f' },
        { type: 'Relationship', relationshipType: 'contains', completeness: 'incomplete' },
      ),
    )
    assert.deepEqual(sbom.components.map(short), ['- a 1 pkg:npm/a@1', '- b - -', '- Alpine - -'])
    assert.deepEqual(sbom.components[0]?.cpes, ['cpe:2.3:a:a:a'])
    assert.deepEqual([sbom.completeness, sbom.version, sbom.distribution?.name], ['incomplete', '3.0', 'alpine'])
    const bad = { type: 'software_Package', name: 'x', externalIdentifier: ['_:gone'] }
    assert.throws(() => readSbomPredicate(graph(bad)), { code: 'SBOM_MALFORMED' })
    const next = { '@context': 'https://spdx.org/rdf/3.1.0/spdx-context.jsonld', '@graph': [] }
    assert.throws(() => readSbomPredicate(next), { code: 'SBOM_VERSION' })
  })

  for (const [name, predicate, code] of [
    ['a version of tomorrow', { spdxVersion: 'SPDX-2.9' }, 'SBOM_VERSION'],
    ['packages are no list', { ...document, packages: 'x' }, 'SBOM_MALFORMED'],
    ['a package is null', { ...document, packages: [null] }, 'SBOM_MALFORMED'],
    ['a package without a name', { ...document, packages: [{ versionInfo: '1' }] }, 'SBOM_MALFORMED'],
    ['references are no list', { ...document, packages: [{ name: 'x', externalRefs: {} }] }, 'SBOM_MALFORMED'],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => readSbomPredicate(predicate), { code }))
  }
})

describe('predicates', () => {
  const bom = cyclonedx({ components: [LOG4J] })

  test('a document, a text, and both wrapped as old cosign did', () => {
    for (const predicate of [bom, JSON.stringify(bom), { Data: bom, Timestamp: '' }, { Data: JSON.stringify(bom) }])
      assert.equal(readSbomPredicate(predicate).components.length, 1)
  })

  for (const [name, predicate] of [
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['a number', 1],
    ['another object', { hello: 1 }],
    ['XML', '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>'],
    ['plain text', 'hello'],
    ['a text in a text', JSON.stringify(JSON.stringify({ bomFormat: 'CycloneDX' }))],
    ['wrapped twice', { Data: { Data: { bomFormat: 'CycloneDX', specVersion: '1.5' } } }],
    ['nested too deeply', `${'['.repeat(1000)}${']'.repeat(1000)}`],
    ['the name on the prototype', parseJson('{"__proto__":{"bomFormat":"CycloneDX","specVersion":"1.5"}}')],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => readSbomPredicate(predicate), { code: 'SBOM_FORMAT' }))
  }

  test('types', () => {
    for (const type of [
      'https://cyclonedx.org/bom',
      'https://cyclonedx.org/bom/v1.4',
      'https://cyclonedx.org/schema',
      'https://spdx.dev/Document',
      'https://spdx.dev/Document/v2.3',
      'spdx',
    ])
      assert.ok(isSbomPredicateType(type), type)
    for (const type of [
      'https://slsa.dev/provenance/v1',
      'https://openvex.dev/ns',
      'https://cyclonedx.org.evil.example/bom',
      'https://cyclonedx.org/vex',
      'x https://cyclonedx.org/bom',
      '',
    ])
      assert.ok(!isSbomPredicateType(type), type)
  })
})

test('names of objects are only names', () => {
  const predicate = parseJson(
    '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"__proto__","version":"constructor","properties":[{"name":"__proto__","value":"x"}]}]}',
  )
  assert.deepEqual(readSbomPredicate(predicate).components.map(short), ['- __proto__ constructor -'])
  assert.equal(Object.getPrototypeOf({}), Object.prototype)
})

test('any JSON is a bill of materials or is refused with a code', () => {
  const { component } = fc.letrec<{ component: unknown }>((tie) => ({
    component: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.record(
        {
          name: fc.oneof(fc.string(), fc.jsonValue()),
          version: fc.oneof(fc.string(), fc.jsonValue()),
          versionInfo: fc.string(),
          purl: fc.oneof(fc.string(), fc.webUrl(), fc.jsonValue()),
          properties: fc.oneof(fc.jsonValue(), fc.array(fc.record({ name: fc.string(), value: fc.jsonValue() }))),
          hashes: fc.oneof(fc.jsonValue(), fc.array(fc.record({ alg: fc.string(), content: fc.jsonValue() }))),
          externalRefs: fc.oneof(
            fc.jsonValue(),
            fc.array(fc.record({ referenceType: fc.constant('purl'), referenceLocator: fc.string() })),
          ),
          externalIdentifier: fc.jsonValue(),
          type: fc.constantFrom('library', 'software_Package', 'operating-system'),
          evidence: fc.jsonValue(),
          components: fc.oneof(fc.jsonValue(), fc.array(tie('component'))),
        },
        { requiredKeys: [] },
      ),
    ),
  }))
  const list = fc.oneof(fc.jsonValue(), fc.array(component))
  const document = fc.oneof(
    fc.jsonValue(),
    fc.record({
      bomFormat: fc.constant('CycloneDX'),
      specVersion: fc.constant('1.6'),
      components: list,
      metadata: fc.jsonValue(),
      compositions: list,
    }),
    fc.record({ spdxVersion: fc.constantFrom('SPDX-2.3', 'SPDX-2.2', 'x'), packages: list }),
    fc.record({ '@context': fc.constant('https://spdx.org/rdf/3.0.1/x'), '@graph': list }),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('PackageName', 'ExternalRef', 'PackageComment', 'FileName', 'PackageChecksum', 'x'),
          fc.string(),
        ),
      )
      .map((tags) => `SPDXVersion: SPDX-2.3\n${tags.map(([tag, value]) => `${tag}: ${value}`).join('\n')}`),
    fc.string(),
  )
  const wrapped = fc.oneof(
    document,
    document.map((Data) => ({ Data })),
    document.map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(wrapped, (predicate) => {
      try {
        readSbomPredicate(predicate as JsonValue)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('SBOM_'), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
