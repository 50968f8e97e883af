/** Reading response bodies: always bounded, never silently short. @module */
import { concatBytes } from '#encoding/bytes'
import { EncodingError } from '#encoding/encoding-error'
import { parseJson, type JsonValue } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import type { FetchResponse } from './fetch.js'
import { HttpError } from './http-error.js'

/** How much of a body may be read, and what to call it in an error. */
export interface BodyLimit {
  /** Most bytes that are read; one more is an error. */
  readonly limit: number
  /** What is being read, such as `the answer of rekor.example`. */
  readonly what: string
  /** Levels of nesting of JSON, where more are taken than usual ({@link parseJson}). */
  readonly depth?: number
}

/**
 * The whole body.
 * @throws {@link HttpError} HTTP_TOO_LARGE past the limit, HTTP_TRUNCATED if it ends before its Content-Length.
 */
export async function readBytes(response: FetchResponse, { limit, what }: BodyLimit): Promise<Uint8Array> {
  const declared = contentLength(response)
  if (declared !== undefined && declared > limit) {
    await discardBody(response)
    throw tooLarge(what, limit, `${String(declared)} bytes`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of streamBody(response)) {
    size += chunk.length
    if (size > limit) throw tooLarge(what, limit, 'more')
    chunks.push(chunk)
  }
  // An encoded body (gzip behind a proxy) has another length than the one declared.
  if (declared !== undefined && size < declared && response.headers.get('content-encoding') === null) {
    throw new HttpError('HTTP_TRUNCATED', `${what} ended early`, {
      expected: `${String(declared)} bytes`,
      found: `${String(size)} bytes`,
      hint: 'The connection was cut on the way; try again.',
    })
  }
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : concatBytes(...chunks)
}

/** The body as text, as {@link readBytes}; bytes that are no UTF-8 are a HTTP_JSON error. */
export async function readText(response: FetchResponse, limits: BodyLimit): Promise<string> {
  const bytes = await readBytes(response, limits)
  return decoding(limits.what, 'UTF-8 text', () => decodeUtf8(bytes))
}

/** The body as JSON, as {@link readBytes}; anything else is a HTTP_JSON error. */
export async function readJson(response: FetchResponse, limits: BodyLimit): Promise<JsonValue> {
  const bytes = await readBytes(response, limits)
  return decoding(limits.what, 'JSON', () =>
    parseJson(bytes, limits.depth === undefined ? {} : { depth: limits.depth }),
  )
}

/** The body as it comes; an absent one is empty. Leaving the loop early cancels the rest. */
export async function* streamBody(response: FetchResponse): AsyncGenerator<Uint8Array, void, undefined> {
  if (response.body !== null) yield* response.body
}

/** Gives up on a body that nobody will read, so that its connection is free again. Never throws. */
export async function discardBody(response: FetchResponse): Promise<void> {
  let size = 0
  try {
    for await (const chunk of streamBody(response)) {
      size += chunk.length
      if (size > DISCARD_AT_MOST) break
    }
  } catch {
    // Nobody waits for these bytes, so their loss is no news.
  }
}

/** A declared length, if it is a plain number. */
export function contentLength(response: FetchResponse): number | undefined {
  const text = response.headers.get('content-length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Reading a short rest is cheaper than a new connection; a long one is not. */
const DISCARD_AT_MOST = 64 * 1024

function decoding<T>(what: string, expected: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new HttpError('HTTP_JSON', `${what} is not ${expected}`, {
      expected,
      found: cause.message,
      hint: 'Check the address: a login page or a proxy may have answered instead of the service.',
      cause,
    })
  }
}

function tooLarge(what: string, limit: number, found: string): HttpError {
  return new HttpError('HTTP_TOO_LARGE', `${what} is larger than allowed`, {
    expected: `at most ${String(limit)} bytes`,
    found,
  })
}
