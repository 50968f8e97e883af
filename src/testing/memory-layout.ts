/** The files of an image layout in memory, which can be made to fail. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { LayoutStore } from '#images/save'

export interface MemoryLayout extends LayoutStore {
  readonly files: Map<string, Uint8Array>
  /** Paths in the order in which they were written. */
  readonly written: readonly string[]
}

/** An empty directory, or one with these files. */
export function memoryLayout(content: Readonly<Record<string, string | Uint8Array>> = {}): MemoryLayout {
  const bytesOf = (each: string | Uint8Array): Uint8Array => (typeof each === 'string' ? encodeUtf8(each) : each)
  const files = new Map(Object.entries(content).map(([path, each]) => [path, bytesOf(each)]))
  const written: string[] = []
  return {
    directory: '/layout',
    files,
    written,
    read: (path) => Promise.resolve(files.get(path)),
    open: (path) => {
      const bytes = files.get(path)
      return Promise.resolve(bytes === undefined ? undefined : inPieces(bytes))
    },
    list: (folder) =>
      Promise.resolve(
        [...files]
          .filter(([path]) => path.startsWith(`${folder}/`))
          .map(([path, { length: size }]) => ({ name: path.slice(folder.length + 1), size })),
      ),
    size: (path) => Promise.resolve(files.get(path)?.length),
    write: async (path, pieces) => {
      const all: Uint8Array[] = []
      for await (const piece of pieces) all.push(piece)
      files.set(path, new Uint8Array(Buffer.concat(all)))
      written.push(path)
    },
    tidy: () => Promise.resolve(),
  }
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve()
  for (let at = 0; at < bytes.length; at += 16) yield bytes.subarray(at, at + 16)
}
