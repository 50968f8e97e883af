/** Where the cache is kept. @module */

/** Files, as the cache needs them. Everything throws coded errors. */
export interface CacheFiles {
  read(path: string): Promise<Uint8Array>
  /** Replaces the file as a whole; folders above it that are missing are made. */
  write(path: string, content: Uint8Array | string, options: { readonly folders: true }): Promise<void>
  exists(path: string): Promise<boolean>
  /** Names of what is in a folder; empty if there is none. */
  list(folder: string): Promise<readonly { readonly name: string }[]>
  remove(path: string): Promise<void>
}
