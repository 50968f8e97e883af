/** Rekor v1's API: create, find and read entries. @module */
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { discardBody, readJson, readText } from '../http/body.js'
import type { Fetch, FetchInit, FetchResponse } from '../http/fetch.js'
import { endpoint, hostOf } from '../http/service.js'
import {
  type IdentifiedEntry,
  type LogInfo,
  readEntryIds,
  readFoundEntries,
  readLogEntries,
  readLogInfo,
} from './answers.js'
import { rekorRefusal } from './refusal.js'
import { RekorError } from './rekor-error.js'

/** An entry and where it can be read again. */
export interface LoggedEntry {
  /** The entry ID: 16 hex digits of the tree and 64 of the leaf hash, or the latter alone. */
  readonly uuid: string
  /** Unverified. */
  readonly entry: LogEntry
  /** The address of the entry. */
  readonly url: string
  /** False if an equal entry was there already and this is that one. */
  readonly created: boolean
}

/** What the search index is asked for; it is best effort and proves nothing. */
export interface IndexQuery {
  readonly email?: string
  /** `sha256:…` */
  readonly hash?: string
  readonly publicKey?: { readonly format: 'x509' | 'pgp' | 'minisign' | 'ssh'; readonly content: Uint8Array }
}

/** A Rekor v1. Everything it returns is for the caller to verify. */
export interface RekorClient {
  /**
   * Logs a proposed entry, or finds the equal one that is there.
   * @throws {@link RekorError} REKOR_REFUSED, REKOR_TOO_LARGE, REKOR_UNAVAILABLE, REKOR_RESPONSE
   */
  create(proposed: JsonValue, signal?: AbortSignal): Promise<LoggedEntry>
  entryByUuid(uuid: string): Promise<LoggedEntry>
  entryByIndex(logIndex: bigint): Promise<LoggedEntry>
  /** The entries that are equal to what is proposed; none if nothing equal was ever logged. */
  find(proposed: JsonValue, signal?: AbortSignal): Promise<readonly LoggedEntry[]>
  /** Entry IDs; possibly none. */
  search(query: IndexQuery): Promise<readonly string[]>
  info(): Promise<LogInfo>
  /** PEM. */
  publicKey(): Promise<string>
}

const LIMIT = 32 * 1024 * 1024
const UUID = /^(?:[0-9a-f]{16})?[0-9a-f]{64}$/

/** A client of the Rekor v1 at `baseUrl`. */
export function createRekorClient(service: { readonly fetch: Fetch; readonly baseUrl: string }): RekorClient {
  const { host, call, read } = createCalls(service)
  const logged = ({ uuid, entry }: IdentifiedEntry, created: boolean): LoggedEntry => ({
    uuid,
    entry,
    url: endpoint(service.baseUrl, `/api/v1/log/entries/${uuid}`),
    created,
  })
  const single = async (response: FetchResponse, created: boolean): Promise<LoggedEntry> =>
    logged(await read(response, readLogEntries), created)
  const entryByUuid = async (uuid: string): Promise<LoggedEntry> => {
    if (!UUID.test(uuid)) throw notAnId(host)
    return await single(await call(`/api/v1/log/entries/${uuid}`), false)
  }
  return {
    create: async (proposed, signal) => {
      const response = await call('/api/v1/log/entries', {
        method: 'POST',
        body: JSON.stringify(proposed),
        repeatable: true, // an equal entry is never logged twice; the second try finds the first (409)
        ...(signal !== undefined && { signal }),
      })
      if (response.status !== 409) return await single(response, true)
      return await entryByUuid(await existingUuid(response, host))
    },
    entryByUuid,
    entryByIndex: async (index) => await single(await call(`/api/v1/log/entries?logIndex=${String(index)}`), false),
    find: async (proposed, signal) => {
      const response = await call('/api/v1/log/entries/retrieve', {
        method: 'POST',
        body: JSON.stringify({ entries: [proposed] }),
        repeatable: true,
        ...(signal !== undefined && { signal }),
      })
      return (await read(response, readFoundEntries)).map((found) => logged(found, false))
    },
    search: async (query) => {
      const init = { method: 'POST', body: searchBody(query), repeatable: true }
      return await read(await call('/api/v1/index/retrieve', init), readEntryIds)
    },
    info: async () => await read(await call('/api/v1/log'), readLogInfo),
    publicKey: async () => {
      const response = await call('/api/v1/log/publicKey', { headers: { accept: 'application/x-pem-file' } })
      if (response.status !== 200) throw await rekorRefusal(response, host)
      return await readText(response, { limit: 64 * 1024, what: `the public key of ${host}` })
    },
  }
}

interface Calls {
  readonly host: string
  readonly call: (path: string, init?: FetchInit) => Promise<FetchResponse>
  readonly read: <T>(response: FetchResponse, parse: (answer: JsonValue) => T) => Promise<T>
}

function createCalls({ fetch, baseUrl }: { readonly fetch: Fetch; readonly baseUrl: string }): Calls {
  const host = hostOf(baseUrl)
  const base = endpoint(baseUrl, '/').replace(/\/$/, '')
  return {
    host,
    call: async (path, init = {}) =>
      await fetch(`${base}${path}`, { ...init, headers: { ...JSON_HEADERS, ...init.headers } }),
    read: async (response, parse) => {
      if (response.status !== 200 && response.status !== 201) throw await rekorRefusal(response, host)
      const answer = await readJson(response, { limit: LIMIT, what: `the answer of ${host}` })
      return believing(host, () => parse(answer))
    },
  }
}

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' }

function searchBody({ email, hash, publicKey }: IndexQuery): string {
  return JSON.stringify({
    ...(email !== undefined && { email }),
    ...(hash !== undefined && { hash }),
    ...(publicKey !== undefined && {
      publicKey: { format: publicKey.format, content: Buffer.from(publicKey.content).toString('base64') },
    }),
  })
}

/**
 * The 409 names the entry in its Location (without the tree ID in old releases, which is fine) and in its message.
 * Only the ID is taken from it: the address that is then asked is ours, not one a server chose.
 */
async function existingUuid(response: FetchResponse, host: string): Promise<string> {
  const location = response.headers.get('location') ?? ''
  const fromLocation = /\/([0-9a-f]{80}|[0-9a-f]{64})(?:\?|$)/.exec(location)?.[1]
  if (fromLocation !== undefined) {
    await discardBody(response)
    return fromLocation
  }
  const text = await readText(response, { limit: 64 * 1024, what: `the answer of ${host}` })
  const fromText = /\b([0-9a-f]{80}|[0-9a-f]{64})\b/.exec(text)?.[1]
  if (fromText !== undefined) return fromText
  throw new RekorError('REKOR_RESPONSE', `${host} has an equal entry already and does not say which`, {
    expected: 'a Location header with the entry ID',
    found: location === '' ? 'none' : 'one without an entry ID',
  })
}

function believing<T>(host: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorError) throw cause
    throw new RekorError('REKOR_RESPONSE', `${host} answered with something that is no log entry`, {
      found: cause.message,
      hint: 'Check that the address is that of a Rekor v1.',
      cause,
    })
  }
}

function notAnId(host: string): RekorError {
  return new RekorError('REKOR_NOT_FOUND', `${host} was asked for something that is no entry ID`, {
    expected: '64 or 80 hexadecimal digits',
  })
}
