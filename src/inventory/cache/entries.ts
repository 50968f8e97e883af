/**
 * The cache of verified attestations. An entry is named by the digests of the image and of the attestation, and by all that
 * the trust hangs on: it can be wrong only if it is damaged or moved, and then its own digest says so. It never changes, so
 * that whoever writes it twice at once writes the same.
 *
 * @module
 */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { AttachmentPlace } from '#images/locate'
import { packAttestations, type StoredAttestation } from './entry.js'
import type { CacheFiles } from './files.js'
import { CACHE_FORMAT, seal, unseal } from './sealed.js'

export interface EntryStore {
  /** The packed text of an entry, or undefined if it is not there or damaged. */
  read(key: string): Promise<string | undefined>
  write(key: string, attestations: readonly StoredAttestation[]): Promise<void>
  /** Removes all entries but these. */
  keepOnly(keys: ReadonlySet<string>): Promise<void>
}

/** @param folder of one inventory; entries are below `entries`, in folders by the first two digits */
export function openEntries(files: CacheFiles, folder: string): EntryStore {
  const root = `${folder}/entries`
  const pathOf = (key: string): string => `${root}/${key.slice(0, 2)}/${key}`
  return {
    read: async (key) => {
      try {
        return unseal(key, await files.read(pathOf(key)))
      } catch (error) {
        // Not there, or not to be read: it will be verified again.
        if (isCodedError(error)) return undefined
        throw error
      }
    },
    write: async (key, attestations) => {
      await files.write(pathOf(key), seal(key, packAttestations(attestations)), { folders: true })
    },
    keepOnly: async (keys) => {
      for (const { name: shard } of await files.list(root)) {
        for (const { name } of await files.list(`${root}/${shard}`)) {
          if (!keys.has(name)) await files.remove(`${root}/${shard}/${name}`)
        }
      }
    },
  }
}

/** The name of an entry. */
export function entryKey({
  fingerprint,
  digest,
  place,
}: {
  readonly fingerprint: string
  /** Of the image, or of the index. */
  readonly digest: string
  readonly place: AttachmentPlace
}): string {
  // Layers of a tag have their signatures in annotations, which only the manifest's digest covers.
  const attestation = place.layout === 'referrer' ? [place.descriptor.digest] : [place.manifest, place.layer.digest]
  const content = [CACHE_FORMAT, fingerprint, digest, place.layout, ...attestation]
  return encodeHex(sha256(encodeUtf8(JSON.stringify(content))))
}

/**
 * The name of what could be read of a place, where not all of it could: a question finds it, and the next look does not take
 * it for the whole.
 */
export function partialKey(key: string): string {
  return encodeHex(sha256(encodeUtf8(`partial ${key}`)))
}
