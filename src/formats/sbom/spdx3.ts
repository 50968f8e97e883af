/** SPDX 3.0 in JSON-LD, in the form that its own context gives it. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Completeness, Distribution, Sbom, SbomComponent } from './component.js'
import { checkCount, hashOf, malformed, namedDistribution, objectsOf, purlIn, textOf } from './fields.js'
import { SbomError } from './sbom-error.js'
import { asserted } from './spdx.js'
import { sourceFromSentence } from './source-package.js'

const CONTEXT = /^https?:\/\/spdx\.org\/rdf\/3\.(\d+)/

export function isSpdx3(document: JsonObject): boolean {
  return contexts(document).some((context) => CONTEXT.test(context))
}

function contexts(document: JsonObject): readonly string[] {
  return listed(document['@context']).filter((each) => typeof each === 'string')
}

/** One value needs no list. */
function listed(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value]
}

/**
 * Reads a document: its packages, as elements of a graph or as the one element there is.
 * @throws SbomError
 */
export function readSpdx3(document: JsonObject): Sbom {
  const minor = contexts(document).flatMap((context) => CONTEXT.exec(context)?.[1] ?? [])[0] ?? ''
  if (minor !== '0') {
    throw new SbomError('SBOM_VERSION', 'this version of SPDX is not read', { expected: '3.0', found: `3.${minor}` })
  }
  const elements = '@graph' in document ? objectsOf(document, '@graph', 'document') : [document]
  checkCount(elements.length)
  const byId = new Map(elements.flatMap((element) => idsOf(element).map((id) => [id, element] as const)))
  const packages = elements.filter((element) => PACKAGES.has(typeOf(element)))
  const components: SbomComponent[] = []
  for (const each of packages) components.push(...readPackage(each, byId))
  checkCount(components.length)
  const roots = new Set(elements.flatMap(({ rootElement }) => listed(rootElement)))
  return {
    format: 'SPDX',
    version: '3.0',
    components,
    contained: packages.filter((each) => !idsOf(each).some((id) => roots.has(id))).length,
    completeness: completenessOf(elements),
    distribution: distributionOf(packages),
  }
}

const PACKAGES = new Set(['Package', 'AIPackage', 'DatasetPackage'])

/** `software_Package`, or its full name, `…/terms/Software/Package`. */
function typeOf(element: JsonObject): string {
  const type = element['type'] ?? element['@type']
  return typeof type === 'string' ? type.replace(/^.*[/_]/, '') : ''
}

function idsOf(element: JsonObject): readonly string[] {
  return [element['spdxId'], element['@id']].filter((id) => typeof id === 'string')
}

type ById = ReadonlyMap<string, JsonObject>

function readPackage(object: JsonObject, byId: ById): readonly SbomComponent[] {
  const path = idsOf(object)[0]?.slice(0, 100) ?? 'a package'
  const name = textOf(object, 'name', path)
  if (name === undefined) throw malformed(`${path}.name`, 'a name')
  const identifiers = linked(object, 'externalIdentifier', { path, byId }).map((identifier) => ({
    type: textOf(identifier, 'externalIdentifierType', path),
    text: textOf(identifier, 'identifier', path),
  }))
  const identified = (...types: readonly string[]): readonly string[] =>
    identifiers.flatMap(({ type = '', text }) => (types.includes(type) ? (text ?? []) : []))
  const stated = textOf(object, 'software_packageUrl', path)
  const purls = [...new Set([...(stated === undefined ? [] : [stated]), ...identified('packageUrl', 'purl')])].map(
    purlIn,
  )
  const common = {
    group: undefined,
    name,
    version: asserted(textOf(object, 'software_packageVersion', path)),
    cpes: identified('cpe22', 'cpe23'),
    hashes: linked(object, 'verifiedUsing', { path, byId }).flatMap((hash) =>
      hashOf(textOf(hash, 'algorithm', path), textOf(hash, 'hashValue', path)),
    ),
    locations: [],
  }
  const sentence = textOf(object, 'software_sourceInfo', path)
  return (purls.length === 0 ? [undefined] : purls).map((purl) => ({
    ...common,
    purl,
    source: sourceFromSentence(sentence, purl),
  }))
}

/** Objects that stand in a field, or elsewhere in the graph under their id; one alone needs no list. */
function linked(
  object: JsonObject,
  field: string,
  { path, byId }: { readonly path: string; readonly byId: ById },
): readonly JsonObject[] {
  return listed(object[field]).map((each) => {
    const found = typeof each === 'string' ? byId.get(each) : each
    if (found !== undefined && isJsonObject(found)) return found
    throw malformed(`${path}.${field}`, 'objects, or ids of objects in the graph')
  })
}

/** Relationships that say what is in the software, and whether they say all of it. */
const CONTAINING = new Set(['contains', 'dependsOn', 'hasStaticLink', 'hasDynamicLink', 'hasDistributionArtifact'])

function completenessOf(elements: readonly JsonObject[]): Completeness {
  const said = elements
    .filter(({ relationshipType }) => typeof relationshipType === 'string' && CONTAINING.has(relationshipType))
    .map(({ completeness }) => completeness)
  if (said.includes('incomplete')) return 'incomplete'
  return said.length > 0 && said.every((each) => each === 'complete') ? 'complete' : 'unstated'
}

function distributionOf(packages: readonly JsonObject[]): Distribution | undefined {
  const system = packages.find(({ software_primaryPurpose: purpose }) => purpose === 'operatingSystem')
  const name = system === undefined ? undefined : textOf(system, 'name', 'package')
  if (system === undefined || name === undefined) return undefined
  return namedDistribution(name, asserted(textOf(system, 'software_packageVersion', 'package')))
}
