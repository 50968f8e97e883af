/**
 * Packs the package as it would be published, and uses it as a stranger would: the program runs, every export can be imported
 * and has types.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = dirname(import.meta.dirname)
process.chdir(root)

const scratch = mkdtempSync(join(tmpdir(), 'countersign-package-'))
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })

try {
  const [{ filename, files, size }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch]))
  const strays = files
    .map(({ path }) => path)
    .filter((path) => /\.test\.|^dist\/(test|bench|fuzz|testing)\/|testdata/.test(path))
  if (strays.length > 0) throw new Error(`the package holds ${strays.slice(0, 5).join(', ')}`)
  run(join(root, 'node_modules/.bin/publint'), ['--strict', join(scratch, filename)], { stdio: 'inherit' })

  const consumer = join(scratch, 'consumer')
  const installed = join(consumer, 'node_modules', 'countersign')
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', join(scratch, filename), '-C', installed, '--strip-components=1'])
  const { dependencies, exports, version } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) link(name)

  const printed = run(process.execPath, [join(installed, 'bin/countersign'), 'version', '--json'], { cwd: consumer })
  if (!printed.includes(version)) throw new Error(`the installed program says ${printed}`)

  const entries = Object.keys(exports).filter((name) => name !== './package.json')
  const program = entries.map((name, at) => `import * as entry${at} from '${name.replace('.', 'countersign')}'`)
  program.push(
    `console.log([${entries.map((_, at) => `entry${at}`).join(', ')}].map((entry) => Object.keys(entry).length).join(' '))`,
  )
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(consumer, 'consumer.ts'), program.join('\n'))
  writeFileSync(join(consumer, 'consumer.mjs'), program.join('\n'))
  const counts = run(process.execPath, ['consumer.mjs'], { cwd: consumer }).trim()
  const tsc = join(root, 'node_modules/.bin/tsc')
  run(tsc, ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'consumer.ts'], {
    cwd: consumer,
    stdio: 'inherit',
  })
  console.log(`the package: ${files.length} files, ${Math.round(size / 1024)} kB; names per entry: ${counts}`)

  function link(name) {
    mkdirSync(dirname(join(consumer, 'node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(consumer, 'node_modules', name))
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
