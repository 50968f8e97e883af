/** Predicate types under the short names that cosign's `--type` takes, and the predicates made of files. @module */
import type { JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { formatRfc3339 } from '#time'
import { InTotoError } from './in-toto-error.js'

const CUSTOM = 'https://cosign.sigstore.dev/attestation/v1'

/** Short name to URI; several names may stand for one type. */
export const PREDICATE_TYPES: ReadonlyMap<string, string> = new Map([
  ['custom', CUSTOM],
  ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance02', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
  ['spdx', 'https://spdx.dev/Document'],
  ['spdxjson', 'https://spdx.dev/Document'],
  ['cyclonedx', 'https://cyclonedx.org/bom'],
  ['link', 'https://in-toto.io/Link/v1'],
  ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1'],
  ['openvex', 'https://openvex.dev/ns'],
])

/**
 * The URI of a predicate type that was given by short name or URI.
 * @throws InTotoError `IN_TOTO_PREDICATE_TYPE`
 */
export function predicateTypeUri(nameOrUri: string): string {
  const uri = PREDICATE_TYPES.get(nameOrUri)
  if (uri !== undefined) return uri
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\S+$/.test(nameOrUri)) return nameOrUri
  throw new InTotoError('IN_TOTO_PREDICATE_TYPE', 'not a type of predicate', {
    expected: `a URI, or one of ${[...PREDICATE_TYPES.keys()].join(', ')}`,
    found: nameOrUri.slice(0, 100),
  })
}

/** A file that is to become a predicate. */
export interface PredicateSource {
  /** Short name or URI. */
  readonly type: string
  readonly text: string
  /** Goes into predicates of type `custom`, which wrap the file. */
  readonly time: UnixMillis
}

/**
 * The predicate made of a file, in the shape that cosign gives it: `custom` wraps the text, `spdx` takes it as a text,
 * everything else is JSON and stays as it is.
 * @throws InTotoError `IN_TOTO_PREDICATE_TYPE`, `IN_TOTO_PREDICATE` when the file is not a JSON object
 */
export function predicateFromFile({ type, text, time }: PredicateSource): JsonValue {
  const uri = predicateTypeUri(type)
  if (uri === CUSTOM) return { Data: text, Timestamp: formatRfc3339(Math.floor(time / 1000) * 1000) }
  if (type === 'spdx') return text
  const value = parse(text, uri)
  if (isJsonObject(value)) return value
  throw notJson(uri)
}

function parse(text: string, uri: string): JsonValue {
  try {
    return parseJson(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw notJson(uri, cause)
  }
}

function notJson(uri: string, cause?: unknown): InTotoError {
  return new InTotoError('IN_TOTO_PREDICATE', 'the predicate is not a JSON object', {
    expected: `a JSON object, for predicates of type ${uri}`,
    hint: 'wrap other text with the type custom',
    cause,
  })
}
