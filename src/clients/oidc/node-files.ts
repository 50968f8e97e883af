/** Files of this machine, where identity tokens may be. @module */
import type { IdentityFiles } from './ports.js'

/** A file that cannot be read is as good as none here; what needed it says so. */
export const nodeIdentityFiles: IdentityFiles = {
  read: async (path) => {
    const { readFile } = await import('node:fs/promises')
    try {
      return await readFile(path, 'utf8')
    } catch {
      return undefined
    }
  },
  exists: async (path) => {
    const { access } = await import('node:fs/promises')
    try {
      await access(path)
      return true
    } catch {
      return false
    }
  },
}
