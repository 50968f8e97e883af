/** Rekor v2: entries are written through an API and read as tiles (C2SP tlog-tiles). @module */
import { encodeBase64 } from '#encoding/base64'
import { isCodedError } from '#errors'
import { parseSignedCheckpoint, type SignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { encodeHashedRekordV2, signatureV2Json, type HashedRekordV2 } from '#formats/rekor-entry/body-v2'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { parseTransparencyLogEntry } from '#formats/rekor-entry/log-entry-proto'
import { discardBody, readJson, readText } from '../http/body.js'
import type { Fetch, FetchResponse, Timers } from '../http/fetch.js'
import { endpoint, hostOf } from '../http/service.js'
import { wait } from '../http/timers.js'
import { rekorRefusal } from '../rekor/refusal.js'
import { RekorError } from '../rekor/rekor-error.js'
import { proveFromTiles } from './prove.js'
import { createTileReader, type TileReader } from './tiles.js'

/** Where the log is, and how to get there. */
export interface RekorTilesService {
  readonly fetch: Fetch
  /** Such as `https://log2025-1.rekor.sigstore.dev`. */
  readonly baseUrl: string
  readonly timers: Timers
  /**
   * The 32 bytes that name the log which signed a checkpoint, from what the caller trusts; undefined if it is not known.
   * Needed only when an equal entry is there already: that answer does not name the log.
   */
  readonly logIdOf?: (checkpoint: SignedCheckpoint) => Uint8Array | undefined
}

/** A log entry and whether it is new. */
export interface WrittenEntry {
  /** Unverified. */
  readonly entry: LogEntry
  /** False if an equal entry was there already and this is that one. */
  readonly created: boolean
}

/** A Rekor v2. Everything it returns is for the caller to verify. */
export interface RekorTilesClient extends TileReader {
  /**
   * Logs a hashedrekord entry, or finds the equal one that is there. It answers only once a checkpoint covers the entry.
   * @throws {@link RekorError} REKOR_REFUSED, REKOR_FROZEN, REKOR_UNAVAILABLE, REKOR_RESPONSE, REKOR_DUPLICATE
   */
  create(entry: HashedRekordV2, signal?: AbortSignal): Promise<WrittenEntry>
  checkpoint(signal?: AbortSignal): Promise<SignedCheckpoint & { readonly text: string }>
}

const LIMIT = 4 * 1024 * 1024
const CHECKPOINT_LIMIT = 256 * 1024
/** A duplicate is provable when it is reported, but what serves the checkpoint may be a cache. */
const CHECKPOINT_TRIES = 6
const CHECKPOINT_PAUSE = 2_000

/** A client of the Rekor v2 at `baseUrl`. */
export function createRekorTilesClient(service: RekorTilesService): RekorTilesClient {
  const { fetch, baseUrl } = service
  const host = hostOf(baseUrl)
  const tiles = createTileReader({ fetch, baseUrl: endpoint(baseUrl, '/api/v2') })
  const checkpoint: RekorTilesClient['checkpoint'] = async (signal) => {
    const response = await fetch(endpoint(baseUrl, '/api/v2/checkpoint'), {
      headers: { 'cache-control': 'no-cache' },
      ...(signal !== undefined && { signal }),
    })
    if (response.status !== 200) throw await rekorRefusal(response, host)
    const text = await readText(response, { limit: CHECKPOINT_LIMIT, what: `the checkpoint of ${host}` })
    return believing(host, () => ({ ...parseSignedCheckpoint(text), text }))
  }
  return {
    ...tiles,
    checkpoint,
    create: async (entry, signal) => {
      const response = await fetch(endpoint(baseUrl, '/api/v2/log/entries'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: requestBody(entry),
        repeatable: true, // an equal entry is found again (409)
        ...(signal !== undefined && { signal }),
      })
      if (response.status !== 409) return { entry: await readEntry(response, host), created: true }
      const index = duplicateIndex(response.headers.get('x-log-index'), host)
      await discardBody(response)
      const offered = await fetchOffered(service, response, { index, signal })
      if (offered !== undefined) return { entry: offered, created: false }
      const covering = await awaitCheckpoint(index, { service, checkpoint, signal })
      return { entry: await recover(entry, index, { service, tiles, covering }), created: false }
    },
  }
}

function requestBody(entry: HashedRekordV2): string {
  const hashedRekordRequestV002 = { digest: encodeBase64(entry.digest.value), signature: signatureV2Json(entry) }
  return JSON.stringify({ hashedRekordRequestV002 })
}

async function readEntry(response: FetchResponse, host: string): Promise<LogEntry> {
  if (response.status !== 200 && response.status !== 201) throw await rekorRefusal(response, host)
  const answer = await readJson(response, { limit: LIMIT, what: `the answer of ${host}` })
  return believing(host, () => {
    const entry = parseTransparencyLogEntry(answer)
    if (entry.inclusionProof?.checkpoint !== undefined) return entry
    throw new RekorError('REKOR_RESPONSE', `${host} sent an entry without its proof`, {
      expected: 'an inclusion proof with a checkpoint',
    })
  })
}

/** Some logs, ours among them, say in a 409 where the entry can be had whole; the reference does not. */
async function fetchOffered(
  { fetch, baseUrl }: RekorTilesService,
  response: FetchResponse,
  { index, signal }: { readonly index: number; readonly signal: AbortSignal | undefined },
): Promise<LogEntry | undefined> {
  const own = endpoint(baseUrl, `/api/v2/log/entries/${String(index)}`)
  const location = response.headers.get('location')
  // Only the address that it would have to be: a server does not choose where a client goes.
  if (location === null || !URL.canParse(location, own) || new URL(location, own).href !== own) return undefined
  const answer = await fetch(own, signal === undefined ? {} : { signal })
  if (answer.status === 200) return await readEntry(answer, hostOf(baseUrl))
  await discardBody(answer)
  return undefined
}

function duplicateIndex(header: string | null, host: string): number {
  const index = header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined
  if (index !== undefined) return index
  throw new RekorError('REKOR_DUPLICATE', `${host} has an equal entry already and does not say where`, {
    expected: 'the header x-log-index',
    found: header === null ? 'none' : 'something that is no index',
  })
}

type Checkpointed = SignedCheckpoint & { readonly text: string }

interface Awaiting {
  readonly service: RekorTilesService
  readonly checkpoint: RekorTilesClient['checkpoint']
  readonly signal: AbortSignal | undefined
}

async function awaitCheckpoint(index: number, { service, checkpoint, signal }: Awaiting): Promise<Checkpointed> {
  for (let attempt = 1; ; attempt++) {
    const current = await checkpoint(signal)
    if (current.checkpoint.size > BigInt(index)) return current
    if (attempt === CHECKPOINT_TRIES) {
      throw new RekorError(
        'REKOR_DUPLICATE',
        `${hostOf(service.baseUrl)} has an equal entry already, but cannot prove it yet`,
        {
          expected: `a checkpoint that covers entry ${String(index)}`,
          found: `one of ${String(current.checkpoint.size)} entries`,
          hint: 'Try again in a minute.',
        },
      )
    }
    await wait(service.timers, CHECKPOINT_PAUSE, signal)
  }
}

interface Recovering {
  readonly service: RekorTilesService
  readonly tiles: TileReader
  readonly covering: Checkpointed
}

/** Makes the answer that a 409 does not carry: the body follows from what was sent, the proof from the tiles. */
async function recover(
  sent: HashedRekordV2,
  index: number,
  { service, tiles, covering }: Recovering,
): Promise<LogEntry> {
  const host = hostOf(service.baseUrl)
  const logId = service.logIdOf?.(covering)
  if (logId === undefined) {
    throw new RekorError(
      'REKOR_DUPLICATE',
      `${host} has an equal entry already, and who signs its checkpoints is not known`,
      {
        found: `entry ${String(index)}`,
        hint: 'Give a trusted root that has this log.',
      },
    )
  }
  const canonicalizedBody = encodeHashedRekordV2(sent)
  const inclusionProof = await proveFromTiles({ tiles, index, checkpoint: covering, body: canonicalizedBody, host })
  return {
    logIndex: BigInt(index),
    logId,
    kind: 'hashedrekord',
    version: '0.0.2',
    integratedTime: undefined,
    inclusionProof,
    canonicalizedBody,
  }
}

function believing<T>(host: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorError) throw cause
    throw new RekorError('REKOR_RESPONSE', `${host} did not answer as a Rekor v2 does`, {
      found: cause.message,
      hint: 'Check that the address is that of a Rekor v2; a Rekor v1 needs majorApiVersion 1 in the signing configuration.',
      cause,
    })
  }
}
