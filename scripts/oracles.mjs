/**
 * Builds the original programs that tests compare with (CUE, OPA, the version orders of OSV-SCALIBR, packageurl-go, cel-go,
 * Kyverno), wrapped to read questions and write answers, a line each; and Sigstore's client of Vault, as a plugin of cosign.
 * Where Go is missing, or its modules cannot be had, the tests that need them are skipped.
 *
 *   node scripts/oracles.mjs           those that build in a minute or two
 *   node scripts/oracles.mjs kyverno   that one
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'oracles')
const target = process.env.ORACLES ?? join(homedir(), '.cache', 'countersign', 'oracles')

/** Name → the folder of its Go package. */
const PROGRAMS = {
  cue: 'cue',
  rego: 'rego',
  versions: 'packages/versions',
  purl: 'packages/purl',
  cel: 'cel/cel',
  'vault-client': 'vault-client',
}

/** These bring thousands of packages with them, and take minutes where nothing is cached: built only where they are asked for. */
const LARGE_PROGRAMS = { kyverno: 'kyverno' }

const asked = process.argv.slice(2)
const all = { ...PROGRAMS, ...LARGE_PROGRAMS }
const unknown = asked.find((name) => !Object.hasOwn(all, name))
if (unknown !== undefined) {
  console.error(`no oracle is named ${unknown}: ${Object.keys(all).join(', ')}`)
  process.exit(1)
}

const programOf = (name) => join(target, `${name}-oracle`)
const stampOf = (name) => `${programOf(name)}.sources`

function sourcesOf(name) {
  const folder = join(sources, LARGE_PROGRAMS[name])
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}

function isOfTheseSources(name) {
  const known = existsSync(programOf(name)) && existsSync(stampOf(name))
  return known && readFileSync(stampOf(name), 'utf8') === sourcesOf(name)
}

// A program that was built from other sources would answer other questions.
for (const name of Object.keys(LARGE_PROGRAMS)) {
  if (isOfTheseSources(name)) continue
  rmSync(programOf(name), { force: true })
  if (!asked.includes(name)) console.log(`not built: ${name}-oracle, which takes minutes (make oracles-${name})`)
}

if (spawnSync('go', ['version']).status !== 0) {
  console.log('no Go: the comparisons with the original programs are skipped')
  process.exit(0)
}
mkdirSync(target, { recursive: true })

for (const name of asked.length > 0 ? asked : Object.keys(PROGRAMS)) {
  const out = programOf(name)
  const { status } = spawnSync('go', ['build', '-trimpath', '-o', out, '.'], {
    cwd: join(sources, all[name]),
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
  if (Object.hasOwn(LARGE_PROGRAMS, name)) writeFileSync(stampOf(name), sourcesOf(name))
  console.log(out)
}
