/** Statements made from a predicate. @module */
import { parseJson, isJsonObject, type JsonValue } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { STATEMENT_V01 } from '#formats/in-toto/statement'
import { formatRfc3339, type UnixMillis } from '#time'
import { SignError } from './sign-error.js'

/** Fields without which a predicate is not of its type; what cosign checks by reading it into its own types. */
const REQUIRED_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['https://slsa.dev/provenance/v0.2', ['builder', 'buildType']],
  ['https://slsa.dev/provenance/v1', ['buildDefinition', 'runDetails']],
  ['https://in-toto.io/Link/v1', ['name', 'command', 'materials', 'products', 'byproducts', 'environment']],
  ['https://cosign.sigstore.dev/attestation/vuln/v1', ['invocation', 'scanner', 'metadata']],
])
const CUSTOM = predicateTypeUri('custom')

export interface StatementParts {
  /** Name of the predicate type, or its URI. */
  readonly type: string
  readonly predicate: Uint8Array
  readonly subject: { readonly name: string; readonly sha256: string }
  readonly now: UnixMillis
}

/**
 * The in-toto statement that claims a predicate about a subject, as cosign writes it (Statement v0.1).
 * A JSON predicate goes in as it was given, letter by letter: numbers of any size stay what they are.
 * @throws {@link SignError} `SIGN_PREDICATE` if the predicate is not of its type; InTotoError if there is no such type.
 */
export function attestationStatement({ type, predicate, subject, now }: StatementParts): Uint8Array {
  const predicateType = predicateTypeUri(type)
  const head = JSON.stringify({
    _type: STATEMENT_V01,
    subject: [{ name: subject.name, digest: { sha256: subject.sha256 } }],
    predicateType,
  })
  return encodeUtf8(`${head.slice(0, -1)},"predicate":${predicateText(type, textOf(predicate, type), now)}}`)
}

function predicateText(type: string, text: string, now: UnixMillis): string {
  const uri = predicateTypeUri(type)
  // `spdx` is the tag-value form, `spdxjson` the JSON one; both are of the same predicate type.
  if (type === 'spdx') return JSON.stringify(text)
  if (uri === CUSTOM) return JSON.stringify({ Data: text, Timestamp: formatRfc3339(Math.floor(now / 1000) * 1000) })
  const [value, required] = [jsonOf(text, type), REQUIRED_FIELDS.get(uri) ?? []]
  const missing = required.filter((field) => !Object.hasOwn(value, field))
  if (missing.length === 0) return text.trim()
  throw new SignError('SIGN_PREDICATE', `the predicate is not of type ${type}`, {
    expected: `the fields ${required.join(', ')}`,
    found: `no ${missing.join(', ')}`,
  })
}

function textOf(bytes: Uint8Array, type: string): string {
  try {
    return decodeUtf8(bytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new SignError('SIGN_PREDICATE', `the predicate of type ${type} is not UTF-8 text`, { cause })
  }
}

function jsonOf(text: string, type: string): Readonly<Record<string, JsonValue>> {
  let value: JsonValue | undefined
  try {
    value = parseJson(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new SignError('SIGN_PREDICATE', `invalid JSON payload for predicate type ${type}`, {
      found: cause.message,
      cause,
    })
  }
  if (isJsonObject(value)) return value
  throw new SignError('SIGN_PREDICATE', `invalid JSON payload for predicate type ${type}`, {
    expected: 'a JSON object',
  })
}
