/** A watch's answer: one JSON event a line, for minutes. @module */
import { concatBytes } from '#encoding/bytes'
import { isJsonObject, parseJson, type JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { streamBody } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'
import type { WatchEvent } from './api.js'
import { KubernetesError } from './kubernetes-error.js'
import { MAX_NESTING, parseObject } from './object.js'
import { errorOf, parseStatus } from './status.js'

/** An object is at most some megabytes in etcd; its JSON may be longer. */
const MAX_LINE = 32 * 1024 * 1024
const LINE_FEED = 0x0a

/**
 * The events of a watch. A last line without its end is an event that was cut off; it is not given, and comes again to
 * whoever watches on from the last one that was.
 * @throws KubernetesError KUBERNETES_EXPIRED, KUBERNETES_ANSWER and what else an ERROR event says; HttpError when it is cut
 */
export async function* readEvents(response: FetchResponse, asked: string): AsyncGenerator<WatchEvent, void, undefined> {
  for await (const line of readLines(response, asked)) {
    if (line.length > 0) yield parseEvent(line, asked)
  }
}

async function* readLines(response: FetchResponse, asked: string): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let size = 0
  for await (const chunk of streamBody(response)) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield concatBytes(...held, chunk.subarray(start, end))
      held = []
      size = 0
      start = end + 1
    }
    const rest = chunk.subarray(start)
    if (rest.length > 0) held.push(rest)
    size += rest.length
    if (size > MAX_LINE) throw malformed(asked, `events of at most ${String(MAX_LINE)} bytes`)
  }
}

/** Reads one event. */
export function parseEvent(line: Uint8Array, asked: string): WatchEvent {
  const event = parseLine(line, asked)
  const type = isJsonObject(event) ? event['type'] : undefined
  const object = isJsonObject(event) ? event['object'] : undefined
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    return { type, object: parseObject(object, asked) }
  }
  if (type === 'BOOKMARK') {
    const metadata = isJsonObject(object) ? object['metadata'] : undefined
    const resourceVersion = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined
    if (typeof resourceVersion !== 'string') throw malformed(asked, 'a bookmark with a resourceVersion')
    return { type, resourceVersion }
  }
  const status = type === 'ERROR' ? parseStatus(object ?? null, 500) : undefined
  throw status === undefined ? malformed(asked, 'ADDED, MODIFIED, DELETED, BOOKMARK or ERROR') : errorOf(status, asked)
}

function parseLine(line: Uint8Array, asked: string): JsonValue {
  try {
    return parseJson(line, { depth: MAX_NESTING })
  } catch (error) {
    if (isCodedError(error)) throw malformed(asked, 'one JSON object a line')
    throw error
  }
}

function malformed(asked: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_ANSWER', `${asked}: the answer is not a watch’s`, { expected })
}
