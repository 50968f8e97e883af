/** Bills of materials as attestations carry them: predicate types, and what tools wrapped around the document. @module */
import type { JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Sbom } from './component.js'
import { isCycloneDx, readCycloneDx } from './cyclonedx.js'
import { SbomError } from './sbom-error.js'
import { isSpdx, readSpdx } from './spdx.js'
import { isTagValue, tagValueDocument } from './spdx-tag-value.js'
import { isSpdx3, readSpdx3 } from './spdx3.js'

/**
 * Predicate types under which bills of materials are attested: those of today, with a version behind them as GitHub writes
 * them, and what cosign wrote before.
 */
const SBOM_TYPES = [
  /^https?:\/\/(?:www\.)?cyclonedx\.org\/(?:bom|schema)(?:\/.*)?$/,
  /^https?:\/\/spdx\.(?:dev|org)\/(?:Document|spdx)(?:\/.*)?$/i,
  /^https?:\/\/spdx\.github\.io\/spdx-spec(?:\/.*)?$/,
  /^(?:cyclonedx|spdx|spdxjson)$/,
]

/** Whether a predicate of this type is meant to be a bill of materials. */
export function isSbomPredicateType(type: string): boolean {
  return SBOM_TYPES.some((pattern) => pattern.test(type))
}

/**
 * Reads the predicate of an attestation: a document, a text that holds one (`attest --type spdx`), or either of them in
 * `Data`, as cosign 1 wrapped them.
 * @throws SbomError
 */
export function readSbomPredicate(predicate: JsonValue | undefined): Sbom {
  return readDocument(unwrap(predicate))
}

function unwrap(predicate: JsonValue | undefined): JsonValue {
  if (predicate === undefined) throw notAnSbom('nothing')
  return isJsonObject(predicate) && 'Data' in predicate && !isCycloneDx(predicate) && !isSpdx(predicate)
    ? (predicate['Data'] ?? null)
    : predicate
}

function readDocument(value: JsonValue): Sbom {
  if (typeof value === 'string') return readText(value)
  if (!isJsonObject(value)) throw notAnSbom(Array.isArray(value) ? 'a list' : typeof value)
  if (isCycloneDx(value)) return readCycloneDx(value)
  if (isSpdx(value)) return readSpdx(value)
  if (isSpdx3(value)) return readSpdx3(value)
  throw notAnSbom(`an object with ${Object.keys(value).slice(0, 5).join(', ').slice(0, 100) || 'nothing in it'}`)
}

function readText(text: string): Sbom {
  if (isTagValue(text)) return readSpdx(tagValueDocument(text))
  let value: JsonValue
  try {
    value = parseJson(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw notAnSbom(text.trimStart().startsWith('<') ? 'XML' : 'a text of another format', cause)
  }
  if (typeof value === 'string') throw notAnSbom('a text in a text')
  return readDocument(value)
}

function notAnSbom(found: string, cause?: unknown): SbomError {
  return new SbomError('SBOM_FORMAT', 'what was attested is no bill of materials that is read here', {
    expected: 'CycloneDX in JSON, SPDX in JSON, JSON-LD or tag-value form',
    found,
    cause,
  })
}
