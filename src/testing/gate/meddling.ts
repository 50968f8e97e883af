/** A registry that does not do what it should. @module */
import type { TestContext } from 'node:test'
import type { Fetch, FetchResponse } from '#clients/http/fetch'
import { createHeaders, createResponse } from '#clients/http/response'
import { withImages, type SignedImages } from './signed-images.js'

/** What a registry answers instead; undefined: what it has. */
export type Meddling = (url: URL, init: Parameters<Fetch>[1]) => FetchResponse | Promise<FetchResponse> | undefined

/** As {@link withImages}, over a registry that answers what the test says, as soon as it says so. */
export async function withMeddling(t: TestContext): Promise<SignedImages & { readonly meddle: { current: Meddling } }> {
  const meddle: { current: Meddling } = { current: () => undefined }
  const meddled =
    (fetch: Fetch): Fetch =>
    async (url, init) =>
      (await meddle.current(new URL(url), init)) ?? (await fetch(url, init))
  return { ...(await withImages(t, { registry: meddled })), meddle }
}

export function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): FetchResponse {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (body !== '') yield new TextEncoder().encode(body)
  }
  return createResponse(status, createHeaders(new Map(Object.entries(headers))), bytes())
}
