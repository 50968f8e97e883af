import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseOsvRecord } from '#formats/osv/record'
import { parsePurl } from '#formats/purl/purl'
import type { Distribution } from '#formats/sbom/component'
import type { StoredComponent } from '../cache/entry.js'
import { judgeComponent } from './package-match.js'
import { releaseRelation } from './release.js'
import { createVulnerability, vulnerabilityMatcher } from './vulnerability.js'

const component = (more: Partial<StoredComponent>): StoredComponent => ({
  group: undefined,
  name: 'x',
  version: undefined,
  purl: undefined,
  cpes: [],
  hashes: [],
  locations: [],
  source: undefined,
  ...more,
})
const packaged = (purl: string, more: Partial<StoredComponent> = {}): StoredComponent =>
  component({ name: parsePurl(purl).name, version: parsePurl(purl).version, purl, ...more })

interface Affected {
  readonly ecosystem?: string
  readonly name?: string
  readonly purl?: string
  readonly fixed?: string
  readonly repo?: string
  readonly binaries?: readonly string[]
}

function record({ ecosystem, name, purl, fixed = '2.0.0', repo, binaries }: Affected) {
  const type = repo === undefined ? 'ECOSYSTEM' : 'GIT'
  return parseOsvRecord(
    JSON.stringify({
      id: 'X-1',
      modified: '2024-01-01T00:00:00Z',
      affected: [
        {
          ...(ecosystem === undefined ? {} : { package: { ecosystem, name, purl } }),
          ranges: [{ type, repo, events: [{ introduced: '0' }, { fixed }] }],
          ecosystem_specific: { binaries: binaries?.map((each) => ({ binary_name: each })) },
        },
      ],
    }),
  )
}

function verdict(affected: Affected, of: StoredComponent, distribution?: Distribution): string {
  const [first] = record(affected).affected
  const purl = of.purl === undefined ? undefined : parsePurl(of.purl)
  const judged = judgeComponent(first!, { component: of, purl, distribution })
  return judged === undefined ? 'other' : `${judged.certainty} ${judged.impact}`
}

const MAVEN = { ecosystem: 'Maven', name: 'org.acme:lib' }
const DEBIAN = { ecosystem: 'Debian:12', name: 'openssl', fixed: '3.0.11-1~deb12u2' }
const deb = (more: string, source?: StoredComponent['source']) =>
  packaged(`pkg:deb/debian/libssl3@3.0.9-1${more}`, { source })

describe('whether a component is what a record is about', () => {
  for (const [name, affected, of, expected, distribution] of [
    ['the package', MAVEN, packaged('pkg:maven/org.acme/lib@1.0.0'), 'same affected'],
    ['fixed', MAVEN, packaged('pkg:maven/org.acme/lib@2.0.0'), 'same unaffected'],
    ['no version', MAVEN, packaged('pkg:maven/org.acme/lib'), 'same unknown'],
    ['a version that is none', MAVEN, packaged('pkg:maven/org.acme/lib@%24%7Bversion%7D%20x'), 'same unknown'],
    ['another group', MAVEN, packaged('pkg:maven/com.acme/lib@1.0.0'), 'other'],
    ['the name in another ecosystem', MAVEN, packaged('pkg:npm/lib@1.0.0'), 'other'],
    ['an npm scope', { ecosystem: 'npm', name: '@acme/lib' }, packaged('pkg:npm/%40acme/lib@1.0.0'), 'same affected'],
    [
      'PyPI, with other separators',
      { ecosystem: 'PyPI', name: 'ruamel-yaml' },
      packaged('pkg:pypi/ruamel.yaml@0.1'),
      'same affected',
    ],
    [
      'NuGet, in other letters',
      { ecosystem: 'NuGet', name: 'newtonsoft.json' },
      packaged('pkg:nuget/Newtonsoft.Json@1.0.0'),
      'same affected',
    ],
    [
      'a Go module',
      { ecosystem: 'Go', name: 'github.com/acme/lib' },
      packaged('pkg:golang/github.com/acme/lib@v1.0.0'),
      'same affected',
    ],
    [
      'a later major of a Go module',
      { ecosystem: 'Go', name: 'github.com/acme/lib' },
      packaged('pkg:golang/github.com/acme/lib/v2@v2.0.0'),
      'other',
    ],
    [
      'Go itself',
      { ecosystem: 'Go', name: 'stdlib', fixed: '1.21.3' },
      packaged('pkg:golang/stdlib@go1.21.1'),
      'same affected',
    ],
    [
      'Swift, by address',
      { ecosystem: 'SwiftURL', name: 'https://github.com/acme/lib.git' },
      packaged('pkg:swift/github.com/acme/lib@1.0.0'),
      'same affected',
    ],
    [
      'the worse of two versions',
      MAVEN,
      { ...packaged('pkg:maven/org.acme/lib@2.0.0'), version: '1.0.0' },
      'same affected',
    ],

    [
      'no package URL, the group and name',
      MAVEN,
      component({ group: 'org.acme', name: 'lib', version: '1.0.0' }),
      'possible affected',
    ],
    ['no package URL, the name alone', MAVEN, component({ name: 'lib', version: '1.0.0' }), 'possible affected'],
    ['no package URL, fixed', MAVEN, component({ name: 'lib', version: '2.1.0' }), 'possible unaffected'],
    ['no package URL, another group', MAVEN, component({ group: 'com.acme', name: 'lib' }), 'other'],
    [
      'no package URL, a CPE',
      MAVEN,
      component({ name: 'y', cpes: ['cpe:2.3:a:acme:lib:1.0:*:*:*:*:*:*:*'] }),
      'possible unknown',
    ],
    ['generic', MAVEN, packaged('pkg:generic/lib@1.0.0'), 'possible affected'],
    ['an image of the name', MAVEN, packaged('pkg:oci/lib@sha256:aa'), 'other'],

    ['a source package', DEBIAN, deb('?distro=debian-12', { name: 'openssl', version: '3.0.9-1' }), 'same affected'],
    [
      'its version, not the package’s',
      DEBIAN,
      deb('?distro=debian-12', { name: 'openssl', version: '3.0.11-1~deb12u2' }),
      'same unaffected',
    ],
    ['another source', DEBIAN, deb('?distro=debian-12', { name: 'nss', version: undefined }), 'other'],
    [
      'a package that is called like its source',
      DEBIAN,
      packaged('pkg:deb/debian/openssl@3.0.9-1?distro=debian-12'),
      'same affected',
    ],
    ['one that the record lists', { ...DEBIAN, binaries: ['libssl3'] }, deb('?distro=debian-12'), 'same affected'],
    ['another release', DEBIAN, deb('?distro=debian-11', { name: 'openssl', version: undefined }), 'other'],
    [
      'a release by its name',
      DEBIAN,
      deb('?distro=bookworm', { name: 'openssl', version: undefined }),
      'same affected',
    ],
    ['no release', DEBIAN, deb('', { name: 'openssl', version: undefined }), 'possible affected'],
    [
      'the release of the bill',
      DEBIAN,
      deb('', { name: 'openssl', version: undefined }),
      'same affected',
      { name: 'debian', version: '12.4' },
    ],
    ['another distribution', DEBIAN, packaged('pkg:deb/ubuntu/openssl@3.0.9-1?distro=ubuntu-22.04'), 'other'],
    [
      'a distribution that nobody knows',
      DEBIAN,
      packaged('pkg:deb/raspbian/openssl@3.0.9-1?distro=raspbian-12'),
      'possible affected',
    ],
    ['no distribution', DEBIAN, packaged('pkg:deb/openssl@3.0.9-1?distro=12'), 'possible affected'],
    [
      'an epoch in a qualifier',
      { ecosystem: 'Rocky Linux:9', name: 'openssl', fixed: '1:3.0.7-24.el9' },
      packaged('pkg:rpm/rocky/openssl@3.0.7-25.el9?epoch=1&distro=rocky-9.3'),
      'same unaffected',
    ],
    [
      'an epoch that is missing',
      { ecosystem: 'Rocky Linux:9', name: 'openssl', fixed: '1:3.0.7-24.el9' },
      packaged('pkg:rpm/rocky/openssl@3.0.7-25.el9?distro=rocky-9.3'),
      'same affected',
    ],

    [
      'an ecosystem that is not known',
      { ecosystem: 'Tomorrow', name: 'lib' },
      packaged('pkg:npm/lib@1.0.0'),
      'possible unknown',
    ],
    [
      'the same with its package URL',
      { ecosystem: 'Tomorrow', name: 'lib', purl: 'pkg:dhi/lib' },
      packaged('pkg:dhi/lib@1.0.0'),
      'same unknown',
    ],
    [
      'only a repository',
      { repo: 'https://github.com/acme/lib.git' },
      packaged('pkg:npm/lib@1.0.0'),
      'possible unknown',
    ],
    [
      'a repository of another name',
      { repo: 'https://github.com/acme/lib.git' },
      packaged('pkg:npm/libs@1.0.0'),
      'other',
    ],
  ] as readonly (readonly [string, Affected, StoredComponent, string, Distribution?])[]) {
    test(name, () => assert.equal(verdict(affected, of, distribution), expected))
  }
})

test('what is said about the very package outweighs what is said about something of its name', () => {
  const records = [record({ repo: 'https://github.com/acme/lib' }), record({ ecosystem: 'npm', name: 'lib' })]
  const standing = (purl: string): string | undefined =>
    vulnerabilityMatcher([createVulnerability(new Set(['X-1']), records)], '').match(packaged(purl), {
      kind: 'sbom',
      format: 'CycloneDX',
      version: '1.6',
      completeness: 'unstated',
      contained: 1,
      count: 1,
      distribution: undefined,
      signer: { identity: '', issuer: undefined },
      signedAt: undefined,
    })[0]?.standing
  assert.equal(standing('pkg:npm/lib@1.0.0'), 'affected')
  assert.equal(standing('pkg:npm/lib@2.0.0'), undefined)
  assert.equal(standing('pkg:gem/lib@2.0.0'), 'possible')
})

for (const [stated, running, expected] of [
  [undefined, 'debian-12', 'same'],
  ['12', undefined, 'unknown'],
  ['12', 'debian-12', 'same'],
  ['12', 'debian-12.4', 'same'],
  ['12', 'debian-11', 'other'],
  ['12', 'debian', 'unknown'],
  ['11', 'bullseye', 'same'],
  ['12', 'debian-bullseye', 'other'],
  ['sid', 'debian-12', 'other'],
  ['sid', 'debian-sid', 'same'],
  ['v3.18', 'alpine-3.18.4', 'same'],
  ['v3.18', 'alpine-3.1', 'other'],
  ['22.04:LTS', 'ubuntu-22.04', 'same'],
  ['Pro:18.04:LTS', 'ubuntu-18.04', 'same'],
  ['22.04:LTS', 'jammy', 'same'],
  ['enterprise_linux:8::baseos', 'rhel-8.6', 'same'],
  ['rhel_eus:8.4::appstream', 'rhel-8.6', 'other'],
  ['openshift:4.13::el8', 'redhat-8.9', 'same'],
  ['openshift:4.13::el8', 'redhat-9.1', 'other'],
  ['Linux Enterprise Server 15 SP4', 'sles-15.4', 'same'],
  ['Linux Enterprise Server 15 SP4', 'sles-15.5', 'other'],
  ['Leap 15.5', 'opensuse-leap-15.5', 'same'],
  ['Tumbleweed', 'opensuse-tumbleweed', 'same'],
  ['Tumbleweed', 'opensuse-leap-15.5', 'other'],
  ['3', 'azurelinux-3.0', 'same'],
] as const) {
  test(`a record of ${String(stated)}, a package of ${String(running)}: ${expected}`, () => {
    assert.equal(releaseRelation(stated, running), expected)
  })
}
