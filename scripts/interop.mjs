/**
 * Runs test/interop against real peers (cosign 3 and 2, rekor-cli, a registry without referrers API, sigstore-js), and
 * test/oracles against the original programs where they can be built.
 *
 *   node scripts/interop.mjs SHARED [NAME…]   SHARED/peers/install.sh installs them and prints how to reach them
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { filesBelow } from './build.mjs'
import { installedPeers, outsideFolder, withoutExtraCertificates } from './outside.mjs'

const [shared, ...names] = process.argv.slice(2)
const installer = outsideFolder(shared, 'peers/install.sh')
const path = installedPeers(installer)

// Without them the comparisons are skipped, and the summary counts them as such.
spawnSync(process.execPath, [join(import.meta.dirname, 'oracles.mjs')], { stdio: 'inherit' })

const files = ['dist/test/interop', 'dist/test/oracles']
  .flatMap(filesBelow)
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
if (files.length === 0) {
  console.error('there are no tests in test/interop')
  process.exit(1)
}
const reporter = join(import.meta.dirname, 'reporter.mjs')
const options = [
  '--test-concurrency=2',
  '--test-timeout=600000',
  `--test-reporter=${reporter}`,
  '--test-reporter-destination=stdout',
]
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...options, ...files], {
  stdio: 'inherit',
  env: { ...withoutExtraCertificates(), PATH: path },
})
process.exit(status ?? 1)
