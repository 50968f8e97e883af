/** The HTTP faces of a CT log: RFC 6962 §4, and the tiles of C2SP static-ct-api. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { concatBytes, uint16be } from '#encoding/bytes'
import { decodeHex } from '#encoding/hex'
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { SctEntry } from '#formats/sct/sct-entry'
import { parseTilePath } from '#formats/tlog-tiles/tile'
import type { TileCoordinate } from '#formats/tlog-tiles/tile'
import { readJson } from '#serving/body'
import { problemResponse } from '#serving/problems'
import { bytes, json, text } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import type { CtEntry, CtLog } from './ctlog.js'
import { CtLogError, PROBLEMS } from './errors.js'

export interface CtLogRouteOptions {
  /** What stands before `/ct/v1`. Default: nothing. */
  readonly prefix?: string
  /** Where the tiles are served, below the prefix. Default `/ct/static`. */
  readonly staticPath?: string
}

const MAX_BODY = 128 * 1024
/** Most entries in one answer; clients ask again for the rest (RFC 6962 §4.6). */
const MAX_ENTRIES = 256
const IMMUTABLE = { 'cache-control': 'public, max-age=31536000, immutable' }
const FRESH = { 'cache-control': 'no-cache' }

/** Every route of the log. */
export function ctLogRoutes(
  log: CtLog,
  { prefix = '', staticPath = '/ct/static' }: CtLogRouteOptions = {},
): readonly Route[] {
  const api = `${prefix}/ct/v1`
  const files = `${prefix}${staticPath}`
  return [
    route(
      'POST',
      `${api}/add-chain`,
      answered((request) => addChain(request, 'x509')),
    ),
    route(
      'POST',
      `${api}/add-pre-chain`,
      answered((request) => addChain(request, 'precert')),
    ),
    route('GET', `${api}/get-sth`, answered(getTreeHead)),
    route('GET', `${api}/get-sth-consistency`, answered(getConsistency)),
    route('GET', `${api}/get-proof-by-hash`, answered(getProofByHash)),
    route('GET', `${api}/get-entries`, answered(getEntries)),
    route(
      'GET',
      `${api}/get-roots`,
      answered(async () => json(200, { certificates: log.roots.map(encodeBase64) })),
    ),
    route('GET', `${api}/get-entry-and-proof`, answered(getEntryAndProof)),
    route(
      'GET',
      `${files}/checkpoint`,
      answered(async () => bytes(200, log.checkpoint.note, 'text/plain; charset=utf-8', FRESH)),
    ),
    route('GET', `${files}/tile/{path+}`, answered(getTile)),
    route('GET', `${files}/issuer/{fingerprint}`, answered(getIssuer)),
  ]

  async function addChain(request: Request, kind: SctEntry['kind']): Promise<Response> {
    const chain = readChain(await readJson(request, { maxBytes: MAX_BODY }))
    const sct = await log.add(chain, kind)
    const signature = [
      Uint8Array.of(sct.hashAlgorithm, sct.signatureAlgorithm),
      uint16be(sct.signature.length),
      sct.signature,
    ]
    return json(200, {
      sct_version: 0,
      id: encodeBase64(sct.logId),
      timestamp: sct.timestamp,
      extensions: encodeBase64(sct.extensions),
      signature: encodeBase64(concatBytes(...signature)),
    })
  }

  async function getTreeHead(): Promise<Response> {
    const { size, timestamp, rootHash, signature } = await log.treeHead()
    return json(200, {
      tree_size: size,
      timestamp,
      sha256_root_hash: encodeBase64(rootHash),
      tree_head_signature: encodeBase64(signature),
    })
  }

  async function getConsistency(request: Request): Promise<Response> {
    const query = queryOf(request)
    const [first, second] = [natural(query, 'first'), natural(query, 'second')]
    const proof = await log.consistencyProof(first, second)
    return json(200, { consistency: proof.map(encodeBase64) })
  }

  async function getProofByHash(request: Request): Promise<Response> {
    const query = queryOf(request)
    // A plus that was not escaped has become a space on the way.
    const hash = base64((query.get('hash') ?? '').replaceAll(' ', '+'), 'hash')
    const size = natural(query, 'tree_size')
    if (hash.length !== 32 || size === 0) throw new CtLogError('CTLOG_REQUEST', 'hash or tree_size is not possible')
    const { index, path } = await log.proofByHash(hash, size)
    return json(200, { leaf_index: index, audit_path: path.map(encodeBase64) })
  }

  async function getEntries(request: Request): Promise<Response> {
    const query = queryOf(request)
    const [start, end] = [natural(query, 'start'), natural(query, 'end')]
    if (start > end) throw new CtLogError('CTLOG_RANGE', 'start and end are not a range')
    const entries = await log.entries(start, end, MAX_ENTRIES)
    return json(200, { entries: entries.map(entryJson) })
  }

  async function getEntryAndProof(request: Request): Promise<Response> {
    const query = queryOf(request)
    const { path, ...entry } = await log.entryAndProof(natural(query, 'leaf_index'), natural(query, 'tree_size'))
    return json(200, { ...entryJson(entry), audit_path: path.map(encodeBase64) })
  }

  async function getTile(_request: Request, { path }: { readonly path: string }): Promise<Response> {
    return bytes(200, await log.tile(tileOf(path)), 'application/octet-stream', IMMUTABLE)
  }

  async function getIssuer(_request: Request, { fingerprint }: { readonly fingerprint: string }): Promise<Response> {
    if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw notFound()
    return bytes(200, await log.issuer(decodeHex(fingerprint)), 'application/pkix-cert', IMMUTABLE)
  }
}

/** RFC 6962 leaves the form of errors open; the reference answers text, and clients print it. */
function answered<Rest extends readonly unknown[]>(
  handle: (...args: Rest) => Promise<Response>,
): (...args: Rest) => Promise<Response> {
  return async (...args) => {
    try {
      return await handle(...args)
    } catch (error) {
      const problem = problemResponse(error, PROBLEMS, ({ title }) => title)
      if (problem === undefined) throw error
      const title = (await problem.json()) as string
      const retryAfter = problem.headers.get('retry-after')
      return text(problem.status, `${title}\n`, retryAfter === null ? {} : { 'retry-after': retryAfter })
    }
  }
}

function readChain(body: JsonValue): readonly Uint8Array[] {
  const chain = isJsonObject(body) ? body['chain'] : undefined
  if (!Array.isArray(chain))
    throw new CtLogError('CTLOG_REQUEST', 'the body has no chain', { expected: '{"chain": [base64, …]}' })
  return chain.map((certificate: JsonValue) => base64(certificate, 'chain'))
}

function base64(value: JsonValue, name: string): Uint8Array {
  try {
    if (typeof value === 'string') return decodeBase64(value)
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new CtLogError('CTLOG_REQUEST', `${name} is not base64`)
}

function natural(query: URLSearchParams, name: string): number {
  const value = query.get(name) ?? ''
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new CtLogError('CTLOG_REQUEST', `${name} is missing or not a number`, { expected: 'a number from 0' })
}

/** What static-ct calls data is this engine's bundle of entries. */
function tileOf(path: string): TileCoordinate {
  try {
    if (!path.startsWith('entries')) return parseTilePath(`tile/${path.replace(/^data\//, 'entries/')}`)
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw notFound()
}

function entryJson({ leafInput, extraData }: CtEntry): { readonly leaf_input: string; readonly extra_data: string } {
  return { leaf_input: encodeBase64(leafInput), extra_data: encodeBase64(extraData) }
}

function notFound(): CtLogError {
  return new CtLogError('CTLOG_NOT_FOUND', 'there is nothing at this path')
}
