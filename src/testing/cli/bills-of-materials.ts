/** What the tests of the inventory are about: components, bills of materials, records of vulnerabilities. @module */
import type { JsonObject } from '#encoding/json'

export const component = (name: string, version: string, group = 'org.apache.logging.log4j'): JsonObject => ({
  type: 'library',
  group,
  name,
  version,
  purl: `pkg:maven/${group}/${name}@${version}`,
  evidence: { occurrences: [{ location: `/app/lib/${name}-${version}.jar` }] },
})
export const LOG4J: JsonObject = component('log4j-core', '2.14.1')
export const SLF4J: JsonObject = component('slf4j-api', '1.7.36', 'org.slf4j')

export function cyclonedx(...components: readonly JsonObject[]): string {
  return JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components })
}

export function spdx(...purls: readonly string[]): string {
  const packages = purls.map((purl) => ({
    name: purl.replace(/^.*\/|@.*$/g, ''),
    versionInfo: purl.replace(/^.*@/, ''),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }))
  return JSON.stringify({ spdxVersion: 'SPDX-2.3', packages })
}

export const OSV: Readonly<Record<string, string>> = {
  'osv/GHSA.json': JSON.stringify({
    id: 'GHSA-jfh8-c2jp-5v3q',
    modified: '2024-01-01T00:00:00Z',
    published: '2021-12-10T00:00:00Z',
    aliases: ['CVE-2021-44228'],
    summary: 'Remote code injection in Log4j',
    database_specific: { severity: 'CRITICAL' },
    affected: [
      {
        package: { ecosystem: 'Maven', name: 'org.apache.logging.log4j:log4j-core' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.0-beta9' }, { fixed: '2.15.0' }] }],
      },
    ],
  }),
  'osv/deeper/CVE-2020-1.json': JSON.stringify({
    id: 'CVE-2020-1',
    modified: '2020-01-01T00:00:00Z',
    affected: [
      {
        ranges: [
          { type: 'GIT', repo: 'https://example.com/a/slf4j-api', events: [{ introduced: '0' }, { fixed: 'ab' }] },
        ],
      },
    ],
  }),
}
