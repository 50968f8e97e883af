/** The files of a layout on this machine. @module */
import type { LayoutFiles } from './oci-layout.js'

/** Files below `directory`. A missing one is undefined; other faults are thrown as node has them. */
export function nodeLayoutFiles(directory: string): LayoutFiles {
  return {
    directory,
    read: async (path) => {
      const { readFile } = await import('node:fs/promises')
      try {
        return await readFile(`${directory}/${path}`)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    list: async (path) => {
      const { readdir, stat } = await import('node:fs/promises')
      try {
        const names = await readdir(`${directory}/${path}`)
        return await Promise.all(
          names.map(async (name) => ({ name, size: (await stat(`${directory}/${path}/${name}`)).size })),
        )
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    },
  }
}
