/** The folder of `save` and `load`. @module */
import { UsageError } from '../kit/errors.js'

/** @throws {@link UsageError} `USAGE_FLAG_MISSING` */
export function requiredFolder(folder: string | undefined): string {
  if (folder !== undefined) return folder
  throw new UsageError('USAGE_FLAG_MISSING', 'required flag(s) "dir" not set', { expected: '--dir FOLDER' })
}
