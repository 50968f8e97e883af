/**
 * Runs every property test for longer: many more cases, each property for at most its share of the time.
 *
 *   node scripts/fuzz.mjs [SECONDS]    about this long in all (60)
 *
 * fast-check prints the seed and the path of a failure; give them back to the property to see it again.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { buildModules, filesBelow } from './build.mjs'
import { runTests } from './run-tests.mjs'

process.chdir(dirname(import.meta.dirname))

const seconds = Number(process.argv[2] ?? 60)
const failures = await buildModules()
for (const failure of failures) console.error(failure)
if (failures.length > 0) process.exit(1)

// The properties against original programs ask them all questions at once: they belong to `make interop`.
const files = filesBelow('dist')
  .filter((file) => file.endsWith('.test.js') && !file.startsWith('dist/test/oracles/'))
  .filter((file) => readFileSync(file, 'utf8').includes('fuzzRuns('))
const properties = files.reduce((sum, file) => sum + readFileSync(file, 'utf8').split('fuzzRuns(').length - 1, 0)
const processes = Math.min(2, availableParallelism())
const share = Math.ceil((seconds * 1000 * processes) / properties)
console.log(`${properties} properties in ${files.length} files, ${share} ms each`)

runTests(files, {
  // No property may hold up the others: its share of the time is over long before.
  minutes: Math.max(2, (5 * seconds) / 60),
  options: ['--import=./fuzz/time-limit.mjs'],
  concurrency: processes,
  env: { FUZZ_RUNS: '1000000', FUZZ_MILLISECONDS: String(share) },
})
