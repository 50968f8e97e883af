/** Open watches of a fake cluster. @module */
import { HttpError } from '#clients/http/http-error'
import { encodeUtf8 } from '#encoding/utf8'
import type { FakeRequest } from './fake-requests.js'
import { group, type HistoryEvent, type ObjectHistory } from './object-history.js'
import type { FakeResource } from './resources.js'
import { isSelected } from './selectors.js'
import { statusBody, statusResponse } from './statuses.js'

interface OpenWatch {
  readonly resource: FakeResource
  /** Held, since its signal passes nothing on once the request is no longer reachable. */
  readonly request: Request
  send(event: object): void
  end(): void
  /** Without an end, in the middle of an event. */
  cut(): void
}

/** Tells watches what happens, and waits for them to be there. */
export class Watches {
  readonly #open = new Set<OpenWatch>()
  readonly #waiting = new Set<() => void>()
  readonly #history: ObjectHistory

  constructor(history: ObjectHistory) {
    this.#history = history
  }

  count(resource?: string): number {
    return [...this.#open].filter((watch) => resource === undefined || watch.resource.resource === resource).length
  }

  /** Resolves once so many watch a resource. */
  async whenWatched(resource: string, count: number): Promise<void> {
    while (this.count(resource) < count) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** Says that nothing happened up to now. */
  bookmark(): void {
    for (const watch of this.#open) {
      const { apiVersion, kind } = watch.resource
      const object = { apiVersion, kind, metadata: { resourceVersion: String(this.#history.version) } }
      watch.send({ type: 'BOOKMARK', object })
    }
  }

  end(how: 'end' | 'cut' | 'expire'): void {
    for (const watch of [...this.#open]) {
      if (how === 'expire') watch.send({ type: 'ERROR', object: statusBody(410, 'too old resource version') })
      if (how === 'cut') watch.cut()
      else watch.end()
    }
  }

  answer(asked: FakeRequest, request: Request): Response {
    const from = Number(asked.query.get('resourceVersion'))
    const missed = this.#history.since(from)
    if (missed === undefined) return statusResponse(410, `too old resource version: ${String(from)}`)
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#start(asked, { missed, controller, request })
      },
    })
    return new Response(body, { headers: { 'content-type': 'application/json' } })
  }

  #start(asked: FakeRequest, { missed, controller, request }: Start): void {
    const { resource } = asked
    const line = (event: object): Uint8Array => encodeUtf8(`${JSON.stringify(event)}\n`)
    const close = (): boolean => {
      stopListening()
      return this.#open.delete(watch)
    }
    const watch: OpenWatch = {
      resource,
      request,
      send: (event) => {
        const bytes = line(event)
        // In two pieces, so that nobody relies on events coming in one.
        controller.enqueue(bytes.subarray(0, bytes.length >> 1))
        controller.enqueue(bytes.subarray(bytes.length >> 1))
      },
      end: () => {
        if (close()) controller.close()
      },
      cut: () => {
        if (!close()) return
        controller.enqueue(encodeUtf8('{"type":"ADDED","object":{"kind":'))
        controller.error(new HttpError('HTTP_TRUNCATED', 'the answer was cut off'))
      },
    }
    const tell = (event: HistoryEvent): void => {
      const told = eventFor(asked, event)
      if (told !== undefined) watch.send(told)
    }
    const stopListening = this.#history.listen(tell)
    this.#open.add(watch)
    missed.forEach(tell)
    if (request.signal.aborted) watch.end()
    else request.signal.addEventListener('abort', watch.end, { once: true })
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

interface Start {
  readonly missed: readonly HistoryEvent[]
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  readonly request: Request
}

/** An event as one watch sees it: what leaves its selection is deleted for it. */
function eventFor({ resource, namespace, query }: FakeRequest, event: HistoryEvent): object | undefined {
  if (event.resource.resource !== resource.resource || group(event.resource) !== group(resource)) return undefined
  if (namespace !== undefined && event.object.metadata.namespace !== namespace) return undefined
  const selects = (object: HistoryEvent['object'] | undefined): boolean =>
    object !== undefined && isSelected(object, query.get('labelSelector'), query.get('fieldSelector'))
  const was = selects(event.before)
  const is = event.type !== 'DELETED' && selects(event.object)
  if (!was && !is) return undefined
  const object = { ...event.object, apiVersion: resource.apiVersion }
  return { type: !is ? 'DELETED' : was ? 'MODIFIED' : 'ADDED', object }
}
