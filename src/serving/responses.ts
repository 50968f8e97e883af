/** Responses whose body is already in memory, which is almost every response of a Sigstore. @module */
import { encodeUtf8 } from '#encoding/utf8'

/** Headers of a response to be; a list as value gives one header line an element (`set-cookie`). */
export type HeaderRecord = Readonly<Record<string, string | readonly string[]>>

type BodyParts = 'body' | 'arrayBuffer' | 'bytes' | 'text' | 'json' | 'formData' | 'blob' | 'clone'

// The platform's class without its body: its type declares accessors as plain properties, and those a subclass may
// not override.
const ResponseHead: new (body: null, init: ResponseInit) => Omit<Response, BodyParts> = Response

/**
 * A response over bytes in memory. The platform's own class wraps every body in a stream, which costs more than
 * parsing the request did; the server adapter takes `bytes` directly, and everybody else reads it as usual.
 */
export class BytesResponse extends ResponseHead {
  readonly bytesInMemory: Uint8Array

  constructor(status: number, body: Uint8Array, headers: HeaderRecord = {}) {
    super(null, { status, headers: toHeaders(headers) })
    this.bytesInMemory = body
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.bytesInMemory.length === 0 ? null : this.#copy().body
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#copy().arrayBuffer()
  }

  bytes(): Promise<Uint8Array> {
    return Promise.resolve(this.bytesInMemory.slice())
  }

  text(): Promise<string> {
    return this.#copy().text()
  }

  json(): Promise<unknown> {
    return this.#copy().json()
  }

  formData(): Promise<FormData> {
    return Promise.reject(new TypeError('forms are read with readForm'))
  }

  blob(): Promise<Blob> {
    return this.#copy().blob()
  }

  clone(): Response {
    return this.#copy()
  }

  #copy(): Response {
    const bodiless = this.status === 204 || this.status === 304
    return new Response(bodiless ? null : this.bytesInMemory, { status: this.status, headers: this.headers })
  }
}

function toHeaders(record: HeaderRecord): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'string') headers.set(name, value)
    else for (const one of value) headers.append(name, one)
  }
  return headers
}

/** A JSON response. `value` is serialised with JSON.stringify: 64-bit integers must already be strings or numbers. */
export function json(status: number, value: unknown, headers: HeaderRecord = {}): Response {
  return new BytesResponse(status, encodeUtf8(JSON.stringify(value)), {
    'content-type': 'application/json',
    ...headers,
  })
}

/** A text response, `text/plain` unless the headers say otherwise. */
export function text(status: number, body: string, headers: HeaderRecord = {}): Response {
  return new BytesResponse(status, encodeUtf8(body), { 'content-type': 'text/plain; charset=utf-8', ...headers })
}

/** A response of raw bytes with its media type. */
export function bytes(status: number, body: Uint8Array, type: string, headers: HeaderRecord = {}): Response {
  return new BytesResponse(status, body, { 'content-type': type, ...headers })
}

/** A response without a body. */
export function empty(status: number, headers: HeaderRecord = {}): Response {
  return new BytesResponse(status, new Uint8Array(), headers)
}

/** A response whose body is produced while it is sent; the producer is only pulled as fast as the client reads. */
export function stream(status: number, body: AsyncIterable<Uint8Array>, headers: HeaderRecord = {}): Response {
  return new StreamResponse(status, body, headers)
}

/** A response over an async iterable; see {@link stream}. */
export class StreamResponse extends ResponseHead {
  readonly chunks: AsyncIterable<Uint8Array>

  constructor(status: number, chunks: AsyncIterable<Uint8Array>, headers: HeaderRecord = {}) {
    super(null, { status, headers: toHeaders(headers) })
    this.chunks = chunks
  }

  get body(): ReadableStream<Uint8Array> {
    return streamOf(this.chunks)
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#plain().arrayBuffer()
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer())
  }

  text(): Promise<string> {
    return this.#plain().text()
  }

  json(): Promise<unknown> {
    return this.#plain().json()
  }

  formData(): Promise<FormData> {
    return Promise.reject(new TypeError('forms are read with readForm'))
  }

  blob(): Promise<Blob> {
    return this.#plain().blob()
  }

  clone(): never {
    throw new TypeError('a streamed response cannot be cloned: its body is not kept')
  }

  #plain(): Response {
    return new Response(this.body, { status: this.status, headers: this.headers })
  }
}

/** A web stream over an async iterable that is pulled on demand and told when the reader goes away. */
export function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
