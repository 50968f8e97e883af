/** The body of a message of node:http, read by its events: the stream's own iterator costs as much as a request. @module */
import type { IncomingMessage } from 'node:http'

/** So many pieces are held for a reader that is slower than the sender; then the sender waits. */
const HELD = 16

interface Reader {
  readonly resolve: (step: IteratorResult<Uint8Array, void>) => void
  readonly reject: (error: Error) => void
}

/**
 * The pieces as they come. Leaving the loop early gives up the message and its connection. What goes wrong on the way is passed through
 * `describe` and thrown.
 */
export class MessageBody implements AsyncIterableIterator<Uint8Array, void, undefined> {
  readonly #message: IncomingMessage
  readonly #describe: (cause: Error) => Error
  readonly #held: Uint8Array[] = []
  #reader: Reader | undefined
  #state: 'unread' | 'open' | 'ended' | Error = 'unread'

  constructor(message: IncomingMessage, describe: (cause: Error) => Error) {
    this.#message = message
    this.#describe = describe
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#state === 'unread') this.#open()
    const piece = this.#held.shift()
    if (piece !== undefined) return Promise.resolve({ done: false, value: piece })
    if (this.#state === 'ended') return Promise.resolve(END)
    if (this.#state instanceof Error) return Promise.reject(this.#describe(this.#state))
    if (this.#message.isPaused()) this.#message.resume()
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#state === 'unread' || this.#state === 'open') {
      this.#state = 'ended'
      this.#message.destroy()
    }
    this.#held.length = 0
    return Promise.resolve(END)
  }

  #open(): void {
    this.#state = 'open'
    this.#message
      .on('data', (piece: Uint8Array) => {
        this.#take(piece)
      })
      .on('end', () => {
        this.#end('ended')
      })
      .on('error', (cause) => {
        this.#end(cause)
      })
      .on('close', () => {
        // Each message is closed in the end, and an error is dear to make.
        if (this.#state === 'open') this.#end(closed())
      })
    // What has happened already is not told again.
    if (this.#message.destroyed) this.#end(this.#message.errored ?? closed())
  }

  #take(piece: Uint8Array): void {
    const reader = this.#reader
    this.#reader = undefined
    if (reader !== undefined) reader.resolve({ done: false, value: piece })
    else if (this.#held.push(piece) >= HELD) this.#message.pause()
  }

  #end(state: 'ended' | Error): void {
    if (this.#state !== 'open') return
    this.#state = state
    const reader = this.#reader
    this.#reader = undefined
    if (state === 'ended') reader?.resolve(END)
    else reader?.reject(this.#describe(state))
  }
}

function closed(): Error {
  return new Error('the connection was closed')
}

const END: IteratorReturnResult<void> = { done: true, value: undefined }
