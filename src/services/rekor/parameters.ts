/** Parameters of the Rekor v1 API, checked as its schema says (sigstore/rekor openapi.yaml). @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { decodeBase64Any } from '#encoding/base64'
import { isCodedError } from '#errors'
import { verifierFromPem } from '#formats/rekor-entry/verifier-pem'
import { RekorV1Error } from './errors.js'
import { keyTerm } from './search-terms.js'

/** Where a natural number may come from and what it must be. */
export interface NumberParameter {
  readonly name: string
  readonly minimum: number
  readonly fallback?: number
}

/** A natural number of the query. @throws RekorV1Error `REKOR_V1_PARAMETER` */
export function numberParameter(query: URLSearchParams, { name, minimum, fallback }: NumberParameter): number {
  const text = query.get(name)
  if (text === null && fallback !== undefined) return fallback
  if (text === null) throw parameter(`${name} in query is required`)
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value)) throw parameter(`${name} in query must be of type int64`)
  if (value < minimum) throw parameter(`${name} in query should be greater than or equal to ${String(minimum)}`)
  return value
}

/** Checks the `treeID` of a query, which is optional. @throws RekorV1Error `REKOR_V1_TREE_ID` */
export function checkTreeId(query: URLSearchParams, treeId: bigint): void {
  const text = query.get('treeID')
  if (text === null || text === '' || text === String(treeId)) return
  throw new RekorV1Error('REKOR_V1_TREE_ID', `invalid tree ID specified: ${text.slice(0, 40)}`, {
    expected: String(treeId),
  })
}

/** Checks an entry id of a path. @throws RekorV1Error `REKOR_V1_PARAMETER` */
export function checkEntryUuid(text: string): void {
  const pattern = '^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$'
  if (!new RegExp(pattern).test(text)) throw parameter(`entryUUID in path should match '${pattern}'`)
}

/** What `entries/retrieve` asks for. */
export interface RetrieveQuery {
  readonly uuids: readonly string[]
  readonly indexes: readonly number[]
  readonly proposals: readonly JsonValue[]
}

const MAX_QUERIES = 10

/** @throws RekorV1Error `REKOR_V1_PARAMETER`, `REKOR_V1_QUERY_LIMIT` */
export function retrieveQuery(body: JsonValue): RetrieveQuery {
  const object = objectBody(body)
  const query: RetrieveQuery = {
    uuids: list(object, 'entryUUIDs').map((value) => asUuid(value)),
    indexes: list(object, 'logIndexes').map((value) => asIndex(value)),
    proposals: list(object, 'entries'),
  }
  if (query.uuids.length + query.indexes.length + query.proposals.length <= MAX_QUERIES) return query
  throw new RekorV1Error('REKOR_V1_QUERY_LIMIT', `more than max allowed ${String(MAX_QUERIES)} entries in request`)
}

/** What `index/retrieve` asks for. */
export interface SearchQuery {
  readonly terms: readonly string[]
  readonly operator: 'and' | 'or'
}

/** @throws RekorV1Error `REKOR_V1_PARAMETER`, `REKOR_V1_PKI_FORMAT`, `REKOR_V1_SEARCH_KEY` */
export function searchQuery(body: JsonValue): SearchQuery {
  const object = objectBody(body)
  const terms = [hashTerm(object), publicKeyTerm(object), emailTerm(object), text(object, 'subject')]
  const operator = text(object, 'operator') ?? 'or'
  if (operator !== 'and' && operator !== 'or') throw parameter('operator in body should be one of [and or]')
  return { terms: terms.filter((term) => term !== undefined), operator }
}

const HASH =
  /^(?:(?:sha512:)?[0-9a-fA-F]{128}|(?:sha384:)?[0-9a-fA-F]{96}|(?:sha256:)?[0-9a-fA-F]{64}|(?:sha1:)?[0-9a-fA-F]{40})$/
const HASH_NAMES: ReadonlyMap<number, string> = new Map([
  [128, 'sha512'],
  [96, 'sha384'],
  [64, 'sha256'],
  [40, 'sha1'],
])

function hashTerm(object: JsonObject): string | undefined {
  const hash = text(object, 'hash')
  if (hash === undefined || hash === '') return undefined
  if (!HASH.test(hash)) throw parameter('hash in body should be a hexadecimal SHA-1, SHA-256, SHA-384 or SHA-512')
  return hash.includes(':') ? hash : `${HASH_NAMES.get(hash.length) ?? ''}:${hash}`
}

function emailTerm(object: JsonObject): string | undefined {
  const email = text(object, 'email')
  if (email === undefined || email === '') return undefined
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw parameter('email in body must be of type email')
  return email
}

function publicKeyTerm(object: JsonObject): string | undefined {
  const key = object['publicKey']
  if (key === undefined || key === null) return undefined
  if (!isJsonObject(key)) throw parameter('publicKey in body must be of type object')
  if (key['format'] === undefined) throw parameter('publicKey.format in body is required')
  if (key['format'] !== 'x509')
    throw new RekorV1Error('REKOR_V1_PKI_FORMAT', 'only x509 keys are logged here', { expected: 'x509' })
  const content = text(key, 'content')
  // The reference server would fetch a `url` for the caller; this one fetches nothing.
  if (content === undefined) throw parameter('publicKey.content in body is required')
  try {
    return keyTerm(verifierFromPem(decodeBase64Any(content)))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new RekorV1Error('REKOR_V1_SEARCH_KEY', 'the public key to search for cannot be read', { cause })
  }
}

function text(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw parameter(`${name} in body must be of type string`)
  return value
}

function list(object: JsonObject, name: string): readonly JsonValue[] {
  const value = object[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw parameter(`${name} in body must be of type array`)
  return value as readonly JsonValue[]
}

function asUuid(value: JsonValue): string {
  if (typeof value === 'string' && /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{80})$/.test(value)) return value
  throw parameter("entryUUIDs in body should match '^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$'")
}

function asIndex(value: JsonValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw parameter('logIndexes in body should be numbers greater than or equal to 0')
}

function objectBody(body: JsonValue): JsonObject {
  if (isJsonObject(body)) return body
  throw parameter('the body must be of type object')
}

function parameter(message: string): RekorV1Error {
  return new RekorV1Error('REKOR_V1_PARAMETER', message)
}
