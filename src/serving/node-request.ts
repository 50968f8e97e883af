/** A web-standard Request over a node:http message, built lazily: what nobody reads costs nothing. @module */
import type { IncomingMessage } from 'node:http'
import { incomplete } from './body.js'
import type { BodySource } from './body.js'
import { MessageHeaders } from './message-headers.js'
import { streamOf } from './responses.js'

type Head = 'method' | 'url' | 'headers'
type Lazy = 'body' | 'bodyUsed' | 'signal' | 'arrayBuffer' | 'bytes' | 'text' | 'json' | 'formData' | 'blob' | 'clone'

// What the platform's class is to whoever asks (`instanceof`), without what it does when one is made, and without what is replaced
// below: its type declares accessors as plain properties, and those a subclass may not override.
const BareRequest = function () {
  // nothing
} as unknown as new () => Omit<Request, Head | Lazy>
BareRequest.prototype = Request.prototype

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * The request as handlers see it. The platform's class would check and copy the headers, wrap the body in a stream and tie an abort
 * signal before anybody asked; here each exists only once it is read. `bodySource` hands the message itself to those who stream.
 */
export class NodeRequest extends BareRequest implements BodySource {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly #message: IncomingMessage
  readonly #gone: () => AbortSignal
  #signal: AbortSignal | undefined
  #used = false

  constructor(url: string, message: IncomingMessage, gone: () => AbortSignal) {
    super()
    this.method = message.method ?? 'GET'
    this.url = url
    this.headers = new MessageHeaders(message.rawHeaders)
    this.#message = message
    this.#gone = gone
  }

  bodySource(): AsyncIterable<Uint8Array> | null {
    if (BODILESS.has(this.method)) return null
    if (this.#used) throw new TypeError('the body of this request was read already')
    this.#used = true
    return this.#message
  }

  bodyParts(take: (bytes: number) => void): Promise<readonly Uint8Array[]> {
    return this.bodySource() === null ? Promise.resolve([]) : partsOf(this.#message, take)
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

/** The message's chunks as they come. What `take` throws ends the reading, and leaves the message to whoever answers it. */
function partsOf(message: IncomingMessage, take: (bytes: number) => void): Promise<readonly Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = []
    const settle = (end: () => void): void => {
      message.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      end()
    }
    const onData = (chunk: Uint8Array): void => {
      try {
        take(chunk.length)
        parts.push(chunk)
      } catch (error) {
        message.pause()
        settle(() => {
          reject(error instanceof Error ? error : new Error('what was thrown is no error', { cause: error }))
        })
      }
    }
    const onEnd = (): void => {
      settle(() => {
        resolve(parts)
      })
    }
    const onError = (error: Error): void => {
      settle(() => {
        reject(incomplete(error))
      })
    }
    const onClose = (): void => {
      onError(new Error('the connection was closed'))
    }
    message.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
  })
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
