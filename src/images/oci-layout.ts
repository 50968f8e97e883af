/** An OCI image layout on disk, read as if it were a registry (image-spec, "OCI Image Layout"; `cosign save`, `oras copy --to-oci-layout`). @module */
import { verifyContent } from '#clients/registry/content-digest'
import type { ContentReader, FetchedManifest } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import { isCodedError } from '#errors'
import { isJsonObject, parseJson } from '#encoding/json'
import type { Descriptor, ImageIndex, Manifest } from '#formats/oci/descriptor'
import { parseDigest } from '#formats/oci/digest'
import { parseManifest } from '#formats/oci/manifest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import { referrerDescriptor } from './bundle-manifest.js'
import { ImagesError } from './images-error.js'

/** Files below the layout's directory, as a port; paths are relative and use `/`. */
export interface LayoutFiles {
  /** For texts. */
  readonly directory: string
  /** The bytes, or undefined if there is no such file. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>
  /** Names and sizes in a directory; empty if there is none. */
  readonly list: (path: string) => Promise<readonly { readonly name: string; readonly size: number }[]>
}

/** What cosign's `save` says of the entries of its index. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['.sig', 'dev.cosignproject.cosign/sigs'],
  ['.att', 'dev.cosignproject.cosign/atts'],
])
const IMAGE_KINDS: ReadonlySet<string | undefined> = new Set([
  undefined,
  'dev.cosignproject.cosign/image',
  'dev.cosignproject.cosign/imageIndex',
])
const REF_NAME = 'org.opencontainers.image.ref.name'
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
    async *openBlob(_repository, { digest }) {
      yield await blob(digest)
    },
    referrers: async (_repository, digest) => ({ source: 'tag', descriptors: await findReferrers(files, digest) }),
  }
}

/** The image of a layout that holds one. @throws ImagesError IMAGES_LAYOUT if there is none, or several */
export async function soleImage(files: LayoutFiles): Promise<Descriptor> {
  const bytes = await files.read('index.json')
  if (bytes === undefined) throw noLayout(files, 'index.json', 'none')
  return sole(files, readIndex(files, bytes).manifests.filter(isImage))
}

function namedEntry(files: LayoutFiles, { manifests }: ImageIndex, name: string): Descriptor {
  const kind = KINDS.get(/\.(?:sig|att)$/.exec(name)?.[0] ?? '')
  const named = manifests.find(({ annotations }) => annotations?.[REF_NAME] === name)
  if (named !== undefined) return named
  if (kind === undefined && !/\.sbom$/.test(name)) return sole(files, manifests.filter(isImage))
  const entry = manifests.find(({ annotations }) => annotations?.[ANNOTATIONS.kind] === kind && kind !== undefined)
  if (entry !== undefined) return entry
  throw new RegistryError('REGISTRY_NOT_FOUND', `${files.directory} has no ${name}`)
}

function isImage({ annotations }: Descriptor): boolean {
  return IMAGE_KINDS.has(annotations?.[ANNOTATIONS.kind])
}

function sole(files: LayoutFiles, images: readonly Descriptor[]): Descriptor {
  const [image] = images
  if (image !== undefined && new Set(images.map(({ digest }) => digest)).size === 1) return image
  throw noLayout(files, 'one image, or a tag that names one of them', `${String(images.length)} images`)
}

async function readBlob(files: LayoutFiles, digest: string): Promise<Uint8Array> {
  const { algorithm, hex } = parseDigest(digest)
  const bytes = await files.read(`blobs/${algorithm}/${hex}`)
  if (bytes === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `${files.directory} has no blob ${digest}`)
  verifyContent(bytes, digest, files.directory)
  return bytes
}

/** Whoever made the layout may have left referrers out of its index (`cosign save` does), so the blobs are looked through. */
async function findReferrers(files: LayoutFiles, subject: string): Promise<readonly Descriptor[]> {
  const blobs = await files.list('blobs/sha256')
  const found: Descriptor[] = []
  for (const { name, size } of blobs) {
    if (size > MANIFEST_LIMIT || !/^[0-9a-f]{64}$/.test(name)) continue
    const bytes = await files.read(`blobs/sha256/${name}`)
    const manifest = bytes?.[0] === 0x7b ? tryManifest(bytes) : undefined
    if (bytes === undefined || manifest?.subject?.digest !== subject) continue
    verifyContent(bytes, `sha256:${name}`, files.directory)
    found.push(referrerDescriptor(manifest, bytes))
  }
  return found
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
