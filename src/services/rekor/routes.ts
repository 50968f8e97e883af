/** The Rekor v1 API over HTTP (sigstore/rekor openapi.yaml). @module */
import { publicKeyToPem } from '#crypto/public-key'
import { encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { logEntryToV1Json } from '#formats/rekor-entry/log-entry-json'
import { readBody, readJson } from '#serving/body'
import { answering } from '#serving/problems'
import { empty, json, text } from '#serving/responses'
import { pathOf, queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { PROBLEMS, RekorV1Error, shape } from './errors.js'
import { parseProposal, proposalFromJson } from './intoto-001.js'
import { checkEntryUuid, checkTreeId, numberParameter, retrieveQuery, searchQuery } from './parameters.js'
import type { Rekor, RekorEntry } from './rekor.js'

export interface RekorRouteOptions {
  /** Largest proposal in bytes; a dsse proposal holds the whole envelope. Default 32 MiB. */
  readonly maxBodySize?: number
}

const ENTRIES = '/api/v1/log/entries'
const DEFAULT_BODY_SIZE = 32 * 1024 * 1024
const MAX_QUERY_SIZE = 1024 * 1024

/** Every route of the API. */
export function rekorRoutes(
  rekor: Rekor,
  { maxBodySize = DEFAULT_BODY_SIZE }: RekorRouteOptions = {},
): readonly Route[] {
  return [
    route('POST', ENTRIES, answered(createEntry)),
    route('GET', ENTRIES, answered(getEntryByIndex)),
    route('GET', `${ENTRIES}/{uuid}`, answered(getEntryById)),
    route('POST', `${ENTRIES}/retrieve`, answered(retrieveEntries)),
    route('POST', '/api/v1/index/retrieve', answered(searchIndex)),
    route('GET', '/api/v1/log', answered(getLogInfo)),
    route('GET', '/api/v1/log/proof', answered(getLogProof)),
    route('GET', '/api/v1/log/publicKey', answered(getPublicKey)),
    route('GET', '/ping', async () => text(200, '.')),
  ]

  async function createEntry(request: Request): Promise<Response> {
    const body = await readBody(request, { maxBytes: maxBodySize, types: ['application/json'] })
    const path = pathOf(request.url)
    const created = await rekor.create(parseProposal(body), path)
    return json(201, entryObject(created), { etag: created.uuid, location: `${path}/${created.uuid}` })
  }

  async function getEntryByIndex(request: Request): Promise<Response> {
    const index = numberParameter(queryOf(request), { name: 'logIndex', minimum: 0 })
    return json(200, entryObject(await rekor.byIndex(index)))
  }

  async function getEntryById(_request: Request, { uuid }: { readonly uuid: string }): Promise<Response> {
    checkEntryUuid(uuid)
    return json(200, entryObject(await rekor.byId(uuid)))
  }

  async function retrieveEntries(request: Request): Promise<Response> {
    const query = retrieveQuery(await readJson(request, { maxBytes: maxBodySize, types: ['application/json'] }))
    const found: RekorEntry[] = []
    for (const uuid of query.uuids) found.push(...(await ifFound(rekor.byId(uuid))))
    for (const proposal of query.proposals) found.push(...(await ifFound(byProposal(proposal))))
    for (const index of query.indexes) found.push(...(await ifFound(rekor.byIndex(index))))
    return json(200, found.map(entryObject))
  }

  async function byProposal(proposal: JsonValue): Promise<RekorEntry> {
    return rekor.byProposal(proposalFromJson(proposal))
  }

  async function searchIndex(request: Request): Promise<Response> {
    const { terms, operator } = searchQuery(
      await readJson(request, { maxBytes: MAX_QUERY_SIZE, types: ['application/json'] }),
    )
    const [first = new Set<string>(), ...others] = await Promise.all(
      terms.map(async (term) => new Set(await rekor.search(term))),
    )
    if (operator === 'or') return json(200, [...new Set([first, ...others].flatMap((set) => [...set]))])
    return json(
      200,
      [...first].filter((uuid) => others.every((set) => set.has(uuid))),
    )
  }

  async function getLogInfo(): Promise<Response> {
    const { size, rootHash, note } = rekor.checkpoint
    return json(200, {
      inactiveShards: [],
      rootHash: encodeHex(rootHash),
      signedTreeHead: decodeUtf8(note),
      treeID: String(rekor.treeId),
      treeSize: size,
    })
  }

  async function getLogProof(request: Request): Promise<Response> {
    const query = queryOf(request)
    const first = numberParameter(query, { name: 'firstSize', minimum: 1, fallback: 1 })
    const last = numberParameter(query, { name: 'lastSize', minimum: 1 })
    checkTreeId(query, rekor.treeId)
    // The reference answers with the newest root, not with that of lastSize.
    const rootHash = encodeHex(rekor.checkpoint.rootHash)
    const hashes = await rekor.consistencyProof(first, last)
    return json(200, { hashes: hashes.map((hash) => encodeHex(hash)), rootHash })
  }

  async function getPublicKey(request: Request): Promise<Response> {
    checkTreeId(queryOf(request), rekor.treeId)
    return text(200, publicKeyToPem(rekor.publicKey), { 'content-type': 'application/x-pem-file' })
  }
}

/** The reference answers an absent entry without a body. */
const withProblems = answering(PROBLEMS, shape)

function answered<Rest extends readonly unknown[]>(
  handle: (...args: Rest) => Promise<Response>,
): (...args: Rest) => Promise<Response> {
  return withProblems(async (...args) => {
    try {
      return await handle(...args)
    } catch (error) {
      if (isNotFound(error)) return empty(404)
      throw error
    }
  })
}

async function ifFound(entry: Promise<RekorEntry>): Promise<readonly RekorEntry[]> {
  try {
    return [await entry]
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return isCodedError(error) && error instanceof RekorV1Error && error.code === 'REKOR_ENTRY_UNKNOWN'
}

function entryObject({ uuid, entry, attestation }: RekorEntry): JsonObject {
  return { [uuid]: logEntryToV1Json(entry, attestation) }
}
