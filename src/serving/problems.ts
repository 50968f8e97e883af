/** From an error's code to what the caller may learn of it: one table a service, one shape an API family. @module */
import { isCodedError } from '#errors'
import type { CodedError } from '#errors'
import type { BodyErrorCode } from './body.js'
import { json } from './responses.js'
import type { HeaderRecord } from './responses.js'

/** The outside face of one error code. */
export interface Problem {
  readonly status: number
  /** The text clients see. Absent: the error's own message, which by rule holds no secret. */
  readonly title?: string | ((error: CodedError) => string)
  /** Extra headers, e.g. `Location` of an entry that exists already. */
  readonly headers?: (error: CodedError) => HeaderRecord
}

/** A row for every code: a union member without a row does not compile. */
export type ProblemTable<Code extends string> = Readonly<Record<Code, Problem>>

/** What a shape is given to write. */
export interface ProblemDetail {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly error: CodedError
}

/** How an API family spells an error body. */
export type ProblemShape = (detail: ProblemDetail) => unknown

/** gRPC status codes by the HTTP status that grpc-gateway derives from them, turned around. */
const GRPC_CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  408: 4,
  409: 6,
  413: 3,
  415: 3,
  422: 3,
  429: 8,
  499: 1,
  500: 13,
  501: 12,
  503: 14,
  504: 4,
}

/** Fulcio and Rekor v2: the grpc-gateway's body. */
export const grpcShape: ProblemShape = ({ status, title }) => ({
  code: GRPC_CODES[status] ?? 2,
  message: title,
  details: [],
})

/** Rekor v1 and the timestamp authority: go-openapi's body. */
export const openapiShape: ProblemShape = ({ status, title }) => ({ code: status, message: title })

/** What happens to the body alone, for services that have nothing special to say of it. */
export const BODY_PROBLEMS: ProblemTable<BodyErrorCode> = {
  BODY_TOO_LARGE: { status: 413 },
  BODY_MEDIA_TYPE: { status: 415, title: withDetail },
  BODY_ENCODING: { status: 415, title: withDetail },
  BODY_INCOMPLETE: { status: 400 },
  BODY_JSON: { status: 400 },
  BODY_TEXT: { status: 400 },
}

/** The message with what was expected and found, for a problem whose caller is a person with a terminal. */
export function withDetail(error: CodedError): string {
  const parts = [error.message]
  if (error.expected !== undefined) parts.push(`expected ${error.expected}`)
  if (error.found !== undefined) parts.push(`found ${error.found}`)
  if (error.hint !== undefined) parts.push(error.hint)
  return parts.join('; ')
}

/** The response for an error that has a row in the table, else undefined: then it is the server's own fault. */
export function problemResponse(
  error: unknown,
  table: ProblemTable<string>,
  shape: ProblemShape,
): Response | undefined {
  if (!isCodedError(error) || !Object.hasOwn(table, error.code)) return undefined
  const problem = table[error.code]
  if (problem === undefined) return undefined
  const { status, title } = problem
  const text = typeof title === 'string' ? title : (title?.(error) ?? error.message)
  return json(status, shape({ status, code: error.code, title: text, error }), problem.headers?.(error) ?? {})
}

/**
 * Makes a wrapper for route handlers that answers the errors of one table in one shape.
 * An error without a row is thrown on: the outermost layer logs it and answers 500 without a word of it.
 */
export function answering<Code extends string>(
  table: ProblemTable<Code>,
  shape: ProblemShape,
): <Rest extends readonly unknown[]>(
  handle: (...args: Rest) => Promise<Response>,
) => (...args: Rest) => Promise<Response> {
  return (handle) =>
    async (...args) => {
      try {
        return await handle(...args)
      } catch (error) {
        const response = problemResponse(error, table, shape)
        if (response === undefined) throw error
        return response
      }
    }
}
