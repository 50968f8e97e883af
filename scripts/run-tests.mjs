/** Runs built test files with node:test, and ends the process as they ended. @module */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { filesBelow } from './build.mjs'
import { withoutExtraCertificates } from './outside.mjs'

/**
 * @param {readonly string[]} files
 * @param {{ readonly minutes: number, readonly options?: readonly string[], readonly concurrency?: number, readonly env?: NodeJS.ProcessEnv }} how
 *   `minutes`: how long a test may take
 */
export function runTests(files, { minutes, options = [], concurrency = 2, env = {} }) {
  const { status } = spawnSync(
    process.execPath,
    [
      '--enable-source-maps',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${minutes * 60_000}`,
      `--test-reporter=${join(import.meta.dirname, 'reporter.mjs')}`,
      '--test-reporter-destination=stdout',
      ...options,
      ...files,
    ],
    { stdio: 'inherit', env: { ...withoutExtraCertificates(), ...env } },
  )
  process.exit(status ?? 1)
}

/**
 * @param {readonly string[]} folders of dist/
 * @param {readonly string[]} names parts of the files' names; none for all of them
 * @returns {readonly string[]} the test files. Without any the process ends: a name is wrong.
 */
export function testsBelow(folders, names) {
  const files = folders
    .flatMap(filesBelow)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
  if (files.length > 0) return files
  console.error(`there are no such tests in ${folders.join(', ')}`)
  process.exit(1)
}
