/** The TUF repository of this machine, in the cache that cosign uses too. @module */
import { cosignCacheDirectory, type CosignCacheOptions, openCosignTuf } from '#clients/tuf/cosign-cache'
import type { TufClient } from '#clients/tuf/client'
import type { Fetch } from '#clients/http/fetch'
import type { Host } from './kit/host.js'

export const TRUSTED_ROOT_TARGET = 'trusted_root.json'
export const SIGNING_CONFIG_TARGET = 'signing_config.v0.2.json'
export const SIGNING_CONFIG_REKOR_V2_TARGET = 'signing_config_rekor_v2.v0.2.json'

const OPENED = new WeakMap<Host['environment'], Promise<TufClient>>()

/** The verified content of a target. One update serves the whole process; offline, what is in the cache has to do. */
export async function tufTarget(
  host: Host,
  name: string,
  { offline = false }: { readonly offline?: boolean } = {},
): Promise<Uint8Array> {
  let opened = OPENED.get(host.environment)
  if (opened === undefined) {
    opened = tufOptions(host).then((options) => openCosignTuf({ ...options, offline }))
    OPENED.set(host.environment, opened)
  }
  return await (await opened).target(name)
}

/** Where the cache is and which mirror it is of, from `TUF_ROOT`, `TUF_MIRROR` and `TUF_ROOT_JSON`, which names a file. */
export async function tufOptions(host: Host): Promise<CosignCacheOptions> {
  const { environment, homeFolder } = host
  const variable = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name])
  const rootPath = variable('TUF_ROOT_JSON')
  return {
    directory: cosignCacheDirectory(variable('TUF_ROOT'), homeFolder),
    mirror: variable('TUF_MIRROR'),
    root: rootPath === undefined ? undefined : await host.files.read(rootPath),
    fetch: lateFetch(host),
    clock: host.clock,
    onUnwritable: (reason) =>
      host.terminal.note(`WARNING: the TUF cache cannot be written (${reason}); going on without it`),
  }
}

/** Connects when the first request is made: with a fresh cache none is, and TLS costs time to set up. */
function lateFetch(host: Host): Fetch {
  let connected: Promise<Fetch> | undefined
  return async (url, init) => await (await (connected ??= host.connect()))(url, init)
}
