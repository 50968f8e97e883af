/** A key table in memory with its records in an append-only file, which is only trusted up to where it was settled. @module */
import { dirname, join } from 'node:path'
import { concatBytes } from '#encoding/bytes'
import { KeyIndex, fingerprint } from '../key-index.js'
import type { KeyRecord, KeyTable } from '../storage.js'
import type { FileSystem } from './file-system.js'

/** fingerprint(8) index(8) */
const RECORD_SIZE = 16

/** Which file holds the table, and how much of it can be trusted. */
export interface KeyFileExtent {
  /** Counts up with every file that does not go on where the last one ended: bytes that were trusted never change. */
  readonly generation: number
  readonly bytes: number
  readonly covered: number
}

const NOTHING: KeyFileExtent = { generation: 0, bytes: 0, covered: 0 }

/** One table; loaded once, then only appended to. */
export class KeyFile implements KeyTable {
  readonly #fs: FileSystem
  /** The path of the files without their generation. */
  readonly #base: string
  #index = new KeyIndex()
  /** What the file of this generation begins with, if it is not there yet. */
  #carried: Uint8Array | undefined
  /** Records that are in no file yet. They can be made again from the log, so that losing them costs nothing. */
  #unwritten = new RecordBuffer()
  #extent: KeyFileExtent

  private constructor(fs: FileSystem, base: string, generation: number) {
    this.#fs = fs
    this.#base = base
    this.#extent = { ...NOTHING, generation }
  }

  /** Loads the trusted part of the file; if it is not all there, the table is empty. */
  static async load(fs: FileSystem, base: string, extent: KeyFileExtent = NOTHING): Promise<KeyFile> {
    const bytes = (await fs.read(keyFilePath(base, extent.generation))) ?? new Uint8Array(0)
    const table = new KeyFile(fs, base, extent.generation)
    if (bytes.length < extent.bytes || extent.bytes % RECORD_SIZE !== 0) {
      await table.clear()
      return table
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < extent.bytes; at += RECORD_SIZE) {
      table.#index.insert(view.getUint32(at), view.getUint32(at + 4), Number(view.getBigUint64(at + 8)))
    }
    table.#extent = extent
    // What follows was written by somebody who did not live to settle it: go on in a new file, without it.
    if (bytes.length > extent.bytes) {
      table.#carried = bytes.subarray(0, extent.bytes)
      table.#extent = { ...extent, generation: extent.generation + 1 }
    }
    return table
  }

  get covered(): number {
    return this.#extent.covered
  }

  async add(records: readonly KeyRecord[], covered: number): Promise<void> {
    for (const { key, index } of records) {
      const [high, low] = fingerprint(key)
      this.#index.insert(high, low, index)
      this.#unwritten.add(high, low, index)
    }
    this.#extent = { ...this.#extent, covered }
  }

  async find(key: Uint8Array): Promise<readonly number[]> {
    return this.#index.find(key)
  }

  async clear(): Promise<void> {
    this.#index = new KeyIndex()
    this.#carried = undefined
    this.#unwritten = new RecordBuffer()
    this.#extent = { ...NOTHING, generation: this.#extent.generation + 1 }
  }

  /**
   * Writes what was added and makes it durable; returns how far the file may be trusted from then on.
   * What is added while this runs is not in it.
   */
  async flush(): Promise<KeyFileExtent> {
    const added = this.#unwritten.bytes()
    const records = this.#carried === undefined ? added : concatBytes(this.#carried, added)
    this.#extent = { ...this.#extent, bytes: this.#extent.bytes + added.length }
    this.#carried = undefined
    this.#unwritten = new RecordBuffer()
    const extent = this.#extent
    if (records.length > 0) await this.#append(keyFilePath(this.#base, extent.generation), records)
    return extent
  }

  async #append(path: string, records: Uint8Array): Promise<void> {
    const file = await this.#fs.openAppend(path)
    try {
      await file.append(records)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.#fs.sync(dirname(path))
  }
}

/** Records that grow without an object each. */
class RecordBuffer {
  #view = new DataView(new ArrayBuffer(64 * RECORD_SIZE))
  #size = 0

  add(high: number, low: number, index: number): void {
    if (this.#size === this.#view.byteLength) {
      const larger = new Uint8Array(2 * this.#size)
      larger.set(this.bytes())
      this.#view = new DataView(larger.buffer)
    }
    this.#view.setUint32(this.#size, high)
    this.#view.setUint32(this.#size + 4, low)
    this.#view.setBigUint64(this.#size + 8, BigInt(index))
    this.#size += RECORD_SIZE
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#size)
  }
}

/** The file of one generation of a table. */
export function keyFilePath(base: string, generation: number): string {
  return `${base}.${String(generation)}`
}

/** Removes the files of other generations. */
export async function removeOldKeyFiles(fs: FileSystem, folder: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await fs.list(folder)) if (!keep.has(name)) await fs.remove(join(folder, name))
}
