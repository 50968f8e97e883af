/**
 * The registry's storage in a directory.
 *
 *     repositories/<name>/_blobs/<algorithm>/<hex>            the bytes
 *     repositories/<name>/_manifests/<algorithm>/<hex>        the media type, a line feed, the bytes
 *     repositories/<name>/_tags/<tag>                         the digest
 *     repositories/<name>/_referrers/<algorithm>/<hex>/<algorithm>:<hex>   empty: subject, then referrer
 *     uploads/<random>                                        unfinished; emptied at the start
 *
 * A name's segments never start with `_`, so no repository can lie inside another's folders. Blobs that are mounted
 * elsewhere are hard links: the file system counts the references, and there is nothing to collect.
 * @module
 */
import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeHex } from '#encoding/hex'
import { concatBytes } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import type { RandomSource } from '#crypto/random'
import type { Digest } from './names.js'
import { parseDigest } from './names.js'
import type { ByteRange, RegistryStorage, StoredManifest, Upload } from './storage.js'

const READ_BYTES = 262_144

interface Folder {
  readonly root: string
  readonly random: RandomSource
}

/** Opens (and makes) a storage folder. Uploads that a crash left behind are dropped: nobody was told they were kept. */
export async function openPosixStorage(root: string, random: RandomSource): Promise<RegistryStorage> {
  await rm(join(root, 'uploads'), { recursive: true, force: true })
  await mkdir(join(root, 'uploads'), { recursive: true, mode: 0o700 })
  await mkdir(join(root, 'repositories'), { recursive: true, mode: 0o700 })
  const folder: Folder = { root, random }
  return {
    ...blobMethods(folder),
    ...manifestMethods(folder),
    ...tagMethods(folder),
    listRepositories: () => listRepositories(root),
  }
}

type BlobMethods = Pick<RegistryStorage, 'blobSize' | 'readBlob' | 'mountBlob' | 'deleteBlob' | 'beginUpload'>
type ManifestMethods = Pick<RegistryStorage, 'getManifest' | 'putManifest' | 'deleteManifest' | 'listReferrers'>
type TagMethods = Pick<RegistryStorage, 'getTag' | 'putTag' | 'deleteTag' | 'listTags'>

function blobMethods(folder: Folder): BlobMethods {
  const path = (name: string, digest: Digest): string =>
    repositoryPath(folder, name, '_blobs', digest.algorithm, digest.hex)
  return {
    blobSize: async (name, digest) => (await absentAs(stat(path(name, digest))))?.size,
    readBlob: (name, digest, range) => readChunks(path(name, digest), range),
    mountBlob: async (from, to, digest) => {
      const target = path(to, digest)
      await makeFolder(dirname(target))
      try {
        await link(path(from, digest), target)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false
        if (codeOf(error) !== 'EEXIST') throw error
      }
      await syncFolder(dirname(target))
      return true
    },
    deleteBlob: (name, digest) => remove(path(name, digest)),
    beginUpload: async (name) => {
      const temporary = temporaryPath(folder)
      return posixUpload(await open(temporary, 'wx+', 0o600), temporary, (digest) => path(name, digest))
    },
  }
}

function manifestMethods(folder: Folder): ManifestMethods {
  const path = (name: string, digest: Digest): string =>
    repositoryPath(folder, name, '_manifests', digest.algorithm, digest.hex)
  const referrers = (name: string, subject: Digest): string =>
    repositoryPath(folder, name, '_referrers', subject.algorithm, subject.hex)
  return {
    getManifest: async (name, digest) => {
      const content = await absentAs(readFile(path(name, digest)))
      return content === undefined ? undefined : decodeManifest(content)
    },
    putManifest: async (name, digest, manifest, subject) => {
      // The mark first: a list of referrers skips what is not there yet, but must never miss what is.
      if (subject !== undefined)
        await writeDurably(folder, join(referrers(name, subject), digest.text), new Uint8Array())
      await writeDurably(folder, path(name, digest), encodeManifest(manifest))
    },
    deleteManifest: async (name, digest, subject) => {
      if (!(await remove(path(name, digest)))) return false
      const tags = repositoryPath(folder, name, '_tags')
      for (const tag of (await absentAs(readdir(tags))) ?? []) {
        if ((await readTag(join(tags, tag)))?.text === digest.text) await remove(join(tags, tag))
      }
      if (subject !== undefined) await remove(join(referrers(name, subject), digest.text))
      return true
    },
    listReferrers: async (name, subject) =>
      ((await absentAs(readdir(referrers(name, subject)))) ?? []).map(parseDigest),
  }
}

function tagMethods(folder: Folder): TagMethods {
  const path = (name: string, tag: string): string => repositoryPath(folder, name, '_tags', tag)
  return {
    getTag: (name, tag) => readTag(path(name, tag)),
    putTag: (name, tag, digest) => writeDurably(folder, path(name, tag), encodeUtf8(digest.text)),
    deleteTag: (name, tag) => remove(path(name, tag)),
    listTags: async (name) => {
      const tags = await absentAs(readdir(repositoryPath(folder, name, '_tags')))
      if (tags !== undefined) return tags.sort()
      return (await isRepository(repositoryPath(folder, name))) ? [] : undefined
    },
  }
}

function posixUpload(handle: FileHandle, temporary: string, target: (digest: Digest) => string): Upload {
  let open = true
  return {
    append: async (chunk) => {
      for (let offset = 0; offset < chunk.length;) {
        const { bytesWritten } = await handle.write(chunk, offset)
        offset += bytesWritten
      }
    },
    async *read() {
      const buffer = new Uint8Array(READ_BYTES)
      for (let position = 0; ;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
        if (bytesRead === 0) return
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    commit: async (digest) => {
      const path = target(digest)
      await handle.sync()
      await makeFolder(dirname(path))
      await rename(temporary, path)
      await syncFolder(dirname(path))
    },
    discard: async () => {
      if (!open) return
      open = false
      await handle.close()
      await rm(temporary, { force: true })
    },
  }
}

/** Opened with the first pull, so that a reader who never comes leaves no file open. */
async function* readChunks(path: string, range: ByteRange | undefined): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r')
  try {
    const end = range === undefined ? Infinity : range.end + 1
    for (let position = range?.start ?? 0; position < end;) {
      const buffer = new Uint8Array(Math.min(READ_BYTES, end - position))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function repositoryPath(folder: Folder, name: string, ...rest: readonly string[]): string {
  return join(folder.root, 'repositories', name, ...rest)
}

function temporaryPath(folder: Folder): string {
  return join(folder.root, 'uploads', encodeHex(folder.random(16)))
}

function encodeManifest({ mediaType, bytes }: StoredManifest): Uint8Array {
  return concatBytes(encodeUtf8(`${mediaType}\n`), bytes)
}

function decodeManifest(content: Uint8Array): StoredManifest {
  const end = content.indexOf(0x0a)
  return { mediaType: decodeUtf8(content.subarray(0, end)), bytes: new Uint8Array(content.subarray(end + 1)) }
}

async function readTag(path: string): Promise<Digest | undefined> {
  const content = await absentAs(readFile(path, 'utf8'))
  return content === undefined ? undefined : parseDigest(content)
}

async function listRepositories(root: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (path: string, name: string): Promise<void> => {
    const entries = (await absentAs(readdir(path, { withFileTypes: true }))) ?? []
    if (name !== '' && entries.some((entry) => entry.name.startsWith('_'))) found.push(name)
    for (const entry of entries) {
      if (!entry.name.startsWith('_'))
        await walk(join(path, entry.name), name === '' ? entry.name : `${name}/${entry.name}`)
    }
  }
  await walk(join(root, 'repositories'), '')
  return found.sort()
}

async function isRepository(path: string): Promise<boolean> {
  return ((await absentAs(readdir(path))) ?? []).some((entry) => entry.startsWith('_'))
}

/** Written whole under another name, flushed, renamed, and the folder flushed: after a crash it is there or it is not. */
async function writeDurably(folder: Folder, path: string, content: Uint8Array): Promise<void> {
  const temporary = temporaryPath(folder)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await makeFolder(dirname(path))
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  await syncFolder(dirname(path))
  return true
}

/** A new folder is only durable once its parent's entry is; so every level that was made is flushed. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function absentAs<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    // ENOTDIR: a path that would lie below a file, e.g. a repository named below nothing that was ever pushed.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
