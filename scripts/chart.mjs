/**
 * Writes what the Helm chart has in common with `countersign manifests` and cannot say in templates: the kinds and their
 * schemas, from the same tables.
 *
 *   node scripts/chart.mjs           rewrites deploy/helm/countersign/files
 *   node scripts/chart.mjs --check   says what differs (exit 1)
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildModules } from './build.mjs'

const CHART = join('deploy', 'helm', 'countersign')

process.chdir(resolve(import.meta.dirname, '..'))
const failures = await buildModules()
if (failures.length > 0) {
  console.error(failures.join('\n'))
  process.exit(1)
}
const { DEFINITIONS, customResourceDefinition } = await import(resolve('dist/gate/manifests/definitions.js'))
const { LABELS } = await import(resolve('dist/gate/manifests/labels.js'))
const { FRONT_END_RESOURCES } = await import(resolve('dist/policy/front-ends.js'))

/** All versions of a kind have one schema, and some kinds share theirs. */
const schemas = new Map()
const definitions = DEFINITIONS.map((each) => {
  const definition = customResourceDefinition(each, LABELS)
  const known = [...schemas].find(([, schema]) => schema === each.schema)
  const schema = known?.[0] ?? `${each.plural}.${each.group}`
  schemas.set(schema, each.schema)
  for (const version of definition.spec.versions) delete version.schema
  return { family: each.family, schema, definition }
})

/** What a policy of a family may be: the API server asks about it when it is applied. */
const policies = FRONT_END_RESOURCES.map(({ family, group, resource }) => ({ family, group, resource }))

/** @returns {[path: string, text: string][]} */
function files() {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const chart = readFileSync(join(CHART, 'Chart.yaml'), 'utf8')
  return [
    [join(CHART, 'files', 'definitions.json'), `${JSON.stringify(definitions, null, 1)}\n`],
    [join(CHART, 'files', 'schemas.json'), `${JSON.stringify(Object.fromEntries(schemas), null, 1)}\n`],
    [join(CHART, 'files', 'policies.json'), `${JSON.stringify(policies, null, 1)}\n`],
    [join(CHART, 'Chart.yaml'), chart.replace(/^((?:appV|v)ersion): .*$/gm, `$1: ${version}`)],
  ]
}

const current = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
const stale = files().filter(([path, text]) => current(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is not what the source says: npm run chart`)
  process.exit(stale.length > 0 ? 1 : 0)
}
mkdirSync(join(CHART, 'files'), { recursive: true })
for (const [path, text] of stale) writeFileSync(path, text)
console.log(`${CHART}: ${String(stale.length)} files changed`)
