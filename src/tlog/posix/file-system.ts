/** The few file operations that a log needs, so that tests can let each of them fail. @module */

/** Paths are absolute. Nothing is durable until it has been synced. */
export interface FileSystem {
  /** The whole file, or undefined if there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Creates the file or replaces its content; not atomic. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Moves a file over another one, atomically for readers. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a folder with everything in it; absence is fine. */
  remove(path: string): Promise<void>
  /** Names in a folder in any order; none if there is no such folder. */
  list(path: string): Promise<readonly string[]>
  /** Creates a folder and the ones above it. */
  makeFolder(path: string): Promise<void>
  /** Makes a file's content durable, or the names in a folder. */
  sync(path: string): Promise<void>
  /** Opens a file to append to, creating it. */
  openAppend(path: string): Promise<AppendFile>
}

/** A file that grows. */
export interface AppendFile {
  append(bytes: Uint8Array): Promise<void>
  /** Makes what was appended durable (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}
