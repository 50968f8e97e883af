/**
 * Runs the benchmarks, one process each, one after the other.
 *
 *   node scripts/bench.mjs [NAME…]    bench/*.bench.ts whose name contains one of these
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { filesBelow } from './build.mjs'
import { withoutExtraCertificates } from './outside.mjs'

const names = process.argv.slice(2)
const files = filesBelow('dist/bench')
  .filter((file) => file.endsWith('.bench.js'))
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))

/** Ratios against real cosign need it on PATH; without it the benchmarks say what they left out. */
function pathWithPeers() {
  const installer = '../shared/peers/install.sh'
  if (!existsSync(installer)) return process.env.PATH
  const line = execFileSync('bash', [installer], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return execFileSync('bash', ['-c', `${line}\nprintf %s "$PATH"`], { encoding: 'utf8' })
}

const env = { ...withoutExtraCertificates(), PATH: pathWithPeers() }
const failed = files.filter((file) => spawnSync(process.execPath, [file], { stdio: 'inherit', env }).status !== 0)
for (const file of failed) console.error(`${file} failed`)
process.exit(failed.length > 0 || files.length === 0 ? 1 : 0)
