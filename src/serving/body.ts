/** Reading request bodies within bounds: never more bytes than the route allows, never another media type. @module */
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import { CodedError } from '#errors'

export type BodyErrorCode =
  'BODY_TOO_LARGE' | 'BODY_MEDIA_TYPE' | 'BODY_ENCODING' | 'BODY_INCOMPLETE' | 'BODY_JSON' | 'BODY_TEXT'

/** The body of a request could not be taken. */
export class BodyError extends CodedError<BodyErrorCode> {
  override readonly name = 'BodyError'
}

/** What a route accepts. */
export interface BodyLimits {
  /** Most bytes that are read; one more is `BODY_TOO_LARGE`. */
  readonly maxBytes: number
  /** Accepted media types without parameters, lower case. Absent: any, and none. */
  readonly types?: readonly string[]
}

const EMPTY = new Uint8Array()

/**
 * Reads the whole body.
 * @throws {@link BodyError} BODY_TOO_LARGE, BODY_MEDIA_TYPE, BODY_ENCODING, or BODY_INCOMPLETE if the client went away.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  checkMediaType(request, limits.types)
  const declared = declaredLength(request)
  if (declared !== undefined && declared > limits.maxBytes) throw tooLarge(limits.maxBytes, `${String(declared)} bytes`)
  let size = 0
  return await wholeBody(request, (bytes) => {
    size += bytes
    // The declared length is only a promise: a chunked body has none.
    if (size > limits.maxBytes) throw tooLarge(limits.maxBytes, `more than ${String(limits.maxBytes)} bytes`)
  })
}

/**
 * Reads the whole body; `take` is told the size of each part before it is kept, and ends the reading by throwing.
 * @throws {@link BodyError} BODY_ENCODING, BODY_INCOMPLETE, and whatever `take` throws
 */
export async function wholeBody(request: Request, take: (bytes: number) => void): Promise<Uint8Array> {
  if (isBodySource(request)) {
    checkEncoding(request)
    return join(await request.bodyParts(take))
  }
  const parts: Uint8Array[] = []
  for await (const chunk of bodyChunks(request)) {
    take(chunk.length)
    parts.push(chunk)
  }
  return join(parts)
}

/**
 * Reads a JSON body.
 * @throws {@link BodyError} as {@link readBody}, and BODY_JSON.
 */
export async function readJson(request: Request, limits: BodyLimits): Promise<JsonValue> {
  const body = await readBody(request, limits)
  try {
    return parseJson(body)
  } catch (cause) {
    throw new BodyError('BODY_JSON', 'the body is not JSON', { hint: 'send one JSON value in UTF-8', cause })
  }
}

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws {@link BodyError} as {@link readBody}, and BODY_TEXT if it is not UTF-8.
 */
export async function readForm(request: Request, maxBytes: number): Promise<URLSearchParams> {
  const body = await readBody(request, { maxBytes, types: ['application/x-www-form-urlencoded'] })
  try {
    return new URLSearchParams(decodeUtf8(body))
  } catch (cause) {
    throw new BodyError('BODY_TEXT', 'the form is not UTF-8', { cause })
  }
}

/**
 * The body as it arrives, for those who stream. The sender is only read as fast as the consumer asks.
 * The consumer bounds the size itself.
 * @throws {@link BodyError} BODY_ENCODING, or BODY_INCOMPLETE if the client went away.
 */
export async function* bodyChunks(request: Request): AsyncGenerator<Uint8Array> {
  checkEncoding(request)
  const source: AsyncIterable<Uint8Array> | null = isBodySource(request) ? request.bodySource() : request.body
  if (source === null) return
  try {
    for await (const chunk of source) yield chunk
  } catch (cause) {
    throw incomplete(cause)
  }
}

/** What is said of a body that ends too soon. */
export function incomplete(cause: unknown): BodyError {
  return new BodyError('BODY_INCOMPLETE', 'the body ended before its declared end', { cause })
}

function checkEncoding(request: Request): void {
  const encoding = request.headers.get('content-encoding')
  if (encoding === null || encoding === 'identity') return
  throw new BodyError('BODY_ENCODING', 'compressed bodies are not accepted', { expected: 'identity', found: encoding })
}

/** A request that can hand out its body without the detour over a web stream (see the server adapter). */
export interface BodySource {
  bodySource(): AsyncIterable<Uint8Array> | null
  /**
   * All of it; `take` as in {@link wholeBody}.
   * @throws {@link BodyError} BODY_INCOMPLETE, and whatever `take` throws
   */
  bodyParts(take: (bytes: number) => void): Promise<readonly Uint8Array[]>
}

function isBodySource(request: Request): request is Request & BodySource {
  return 'bodySource' in request
}

/** The media type of the request without its parameters, lower case; undefined without the header. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
}

/** The Content-Length if there is one and it is a number. */
export function declaredLength(request: Request): number | undefined {
  const header = request.headers.get('content-length')
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}

function checkMediaType(request: Request, types: readonly string[] | undefined): void {
  if (types === undefined) return
  const found = mediaType(request)
  if (found !== undefined && types.includes(found)) return
  throw new BodyError('BODY_MEDIA_TYPE', 'the content type is not accepted here', {
    expected: types.join(' or '),
    found: found ?? 'no content-type',
  })
}

function tooLarge(maxBytes: number, found: string): BodyError {
  return new BodyError('BODY_TOO_LARGE', 'the body is too large', {
    expected: `at most ${String(maxBytes)} bytes`,
    found,
  })
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first === undefined) return EMPTY
  if (parts.length === 1) return first
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
