/** The little that a registry must understand of a manifest: what it needs, and what it refers to. @module */
import { isCodedError } from '#errors'
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { ImageStoreError } from './errors.js'
import { parseDigest } from './names.js'
import type { Digest } from './names.js'

/** What is read from a manifest when it is pushed and when referrers are listed. */
export interface ManifestFacts {
  readonly mediaType: string
  /** What a list of referrers shows: the manifest's own artifact type, else its config's media type. */
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
  readonly subject: Digest | undefined
  /** Config and layers that must be here; not those that are said to live elsewhere. */
  readonly blobs: readonly Digest[]
}

type JsonObject = Readonly<Record<string, JsonValue>>

const IMAGES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
])
const INDEXES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
])

/**
 * Reads a manifest of the media type it was pushed with.
 * @throws ImageStoreError IMAGE_STORE_MANIFEST_INVALID
 */
export function readManifest(mediaType: string, bytes: Uint8Array): ManifestFacts {
  if (!IMAGES.has(mediaType) && !INDEXES.has(mediaType)) {
    throw invalid('the media type is not one of a manifest', [...IMAGES, ...INDEXES].join(', '), mediaType)
  }
  const manifest = parseObject(bytes)
  const stated = manifest['mediaType']
  // OCI image-spec: a client that reads the bytes must come to the same type as one that reads the header.
  if (stated !== undefined && stated !== mediaType)
    throw invalid('mediaType and Content-Type differ', mediaType, show(stated))
  if (manifest['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2', '2', show(manifest['schemaVersion']))
  const isIndex = INDEXES.has(mediaType)
  const config = isIndex ? undefined : readObject(manifest['config'], 'config')
  const layers = isIndex ? [] : readList(manifest['layers'], 'layers')
  if (isIndex)
    for (const [index, entry] of readList(manifest['manifests'], 'manifests').entries())
      readDescriptor(entry, `manifests[${String(index)}]`)
  const blobs = [
    ...(config === undefined ? [] : [config]),
    ...layers.map((layer, index) => readObject(layer, `layers[${String(index)}]`)),
  ]
  return {
    mediaType,
    artifactType:
      readText(manifest['artifactType'], 'artifactType') ?? readText(config?.['mediaType'], 'config.mediaType'),
    annotations: readAnnotations(manifest['annotations']),
    subject: manifest['subject'] === undefined ? undefined : readDescriptor(manifest['subject'], 'subject'),
    blobs: blobs
      .filter((blob) => blob['urls'] === undefined)
      .map((blob, index) => readDescriptor(blob, `blob ${String(index)}`)),
  }
}

function parseObject(bytes: Uint8Array): JsonObject {
  try {
    return readObject(parseJson(bytes), 'manifest')
  } catch (cause) {
    if (cause instanceof ImageStoreError) throw cause
    throw new ImageStoreError('IMAGE_STORE_MANIFEST_INVALID', 'the manifest is not JSON', { cause })
  }
}

function readDescriptor(value: JsonValue | undefined, where: string): Digest {
  const digest = readText(readObject(value, where)['digest'], `${where}.digest`)
  if (digest === undefined) throw invalid(`${where} has no digest`, 'a descriptor', 'none')
  try {
    return parseDigest(digest)
  } catch (cause) {
    if (isCodedError(cause))
      throw invalid(`${where}.digest is malformed`, cause.expected ?? 'a digest', digest.slice(0, 140))
    throw cause
  }
}

function readAnnotations(value: JsonValue | undefined): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined
  const annotations = readObject(value, 'annotations')
  return Object.fromEntries(
    Object.entries(annotations).map(([name, text]) => [name, readText(text, `annotations.${name}`) ?? '']),
  )
}

function readObject(value: JsonValue | undefined, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw invalid(`${where} is not an object`, 'an object', show(value))
}

function readList(value: JsonValue | undefined, where: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[]
  throw invalid(`${where} is not a list`, 'a list', show(value))
}

function readText(value: JsonValue | undefined, where: string): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  throw invalid(`${where} is not a text`, 'a text', show(value))
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80)
}

function invalid(message: string, expected: string, found: string): ImageStoreError {
  return new ImageStoreError('IMAGE_STORE_MANIFEST_INVALID', message, { expected, found })
}
