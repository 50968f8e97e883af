/**
 * Builds the original programs that tests compare with (CUE, OPA, the version orders of OSV-SCALIBR, packageurl-go), wrapped to
 * read questions and write answers, a line each.
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
  console.log('no Go: the comparisons with the original programs are skipped')
  process.exit(0)
}
mkdirSync(target, { recursive: true })
/** Name → the Go module that it is in. */
const PROGRAMS = { cue: '.', rego: '.', versions: 'packages', purl: 'packages' }

for (const [name, module] of Object.entries(PROGRAMS)) {
  const out = join(target, `${name}-oracle`)
  const { status } = spawnSync('go', ['build', '-trimpath', '-o', out, `./${name}`], {
    cwd: join(sources, module),
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
  console.log(out)
}
