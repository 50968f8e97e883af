/**
 * Builds `dist/`: every module transpiled one to one (ES modules, tests included), and the command line as CommonJS chunks.
 *
 *   node scripts/build.mjs             everything
 *   node scripts/build.mjs --modules   only the one-to-one modules
 *
 * Only what changed is written, each file by rename, and what has lost its source is removed, so that several builds and
 * running tests may share one `dist/`.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { updateBytecode } from './bytecode.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const staging = join(root, 'node_modules', '.cache', 'countersign-build')
const target = 'node20.19'

/** Source folder → folder in dist/. */
const TREES = { src: '', test: 'test', bench: 'bench', fuzz: 'fuzz', examples: 'examples' }

/** Chunks of the command line live here; `cleanUp` leaves them to `bundleCommandLine`. */
const BIN = join(dist, 'bin')

/** @returns {string[]} every file below `folder`, absolute, in a stable order */
export function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function writeIfChanged(path, contents) {
  const bytes = Buffer.from(contents)
  if (existsSync(path) && readFileSync(path).equals(bytes)) return
  mkdirSync(dirname(path), { recursive: true })
  mkdirSync(staging, { recursive: true })
  const temporary = join(staging, `${process.pid}-${Math.random().toString(36).slice(2)}`)
  writeFileSync(temporary, bytes)
  renameSync(temporary, path)
}

/** Transpiles or copies what is newer than its output. Answers with the messages of what could not be transpiled. */
export async function buildModules() {
  if (settingsChanged()) rmSync(dist, { recursive: true, force: true })
  const expected = new Set()
  const failures = []
  const jobs = []
  for (const [tree, place] of Object.entries(TREES)) {
    for (const source of filesBelow(join(root, tree))) {
      const name = join(place, relative(join(root, tree), source))
      const typescript = /\.ts$/.test(name) && !/\.d\.ts$/.test(name)
      const output = join(dist, typescript ? name.replace(/\.ts$/, '.js') : name)
      expected.add(output)
      if (typescript) {
        expected.add(`${output}.map`)
        expected.add(output.replace(/\.js$/, '.d.ts'))
      }
      const stat = statSync(source, { throwIfNoEntry: false })
      if (stat === undefined || isFresh(output, stat)) continue
      jobs.push(typescript ? transpile(source, output, stat) : copy(source, output, stat))
    }
  }
  await Promise.all(jobs)
  cleanUp(expected)
  return failures

  async function transpile(source, output, stat) {
    try {
      const { code, map } = await esbuild.transform(readFileSync(source, 'utf8'), {
        loader: 'ts',
        format: 'esm',
        target,
        sourcefile: relative(dirname(output), source).split(sep).join('/'),
        sourcemap: 'external',
        sourcesContent: false,
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
      })
      const link = `//# sourceMappingURL=${output.slice(output.lastIndexOf(sep) + 1)}.map\n`
      writeIfChanged(`${output}.map`, map)
      writeIfChanged(output, code + link)
      stamp(output, stat)
    } catch (error) {
      rmSync(output, { force: true })
      failures.push(String(error.message ?? error))
    }
  }

  function copy(source, output, stat) {
    writeIfChanged(output, readFileSync(source))
    stamp(output, stat)
  }
}

/** Outputs of another version of this script are not trusted. */
function settingsChanged() {
  const version = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex')
  const mark = join(staging, 'version')
  const same = existsSync(mark) && readFileSync(mark, 'utf8') === version
  if (!same) writeIfChanged(mark, version)
  return !same
}

/** An output carries the modification time of its source: that is how the next build knows that it is fresh. */
function stamp(path, source) {
  const { atime, mtime } = source
  utimesSync(path, atime, mtime)
}

const isFresh = (output, source) => {
  const found = statSync(output, { throwIfNoEntry: false })
  return found !== undefined && Math.abs(found.mtimeMs - source.mtimeMs) < 2
}

function cleanUp(expected) {
  for (const path of filesBelow(dist)) {
    if (!expected.has(path) && !path.startsWith(BIN + sep)) rmSync(path, { force: true })
  }
  removeEmptyFolders(dist)
}

function removeEmptyFolders(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name))
  }
  if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder)
}

/**
 * The command line: a tiny entry, one chunk a command, required when the command runs, and in `lib/` one chunk for each
 * module that is imported dynamically, required when its time comes: what a command does not use is not even read.
 */
export async function bundleCommandLine() {
  const commands = join(root, 'src', 'cli', 'commands')
  const main = join(root, 'src', 'cli', 'main.ts')
  const entries = filesBelow(commands)
    .filter((path) => dirname(path) === commands && path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => ({ in: path, out: join('commands', path.slice(commands.length + 1, -3)) }))
  if (entries.length === 0) return []
  const failures = []
  const results = []
  const late = new Map()
  const built = new Set()
  if (existsSync(main))
    await bundleAll(
      [
        { in: main, out: 'main' },
        { in: join(root, 'src', 'cli', 'program.ts'), out: 'program' },
      ],
      './lib/',
    )
  await bundleAll(entries, '../lib/')
  while (late.size > built.size) {
    const next = [...late].filter(([name]) => !built.has(name))
    for (const [name] of next) built.add(name)
    await bundleAll(
      next.map(([name, path]) => ({ in: path, out: join('lib', name) })),
      './',
    )
  }

  async function bundleAll(group, prefix) {
    const plugins = [lateModules(late, prefix)]
    try {
      results.push(await bundle(group, plugins))
    } catch {
      // One broken command must not take the others with it.
      const settled = await Promise.allSettled(group.map((entry) => bundle([entry], plugins)))
      for (const one of settled) {
        if (one.status === 'fulfilled') results.push(one.value)
        else failures.push(String(one.reason.message))
      }
    }
  }

  const expected = new Set()
  for (const file of results.flatMap((result) => result.outputFiles)) {
    expected.add(file.path)
    if (file.path === join(BIN, 'main.cjs')) {
      writeIfChanged(file.path, file.contents)
      continue
    }
    const hash = createHash('sha256').update(file.contents).digest('hex')
    const source = `/*${hash}*/(function (exports, require, module, __filename, __dirname) {${toAscii(file.text)}\n})`
    writeIfChanged(file.path, source)
  }
  const listing = join(BIN, 'commands.json')
  expected.add(listing)
  writeIfChanged(
    listing,
    JSON.stringify(
      await definitions(
        [...expected].filter((path) => dirname(path) === join(BIN, 'commands') && path.endsWith('.cjs')),
      ),
    ),
  )
  for (const path of filesBelow(BIN))
    if (!expected.has(path) && !path.endsWith('.bytecode')) rmSync(path, { force: true })
  return failures
}

/** A chunk is read as Latin-1, which is fastest. esbuild writes ASCII everywhere but in regular expressions. */
function toAscii(text) {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What every command looks like, without its code: help and completion read this instead of loading all chunks. */
async function definitions(chunks) {
  const { loadChunk } = await import(join(dist, 'cli', 'node', 'chunk.js'))
  return chunks
    .map((path) => {
      const { run: _, ...data } = loadChunk(path).command
      return data
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Modules worth a chunk of their own: what the command line itself imports late, and the big curves and ciphers. */
const LATE_PACKAGES = /^@noble\//

/** Leaves dynamic imports to chunks in `lib/`, and notes in `late` which those are. */
function lateModules(late, prefix) {
  const cli = join(root, 'src', 'cli') + sep
  return {
    name: 'late-modules',
    setup(build) {
      build.onResolve({ filter: /^(\.|@noble\/)/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === 'resolving') return undefined
        if (!LATE_PACKAGES.test(path) && !importer.startsWith(cli)) return undefined
        const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: 'resolving' })
        if (found.errors.length > 0) return found
        const name = (LATE_PACKAGES.test(path) ? path.replace('@', '') : relative(cli, found.path))
          .replace(/\.[jt]s$/, '')
          .split(/[\\/]/)
          .join('-')
        late.set(name, found.path)
        return { path: `${prefix}${name}.cjs`, external: true }
      })
    },
  }
}

function bundle(entryPoints, plugins) {
  return esbuild.build({
    entryPoints,
    plugins,
    // import() of a CommonJS file would start Node's ES module loader; require is enough.
    supported: { 'dynamic-import': false },
    outdir: BIN,
    outExtension: { '.js': '.cjs' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target,
    conditions: ['source'],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now()
  const failures = await buildModules()
  if (!process.argv.includes('--modules')) {
    failures.push(...(await bundleCommandLine()))
    if (failures.length === 0) failures.push(...(await updateBytecode(root, filesBelow(BIN))))
  }
  for (const failure of failures) console.error(failure)
  if (failures.length > 0) process.exit(1)
  console.log(`built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
