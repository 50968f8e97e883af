/** A network that answers what a test says, and remembers what it was asked. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { Fetch, FetchBody, FetchInit, FetchResponse } from '#clients/http/fetch'
import { createHeaders, createResponse } from '#clients/http/response'

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly init: FetchInit
}

/** What to answer: a response, an error that the network throws, or `hang` for silence until the request is aborted. */
export type FakeAnswer =
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
    }
  | Error
  | 'hang'

/** A fetch and its memory. */
export interface FakeNetwork {
  readonly fetch: Fetch
  readonly requests: readonly SeenRequest[]
  /** `GET https://host/path` of each request. */
  lines(): readonly string[]
}

/** Answers every request through `respond`. */
export function fakeNetwork(
  respond: (request: SeenRequest, index: number) => FakeAnswer | Promise<FakeAnswer>,
): FakeNetwork {
  const requests: SeenRequest[] = []
  const fetch: Fetch = async (url, init = {}) => {
    const request = await see(url, init)
    requests.push(request)
    const answer = await respond(request, requests.length - 1)
    if (answer instanceof Error) throw answer
    if (answer === 'hang') return await silence(init.signal)
    return response(answer, request.method)
  }
  return { fetch, requests, lines: () => requests.map(({ method, url }) => `${method} ${url.href}`) }
}

/** A JSON answer. */
export function json(value: unknown, status = 200): FakeAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

/** Answers one after the other; a further request fails the test. */
export function inOrder(...answers: readonly FakeAnswer[]): (request: SeenRequest, index: number) => FakeAnswer {
  return (request, index) => answers[index] ?? new Error(`unexpected request ${request.method} ${request.url.href}`)
}

async function see(url: string, init: FetchInit): Promise<SeenRequest> {
  const entries = Object.entries(init.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  return {
    method: init.method ?? 'GET',
    url: new URL(url),
    headers: Object.fromEntries(entries) as Record<string, string>,
    body: await collect(init.body),
    init,
  }
}

async function collect(body: FetchBody | undefined): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array()
  if (typeof body === 'string') return encodeUtf8(body)
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function silence(signal: AbortSignal | undefined): Promise<FetchResponse> {
  return await new Promise<never>((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(new Error('aborted'))
    })
  })
}

function response(answer: Exclude<FakeAnswer, Error | 'hang'>, method: string): FetchResponse {
  const { status = 200, headers = {}, body } = answer
  const record = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  if (body === undefined || method === 'HEAD') return createResponse(status, createHeaders(record), empty())
  const streaming = typeof body !== 'string' && !(body instanceof Uint8Array)
  return createResponse(status, createHeaders(record), streaming ? body : pieces(body))
}

async function* empty(): AsyncGenerator<Uint8Array, void, undefined> {
  // No pieces.
}

/** In two pieces, so that nobody relies on bodies coming in one. */
async function* pieces(body: Uint8Array | string): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = typeof body === 'string' ? encodeUtf8(body) : body
  const middle = Math.floor(bytes.length / 2)
  await Promise.resolve()
  yield bytes.subarray(0, middle)
  yield bytes.subarray(middle)
}
