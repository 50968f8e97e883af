/** A log directory on this host. @module */
import { lockDirectory } from './directory-lock.js'
import { nodeFileSystem } from './node-file-system.js'
import { PosixStorage } from './posix-storage.js'

/** The storage of a log in a directory of the host's file system; nothing is touched before it is opened. */
export function posixStorage(directory: string): PosixStorage {
  return new PosixStorage({ directory, fs: nodeFileSystem, lock: (folder) => lockDirectory(folder) })
}
