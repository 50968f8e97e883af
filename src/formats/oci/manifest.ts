/** Image manifests and indexes: read leniently from registries, written with the fields in Go's order. @module */
import { encodeBase64, decodeBase64 } from '#encoding/base64'
import type { GoValue } from '#encoding/go-json'
import { stringifyLikeGo } from '#encoding/go-json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Descriptor, ImageIndex, ImageManifest, Manifest, Platform } from './descriptor.js'
import { isDigest } from './digest.js'
import { MEDIA_TYPES } from './media-types.js'
import { OciError } from './oci-error.js'

type Annotations = Readonly<Record<string, string>>

/** For `stringifyLikeGo`. */
type GoStruct = Readonly<Record<string, GoValue>>

const KINDS: ReadonlyMap<string, Manifest['kind']> = new Map([
  [MEDIA_TYPES.ociManifest, 'image'],
  [MEDIA_TYPES.dockerManifest, 'image'],
  [MEDIA_TYPES.ociIndex, 'index'],
  [MEDIA_TYPES.dockerManifestList, 'index'],
])

const MAX_CHILDREN = 10_000

/**
 * Reads a manifest. The Content-Type of the answer decides what it is only where the document itself does not say:
 * a document that says something else than its transport is refused (CVE-2021-41190).
 * @throws OciError `OCI_MANIFEST`, `OCI_MEDIA_TYPE`
 */
export function parseManifest(source: string | Uint8Array, contentType?: string): Manifest {
  const document = object(parse(source), 'the manifest')
  const mediaType = mediaTypeOf(document, contentType)
  const kind = KINDS.get(mediaType)
  if (kind === undefined) {
    throw new OciError('OCI_MEDIA_TYPE', 'the registry holds something that is neither image nor index', {
      expected: [...KINDS.keys()].join(', '),
      found: mediaType.slice(0, 100),
    })
  }
  const hasChildren = { image: document['layers'] !== undefined, index: document['manifests'] !== undefined }
  if (hasChildren.image && hasChildren.index) throw malformed('the manifest', 'either layers or manifests', 'both')
  const shared = {
    mediaType,
    annotations: annotations(document['annotations'], 'annotations'),
    subject: optional(document['subject'], (subject) => parseDescriptor(subject, 'subject')),
    artifactType: optional(document['artifactType'], (type) => text(type, 'artifactType')),
  }
  if (kind === 'index') return { kind, ...shared, manifests: children(document['manifests'], 'manifests') }
  return {
    kind,
    ...shared,
    config: parseDescriptor(document['config'], 'config'),
    layers: children(document['layers'], 'layers'),
  }
}

function mediaTypeOf(document: JsonObject, contentType: string | undefined): string {
  const stated = optional(document['mediaType'], (type) => text(type, 'mediaType'))
  const carried = contentType?.split(';')[0]?.trim()
  if (stated !== undefined && carried !== undefined && KINDS.has(carried) && KINDS.get(carried) !== KINDS.get(stated)) {
    throw new OciError('OCI_MEDIA_TYPE', 'the manifest says that it is something else than the registry says', {
      expected: carried.slice(0, 100),
      found: stated.slice(0, 100),
    })
  }
  return stated ?? carried ?? (document['manifests'] === undefined ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.ociIndex)
}

/** Reads a descriptor. @throws OciError `OCI_MANIFEST` */
export function parseDescriptor(value: JsonValue | undefined, path: string): Descriptor {
  const fields = object(value, path)
  const { size, data, urls } = fields
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw malformed(`${path}.size`, 'a number of bytes')
  const digest = text(fields['digest'], `${path}.digest`)
  if (!isDigest(digest)) throw malformed(`${path}.digest`, 'a digest', digest.slice(0, 100))
  return {
    mediaType: optional(fields['mediaType'], (type) => text(type, `${path}.mediaType`)) ?? '',
    digest,
    size,
    artifactType: optional(fields['artifactType'], (type) => text(type, `${path}.artifactType`)),
    annotations: annotations(fields['annotations'], `${path}.annotations`),
    platform: optional(fields['platform'], (platform) => parsePlatform(platform, `${path}.platform`)),
    data: optional(data, (inline) => base64(inline, `${path}.data`)),
    urls: optional(urls, (list) =>
      Array.isArray(list) ? list.map((url: JsonValue) => text(url, `${path}.urls`)) : [],
    ),
  }
}

function parsePlatform(value: JsonValue, path: string): Platform {
  const fields = object(value, path)
  const field = (name: string): string | undefined => optional(fields[name], (part) => text(part, `${path}.${name}`))
  return {
    architecture: field('architecture') ?? '',
    os: field('os') ?? '',
    variant: field('variant'),
    osVersion: field('os.version'),
  }
}

/** The exact bytes of a manifest as Go would write it. */
export function serializeManifest(manifest: Manifest): Uint8Array {
  return encodeUtf8(stringifyLikeGo(manifest.kind === 'image' ? imageToJson(manifest) : indexToJson(manifest)))
}

function imageToJson(image: ImageManifest): GoStruct {
  return {
    schemaVersion: 2,
    mediaType: image.mediaType,
    config: descriptorToJson(image.config),
    layers: image.layers.map(descriptorToJson),
    ...tailToJson(image),
  }
}

function indexToJson(index: ImageIndex): GoStruct {
  return {
    schemaVersion: 2,
    mediaType: index.mediaType,
    manifests: index.manifests.map(descriptorToJson),
    ...tailToJson(index),
  }
}

function tailToJson({ annotations: notes, subject, artifactType }: Manifest): GoStruct {
  return {
    ...(notes === undefined ? {} : { annotations: goMap(notes) }),
    ...(subject === undefined ? {} : { subject: descriptorToJson(subject) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}

/** A descriptor with its fields in Go's order. */
function descriptorToJson(descriptor: Descriptor): GoStruct {
  const { mediaType, size, digest, data, urls, annotations: notes, platform, artifactType } = descriptor
  return {
    mediaType,
    size,
    digest,
    ...(data === undefined ? {} : { data: encodeBase64(data) }),
    ...(urls === undefined ? {} : { urls }),
    ...(notes === undefined ? {} : { annotations: goMap(notes) }),
    ...(platform === undefined ? {} : { platform: platformToJson(platform) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}

function platformToJson({ architecture, os, osVersion, variant }: Platform): GoStruct {
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    ...(variant === undefined ? {} : { variant }),
  }
}

function goMap(annotations: Annotations): GoValue {
  return new Map(Object.entries(annotations))
}

function parse(source: string | Uint8Array): JsonValue {
  try {
    return parseJson(source)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new OciError('OCI_MANIFEST', 'the manifest is not JSON text', { cause })
  }
}

function children(value: JsonValue | undefined, path: string): readonly Descriptor[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > MAX_CHILDREN)
    throw malformed(path, `a list of at most ${String(MAX_CHILDREN)}`)
  return value.map((each: JsonValue, index) => parseDescriptor(each, `${path}[${String(index)}]`))
}

function annotations(value: JsonValue | undefined, path: string): Annotations | undefined {
  if (value === undefined || value === null) return undefined
  return Object.fromEntries(Object.entries(object(value, path)).map(([name, note]) => [name, text(note, path)]))
}

function optional<T>(value: JsonValue | undefined, read: (value: JsonValue) => T): T | undefined {
  return value === undefined || value === null || value === '' ? undefined : read(value)
}

function object(value: JsonValue | undefined, path: string): JsonObject {
  if (isJsonObject(value)) return value
  throw malformed(path, 'an object')
}

function text(value: JsonValue | undefined, path: string): string {
  if (typeof value === 'string') return value
  throw malformed(path, 'text')
}

function base64(value: JsonValue, path: string): Uint8Array {
  try {
    return decodeBase64(text(value, path))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof OciError) throw cause
    throw malformed(path, 'base64')
  }
}

function malformed(path: string, expected: string, found?: string): OciError {
  return new OciError('OCI_MANIFEST', `${path} is not right`, { expected, found })
}
