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
import { installedPeers, outsideFolder } from './outside.mjs'
import { runTests, testsBelow } from './run-tests.mjs'

const [shared, ...names] = process.argv.slice(2)
const installer = outsideFolder(shared, 'peers/install.sh')
const path = installedPeers(installer)

// Without them the comparisons are skipped, and the summary counts them as such.
spawnSync(process.execPath, [join(import.meta.dirname, 'oracles.mjs')], { stdio: 'inherit' })

runTests(testsBelow(['dist/test/interop', 'dist/test/oracles'], names), { minutes: 10, env: { PATH: path } })
