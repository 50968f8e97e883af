/** Loads a chunk of the program, with the bytecode that the build made of it where that fits this Node. @module */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** Where the build puts the bytecode of a chunk: beside it, so whoever can change one can change the other. */
function bytecodePath(chunk: string): string {
  return `${chunk}.${process.version}-${process.arch}.bytecode`
}

/** A chunk begins with a comment that holds the hash of the rest, its bytecode with that hash. */
const HASH_DIGITS = 64
const COMMENT_START = 2

const loaded = new Map<string, unknown>()

/**
 * Runs a chunk, once, and gives its exports. Compiling takes a third of the time of a short command; V8 takes bytecode
 * instead if it is of this very version and flags. It compares no more of the source than its length, so the two are held
 * together by the hash that the build wrote into both.
 */
export function loadChunk(path: string): unknown {
  if (!loaded.has(path)) loaded.set(path, runChunk(path))
  return loaded.get(path)
}

function runChunk(path: string): unknown {
  const source = readFileSync(path, 'latin1') // the build writes ASCII
  const cachedData = readBytecode(path, source.slice(COMMENT_START, COMMENT_START + HASH_DIGITS))
  const script = new Script(source, { filename: path, ...(cachedData !== undefined && { cachedData }) })
  const module = { exports: {} }
  const folder = dirname(path)
  // Everything but Node's own modules is in the chunks.
  const require = (id: string): unknown =>
    id.startsWith('.') ? loadChunk(join(folder, id)) : process.getBuiltinModule(id)
  // Sound: the build writes a chunk as this function, which Node makes of a CommonJS module.
  const run = script.runInThisContext() as (...given: readonly unknown[]) => void
  run(module.exports, require, module, path, folder)
  return module.exports
}

function readBytecode(path: string, hash: string): Uint8Array | undefined {
  const bytecode = bytecodePath(path)
  if (!existsSync(bytecode)) return undefined
  const bytes = readFileSync(bytecode)
  return bytes.toString('latin1', 0, HASH_DIGITS) === hash ? bytes.subarray(HASH_DIGITS) : undefined
}
