/** The registry's storage in memory, for tests and throw-away instances. @module */
import type { Digest } from './names.js'
import { parseDigest } from './names.js'
import type { ByteRange, RegistryStorage, StoredManifest, Upload } from './storage.js'

interface Repository {
  readonly blobs: Map<string, readonly Uint8Array[]>
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, string>
  readonly referrers: Map<string, Set<string>>
}

export function createMemoryStorage(): RegistryStorage {
  const repositories = new Map<string, Repository>()
  const find = (name: string): Repository | undefined => repositories.get(name)
  const open = (name: string): Repository => {
    let found = repositories.get(name)
    if (found === undefined) {
      found = { blobs: new Map(), manifests: new Map(), tags: new Map(), referrers: new Map() }
      repositories.set(name, found)
    }
    return found
  }
  return {
    blobSize: (name, digest) => Promise.resolve(sizeOf(find(name)?.blobs.get(digest.text))),
    readBlob: (name, digest, range) => slices(find(name)?.blobs.get(digest.text) ?? [], range),
    mountBlob: (from, to, digest) => {
      const chunks = find(from)?.blobs.get(digest.text)
      if (chunks !== undefined) open(to).blobs.set(digest.text, chunks)
      return Promise.resolve(chunks !== undefined)
    },
    deleteBlob: (name, digest) => Promise.resolve(find(name)?.blobs.delete(digest.text) ?? false),
    beginUpload: (name) => Promise.resolve(memoryUpload((digest, chunks) => open(name).blobs.set(digest.text, chunks))),
    getManifest: (name, digest) => Promise.resolve(find(name)?.manifests.get(digest.text)),
    putManifest: (name, digest, manifest, subject) => {
      const repository = open(name)
      repository.manifests.set(digest.text, manifest)
      if (subject !== undefined) addTo(repository.referrers, subject.text, digest.text)
      return Promise.resolve()
    },
    deleteManifest: (name, digest, subject) => {
      const repository = find(name)
      if (repository?.manifests.delete(digest.text) !== true) return Promise.resolve(false)
      for (const [tag, target] of repository.tags) if (target === digest.text) repository.tags.delete(tag)
      if (subject !== undefined) repository.referrers.get(subject.text)?.delete(digest.text)
      return Promise.resolve(true)
    },
    getTag: (name, tag) => Promise.resolve(toDigest(find(name)?.tags.get(tag))),
    putTag: (name, tag, digest) => {
      open(name).tags.set(tag, digest.text)
      return Promise.resolve()
    },
    deleteTag: (name, tag) => Promise.resolve(find(name)?.tags.delete(tag) ?? false),
    listTags: (name) => {
      const repository = find(name)
      return Promise.resolve(repository === undefined ? undefined : [...repository.tags.keys()].sort())
    },
    listReferrers: (name, subject) =>
      Promise.resolve([...(find(name)?.referrers.get(subject.text) ?? [])].map(parseDigest)),
    listRepositories: () => Promise.resolve([...repositories.keys()].sort()),
  }
}

function memoryUpload(store: (digest: Digest, chunks: readonly Uint8Array[]) => void): Upload {
  let chunks: Uint8Array[] = []
  return {
    append(chunk) {
      chunks.push(chunk.slice())
      return Promise.resolve()
    },
    read: () => slices(chunks, undefined),
    commit(digest) {
      store(digest, chunks)
      return Promise.resolve()
    },
    discard() {
      chunks = []
      return Promise.resolve()
    },
  }
}

async function* slices(chunks: readonly Uint8Array[], range: ByteRange | undefined): AsyncGenerator<Uint8Array> {
  const { start, end } = range ?? { start: 0, end: Infinity }
  let offset = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - offset), Math.max(0, end + 1 - offset))
    offset += chunk.length
    if (part.length > 0) yield await Promise.resolve(part)
  }
}

function sizeOf(chunks: readonly Uint8Array[] | undefined): number | undefined {
  return chunks?.reduce((size, chunk) => size + chunk.length, 0)
}

function toDigest(text: string | undefined): Digest | undefined {
  return text === undefined ? undefined : parseDigest(text)
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key) ?? new Set()
  set.add(value)
  sets.set(key, set)
}
