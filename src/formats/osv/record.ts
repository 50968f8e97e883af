/** Vulnerability records of the OSV schema, 1.x. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { parseRfc3339 } from '#time'
import { parsePurl, type PackageUrl } from '../purl/purl.js'
import { OsvError } from './osv-error.js'

/** What happens to the vulnerability at a version. */
export interface OsvEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit'
  readonly version: string
}

export interface OsvRange {
  readonly type: 'SEMVER' | 'ECOSYSTEM' | 'GIT'
  /** Of Git ranges. */
  readonly repo: string | undefined
  readonly events: readonly OsvEvent[]
}

/** A package that a record is about. */
export interface OsvPackage {
  /** `Debian`, without the release. */
  readonly ecosystem: string
  /** What stands behind the first colon: `11`, `22.04:LTS`. */
  readonly release: string | undefined
  readonly name: string
  readonly purl: PackageUrl | undefined
}

export interface OsvSeverity {
  /** `CVSS_V3`, or `label` for a word such as `CRITICAL`. */
  readonly type: string
  readonly score: string
}

export interface OsvAffected {
  /** Absent in records that only know a repository. */
  readonly package: OsvPackage | undefined
  readonly ranges: readonly OsvRange[]
  readonly versions: ReadonlySet<string>
  /** Names of the packages that are built of this source, where the database has them. */
  readonly binaries: readonly string[]
}

export interface OsvRecord {
  readonly id: string
  readonly modified: UnixMillis
  readonly published: UnixMillis | undefined
  readonly withdrawn: UnixMillis | undefined
  /** The same vulnerability in other databases. */
  readonly aliases: readonly string[]
  /** Vulnerabilities that this record passes on, as those of distributions do. */
  readonly upstream: readonly string[]
  readonly related: readonly string[]
  readonly summary: string | undefined
  readonly severities: readonly OsvSeverity[]
  readonly affected: readonly OsvAffected[]
}

const EVENT_KINDS = ['introduced', 'fixed', 'last_affected', 'limit'] as const
const RANGE_TYPES = ['SEMVER', 'ECOSYSTEM', 'GIT'] as const

/**
 * Reads a record. Unknown fields are ignored, as its specification asks; unknown types of ranges are not.
 * @throws OsvError
 */
export function parseOsvRecord(source: string | Uint8Array): OsvRecord {
  const document = parse(source)
  const version = text(document, 'schema_version', '') ?? '1.0.0'
  if (!/^1\.\d+(?:\.\d+)?/.test(version)) {
    throw new OsvError('OSV_VERSION', 'this version of the OSV schema is not read', {
      expected: '1.x',
      found: version.slice(0, 40),
    })
  }
  const id = text(document, 'id', '')
  const modified = time(document, 'modified')
  if (id === undefined || modified === undefined) throw malformed(id === undefined ? 'id' : 'modified', 'a value')
  return {
    id,
    modified,
    published: time(document, 'published'),
    withdrawn: time(document, 'withdrawn'),
    aliases: texts(document, 'aliases', ''),
    upstream: texts(document, 'upstream', ''),
    related: texts(document, 'related', ''),
    summary: text(document, 'summary', ''),
    severities: [...severitiesOf(document, ''), ...labelsOf(document)],
    affected: objects(document, 'affected', '').map((each, index) => readAffected(each, `affected[${String(index)}]`)),
  }
}

function parse(source: string | Uint8Array): JsonObject {
  let value: JsonValue
  try {
    value = parseJson(source)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new OsvError('OSV_MALFORMED', 'the vulnerability record is not JSON', { cause })
  }
  if (isJsonObject(value)) return value
  throw malformed('the record', 'an object')
}

function readAffected(object: JsonObject, path: string): OsvAffected {
  const named = optionalObject(object, 'package', path)
  return {
    package: named === undefined ? undefined : readPackage(named, `${path}.package`),
    ranges: objects(object, 'ranges', path).map((each, index) => readRange(each, `${path}.ranges[${String(index)}]`)),
    versions: new Set(texts(object, 'versions', path)),
    binaries: binariesOf(object),
  }
}

function readPackage(object: JsonObject, path: string): OsvPackage {
  const full = text(object, 'ecosystem', path)
  const name = text(object, 'name', path)
  if (full === undefined || name === undefined) throw malformed(path, 'an ecosystem and a name')
  const colon = full.indexOf(':')
  const purl = text(object, 'purl', path)
  return {
    ecosystem: colon < 0 ? full : full.slice(0, colon),
    release: colon < 0 ? undefined : full.slice(colon + 1),
    name,
    purl: purl === undefined ? undefined : readPurl(purl),
  }
}

/** Optional, and never the only name of a package: one that is none is no reason to lose the record. */
function readPurl(purl: string): PackageUrl | undefined {
  try {
    return parsePurl(purl)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function readRange(object: JsonObject, path: string): OsvRange {
  const type = RANGE_TYPES.find((each) => each === object['type'])
  if (type === undefined) throw malformed(`${path}.type`, RANGE_TYPES.join(', '))
  const events = objects(object, 'events', path).map((each, index) =>
    readEvent(each, `${path}.events[${String(index)}]`),
  )
  if (!events.some(({ kind }) => kind === 'introduced')) throw malformed(`${path}.events`, 'an introduced version')
  return { type, repo: text(object, 'repo', path), events }
}

function readEvent(object: JsonObject, path: string): OsvEvent {
  const kinds = EVENT_KINDS.filter((kind) => object[kind] !== undefined && object[kind] !== null)
  const [kind] = kinds
  const version = kind === undefined ? undefined : text(object, kind, path)
  if (kind === undefined || version === undefined || kinds.length > 1)
    throw malformed(path, `exactly one of ${EVENT_KINDS.join(', ')}`)
  return { kind, version }
}

/** Ubuntu lists objects with one name each; SUSE lists objects with all names in one. */
function binariesOf({ ecosystem_specific: specific }: JsonObject): readonly string[] {
  const binaries = isJsonObject(specific) ? specific['binaries'] : undefined
  if (!Array.isArray(binaries)) return []
  return (binaries as readonly JsonValue[]).flatMap((each) => {
    if (!isJsonObject(each)) return []
    const { binary_name: name } = each
    return typeof name === 'string' ? [name] : Object.keys(each)
  })
}

function severitiesOf(object: JsonObject, path: string): readonly OsvSeverity[] {
  return objects(object, 'severity', path).flatMap((each) => {
    const [type, score] = [text(each, 'type', 'severity'), text(each, 'score', 'severity')]
    return type === undefined || score === undefined ? [] : [{ type, score }]
  })
}

/** GitHub's word for it. */
function labelsOf({ database_specific: specific }: JsonObject): readonly OsvSeverity[] {
  const severity = isJsonObject(specific) ? specific['severity'] : undefined
  return typeof severity === 'string' ? [{ type: 'label', score: severity }] : []
}

function text(object: JsonObject, name: string, path: string): string | undefined {
  const value = object[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw malformed(join(path, name), 'a text')
  return value
}

function time(object: JsonObject, name: string): UnixMillis | undefined {
  const value = text(object, name, '')
  if (value === undefined) return undefined
  try {
    return parseRfc3339(value)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed(name, 'an RFC 3339 time', cause)
  }
}

function texts(object: JsonObject, name: string, path: string): readonly string[] {
  return list(object, name, path).map((each) => {
    if (typeof each === 'string') return each
    throw malformed(join(path, name), 'a list of texts')
  })
}

function objects(object: JsonObject, name: string, path: string): readonly JsonObject[] {
  return list(object, name, path).map((each) => {
    if (isJsonObject(each)) return each
    throw malformed(join(path, name), 'a list of objects')
  })
}

function optionalObject(object: JsonObject, name: string, path: string): JsonObject | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (isJsonObject(value)) return value
  throw malformed(join(path, name), 'an object')
}

function list(object: JsonObject, name: string, path: string): readonly JsonValue[] {
  const value = object[name]
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value as readonly JsonValue[]
  throw malformed(join(path, name), 'a list')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function malformed(path: string, expected: string, cause?: unknown): OsvError {
  return new OsvError('OSV_MALFORMED', `${path} of the vulnerability record is not right`, { expected, cause })
}
