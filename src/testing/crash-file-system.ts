/** A file system in memory whose operations can fail or kill the process, and that forgets what was not synced. @module */
import type { AppendFile, FileSystem } from '#tlog/posix/file-system'

/** What an operation does when its turn has come. */
export type Fault =
  /** It fails and has done nothing. */
  | 'failed'
  /** It fails and has been done all the same. */
  | 'landed'
  /** It fails, and a write has been done by half. */
  | 'torn'

/** The process is gone: everything after this fails too. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

interface StoredFile {
  now: Uint8Array
  synced: Uint8Array
}

/** Operations that change something, the only ones that can fail here. */
export type Operation = 'write' | 'rename' | 'remove' | 'makeFolder' | 'sync' | 'openAppend' | 'append' | 'datasync'

/** See {@link FileSystem}. */
export class CrashFileSystem implements FileSystem {
  /** Names as the process sees them, and as they would be found after a power failure. */
  #files = new Map<string, StoredFile>()
  #durable = new Map<string, StoredFile>()
  #folders = new Set<string>(['/'])
  #plan: { readonly at: number; readonly fault: Fault; readonly kill: boolean } | undefined
  #dead = false
  /** How many changing operations there have been since {@link plan}. */
  operations = 0
  /** Their names. */
  readonly trace: Operation[] = []

  /** Lets the n-th changing operation from now (from 0) go wrong, once, or forever if it kills. */
  plan(at: number, fault: Fault, kill: boolean): void {
    this.#plan = { at, fault, kill }
    this.operations = 0
    this.trace.length = 0
    this.#dead = false
  }

  /** Another one with the same content, in which nothing has gone wrong yet. */
  clone(): CrashFileSystem {
    const copy = new CrashFileSystem()
    const copies = new Map<StoredFile, StoredFile>()
    const copyOf = (file: StoredFile): StoredFile => {
      const known = copies.get(file) ?? { ...file }
      copies.set(file, known)
      return known
    }
    copy.#files = new Map([...this.#files].map(([name, file]) => [name, copyOf(file)]))
    copy.#durable = new Map([...this.#durable].map(([name, file]) => [name, copyOf(file)]))
    return copy
  }

  /** No more faults; the process has been started again. */
  heal(): void {
    this.#plan = undefined
    this.#dead = false
    this.operations = 0
    this.trace.length = 0
  }

  /**
   * A power failure: names and contents that were never synced are gone.
   * With `namesSurvive`, new names have reached the disk and their contents have not, as journals often have it.
   */
  powerFailure(namesSurvive: boolean): void {
    const files = namesSurvive ? this.#files : this.#durable
    for (const file of files.values()) file.now = file.synced
    this.#files = new Map(files)
    this.#durable = new Map(files)
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    if (this.#dead) throw new Killed()
    return this.#files.get(path)?.now.slice()
  }

  async list(path: string): Promise<readonly string[]> {
    if (this.#dead) throw new Killed()
    const names = [...this.#files.keys()].filter((name) => name.startsWith(`${path}/`))
    return [...new Set(names.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))]
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#change('write', (part) => {
      const synced = new Uint8Array(0)
      this.#files.set(path, { now: bytes.slice(0, bytes.length * part), synced })
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change('rename', () => {
      const file = this.#files.get(from)
      if (file === undefined) throw new Error(`no file ${from}`)
      this.#files.set(to, file)
      this.#files.delete(from)
    })
  }

  async remove(path: string): Promise<void> {
    await this.#change('remove', () => {
      for (const name of this.#files.keys()) if (name === path || name.startsWith(`${path}/`)) this.#files.delete(name)
    })
  }

  async makeFolder(path: string): Promise<void> {
    await this.#change('makeFolder', () => this.#folders.add(path))
  }

  async sync(path: string): Promise<void> {
    await this.#change('sync', () => {
      const file = this.#files.get(path)
      if (file !== undefined) file.synced = file.now
      else this.#syncNames(path)
    })
  }

  async openAppend(path: string): Promise<AppendFile> {
    await this.#change('openAppend', () => {
      if (!this.#files.has(path)) this.#files.set(path, { now: new Uint8Array(0), synced: new Uint8Array(0) })
    })
    const file = this.#files.get(path)
    if (file === undefined) throw new Error(`no file ${path}`)
    return {
      append: (bytes) =>
        this.#change('append', (part) => {
          file.now = joined(file.now, bytes.slice(0, bytes.length * part))
        }),
      sync: () =>
        this.#change('datasync', () => {
          file.synced = file.now
        }),
      close: async () => undefined,
    }
  }

  /** Names in a folder become durable. Syncing a folder also makes its own name durable here, as journals do. */
  #syncNames(folder: string): void {
    const inside = (name: string): boolean =>
      name.startsWith(`${folder}/`) && !name.slice(folder.length + 1).includes('/')
    for (const name of this.#durable.keys()) if (inside(name) && !this.#files.has(name)) this.#durable.delete(name)
    for (const [name, file] of this.#files) if (inside(name)) this.#durable.set(name, file)
  }

  async #change(operation: Operation, apply: (part: number) => void): Promise<void> {
    if (this.#dead) throw new Killed()
    const number = this.operations++
    this.trace.push(operation)
    const plan = this.#plan
    if (plan?.at !== number) {
      apply(1)
      return
    }
    this.#dead = plan.kill
    if (plan.fault === 'landed') apply(1)
    if (plan.fault === 'torn' && (operation === 'append' || operation === 'write')) apply(0.5)
    throw plan.kill ? new Killed() : new Error(`injected: ${operation} ${plan.fault}`)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}
