/**
 * Transpiles what changed and runs the unit tests with node:test.
 *
 *   node scripts/test.mjs                        all unit tests: src/ and test/, without real peers
 *   node scripts/test.mjs src/formats test/cli   the tests below these folders, or of these files
 *   node scripts/test.mjs --test-name-pattern=x  options go to node
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { dirname, join, relative, sep } from 'node:path'
import { buildModules, bundleCommandLine, filesBelow } from './build.mjs'

/** These need programs or folders from outside; they have targets of their own. */
const NOT_UNIT = ['test/interop', 'test/oracles', 'test/conformance', 'test/kubernetes']

process.chdir(dirname(import.meta.dirname))

const args = process.argv.slice(2)
const options = args.filter((arg) => arg.startsWith('-'))
const prefixes = args.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/^\.\//, '').replace(/\.ts$/, ''))

const failures = await buildModules()
const wantsCommandLine = prefixes.length === 0 || prefixes.some((prefix) => /^(test|bench|src\/cli)\b/.test(prefix))
if (wantsCommandLine) failures.push(...(await bundleCommandLine()))
for (const failure of failures) console.error(failure)
if (failures.length > 0 && prefixes.length === 0) process.exit(1)

/** dist/formats/x.test.js → src/formats/x.test */
function sourceName(path) {
  const name = relative('dist', path).split(sep).join('/').replace(/\.js$/, '')
  return /^(test|bench|fuzz|examples)\//.test(name) ? name : `src/${name}`
}

const startsWith = (name, prefix) => name.startsWith(prefix)
const files = filesBelow('dist')
  .filter((path) => path.endsWith('.test.js'))
  .filter((path) => {
    const name = sourceName(path)
    if (prefixes.length > 0) return prefixes.some((prefix) => startsWith(name, prefix))
    return !NOT_UNIT.some((folder) => startsWith(name, folder))
  })
if (files.length === 0) {
  console.error(`no tests below ${prefixes.join(', ')}`)
  process.exit(1)
}

const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env // 75 ms a process on Node 20
const reporter = join(import.meta.dirname, 'reporter.mjs')
const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=300000',
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    ...options,
    ...files,
  ],
  { stdio: 'inherit', env },
)
process.exit(status ?? 1)
