/** in-toto statements v0.1 and v1: what is claimed, about which artifacts. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { InTotoError } from './in-toto-error.js'

/** Versions of the statement layer. */
export type StatementType = 'https://in-toto.io/Statement/v0.1' | 'https://in-toto.io/Statement/v1'

/** What cosign's attestations are. */
export const STATEMENT_V01: StatementType = 'https://in-toto.io/Statement/v0.1'

/** The current version, and what cosign's signatures are. */
export const STATEMENT_V1: StatementType = 'https://in-toto.io/Statement/v1'

/** An artifact the statement is about. */
export interface Subject {
  readonly name?: string | undefined
  readonly uri?: string | undefined
  /** Algorithm name to lower-case hex, as stated. */
  readonly digest: ReadonlyMap<string, string>
  /** String-valued annotations (cosign's `-a`); others are left out. */
  readonly annotations: ReadonlyMap<string, string>
}

/** A statement. */
export interface Statement {
  readonly type: StatementType
  readonly subjects: readonly Subject[]
  readonly predicateType: string
  readonly predicate: JsonValue | undefined
}

const MAX_SUBJECTS = 100_000

/**
 * Reads a statement. Unknown fields are ignored, as its specification asks.
 * @throws InTotoError `IN_TOTO_MALFORMED`, `IN_TOTO_TYPE`
 */
export function parseStatement(payload: string | Uint8Array): Statement {
  const document = parse(payload)
  if (!isJsonObject(document)) throw malformed('the statement', 'an object')
  const { _type: type, subject, predicateType, predicate } = document
  if (type !== STATEMENT_V01 && type !== STATEMENT_V1) {
    throw new InTotoError('IN_TOTO_TYPE', 'the payload is not an in-toto statement', {
      expected: `${STATEMENT_V01} or ${STATEMENT_V1}`,
      found: typeof type === 'string' ? type.slice(0, 100) : 'no _type',
    })
  }
  if (typeof predicateType !== 'string') throw malformed('predicateType', 'text')
  if (!Array.isArray(subject) || subject.length > MAX_SUBJECTS) throw malformed('subject', 'a list')
  const subjects = subject.map((each: JsonValue, index) => parseSubject(each, `subject[${String(index)}]`))
  return { type, subjects, predicateType, predicate }
}

function parseSubject(value: JsonValue, path: string): Subject {
  if (!isJsonObject(value)) throw malformed(path, 'an object')
  return {
    name: optionalText(value['name'], `${path}.name`),
    uri: optionalText(value['uri'], `${path}.uri`),
    digest: new Map(entriesOf(value['digest'], `${path}.digest`).map(([name, hex]) => [name, digestText(hex, path)])),
    annotations: new Map(
      entriesOf(value['annotations'], `${path}.annotations`).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    ),
  }
}

function entriesOf(value: JsonValue | undefined, path: string): [string, JsonValue][] {
  if (value === undefined || value === null) return []
  if (isJsonObject(value)) return Object.entries(value)
  throw malformed(path, 'an object')
}

function digestText(value: JsonValue, path: string): string {
  if (typeof value !== 'string') throw malformed(`${path}.digest`, 'texts')
  return value.toLowerCase()
}

function optionalText(value: JsonValue | undefined, path: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw malformed(path, 'text')
}

/** The JSON text of a statement; empty annotations are left out. */
export function serializeStatement(statement: Statement): string {
  return JSON.stringify({
    _type: statement.type,
    subject: statement.subjects.map(subjectToJson),
    predicateType: statement.predicateType,
    ...(statement.predicate === undefined ? {} : { predicate: statement.predicate }),
  })
}

function subjectToJson({ name, uri, digest, annotations }: Subject): JsonObject {
  return {
    ...(name === undefined ? {} : { name }),
    ...(uri === undefined ? {} : { uri }),
    digest: Object.fromEntries(digest),
    ...(annotations.size === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  }
}

function parse(payload: string | Uint8Array): JsonValue {
  try {
    return parseJson(payload)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new InTotoError('IN_TOTO_MALFORMED', 'the statement is not JSON text', { cause })
  }
}

function malformed(path: string, expected: string): InTotoError {
  return new InTotoError('IN_TOTO_MALFORMED', `${path} of the in-toto statement is not right`, { expected })
}
