import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../..')
const DOCKERFILE = readFileSync(join(ROOT, 'deploy', 'Dockerfile'), 'utf8')

let image: string
before(() => {
  image = mkdtempSync(join(tmpdir(), 'image-'))
})
after(() => {
  rmSync(image, { recursive: true, force: true })
})

test('what the image holds is enough to run', () => {
  const copies = [...DOCKERFILE.matchAll(/^COPY --from=build \/src\/(\S+) \/app\/(\S+)$/gm)]
  assert.ok(copies.length > 1)
  for (const [, from = '', to = ''] of copies) cpSync(join(ROOT, from), join(image, to), { recursive: true })
  const run = (...words: readonly string[]): string =>
    execFileSync(process.execPath, [join(image, 'bin', 'countersign'), ...words], {
      encoding: 'utf8',
      cwd: image,
      env: {},
    })
  assert.match(run('version'), /\d+\.\d+\.\d+/)
  assert.match(run('manifests', '--crds', 'none'), /^---\napiVersion: v1\nkind: Namespace\n/)
  assert.match(run('admission', '--help'), /webhook/)
})

test('it runs as nobody, as the deployment says', () => {
  const manifests = execFileSync(process.execPath, [join(ROOT, 'bin', 'countersign'), 'manifests', '--crds', 'none'], {
    encoding: 'utf8',
  })
  const [, user] = /^USER (\d+):\d+$/m.exec(DOCKERFILE) ?? []
  assert.match(manifests, new RegExp(`runAsUser: ${user ?? 'nobody'}\n`))
  assert.ok(!/^FROM .*:latest/m.test(DOCKERFILE))
})
