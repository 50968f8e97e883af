/** Where a private Sigstore keeps things unless it is told. @module */
import { join } from 'node:path'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'

/** The directory of `--data`, else one in the home directory. @throws {@link UsageError} `USAGE_FLAG_MISSING` without either */
export function dataDirectory(host: Pick<Host, 'homeFolder'>, given: string | undefined): string {
  if (given !== undefined) return given
  if (host.homeFolder !== undefined) return join(host.homeFolder, '.countersign', 'sigstore')
  throw new UsageError('USAGE_FLAG_MISSING', 'there is no home directory to keep things in', {
    hint: 'name a directory with --data',
  })
}
