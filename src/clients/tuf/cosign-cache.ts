/** TUF the way cosign keeps it on disk: which mirror, which root, which directory. @module */
import { join } from 'node:path'
import { isJsonObject, parseJson } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import type { Fetch } from '../http/fetch.js'
import type { TufClient } from './client.js'
import { openTufClient } from './client.js'
import { EMBEDDED_ROOTS } from './embedded-roots.js'
import type { TufStore } from './store.js'
import { fileTufStore, memoryTufStore, replaceFiles, withMemoryFallback } from './store.js'
import { TufClientError } from './tuf-client-error.js'

/** The mirror of the public instance. */
export const PUBLIC_GOOD_MIRROR = 'https://tuf-repo-cdn.sigstore.dev'

/** The mirror of the public instance's rehearsal. */
export const STAGING_MIRROR = 'https://tuf-repo-cdn.sigstage.dev'

/** A day: the metadata of the public instance is renewed every three days and expires after seven. */
const DEFAULT_MAX_AGE = 24 * 60 * 60 * 1000

const USUAL_TARGETS = ['trusted_root.json', 'signing_config.v0.2.json']

/** What a command knows about TUF from its flags and its environment. */
export interface CosignCacheOptions {
  /** `$TUF_ROOT`, or `.sigstore/root` below the home; undefined without a home: then nothing is kept. */
  readonly directory: string | undefined
  /** `$TUF_MIRROR`; otherwise what `initialize` left behind, otherwise the public instance. */
  readonly mirror?: string | undefined
  /** Content of `$TUF_ROOT_JSON` or of `initialize --root`. */
  readonly root?: Uint8Array | undefined
  readonly fetch: Fetch
  readonly clock: Clock
  readonly maxAge?: number | undefined
  readonly offline?: boolean | undefined
  /** Told when the cache cannot be written, with the reason. */
  readonly onUnwritable?: ((reason: string) => void) | undefined
}

/** Opens the repository that commands work with. @throws TufClientError, TufError */
export async function openCosignTuf(options: CosignCacheOptions): Promise<TufClient> {
  const base = storeOf(options)
  const mirror = options.mirror ?? (await rememberedMirror(base)) ?? PUBLIC_GOOD_MIRROR
  return openAt(options, { base, mirror })
}

/**
 * What `initialize` does: fetches the metadata and what signers and verifiers ask for anew, and puts that and the mirror in the
 * place of everything that was there. Whatever fails, the cache that worked is still there.
 * @throws TufClientError, TufError
 */
export async function initializeCosignTuf(options: CosignCacheOptions): Promise<TufClient> {
  const mirror = options.mirror ?? PUBLIC_GOOD_MIRROR
  const files = new Map<string, Uint8Array>()
  const client = await openAt({ ...options, offline: false }, { base: memoryTufStore(files), mirror })
  // From now on the cache is enough: what signers and verifiers ask for is there before the network goes away.
  await Promise.all(USUAL_TARGETS.filter((name) => client.targets.has(name)).map((name) => client.target(name)))
  files.set('remote.json', encodeUtf8(JSON.stringify({ mirror })))
  await keep(options.directory, files)
  return client
}

/** A mirror's directory or the file beside it. Nothing else goes: `TUF_ROOT` may by mistake name a place where other things are. */
function isCache(name: string, all: readonly string[]): boolean {
  return all.includes(`${name}.json`) || (name.endsWith('.json') && all.includes(name.slice(0, -'.json'.length)))
}

async function keep(directory: string | undefined, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  if (directory === undefined) {
    throw new TufClientError('TUF_CLIENT_CACHE', 'there is no place to keep what was fetched', {
      expected: 'TUF_ROOT or HOME to be set',
    })
  }
  try {
    await replaceFiles(directory, files, isCache)
  } catch (cause) {
    throw new TufClientError('TUF_CLIENT_CACHE', `what was fetched cannot be written to ${directory}`, {
      found: cause instanceof Error ? cause.message : 'an error of the file system',
      hint: 'name another directory with TUF_ROOT',
      cause,
    })
  }
}

function openAt(options: CosignCacheOptions, { base, mirror }: { base: TufStore; mirror: string }): Promise<TufClient> {
  const directory = mirrorDirectory(mirror)
  const store: TufStore = {
    read: (name) => base.read(name === 'updated.json' ? `${directory}.json` : `${directory}/${name}`),
    write: (name, bytes) => base.write(name === 'updated.json' ? `${directory}.json` : `${directory}/${name}`, bytes),
  }
  return openTufClient({ ...clientOptions(options, mirror), store })
}

function clientOptions(
  options: CosignCacheOptions,
  mirror: string,
): Omit<Parameters<typeof openTufClient>[0], 'store'> {
  const { fetch, clock, maxAge = DEFAULT_MAX_AGE, offline } = options
  // Only the public instance's mirrors have a root that comes with the program: another mirror with it would never verify.
  const embedded = EMBEDDED_ROOTS.get(mirror.replace(/\/+$/, ''))
  const root = options.root ?? (embedded === undefined ? undefined : encodeUtf8(embedded))
  return { mirror, root, fetch, clock, maxAge, offline }
}

function storeOf({ directory, onUnwritable }: CosignCacheOptions): TufStore {
  return directory === undefined ? memoryTufStore() : withMemoryFallback(fileTufStore(directory), onUnwritable)
}

async function rememberedMirror(store: TufStore): Promise<string | undefined> {
  const bytes = await store.read('remote.json')
  if (bytes === undefined) return undefined
  try {
    const value = parseJson(decodeUtf8(bytes))
    const mirror = isJsonObject(value) ? value['mirror'] : undefined
    if (typeof mirror === 'string' && mirror !== '') return mirror
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  // Falling back to the public instance here would silently change whom the user trusts.
  throw new TufClientError('TUF_CLIENT_MIRROR', 'remote.json in the TUF cache does not name a mirror', {
    expected: '{"mirror":"https://…"}',
    hint: 'run initialize again',
  })
}

/** The directory of a mirror in the cache: its address without scheme, in lower case, `/` and `:` as `-`. */
export function mirrorDirectory(mirror: string): string {
  return mirror
    .replace(/^https:\/\//, '')
    .replace(/^http:\/\//, '')
    .replace(/[/:]/g, '-')
    .toLowerCase()
}

/** Where the cache is, from the environment's `TUF_ROOT` and home directory. */
export function cosignCacheDirectory(tufRoot: string | undefined, home: string | undefined): string | undefined {
  if (tufRoot !== undefined && tufRoot !== '') return tufRoot
  return home === undefined || home === '' ? undefined : join(home, '.sigstore', 'root')
}
