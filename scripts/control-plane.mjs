/**
 * Builds the control plane of a Kubernetes cluster from its Go modules: the API server, the controllers, kubectl, in one
 * program (test/kubernetes/control-plane). It takes some ten minutes of processor time, so it is kept outside the
 * checkout, under what it depends on.
 *
 *   node scripts/control-plane.mjs    prints the path of the program; exit code 3 where Go is missing
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCES = join(import.meta.dirname, '..', 'test', 'kubernetes', 'control-plane')
const NO_GO = 3

/** @returns {string | undefined} the program, built if it has to be; undefined where Go is missing */
export function buildControlPlane() {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' })
  if (go.status !== 0) return undefined
  const program = join(cacheFolder(), keyOf(go.stdout), 'control-plane')
  if (!existsSync(program)) build(program)
  return program
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'countersign-ci', 'control-plane')
}

function keyOf(goVersion) {
  const hash = createHash('sha256').update(goVersion)
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(SOURCES, name)))
  return hash.digest('hex').slice(0, 16)
}

function build(program) {
  console.error('building the Kubernetes control plane, once')
  const version = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(readFileSync(join(SOURCES, 'go.mod'), 'utf8'))
  const [, full = '', major = '', minor = ''] = version ?? []
  const named = { gitVersion: full, gitMajor: major, gitMinor: minor }
  const settings = Object.entries(named).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  const folder = dirname(program)
  mkdirSync(folder, { recursive: true })
  const unfinished = `${program}.${process.pid}`
  const flags = ['-p', '2', '-trimpath', '-ldflags', ['-s', '-w', ...settings].join(' '), '-o', unfinished]
  const { status } = spawnSync('nice', ['-n', '19', 'go', 'build', ...flags, '.'], {
    cwd: SOURCES,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CGO_ENABLED: '0' },
  })
  if (status !== 0) throw new Error('the Kubernetes control plane cannot be built')
  renameSync(unfinished, program)
  removeOthers(folder)
}

/** What was built for an earlier version would otherwise stay for ever. */
function removeOthers(folder) {
  for (const name of readdirSync(dirname(folder))) {
    if (name !== basename(folder)) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const program = buildControlPlane()
  if (program === undefined) {
    console.error('no Go: there is no Kubernetes control plane')
    process.exit(NO_GO)
  }
  console.log(program)
}
