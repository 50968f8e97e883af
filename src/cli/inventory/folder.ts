/** Where inventories are kept on this machine. @module */
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'

/** @throws {@link UsageError} if nothing says where, or the name could lead elsewhere */
export function inventoryFolder(
  { environment, homeFolder }: Host,
  { name, cache }: { readonly name: string; readonly cache: string | undefined },
): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(name)} for "--name" flag`, {
      expected: 'letters, digits, dots, dashes and underscores',
    })
  }
  const cacheHome = environment['XDG_CACHE_HOME'] || (homeFolder === undefined ? undefined : `${homeFolder}/.cache`)
  const root = cache ?? (cacheHome === undefined ? undefined : `${cacheHome}/countersign`)
  if (root === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'nothing says where inventories are kept', {
      hint: 'name a folder with --cache',
    })
  }
  return `${root}/inventory/${name}`
}
