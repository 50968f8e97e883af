/** OpenVEX documents, 0.0.1 to 0.2: who says what about which vulnerability in which product. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { parseRfc3339 } from '#time'
import { parsePurl, type PackageUrl } from '../purl/purl.js'
import { VexError } from './vex-error.js'

export type VexStatus = 'not_affected' | 'affected' | 'fixed' | 'under_investigation'

/** Something that can be named in several ways, each of which is enough. */
export interface VexComponent {
  /** IRIs and other names, as they are written. */
  readonly ids: readonly string[]
  readonly purls: readonly PackageUrl[]
  /** `sha256:<hex>`, in lower case. */
  readonly hashes: readonly string[]
}

export interface VexProduct extends VexComponent {
  /** Where the vulnerability comes from; none is the product as a whole. */
  readonly subcomponents: readonly VexComponent[]
}

export interface VexStatement {
  /** The vulnerability's name and its other names. */
  readonly vulnerabilities: readonly string[]
  /** None: what the document is attached to is the product. */
  readonly products: readonly VexProduct[]
  readonly status: VexStatus
  readonly justification: string | undefined
  readonly impact: string | undefined
  readonly action: string | undefined
  /** Since when this is known; the document's time where the statement has none. */
  readonly timestamp: UnixMillis
}

export interface VexDocument {
  readonly id: string
  readonly author: string
  /** A later version of a document takes the place of an earlier one. */
  readonly version: number
  readonly statements: readonly VexStatement[]
}

const STATUSES = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const
const JUSTIFICATIONS = new Set([
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
])
const CONTEXT = /^https:\/\/openvex\.dev\/ns(?:\/v?(\d+\.\d+)(?:\.\d+)?)?$/
const VERSIONS = new Set(['0.0', '0.2'])

/** Whether a predicate of this type is meant to be an OpenVEX document. */
export function isVexPredicateType(type: string): boolean {
  return CONTEXT.test(type) || type === 'text/vex'
}

/**
 * Reads the predicate of an attestation.
 * @throws VexError
 */
export function readVexPredicate(predicate: JsonValue | undefined): VexDocument {
  if (predicate === undefined || !isJsonObject(predicate)) throw notVex(typeof predicate)
  const context = CONTEXT.exec(contextOf(predicate) ?? '')
  if (context === null) throw notVex('another @context')
  const version = context[1] ?? '0.0'
  if (!VERSIONS.has(version)) {
    throw new VexError('VEX_VERSION', 'this version of OpenVEX is not read', {
      expected: '0.0.1 to 0.2.0',
      found: version,
    })
  }
  const timestamp = time(predicate, 'timestamp', 'the document')
  return {
    id: required(predicate, '@id'),
    author: required(predicate, 'author'),
    version: documentVersion(predicate['version']),
    statements: objects(predicate, 'statements', 'the document').map((each, index) =>
      readStatement(each, `statements[${String(index)}]`, timestamp),
    ),
  }
}

function contextOf(document: JsonObject): string | undefined {
  const context = document['@context']
  const [first] = Array.isArray(context) ? (context as readonly JsonValue[]) : [context]
  return typeof first === 'string' ? first : undefined
}

/** A number; the first documents wrote it as a text, or not at all. */
function documentVersion(value: JsonValue = 0): number {
  const version = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof version === 'number' && Number.isSafeInteger(version) && version >= 0) return version
  throw malformed('version', 'a whole number')
}

function readStatement(object: JsonObject, path: string, inherited: UnixMillis | undefined): VexStatement {
  const timestamp = time(object, 'timestamp', path) ?? inherited
  if (timestamp === undefined) throw malformed(`${path}.timestamp`, 'a time, here or in the document')
  const status = STATUSES.find((each) => each === object['status'])
  if (status === undefined) throw malformed(`${path}.status`, STATUSES.join(', '))
  const [justification, impact, action] = ['justification', 'impact_statement', 'action_statement'].map((name) =>
    text(object, name, path),
  )
  if (justification !== undefined && !JUSTIFICATIONS.has(justification))
    throw malformed(`${path}.justification`, [...JUSTIFICATIONS].join(', '))
  if (status === 'not_affected' && justification === undefined && impact === undefined)
    throw malformed(path, 'a justification or an impact_statement, with the status not_affected')
  return {
    vulnerabilities: readVulnerability(object['vulnerability'], `${path}.vulnerability`),
    products: readProducts(object, path),
    status,
    justification,
    impact,
    action,
    timestamp,
  }
}

function readVulnerability(value: JsonValue | undefined, path: string): readonly string[] {
  if (typeof value === 'string' && value !== '') return [value]
  if (value === undefined || !isJsonObject(value)) throw malformed(path, 'a vulnerability')
  const name = text(value, 'name', path)
  if (name === undefined) throw malformed(`${path}.name`, 'a name')
  const aliases = list(value, 'aliases', path).map((alias) => {
    if (typeof alias === 'string') return alias
    throw malformed(`${path}.aliases`, 'a list of texts')
  })
  return [name, ...aliases]
}

/** Until 0.2 products and subcomponents were texts, the subcomponents those of every product. */
function readProducts(object: JsonObject, path: string): readonly VexProduct[] {
  const shared = list(object, 'subcomponents', path).map((each) => readComponent(each, `${path}.subcomponents`))
  return list(object, 'products', path).map((each) => ({
    ...readComponent(each, `${path}.products`),
    subcomponents: [
      ...shared,
      ...(isJsonObject(each) ? list(each, 'subcomponents', `${path}.products`) : []).map((inner) =>
        readComponent(inner, `${path}.products.subcomponents`),
      ),
    ],
  }))
}

function readComponent(value: JsonValue, path: string): VexComponent {
  if (typeof value === 'string' && value !== '') return { ids: [value], purls: purlsOf([value]), hashes: [] }
  if (!isJsonObject(value)) throw malformed(path, 'a text, or an object')
  const id = text(value, '@id', path)
  const identifiers = valuesOf(value, 'identifiers', path).map(([, identifier]) => identifier)
  const ids = [...(id === undefined ? [] : [id]), ...identifiers]
  const hashes = valuesOf(value, 'hashes', path).map(
    ([algorithm, hash]) =>
      `${algorithm.toLowerCase().replace(/^(sha)-?(1|256|384|512)$/, '$1$2')}:${hash.toLowerCase()}`,
  )
  if (ids.length + hashes.length === 0) throw malformed(path, 'an @id, an identifier or a hash')
  return { ids, purls: purlsOf(ids), hashes }
}

/** Not every name is a package URL, and one that is broken names nothing. */
function purlsOf(ids: readonly string[]): readonly PackageUrl[] {
  return ids.flatMap((id) => {
    try {
      return id.startsWith('pkg:') ? [parsePurl(id)] : []
    } catch (error) {
      if (isCodedError(error)) return []
      throw error
    }
  })
}

function valuesOf(object: JsonObject, name: string, path: string): readonly (readonly [string, string])[] {
  const value = object[name]
  if (value === undefined || value === null) return []
  if (!isJsonObject(value)) throw malformed(`${path}.${name}`, 'an object')
  return Object.entries(value).map(([key, each]) => {
    if (typeof each === 'string') return [key, each] as const
    throw malformed(`${path}.${name}`, 'texts')
  })
}

function required(object: JsonObject, name: string): string {
  const value = text(object, name, 'the document')
  if (value !== undefined) return value
  throw malformed(name, 'a text')
}

function text(object: JsonObject, name: string, path: string): string | undefined {
  const value = object[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw malformed(`${path}.${name}`, 'a text')
  return value
}

function time(object: JsonObject, name: string, path: string): UnixMillis | undefined {
  const value = text(object, name, path)
  if (value === undefined) return undefined
  try {
    return parseRfc3339(value)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed(`${path}.${name}`, 'an RFC 3339 time', cause)
  }
}

function list(object: JsonObject, name: string, path: string): readonly JsonValue[] {
  const value = object[name]
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value as readonly JsonValue[]
  throw malformed(`${path}.${name}`, 'a list')
}

function objects(object: JsonObject, name: string, path: string): readonly JsonObject[] {
  return list(object, name, path).map((each) => {
    if (isJsonObject(each)) return each
    throw malformed(`${path}.${name}`, 'a list of objects')
  })
}

function notVex(found: string): VexError {
  return new VexError('VEX_FORMAT', 'what was attested is no OpenVEX document', {
    expected: 'an object with @context https://openvex.dev/ns/v0.2.0',
    found,
  })
}

function malformed(path: string, expected: string, cause?: unknown): VexError {
  return new VexError('VEX_MALFORMED', `${path} of the OpenVEX document is not right`, { expected, cause })
}
