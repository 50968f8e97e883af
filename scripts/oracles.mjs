/**
 * Builds the original programs that tests compare with: CUE, OPA and Kyverno, wrapped to read questions and write answers, a line each.
 * Where Go is missing, or its modules cannot be had, the tests that need them are skipped.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'oracles')
const target = process.env.ORACLES ?? join(homedir(), '.cache', 'countersign', 'oracles')

if (spawnSync('go', ['version']).status !== 0) {
  console.log('no Go: the comparisons with CUE, OPA and Kyverno are skipped')
  process.exit(0)
}
mkdirSync(target, { recursive: true })
// Kyverno brings two thousand packages with it, and a module of its own: the first build takes some minutes.
for (const [name, folder, main] of [
  ['cue', sources, './cue'],
  ['rego', sources, './rego'],
  ['kyverno', join(sources, 'kyverno'), '.'],
]) {
  const out = join(target, `${name}-oracle`)
  const { status } = spawnSync('go', ['build', '-trimpath', '-o', out, main], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  console.log(out)
}
