/** Loads a chunk of the program, with the bytecode that the build made of it where that fits this Node. @module */
import type { createHash as CreateHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/** Where the build puts the bytecode of a chunk: beside it, so whoever can change one can change the other. */
export function bytecodePath(chunk: string): string {
  return `${chunk}.${process.version}-${process.arch}.bytecode`
}

const HASH_SIZE = 32

/**
 * Runs a CommonJS chunk and gives its exports. Compiling takes a third of the time of a short command; V8 takes bytecode
 * instead if it is of this very version and flags. It compares no more of the source than its length, so the file begins
 * with the source's hash.
 */
export function loadChunk(path: string): unknown {
  const require = createRequire(path)
  const bytecode = bytecodePath(path)
  if (!existsSync(bytecode)) return require(path)
  // Only here: loading it costs more than a small command takes.
  const { createHash } = require('node:crypto') as { readonly createHash: typeof CreateHash }
  const source = readFileSync(path)
  const cached = readFileSync(bytecode)
  if (!createHash('sha256').update(source).digest().equals(cached.subarray(0, HASH_SIZE))) return require(path)
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${source.toString('utf8')}\n})`,
    {
      filename: path,
      cachedData: cached.subarray(HASH_SIZE),
    },
  )
  const module = { exports: {} }
  // Sound: the script is exactly the function expression above.
  const run = script.runInThisContext() as (
    exports: object,
    require: unknown,
    module: object,
    file: string,
    folder: string,
  ) => void
  run(module.exports, require, module, path, dirname(path))
  return module.exports
}
