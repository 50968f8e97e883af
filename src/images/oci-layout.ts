/** An OCI image layout on disk, read as if it were a registry (image-spec, "OCI Image Layout"; `cosign save`, `oras copy --to-oci-layout`). @module */
import { verifyContent, verifyingStream } from '#clients/registry/content-digest'
import type { ContentReader, FetchedManifest } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import { isCodedError } from '#errors'
import { isJsonObject, parseJson } from '#encoding/json'
import type { Descriptor, ImageIndex, Manifest } from '#formats/oci/descriptor'
import { parseDigest } from '#formats/oci/digest'
import { parseManifest } from '#formats/oci/manifest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import { referrersTag } from '#formats/oci/tags'
import { referrerDescriptor } from './bundle-manifest.js'
import { ImagesError } from './images-error.js'

/** Files below the layout's directory, as a port; paths are relative and use `/`. */
export interface LayoutFiles {
  /** For texts. */
  readonly directory: string
  /** The bytes, or undefined if there is no such file. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>
  /** The same in pieces, for what may be large. */
  readonly open: (path: string) => Promise<AsyncIterable<Uint8Array> | undefined>
  /** Names and sizes in a directory; empty if there is none. */
  readonly list: (path: string) => Promise<readonly { readonly name: string; readonly size: number }[]>
}

/** What cosign's `save` says of the entries of its index. */
export const LAYOUT_KINDS = {
  image: 'dev.cosignproject.cosign/image',
  index: 'dev.cosignproject.cosign/imageIndex',
  sig: 'dev.cosignproject.cosign/sigs',
  att: 'dev.cosignproject.cosign/atts',
} as const
/** Larger blobs are layers, not manifests. */
const MANIFEST_LIMIT = 16 * 1024 * 1024

/**
 * Opens a layout. Repositories in what it is asked are ignored; a tag is a `ref.name` in its index, or the only image.
 * @throws ImagesError IMAGES_LAYOUT if the directory is no layout
 */
export async function openLayout(files: LayoutFiles): Promise<ContentReader> {
  const marker = await files.read('oci-layout')
  const indexBytes = await files.read('index.json')
  if (marker === undefined || indexBytes === undefined) throw noLayout(files, 'oci-layout and index.json', 'not both')
  checkMarker(files, marker)
  const index = readIndex(files, indexBytes)
  let referrers: Promise<ReferrersBySubject> | undefined
  const blob = async (digest: string): Promise<Uint8Array> => await readBlob(files, digest)
  const manifest = async (name: string): Promise<FetchedManifest> => {
    const { digest, mediaType } = name.includes(':') ? { digest: name, mediaType: '' } : namedEntry(files, index, name)
    const bytes = await blob(digest)
    return { digest, bytes, mediaType: mediaType === '' ? parseManifest(bytes).mediaType : mediaType }
  }
  return {
    manifest: async (_repository, name) => await manifest(name),
    resolve: async (_repository, name) => {
      const { digest, mediaType, bytes } = await manifest(name)
      return { digest, mediaType, size: bytes.length }
    },
    blob: async (_repository, { digest, size }, limit) => {
      if (size > limit) throw tooLarge(files, limit, size)
      return await blob(digest)
    },
    openBlob: (_repository, descriptor) => streamBlob(files, descriptor),
    referrers: async (_repository, digest) => {
      referrers ??= findReferrers(files)
      return { source: 'tag', descriptors: (await referrers).get(digest) ?? [] }
    },
  }
}

/** Refuses a directory whose marker says another version. One without a marker is none yet. @throws ImagesError IMAGES_LAYOUT */
export async function checkVersion(files: LayoutFiles): Promise<void> {
  const marker = await files.read('oci-layout')
  if (marker !== undefined) checkMarker(files, marker)
}

/**
 * The image of a layout that holds one, whatever is attached to it: some tools list referrers beside it, and do not say which is which.
 * @throws ImagesError IMAGES_LAYOUT if there is none, or several
 */
export async function soleImage(files: LayoutFiles): Promise<Descriptor> {
  const bytes = await files.read('index.json')
  if (bytes === undefined) throw noLayout(files, 'index.json', 'none')
  const images = readIndex(files, bytes).manifests.filter(isImage)
  if (images.length < 2) return sole(files, images)
  const manifests = await Promise.all(images.map(async ({ digest }) => tryManifest(await readBlob(files, digest))))
  return sole(
    files,
    images.filter((_, index) => manifests[index]?.subject === undefined),
  )
}

function namedEntry(files: LayoutFiles, { manifests }: ImageIndex, name: string): Descriptor {
  const named = manifests.find(({ annotations }) => annotations?.[ANNOTATIONS.refName] === name)
  if (named !== undefined) return named
  const images = manifests.filter(isImage)
  const [, kind] = ATTACHMENT_TAG.exec(name) ?? []
  if (kind === undefined) return sole(files, images)
  // cosign keeps one of each, and does not say whose: they are those of the image that was saved, and not of what is in it.
  const entry = images.some(({ digest }) => name === `${referrersTag(digest)}.${kind}`)
    ? manifests.find(
        ({ annotations = {} }) => annotations[ANNOTATIONS.kind] === cosignKind(kind) && isNameless(annotations),
      )
    : undefined
  if (entry !== undefined) return entry
  throw new RegistryError('REGISTRY_NOT_FOUND', `${files.directory} has no ${name}`)
}

/** What the tag layout calls attachments. */
const ATTACHMENT_TAG = /^sha\d+-[0-9a-f]+\.(sig|att|sbom)$/

function cosignKind(suffix: string): string | undefined {
  return suffix === 'sig' || suffix === 'att' ? LAYOUT_KINDS[suffix] : undefined
}

function isNameless(annotations: Readonly<Record<string, string>>): boolean {
  return annotations[ANNOTATIONS.refName] === undefined
}

function isImage({ annotations = {} }: Descriptor): boolean {
  const { [ANNOTATIONS.kind]: kind, [ANNOTATIONS.refName]: name = '' } = annotations
  if (kind === LAYOUT_KINDS.image || kind === LAYOUT_KINDS.index) return true
  return kind === undefined && !ATTACHMENT_TAG.test(name)
}

function sole(files: LayoutFiles, images: readonly Descriptor[]): Descriptor {
  const [image] = images
  if (image !== undefined && new Set(images.map(({ digest }) => digest)).size === 1) return image
  throw noLayout(files, 'one image, or a tag that names one of them', `${String(images.length)} images`)
}

async function readBlob(files: LayoutFiles, digest: string): Promise<Uint8Array> {
  const bytes = await files.read(blobPath(digest))
  if (bytes === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `${files.directory} has no blob ${digest}`)
  verifyContent(bytes, digest, files.directory)
  return bytes
}

async function* streamBlob(
  files: LayoutFiles,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = await files.open(blobPath(digest))
  if (pieces === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `${files.directory} has no blob ${digest}`)
  yield* verifyingStream(pieces, { digest, size }, files.directory)
}

/** Where a layout has a blob. @throws OciError `OCI_DIGEST`; only a true digest becomes a path */
export function blobPath(digest: string): string {
  const { algorithm, hex } = parseDigest(digest)
  return `blobs/${algorithm}/${hex}`
}

type ReferrersBySubject = ReadonlyMap<string, readonly Descriptor[]>

/** Whoever made the layout may have left referrers out of its index (`cosign save` does), so the blobs are looked through. */
async function findReferrers(files: LayoutFiles): Promise<ReferrersBySubject> {
  const found = new Map<string, Descriptor[]>()
  for (const { name, size } of await files.list('blobs/sha256')) {
    if (size > MANIFEST_LIMIT || !/^[0-9a-f]{64}$/.test(name)) continue
    const path = `blobs/sha256/${name}`
    const bytes = (await beginsLikeJson(files, path)) ? await files.read(path) : undefined
    const manifest = bytes === undefined ? undefined : tryManifest(bytes)
    if (bytes === undefined || manifest?.subject === undefined) continue
    verifyContent(bytes, `sha256:${name}`, files.directory)
    const { digest } = manifest.subject
    found.set(digest, [...(found.get(digest) ?? []), referrerDescriptor(manifest, bytes)])
  }
  return found
}

/** Most of what is in a layout are layers, which need not be read for this. */
async function beginsLikeJson(files: LayoutFiles, path: string): Promise<boolean> {
  for await (const piece of (await files.open(path)) ?? []) return piece[0] === 0x7b
  return false
}

function tryManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    return parseManifest(bytes)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function readIndex(files: LayoutFiles, bytes: Uint8Array): ImageIndex {
  const manifest = guarded(files, () => parseManifest(bytes, MEDIA_TYPES.ociIndex))
  if (manifest.kind === 'index') return manifest
  throw noLayout(files, 'an index in index.json', 'an image')
}

function checkMarker(files: LayoutFiles, bytes: Uint8Array): void {
  const marker = guarded(files, () => parseJson(bytes))
  const version = isJsonObject(marker) ? marker['imageLayoutVersion'] : undefined
  if (typeof version !== 'string' || !version.startsWith('1.')) throw noLayout(files, 'imageLayoutVersion 1', 'another')
}

function guarded<T>(files: LayoutFiles, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw noLayout(files, cause.expected ?? 'JSON', cause.found ?? cause.message)
  }
}

function tooLarge({ directory }: LayoutFiles, limit: number, size: number): RegistryError {
  return new RegistryError('REGISTRY_TOO_LARGE', `${directory} has something too large to be read whole`, {
    expected: `at most ${String(limit)} bytes`,
    found: `${String(size)} bytes`,
  })
}

function noLayout({ directory }: LayoutFiles, expected: string, found: string): ImagesError {
  return new ImagesError('IMAGES_LAYOUT', `${directory} is not an OCI image layout that can be used`, {
    expected,
    found,
  })
}
