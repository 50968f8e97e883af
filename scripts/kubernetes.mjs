/**
 * Runs test/kubernetes against a real API server, which is built where Go is there.
 *
 *   node scripts/kubernetes.mjs SHARED [NAME…]   SHARED/peers/install.sh installs etcd
 *
 * @module
 */
import { resolve } from 'node:path'
import { buildControlPlane } from './control-plane.mjs'
import { installedPeers, outsideFolder } from './outside.mjs'
import { runTests, testsBelow } from './run-tests.mjs'

const [shared, ...names] = process.argv.slice(2)
const path = installedPeers(outsideFolder(shared, 'peers/install.sh'))
const program = buildControlPlane()
if (program === undefined) {
  console.log('SKIPPED: no Go to build the Kubernetes API server with')
  process.exit(0)
}
runTests(testsBelow(['dist/test/kubernetes'], names), {
  minutes: 10,
  env: { PATH: path, CONTROL_PLANE: program, SHARED: resolve(shared ?? '../shared') },
})
