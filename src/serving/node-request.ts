/** A web-standard Request over a node:http message, built lazily: what nobody reads costs nothing. @module */
import type { IncomingMessage } from 'node:http'
import type { BodySource } from './body.js'
import { streamOf } from './responses.js'

type Lazy = 'body' | 'bodyUsed' | 'signal' | 'arrayBuffer' | 'bytes' | 'text' | 'json' | 'formData' | 'blob' | 'clone'

// The platform's class without what is replaced below: its type declares accessors as plain properties, and those a
// subclass may not override.
const RequestHead: new (url: string, init: RequestInit) => Omit<Request, Lazy> = Request

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * The request as handlers see it. The platform's class would wrap the body in a stream and tie an abort signal before
 * anybody asked; here both exist only once they are read. `bodySource` hands the message itself to those who stream.
 */
export class NodeRequest extends RequestHead implements BodySource {
  readonly #message: IncomingMessage
  readonly #gone: () => AbortSignal
  #signal: AbortSignal | undefined
  #used = false

  constructor(url: string, message: IncomingMessage, gone: () => AbortSignal) {
    super(url, { method: message.method ?? 'GET', headers: headerPairs(message.rawHeaders) })
    this.#message = message
    this.#gone = gone
  }

  bodySource(): AsyncIterable<Uint8Array> | null {
    if (BODILESS.has(this.method)) return null
    if (this.#used) throw new TypeError('the body of this request was read already')
    this.#used = true
    return this.#message
  }

  get body(): ReadableStream<Uint8Array> | null {
    const source = this.bodySource()
    return source === null ? null : streamOf(source)
  }

  get bodyUsed(): boolean {
    return this.#used
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#gone())
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return new Response(this.body).arrayBuffer()
  }

  text(): Promise<string> {
    return new Response(this.body).text()
  }

  json(): Promise<unknown> {
    return new Response(this.body).json()
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer())
  }

  formData(): Promise<FormData> {
    return Promise.reject(new TypeError('forms are read with readForm'))
  }

  blob(): Promise<Blob> {
    return new Response(this.body).blob()
  }

  clone(): never {
    throw new TypeError('a request from the network cannot be cloned: its body is not kept')
  }
}

function headerPairs(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index], raw[index + 1]]
    if (name !== undefined && value !== undefined) pairs.push([name, value])
  }
  return pairs
}

/**
 * The absolute URL of a message, or undefined if its target or host are not usable.
 * Dot segments are resolved here, once, so that no handler ever sees them.
 */
export function requestUrl(message: IncomingMessage, scheme: string): string | undefined {
  const target = message.url ?? '/'
  const host = message.headers.host ?? 'localhost'
  if (!/^[\w.:[\]-]{1,255}$/.test(host)) return undefined
  // An absolute-form target (RFC 9112 §3.2.2) comes from proxies; its host is taken from it, as the RFC asks.
  const text = target.startsWith('/') ? `${scheme}://${host}${target}` : target
  try {
    const url = new URL(text)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined
  } catch {
    return undefined
  }
}
