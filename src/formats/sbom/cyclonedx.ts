/** CycloneDX in JSON, 1.2 to 1.7. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Completeness, Distribution, Sbom, SbomComponent } from './component.js'
import { checkCount, hashOf, malformed, namedDistribution, objectOf, objectsOf, purlIn, textOf } from './fields.js'
import { SbomError } from './sbom-error.js'
import { sourceFromProperties } from './source-package.js'

export function isCycloneDx(document: JsonObject): boolean {
  return document['bomFormat'] === 'CycloneDX'
}

/**
 * Reads a bill of materials. What the software itself is (`metadata.component`) counts as a component too, since an
 * application may be the package that is looked for; the tools that wrote the bill do not.
 * @throws SbomError
 */
export function readCycloneDx(document: JsonObject): Sbom {
  const version = textOf(document, 'specVersion', 'bom') ?? 'none'
  if (!/^1\.[2-9]$/.test(version)) {
    throw new SbomError('SBOM_VERSION', 'this version of CycloneDX is not read', {
      expected: '1.2 to 1.7',
      found: version.slice(0, 40),
    })
  }
  const metadata = objectOf(document, 'metadata', 'bom')
  const root = metadata === undefined ? undefined : objectOf(metadata, 'component', 'bom.metadata')
  const components = readAll(root, objectsOf(document, 'components', 'bom'))
  return {
    format: 'CycloneDX',
    version,
    components: components.map(({ component }) => component),
    contained: components.length - (root === undefined ? 0 : 1),
    completeness: completenessOf(document),
    distribution: distributionOf(components),
  }
}

interface ReadComponent {
  readonly type: JsonValue | undefined
  readonly component: SbomComponent
}

/** Components inside of components are in the software like any other. A list of what is to do bears any nesting. */
function readAll(root: JsonObject | undefined, list: readonly JsonObject[]): readonly ReadComponent[] {
  const found: ReadComponent[] = []
  const waiting: { readonly object: JsonObject; readonly path: string }[] = [
    ...(root === undefined ? [] : [{ object: root, path: 'metadata.component' }]),
  ]
  for (const [index, object] of list.entries()) waiting.push({ object, path: `components[${String(index)}]` })
  for (let at = 0; at < waiting.length; at++) {
    const { object, path } = waiting[at] ?? { object: {}, path: '' }
    checkCount(waiting.length)
    found.push({ type: object['type'], component: readComponent(object, path) })
    for (const [index, inner] of objectsOf(object, 'components', path).entries())
      waiting.push({ object: inner, path: `${path}.components[${String(index)}]` })
  }
  return found
}

function readComponent(object: JsonObject, path: string): SbomComponent {
  const name = textOf(object, 'name', path)
  if (name === undefined) throw malformed(`${path}.name`, 'a name')
  const purl = purlIn(textOf(object, 'purl', path))
  const cpe = textOf(object, 'cpe', path)
  const properties = propertiesOf(object, path)
  return {
    group: textOf(object, 'group', path),
    name,
    version: textOf(object, 'version', path),
    purl,
    cpes: [...(cpe === undefined ? [] : [cpe]), ...valuesOf(properties, /^syft:cpe23$/)],
    hashes: objectsOf(object, 'hashes', path).flatMap((hash) =>
      hashOf(textOf(hash, 'alg', `${path}.hashes`), textOf(hash, 'content', `${path}.hashes`)),
    ),
    locations: [...new Set([...occurrences(object, path), ...valuesOf(properties, LOCATION_PROPERTY)])],
    source: sourceFromProperties(new Map(properties), purl),
  }
}

/** Where Syft and Trivy found a component. */
const LOCATION_PROPERTY = /^(?:syft:location:\d+:path|aquasecurity:trivy:FilePath)$/

type Property = readonly [string, string]

/** Names may come several times. A value that is no text is of no use here. */
function propertiesOf(object: JsonObject, path: string): readonly Property[] {
  return objectsOf(object, 'properties', path).flatMap(({ name, value }) =>
    typeof name === 'string' && typeof value === 'string' ? [[name, value] as const] : [],
  )
}

function valuesOf(properties: readonly Property[], name: RegExp): readonly string[] {
  return properties.flatMap(([each, value]) => (name.test(each) ? [value] : []))
}

function occurrences(object: JsonObject, path: string): readonly string[] {
  const evidence = objectOf(object, 'evidence', path)
  if (evidence === undefined) return []
  return objectsOf(evidence, 'occurrences', `${path}.evidence`).flatMap(
    (occurrence) => textOf(occurrence, 'location', `${path}.evidence.occurrences`) ?? [],
  )
}

/**
 * What a bill says of its own completeness. `unknown` and `not_specified` say nothing; what is said of vulnerabilities
 * alone is not about components.
 */
function completenessOf(document: JsonObject): Completeness {
  const said = objectsOf(document, 'compositions', 'bom').flatMap((composition) => {
    const onlyVulnerabilities =
      'vulnerabilities' in composition && !('assemblies' in composition) && !('dependencies' in composition)
    return onlyVulnerabilities ? [] : (textOf(composition, 'aggregate', 'bom.compositions') ?? [])
  })
  if (said.some((aggregate) => aggregate.startsWith('incomplete'))) return 'incomplete'
  return said.length > 0 && said.every((aggregate) => aggregate === 'complete') ? 'complete' : 'unstated'
}

function distributionOf(components: readonly ReadComponent[]): Distribution | undefined {
  const system = components.find(({ type }) => type === 'operating-system')?.component
  return system === undefined ? undefined : namedDistribution(system.name, system.version)
}
