/** Blobs: reading with ranges, and the three ways to push one. @module */
import { bodyChunks } from '#serving/body'
import { empty, stream } from '#serving/responses'
import type { HeaderRecord } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { ImageStoreError } from './errors.js'
import { parseDigest, parseName } from './names.js'
import type { Digest } from './names.js'
import type { RegistryContext } from './registry.js'
import type { ByteRange } from './storage.js'
import type { UploadSession } from './uploads.js'

export function blobRoutes({ storage, uploads }: RegistryContext): readonly Route[] {
  return [
    route('POST', '/v2/{name+}/blobs/uploads/', beginUpload),
    route('POST', '/v2/{name+}/blobs/uploads', beginUpload),
    route('PATCH', '/v2/{name+}/blobs/uploads/{id}', appendChunk),
    route('PUT', '/v2/{name+}/blobs/uploads/{id}', finishUpload),
    route('GET', '/v2/{name+}/blobs/uploads/{id}', showUpload),
    route('DELETE', '/v2/{name+}/blobs/uploads/{id}', cancelUpload),
    route('GET', '/v2/{name+}/blobs/{digest}', getBlob),
    route('DELETE', '/v2/{name+}/blobs/{digest}', deleteBlob),
  ]

  async function getBlob(request: Request, params: { name: string; digest: string }): Promise<Response> {
    const [name, digest] = [parseName(params.name), parseDigest(params.digest)]
    const size = await storage.blobSize(name, digest)
    if (size === undefined) throw unknownBlob(digest)
    const headers = {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest.text,
      etag: `"${digest.text}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'max-age=31536000, immutable',
    }
    const range = parseRange(request.headers.get('range'), size)
    if (range === 'unsatisfiable') return rangeNotSatisfiable(size)
    const length = range === undefined ? size : range.end - range.start + 1
    const withLength = { ...headers, 'content-length': String(length), ...contentRange(range, size) }
    const status = range === undefined ? 200 : 206
    if (request.method === 'HEAD') return empty(status, withLength)
    return stream(status, storage.readBlob(name, digest, range), withLength)
  }

  async function deleteBlob(_: Request, params: { name: string; digest: string }): Promise<Response> {
    const digest = parseDigest(params.digest)
    if (!(await storage.deleteBlob(parseName(params.name), digest))) throw unknownBlob(digest)
    return empty(202)
  }

  async function beginUpload(request: Request, params: { name: string }): Promise<Response> {
    const name = parseName(params.name)
    const query = queryOf(request)
    const [mount, from, whole] = [query.get('mount'), query.get('from'), query.get('digest')]
    if (mount !== null && from !== null) {
      const digest = parseDigest(mount)
      if (await storage.mountBlob(parseName(from), name, digest)) return created(name, digest)
    }
    // The digest is read first: a malformed one must not leave a session behind.
    const digest = whole === null ? undefined : parseDigest(whole)
    const session = await uploads.begin(name)
    if (digest === undefined) return accepted(session)
    await uploads.append(name, session.id, bodyChunks(request))
    await uploads.finish(name, session.id, digest)
    return created(name, digest)
  }

  async function appendChunk(request: Request, params: { name: string; id: string }): Promise<Response> {
    return accepted(await uploads.append(parseName(params.name), params.id, bodyChunks(request), chunkStart(request)))
  }

  async function finishUpload(request: Request, params: { name: string; id: string }): Promise<Response> {
    const name = parseName(params.name)
    const digest = parseDigest(queryOf(request).get('digest') ?? '')
    await uploads.append(name, params.id, bodyChunks(request), chunkStart(request))
    await uploads.finish(name, params.id, digest)
    return created(name, digest)
  }

  function showUpload(_: Request, params: { name: string; id: string }): Promise<Response> {
    return Promise.resolve(empty(204, uploadHeaders(uploads.find(parseName(params.name), params.id))))
  }

  async function cancelUpload(_: Request, params: { name: string; id: string }): Promise<Response> {
    await uploads.cancel(parseName(params.name), params.id)
    return empty(204)
  }
}

function unknownBlob(digest: Digest): ImageStoreError {
  return new ImageStoreError('IMAGE_STORE_BLOB_UNKNOWN', 'no such blob in this repository', { found: digest.text })
}

function created(name: string, digest: Digest): Response {
  return empty(201, { location: `/v2/${name}/blobs/${digest.text}`, 'docker-content-digest': digest.text })
}

function accepted(session: UploadSession): Response {
  return empty(202, uploadHeaders(session))
}

function uploadHeaders({ id, name, size }: UploadSession): HeaderRecord {
  // "0-0" stands both for one byte and for none: that is how the specification has it.
  const range = `0-${String(Math.max(0, size - 1))}`
  return { location: `/v2/${name}/blobs/uploads/${id}`, range, 'docker-upload-uuid': id }
}

/** Where a chunk says that it starts: `Content-Range: <start>-<end>`, without a unit here. */
function chunkStart(request: Request): number | undefined {
  const header = request.headers.get('content-range')
  if (header === null) return undefined
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/[\d*]+)?$/.exec(header)
  if (match !== null) return Number(match[1])
  throw new ImageStoreError('IMAGE_STORE_UPLOAD_RANGE', 'the content range is malformed', {
    expected: '<start>-<end>',
    found: header.slice(0, 80),
  })
}

/** RFC 9110 §14.2: one range is served, several or a foreign unit are ignored, one beyond the end is refused. */
function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const suffix = first === ''
  const start = suffix ? Math.max(0, size - Number(last)) : Number(first)
  const end = suffix || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (!suffix && last !== '' && Number(last) < start) return undefined
  return start > end ? 'unsatisfiable' : { start, end }
}

function contentRange(range: ByteRange | undefined, size: number): HeaderRecord {
  return range === undefined
    ? {}
    : { 'content-range': `bytes ${String(range.start)}-${String(range.end)}/${String(size)}` }
}

function rangeNotSatisfiable(size: number): Response {
  return empty(416, { 'content-range': `bytes */${String(size)}` })
}
