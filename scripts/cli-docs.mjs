/**
 * Writes docs/cli/ from the definitions of the commands.
 *
 *   node scripts/cli-docs.mjs           writes what has changed, and removes pages of commands that are gone
 *   node scripts/cli-docs.mjs --check   writes nothing and fails if something would have to change
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildModules, bundleCommandLine } from './build.mjs'

const root = dirname(import.meta.dirname)
const folder = join(root, 'docs', 'cli')
const failures = [...(await buildModules()), ...(await bundleCommandLine())]
if (failures.length > 0) {
  for (const failure of failures) console.error(failure)
  process.exit(1)
}
const { manualFile, manualIndex, manualPage } = await import(join(root, 'dist', 'cli', 'kit', 'manual.js'))
const commands = JSON.parse(readFileSync(join(root, 'dist', 'bin', 'commands.json'), 'utf8')).filter(
  ({ hidden }) => hidden !== true,
)
const pages = new Map([
  ['README.md', manualIndex(commands)],
  ...commands.map((command) => [manualFile(command.name), manualPage(command)]),
])

const stale = [
  ...[...pages]
    .filter(([name, text]) => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== text)
    .map(([name]) => name),
  ...(existsSync(folder) ? readdirSync(folder).filter((name) => !pages.has(name)) : []),
]
if (process.argv.includes('--check')) {
  for (const name of stale) console.error(`docs/cli/${name} is not what the commands say; run: npm run docs:cli`)
  process.exit(stale.length > 0 ? 1 : 0)
}
mkdirSync(folder, { recursive: true })
for (const name of stale) {
  const text = pages.get(name)
  if (text === undefined) rmSync(join(folder, name))
  else writeFileSync(join(folder, name), text)
}
console.log(`docs/cli: ${stale.length} of ${pages.size} pages changed`)
