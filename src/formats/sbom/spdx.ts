/** SPDX 2.2 and 2.3, in JSON. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Distribution, Sbom, SbomComponent } from './component.js'
import { checkCount, hashOf, malformed, namedDistribution, objectsOf, purlIn, textOf } from './fields.js'
import { SbomError } from './sbom-error.js'
import { sourceFromSentence } from './source-package.js'

export function isSpdx(document: JsonObject): boolean {
  return typeof document['spdxVersion'] === 'string'
}

/**
 * Reads a document: its packages, each as often as it has package URLs. Files and snippets are no packages.
 * @throws SbomError
 */
export function readSpdx(document: JsonObject): Sbom {
  const stated = textOf(document, 'spdxVersion', 'document') ?? ''
  const version = /^SPDX-(2\.[123])$/.exec(stated)?.[1]
  if (version === undefined) {
    throw new SbomError('SBOM_VERSION', 'this version of SPDX is not read', {
      expected: 'SPDX-2.1 to SPDX-2.3, or 3.0 in JSON-LD',
      found: stated.slice(0, 40),
    })
  }
  const packages = objectsOf(document, 'packages', 'document')
  checkCount(packages.length)
  const components: SbomComponent[] = []
  for (const [index, each] of packages.entries()) components.push(...readPackage(each, `packages[${String(index)}]`))
  checkCount(components.length)
  // The format has no field for it; a relationship to NOASSERTION is about one package, and says that nothing is said.
  const described = describedBy(document)
  const contained = packages.filter(({ SPDXID: id }) => typeof id !== 'string' || !described.has(id)).length
  return {
    format: 'SPDX',
    version,
    components,
    contained,
    completeness: 'unstated',
    distribution: distributionOf(packages),
  }
}

/** Ids of what the document is about. */
function describedBy(document: JsonObject): ReadonlySet<string> {
  const { documentDescribes: listed } = document
  const ids = new Set<string>()
  for (const id of Array.isArray(listed) ? (listed as readonly JsonValue[]) : [])
    if (typeof id === 'string') ids.add(id)
  for (const { spdxElementId, relationshipType, relatedSpdxElement } of objectsOf(
    document,
    'relationships',
    'document',
  ))
    if (
      spdxElementId === 'SPDXRef-DOCUMENT' &&
      relationshipType === 'DESCRIBES' &&
      typeof relatedSpdxElement === 'string'
    )
      ids.add(relatedSpdxElement)
  return ids
}

function readPackage(object: JsonObject, path: string): readonly SbomComponent[] {
  const name = textOf(object, 'name', path)
  if (name === undefined) throw malformed(`${path}.name`, 'a name')
  const references = objectsOf(object, 'externalRefs', path).map((reference) => ({
    type: (textOf(reference, 'referenceType', `${path}.externalRefs`) ?? '').replace(/^.*[#/]/, ''),
    locator: textOf(reference, 'referenceLocator', `${path}.externalRefs`),
  }))
  const located = (type: RegExp): readonly string[] =>
    references.flatMap((each) => (type.test(each.type) ? (each.locator ?? []) : []))
  const purls = located(/^purl$/).map(purlIn)
  const file = textOf(object, 'packageFileName', path)
  const common = {
    group: undefined,
    name,
    version: asserted(textOf(object, 'versionInfo', path)),
    cpes: located(/^cpe2[23]Type$/),
    hashes: objectsOf(object, 'checksums', path).flatMap((checksum) =>
      hashOf(
        textOf(checksum, 'algorithm', `${path}.checksums`),
        textOf(checksum, 'checksumValue', `${path}.checksums`),
      ),
    ),
    locations: file === undefined ? [] : [file],
  }
  const sentence = textOf(object, 'sourceInfo', path)
  return (purls.length === 0 ? [undefined] : purls).map((purl) => ({
    ...common,
    purl,
    source: sourceFromSentence(sentence, purl),
  }))
}

/** What the format writes where it has nothing to say. */
export function asserted(text: string | undefined): string | undefined {
  return text === 'NOASSERTION' || text === 'NONE' ? undefined : text
}

function distributionOf(packages: readonly JsonObject[]): Distribution | undefined {
  const system = packages.find((each) =>
    /^OPERATING[-_]SYSTEM$/.test(textOf(each, 'primaryPackagePurpose', 'packages') ?? ''),
  )
  const name = system === undefined ? undefined : textOf(system, 'name', 'packages')
  if (system === undefined || name === undefined) return undefined
  return namedDistribution(name, asserted(textOf(system, 'versionInfo', 'packages')))
}
