/**
 * V8 bytecode beside each chunk of the command line, for the Node that runs the build. Of what a rehearsal has run it holds the
 * functions that ran; of all else, every function. `src/cli/node/chunk.ts` reads it.
 *
 * @module
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import v8 from 'node:v8'
import { Script } from 'node:vm'
import { rehearse } from './rehearse.mjs'

const ENDING = `.${process.version}-${process.arch}.bytecode`
const ANY_ENDING = /\.v[^/\\]*\.bytecode$/

/** Of a smaller chunk, finding and checking the bytecode would cost more than compiling it. */
const WORTH_COMPILING = 16 * 1024

/** A chunk begins with the hash of the rest, in a comment; its bytecode with that hash. */
const hashOf = (source) => /^\/\*([0-9a-f]{64})\*\//.exec(source)?.[1]

/**
 * Brings the bytecode of the chunks among `files` up to date, and removes what belongs to none of them.
 * @returns {Promise<string[]>} what went wrong
 */
export async function updateBytecode(root, files) {
  const chunks = files
    .filter((path) => path.endsWith('.cjs'))
    .map((path) => ({ path, source: readFileSync(path, 'latin1') }))
    .filter(({ source }) => source.length >= WORTH_COMPILING && hashOf(source) !== undefined)
  const wanted = new Set(chunks.map(({ path }) => path + ENDING))
  for (const path of files) if (ANY_ENDING.test(path) && !wanted.has(path)) rmSync(path, { force: true })
  const stale = chunks.filter((chunk) => !hasBytecode(chunk))
  if (stale.length === 0) return []
  for (const { path } of stale) rmSync(path + ENDING, { force: true })
  const failures = await rehearse(root)
  for (const chunk of stale) if (!hasBytecode(chunk)) keepBytecode(chunk.source, chunk.path, compileWhole(chunk))
  return failures
}

/** Writes what V8 has compiled of a chunk by now. */
export function keepBytecode(source, path, script) {
  const hash = hashOf(source)
  if (hash === undefined || source.length < WORTH_COMPILING) return
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, Buffer.concat([Buffer.from(hash, 'latin1'), script.createCachedData()]))
  renameSync(temporary, path + ENDING)
}

function hasBytecode({ path, source }) {
  if (!existsSync(path + ENDING)) return false
  const hash = hashOf(source)
  return readFileSync(path + ENDING).toString('latin1', 0, hash.length) === hash
}

/** Also functions that are otherwise compiled when they are first called. These flags are back before V8 notes which it had. */
function compileWhole({ path, source }) {
  const off = ['lazy', 'compilation-cache'] // the cache holds what this process itself has run
  for (const flag of off) v8.setFlagsFromString(`--no-${flag}`)
  try {
    return new Script(source, { filename: path })
  } finally {
    for (const flag of off) v8.setFlagsFromString(`--${flag}`)
  }
}
