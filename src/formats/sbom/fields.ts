/** Reading the fields of a bill of materials: of the right type, or not at all. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { parsePurl, type PackageUrl } from '../purl/purl.js'
import type { Distribution } from './component.js'
import { SbomError } from './sbom-error.js'

/** Real ones have hundreds to some ten thousand; this many still fit into memory. */
export const MAX_COMPONENTS = 1_000_000
/** Of a name, a version, a path. Cut off, it could pass for another. */
const MAX_TEXT = 8192

/** A text; null and the empty text count as absent. */
export function textOf(object: JsonObject, name: string, path: string): string | undefined {
  const value = object[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw malformed(`${path}.${name}`, 'a text')
  if (value.length > MAX_TEXT) throw tooLong(`${path}.${name}`)
  return value
}

/** A list of objects; absent and null are empty. */
export function objectsOf(object: JsonObject, name: string, path: string): readonly JsonObject[] {
  const value = object[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed(`${path}.${name}`, 'a list')
  const list = value as readonly JsonValue[]
  const stranger = list.findIndex((each) => !isJsonObject(each))
  if (stranger >= 0) throw malformed(`${path}.${name}[${String(stranger)}]`, 'an object')
  return list as readonly JsonObject[]
}

export function objectOf(object: JsonObject, name: string, path: string): JsonObject | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (isJsonObject(value)) return value
  throw malformed(`${path}.${name}`, 'an object')
}

/** A package URL; what is none is left out, and its component goes by its name. */
export function purlIn(text: string | undefined): PackageUrl | undefined {
  if (text === undefined) return undefined
  try {
    return parsePurl(text)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

/** `SHA-256` and `SHA256` are the same algorithm. */
export function hashOf(algorithm: string | undefined, value: string | undefined): readonly string[] {
  if (algorithm === undefined || value === undefined) return []
  return [`${algorithm.toLowerCase().replace(/[-_]/g, '')}:${value.toLowerCase()}`]
}

/** Trivy writes `none` where it found no distribution. */
export function namedDistribution(name: string, version: string | undefined): Distribution | undefined {
  return name === 'none' ? undefined : { name: name.toLowerCase(), version }
}

export function malformed(path: string, expected: string): SbomError {
  return new SbomError('SBOM_MALFORMED', `${path} of the bill of materials is not right`, { expected })
}

export function tooLong(path: string): SbomError {
  return new SbomError('SBOM_LIMIT', `${path} of the bill of materials is too long`, {
    expected: `at most ${String(MAX_TEXT)} characters`,
  })
}

/** @throws SbomError `SBOM_LIMIT` */
export function checkCount(count: number): void {
  if (count <= MAX_COMPONENTS) return
  throw new SbomError('SBOM_LIMIT', 'the bill of materials has too many components', {
    expected: `at most ${String(MAX_COMPONENTS)}`,
  })
}
