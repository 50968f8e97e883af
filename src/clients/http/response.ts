/** Building a FetchResponse from its parts. @module */
import { concatBytes } from '#encoding/bytes'
import type { FetchHeaders, FetchResponse } from './fetch.js'

/** A response whose readers all draw from one body. */
export function createResponse(
  status: number,
  headers: FetchHeaders,
  body: AsyncIterable<Uint8Array> | null,
): FetchResponse {
  const bytes = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const chunks: Uint8Array[] = []
    if (body !== null) for await (const chunk of body) chunks.push(chunk)
    return new Uint8Array(concatBytes(...chunks))
  }
  const text = async (): Promise<string> => new TextDecoder().decode(await bytes())
  return {
    status,
    headers,
    body,
    arrayBuffer: async (): Promise<ArrayBuffer> => (await bytes()).buffer,
    text,
    json: async (): Promise<unknown> => JSON.parse(await text()) as unknown,
  }
}

/** Case-insensitive headers from a plain record with lower-case names. */
export function createHeaders(record: ReadonlyMap<string, string>): FetchHeaders {
  return { get: (name: string): string | null => record.get(name.toLowerCase()) ?? null }
}
