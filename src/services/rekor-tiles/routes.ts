/** The Rekor v2 API over HTTP (sigstore/rekor-tiles api/proto/rekor/v2). @module */
import { isCodedError } from '#errors'
import { transparencyLogEntryToJson } from '#formats/rekor-entry/log-entry-proto'
import { parseTilePath } from '#formats/tlog-tiles/tile'
import { readBody } from '#serving/body'
import { answering, grpcShape } from '#serving/problems'
import { bytes, json } from '#serving/responses'
import { pathOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { parseCreateRequest } from './create-request.js'
import { PROBLEMS, RekorTilesError } from './errors.js'
import type { RekorTiles } from './rekor-tiles.js'

export interface RekorTilesRouteOptions {
  /** Largest request in bytes. Default 4 MiB, as the reference has it; dsse requests hold whole envelopes. */
  readonly maxBodySize?: number
}

const ENTRIES = '/api/v2/log/entries'
const DEFAULT_BODY_SIZE = 4 * 1024 * 1024

/** A tile never changes; the checkpoint does all the time. */
const IMMUTABLE = { 'cache-control': 'public, max-age=31536000, immutable' }
const FRESH = { 'cache-control': 'no-cache' }

/** Every route of the API, reading and writing. */
export function rekorTilesRoutes(
  log: RekorTiles,
  { maxBodySize = DEFAULT_BODY_SIZE }: RekorTilesRouteOptions = {},
): readonly Route[] {
  const answered = answering(PROBLEMS, grpcShape)
  return [
    route('POST', ENTRIES, answered(createEntry)),
    route('GET', `${ENTRIES}/{index}`, answered(getEntry)),
    route('GET', '/api/v2/checkpoint', answered(getCheckpoint)),
    route('GET', '/api/v2/tile/{path+}', answered(getTile)),
  ]

  async function createEntry(request: Request): Promise<Response> {
    const body = await readBody(request, { maxBytes: maxBodySize })
    const entry = await log.create(parseCreateRequest(body), pathOf(request.url))
    return json(201, transparencyLogEntryToJson(entry, { emitUnpopulated: true }))
  }

  /** Not in the reference: gives those who got a 409 what they would have got without it. */
  async function getEntry(_request: Request, { index }: { readonly index: string }): Promise<Response> {
    if (!/^(?:0|[1-9]\d{0,14})$/.test(index)) throw notFound()
    return json(200, transparencyLogEntryToJson(await log.entry(Number(index)), { emitUnpopulated: true }))
  }

  async function getCheckpoint(): Promise<Response> {
    return bytes(200, log.checkpoint.note, 'text/plain; charset=utf-8', FRESH)
  }

  async function getTile(_request: Request, { path }: { readonly path: string }): Promise<Response> {
    return bytes(200, await log.tile(tileOf(path)), 'application/octet-stream', IMMUTABLE)
  }
}

function tileOf(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(`tile/${path}`)
  } catch (error) {
    if (isCodedError(error)) throw notFound()
    throw error
  }
}

function notFound(): RekorTilesError {
  return new RekorTilesError('REKOR_TILES_NOT_FOUND', 'there is nothing at this path')
}
