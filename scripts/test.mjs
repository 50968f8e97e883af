/**
 * Transpiles what changed and runs the unit tests with node:test.
 *
 *   node scripts/test.mjs                        all unit tests: src/ and test/, without real peers
 *   node scripts/test.mjs src/formats test/cli   the tests below these folders, or of these files
 *   node scripts/test.mjs --test-name-pattern=x  options go to node
 *
 * @module
 */
import { dirname, relative, sep } from 'node:path'
import { buildModules, bundleCommandLine, filesBelow } from './build.mjs'
import { runTests } from './run-tests.mjs'

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

runTests(files, { minutes: 5, options })
