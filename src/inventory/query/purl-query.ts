/** Looking for a package by its package URL. @module */
import { formatPurl, parsePurl, type PackageUrl } from '#formats/purl/purl'
import { needleOf, purlReader, type ComponentMatcher } from './matcher.js'

/**
 * Matches the package; what the package URL leaves open (version, qualifiers, a distribution's namespace) may be anything. A
 * component that only goes by its name is possible, never nothing.
 * @throws PurlError
 */
export function purlMatcher(text: string): ComponentMatcher {
  const wanted = parsePurl(text)
  const read = purlReader()
  return {
    question: `package ${formatPurl(wanted)}`,
    needles: needleOf(wanted.name),
    match: (component) => {
      const purl = read(component.purl)
      if (purl !== undefined) return covers(wanted, purl) ? [{ standing: 'present', vulnerability: undefined }] : []
      const { group, name, version } = component
      const isNamed =
        name.toLowerCase() === wanted.name.toLowerCase() &&
        (group === undefined || wanted.namespace === undefined || fold(group) === fold(wanted.namespace))
      const isVersion = wanted.version === undefined || version === undefined || version === wanted.version
      return isNamed && isVersion ? [{ standing: 'possible', vulnerability: undefined }] : []
    },
  }
}

/** Types whose names nobody tells apart by case, although their package URLs keep it. */
const FOLDED = new Set(['golang', 'nuget', 'npm', 'gem', 'cargo', 'maven'])

function covers(wanted: PackageUrl, purl: PackageUrl): boolean {
  const same = FOLDED.has(wanted.type)
    ? (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
    : (a: string, b: string): boolean => a === b
  return (
    wanted.type === purl.type &&
    same(wanted.name, purl.name) &&
    (wanted.namespace === undefined || (purl.namespace !== undefined && same(wanted.namespace, purl.namespace))) &&
    (wanted.version === undefined || wanted.version === purl.version) &&
    [...wanted.qualifiers].every(([key, value]) => purl.qualifiers.get(key) === value) &&
    (wanted.subpath === undefined || wanted.subpath === purl.subpath)
  )
}

/** An npm scope is written with and without its `@`. */
function fold(text: string): string {
  return text.toLowerCase().replace(/^@/, '')
}
