/**
 * Runs `npm ci` when node_modules/ is missing or is not what package-lock.json says.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

process.chdir(dirname(import.meta.dirname))

const INSTALLED = 'node_modules/.package-lock.json'
const packages = (path) =>
  Object.entries(JSON.parse(readFileSync(path, 'utf8')).packages).filter(([name]) => name !== '')

/** Optional packages are those of other platforms. */
function isComplete() {
  if (!existsSync(INSTALLED)) return false
  const installed = new Map(packages(INSTALLED).map(([name, { version }]) => [name, version]))
  return packages('package-lock.json').every(([name, { version, optional }]) => {
    return installed.get(name) === version || (optional === true && !installed.has(name))
  })
}

if (!isComplete()) {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  process.exit(status ?? 1)
}
