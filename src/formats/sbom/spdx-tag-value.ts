/** SPDX 2.2 and 2.3 as tags and values: the text form, into the JSON form's shape. @module */
import type { JsonObject } from '#encoding/json'
import { checkCount, malformed } from './fields.js'

export function isTagValue(text: string): boolean {
  return /^\ufeff?(?:\s*#[^\n]*\n|\s*\n)*\s*SPDXVersion:/.test(text.slice(0, 4096))
}

/** Tags of a package → the field of the JSON form. */
const PACKAGE_FIELDS: ReadonlyMap<string, string> = new Map([
  ['SPDXID', 'SPDXID'],
  ['PackageVersion', 'versionInfo'],
  ['PackageFileName', 'packageFileName'],
  ['PackageSourceInfo', 'sourceInfo'],
  ['PrimaryPackagePurpose', 'primaryPackagePurpose'],
])

/** Tags that begin something else than a package. */
const OTHER_SECTIONS = new Set(['FileName', 'SnippetSPDXID', 'LicenseID', 'Annotator', 'Reviewer'])

type Package = Record<string, string | JsonObject[]>

/**
 * The document, for the reader of the JSON form.
 * @throws SbomError `SBOM_MALFORMED`, `SBOM_LIMIT`
 */
export function tagValueDocument(text: string): JsonObject {
  const packages: Package[] = []
  const relationships: JsonObject[] = []
  let version = ''
  let current: Package | undefined
  for (const { tag, value } of tagsOf(text)) {
    if (tag === 'SPDXVersion') version = value
    else if (tag === 'PackageName') {
      current = { name: value, externalRefs: [], checksums: [] }
      packages.push(current)
      checkCount(packages.length)
    } else if (tag === 'Relationship') relationships.push(relationship(value))
    else if (OTHER_SECTIONS.has(tag)) current = undefined
    else if (current !== undefined) addTag(current, tag, value)
  }
  return { spdxVersion: version, packages, relationships }
}

function relationship(value: string): JsonObject {
  const [spdxElementId = '', relationshipType = '', relatedSpdxElement = ''] = value.split(/\s+/)
  return { spdxElementId, relationshipType, relatedSpdxElement }
}

function addTag(target: Package, tag: string, value: string): void {
  const field = PACKAGE_FIELDS.get(tag)
  if (field !== undefined) target[field] = value
  if (tag === 'ExternalRef') {
    const [, referenceType = '', referenceLocator = ''] = value.split(/\s+/)
    listOf(target, 'externalRefs').push({ referenceType, referenceLocator })
  }
  if (tag === 'PackageChecksum') {
    const [algorithm = '', checksumValue = ''] = value.split(/:\s*/)
    listOf(target, 'checksums').push({ algorithm, checksumValue })
  }
}

function listOf(target: Package, name: string): JsonObject[] {
  const list = target[name]
  return Array.isArray(list) ? list : []
}

interface TagAndValue {
  readonly tag: string
  readonly value: string
}

/** A line each; a value in `<text>` may go on over lines. */
function* tagsOf(text: string): Generator<TagAndValue> {
  let at = text.startsWith('\ufeff') ? 1 : 0
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    let end = newline < 0 ? text.length : newline
    const line = text.slice(at, end)
    const colon = line.indexOf(':')
    if (colon > 0 && !line.trimStart().startsWith('#')) {
      const start = at + colon + 1
      if (/^\s*<text>/.test(line.slice(colon + 1))) {
        const close = text.indexOf('</text>', start)
        if (close < 0) throw malformed(line.slice(0, colon).slice(0, 60), '</text> behind <text>')
        const next = text.indexOf('\n', close)
        end = next < 0 ? text.length : next
        yield { tag: line.slice(0, colon).trim(), value: text.slice(text.indexOf('<text>', start) + 6, close).trim() }
      } else yield { tag: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() }
    }
    at = end + 1
  }
}
