/** Package URLs (purl): which package, in which version, of which kind of registry. @module */
import { PurlError } from './purl-error.js'
import { normalizeParts, typeComplaint } from './types.js'

/** A package URL, every part decoded and in the normal form of its type. */
export interface PackageUrl {
  readonly type: string
  /** Segments joined by `/`: a Maven group, an npm scope with its `@`, a distribution. */
  readonly namespace: string | undefined
  readonly name: string
  readonly version: string | undefined
  /** By lower-case key, in the order of keys; none is empty. */
  readonly qualifiers: ReadonlyMap<string, string>
  readonly subpath: string | undefined
}

/** Longer than any that a tool writes; texts of strangers are cut off here, before they are taken apart. */
const MAX_LENGTH = 8192
const TYPE = /^[a-z][a-z0-9.-]*$/
const QUALIFIER_KEY = /^[a-z][a-z0-9._-]*$/

/**
 * Reads a package URL, from right to left as purl-spec asks ("How to parse a PURL").
 * @throws PurlError
 */
export function parsePurl(text: string): PackageUrl {
  if (text.length > MAX_LENGTH) throw malformed('is too long', `at most ${String(MAX_LENGTH)} characters`)
  const [beforeSubpath, subpath] = splitLast(text, '#')
  const [beforeQualifiers, query] = splitLast(beforeSubpath, '?')
  const colon = beforeQualifiers.indexOf(':')
  if (colon < 0 || beforeQualifiers.slice(0, colon).toLowerCase() !== 'pkg')
    throw malformed('does not begin with pkg:', 'pkg:type/namespace/name@version?qualifiers#subpath')
  const path = beforeQualifiers.slice(colon + 1).replace(/^\/+/, '')
  const slash = path.indexOf('/')
  const type = path.slice(0, Math.max(slash, 0)).toLowerCase()
  if (!TYPE.test(type)) throw malformed('has no type', 'letters, digits, dots and dashes before the first slash')
  const [named, version] = splitVersion(path.slice(slash + 1))
  const segments = named.split('/').filter((segment) => segment !== '')
  const name = segments.pop()
  if (name === undefined) throw malformed('has no name', 'a name before the version')
  return purlOf({
    type,
    namespace: segments.map((segment) => decodeSegment(segment, 'namespace')).join('/') || undefined,
    name: decode(name, 'name'),
    version: version === undefined ? undefined : decode(version, 'version') || undefined,
    qualifiers: parseQualifiers(query),
    subpath: subpath === undefined ? undefined : parseSubpath(subpath),
  })
}

/**
 * A package URL of its parts, normalised.
 * @throws PurlError `PURL_TYPE`
 */
function purlOf(parts: PackageUrl): PackageUrl {
  const normalized = normalizeParts(parts.type, parts)
  const complaint = typeComplaint(parts.type, normalized)
  if (complaint === undefined) return normalized
  throw new PurlError('PURL_TYPE', `the package URL is none of type ${parts.type}`, { expected: complaint })
}

function splitLast(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.lastIndexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** An `@` with a slash behind it is that of an npm scope which somebody forgot to encode. */
function splitVersion(path: string): readonly [string, string | undefined] {
  const [name, version] = splitLast(path, '@')
  return version?.includes('/') === true ? [path, undefined] : [name, version]
}

function parseQualifiers(query: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const pair of query?.split('&') ?? []) {
    const equals = pair.indexOf('=')
    if (pair === '') continue
    const key = (equals < 0 ? pair : pair.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), 'qualifier')
    if (!QUALIFIER_KEY.test(key)) throw malformed('has a qualifier that is none', 'key=value, the key in lower case')
    if (found.has(key)) throw malformed('names a qualifier twice', 'each key once')
    if (value !== '') found.set(key, value)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function parseSubpath(text: string): string | undefined {
  const segments = text.split('/').map((segment) => decodeSegment(segment, 'subpath'))
  return segments.filter((segment) => segment !== '' && segment !== '.' && segment !== '..').join('/') || undefined
}

function decodeSegment(text: string, part: string): string {
  const decoded = decode(text, part)
  if (decoded.includes('/')) throw malformed(`has a slash inside of a segment of its ${part}`, 'segments without %2F')
  return decoded
}

function decode(text: string, part: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(`has a ${part} that is not percent-encoded UTF-8`, '%XX for bytes')
  }
}

/** The canonical text of a package URL. */
export function formatPurl({ type, namespace, name, version, qualifiers, subpath }: PackageUrl): string {
  const path = [type, ...(namespace?.split('/') ?? []).map(encode), encode(name)].join('/')
  const query = [...qualifiers].map(([key, value]) => `${key}=${encode(value)}`).join('&')
  return [
    `pkg:${path}`,
    version === undefined ? '' : `@${encode(version)}`,
    query === '' ? '' : `?${query}`,
    subpath === undefined ? '' : `#${subpath.split('/').map(encode).join('/')}`,
  ].join('')
}

/** All but letters, digits, `.-_~` and the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}

function malformed(what: string, expected: string): PurlError {
  return new PurlError('PURL_MALFORMED', `the package URL ${what}`, { expected })
}
