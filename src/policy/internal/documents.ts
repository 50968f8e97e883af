/** YAML files with one or several documents, as bounded JSON values. @module */
import { isCodedError } from '#errors'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { PolicyError } from './policy-error.js'

/** One document of a file. */
export interface ReadDocument {
  readonly value: JsonObject
  /** `kind` and `metadata.name`, or its number in the file: how messages call it. */
  readonly label: string
}

/** How much is read of a file. */
export interface DocumentLimits {
  /** Characters. */
  readonly text: number
  /** Aliases let a short text stand for a huge value; it is counted as it unfolds. */
  readonly nodes: number
  readonly documents: number
}

/**
 * Policies are small; what is larger is an attack or a mistake. No cluster keeps an object of more than 1.5 MiB (etcd's limit on a
 * request), and more takes seconds to be found wanting.
 */
const POLICY_LIMITS: DocumentLimits = { text: 1.5 * 1024 * 1024, nodes: 200_000, documents: 1000 }
const MAX_DEPTH = 64

/**
 * Reads a file of YAML (or JSON) documents; a `List` is taken apart, empty documents are left out.
 * @throws PolicyError `POLICY_DOCUMENT` with the line where it is known
 */
export async function readDocuments(
  text: string,
  file: string,
  limits: DocumentLimits = POLICY_LIMITS,
): Promise<readonly ReadDocument[]> {
  if (text.length > limits.text) throw unusable(file, 'is too large', `at most ${String(limits.text)} characters`)
  const { loadAll, CORE_SCHEMA } = await import('js-yaml')
  let values: readonly unknown[]
  try {
    values = loadAll(text, { schema: CORE_SCHEMA })
  } catch (cause) {
    throw unusable(`${file}${lineOf(cause)}`, 'is not YAML', 'one or several YAML documents', cause)
  }
  if (values.length > limits.documents)
    throw unusable(file, 'has too many documents', `at most ${String(limits.documents)}`)
  const budget = { nodes: limits.nodes }
  return values.flatMap((value, index) => {
    if (value === null || value === undefined) return []
    const json = toJson(value, { depth: 0, budget, file })
    return items(json, `${file}, document ${String(index + 1)}`)
  })
}

function items(json: JsonValue, place: string): readonly ReadDocument[] {
  if (!isJsonObject(json)) throw unusable(place, 'is not an object', 'a Kubernetes resource')
  if (json['kind'] === 'List' && Array.isArray(json['items']))
    return (json['items'] as readonly JsonValue[]).flatMap((item) => items(item, place))
  return [{ value: json, label: labelOf(json, place) }]
}

function labelOf({ kind, metadata }: JsonObject, place: string): string {
  const name = isJsonObject(metadata) ? metadata['name'] : undefined
  return typeof kind === 'string' && typeof name === 'string' ? `${kind} ${name} (${place})` : place
}

interface Unfolding {
  readonly depth: number
  readonly budget: { nodes: number }
  readonly file: string
}

function toJson(value: unknown, { depth, budget, file }: Unfolding): JsonValue {
  budget.nodes--
  if (budget.nodes < 0) throw unusable(file, 'unfolds to too much', 'fewer values')
  if (depth > MAX_DEPTH) throw unusable(file, 'is nested too deeply', `at most ${String(MAX_DEPTH)} levels`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const below = { depth: depth + 1, budget, file }
  if (Array.isArray(value)) return value.map((each) => toJson(each, below))
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([name, each]) => [name, toJson(each, below)] as const)
    if (entries.some(([name]) => name === '__proto__')) throw unusable(file, 'has a field __proto__', 'another name')
    return Object.fromEntries(entries)
  }
  throw unusable(file, 'has a value that JSON does not have', 'texts, numbers, true, false, null, lists and objects')
}

function lineOf(error: unknown): string {
  const mark: unknown = typeof error === 'object' && error !== null && 'mark' in error ? error.mark : undefined
  if (typeof mark !== 'object' || mark === null || !('line' in mark) || typeof mark.line !== 'number') return ''
  return `, line ${String(mark.line + 1)}`
}

function unusable(place: string, what: string, expected: string, cause?: unknown): PolicyError {
  const reason = typeof cause === 'object' && cause !== null && 'reason' in cause ? cause.reason : undefined
  const found = typeof reason === 'string' && !isCodedError(cause) ? { found: reason.slice(0, 200) } : {}
  return new PolicyError('POLICY_DOCUMENT', `${place} ${what}`, { expected, ...found, cause })
}
