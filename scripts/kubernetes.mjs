/**
 * Runs test/kubernetes against a real API server, which is built where Go is there.
 *
 *   node scripts/kubernetes.mjs SHARED [NAME…]   SHARED/peers/install.sh installs etcd
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { filesBelow } from './build.mjs'
import { buildControlPlane } from './control-plane.mjs'
import { installedPeers, outsideFolder, withoutExtraCertificates } from './outside.mjs'

const [shared, ...names] = process.argv.slice(2)
const path = installedPeers(outsideFolder(shared, 'peers/install.sh'))
const program = buildControlPlane()
if (program === undefined) {
  console.log('SKIPPED: no Go to build the Kubernetes API server with')
  process.exit(0)
}
const files = filesBelow('dist/test/kubernetes')
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
if (files.length === 0) {
  console.error('there are no such tests in test/kubernetes')
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
  env: { ...withoutExtraCertificates(), PATH: path, CONTROL_PLANE: program, SHARED: resolve(shared ?? '../shared') },
})
process.exit(status ?? 1)
