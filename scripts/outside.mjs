/**
 * What some targets need from outside the checkout: the folder with the conformance suite and the real peers.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * @param {string | undefined} shared the folder
 * @param {string} name the file that is needed in it
 * @returns {string} its path. Without it the process ends: skipped on a contributor's machine, failed in CI.
 */
export function outsideFolder(shared, name) {
  const path = resolve(shared ?? '../shared', name)
  if (existsSync(path)) return path
  const inCi = process.env.CI === 'true'
  console.error(
    `${inCi ? 'FAILED' : 'SKIPPED'}: ${join(shared ?? '../shared', name)} is not here (make … SHARED=folder)`,
  )
  process.exit(inCi ? 1 : 0)
}

/**
 * @param {string} installer `peers/install.sh`, which prints one shell line that extends PATH
 * @returns {string} the PATH with the peers in it
 */
export function installedPeers(installer) {
  const line = execFileSync('bash', [installer], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return execFileSync('bash', ['-c', `${line}\nprintf %s "$PATH"`], { encoding: 'utf8' })
}

/** NODE_EXTRA_CA_CERTS costs 75 ms at every start of Node 20, which no test and no benchmark wants to measure. */
export function withoutExtraCertificates() {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  return env
}
