import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'

const CRUISER = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

const tree = mkdtempSync(join(tmpdir(), 'countersign-layers-'))
after(() => rmSync(tree, { recursive: true, force: true }))
for (const file of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json']) cpSync(file, join(tree, file))
symlinkSync(resolve('node_modules'), join(tree, 'node_modules'))

function cruise(files: Record<string, string>): string {
  rmSync(join(tree, 'src'), { recursive: true, force: true })
  for (const [path, text] of Object.entries({ 'src/time.ts': 'export const a = 1\n', ...files })) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  const { stdout, stderr } = spawnSync(process.execPath, [CRUISER, '--config', '.dependency-cruiser.mjs', 'src'], {
    cwd: tree,
    encoding: 'utf8',
  })
  return stdout + stderr
}

const VALUE = 'export const a = 1\n'
const using = (specifier: string): string => `import { a } from '${specifier}'\nexport const b = a\n`

test('a tree that keeps the layer rule passes', () => {
  const output = cruise({
    'src/encoding/x.ts': using('#time'),
    'src/crypto/x.ts': `import 'node:crypto'\n${VALUE}`,
    'src/verify/x.ts': using('../verify/y.js'),
    'src/verify/y.ts': using('#crypto/x'),
    'src/verify/x.test.ts': `import 'fast-check'\nimport 'node:test'\n${using('#testing/x')}`,
    'src/testing/x.ts': VALUE,
    'src/serving/x.ts': VALUE,
    'src/services/rekor/x.ts': using('#serving/x'),
    'src/services/up/x.ts': using('../rekor/x.js'),
  })
  assert.match(output, /no dependency violations found/)
})

/** Each module breaks one rule by importing something. */
const VIOLATIONS = [
  { name: 'upwards', rule: 'layer-encoding', from: 'src/encoding/upwards.ts', imports: '#crypto/x' },
  { name: 'sideways', rule: 'layer-verify', from: 'src/verify/sideways.ts', imports: '#clients/x' },
  {
    name: 'a service in another',
    rule: 'sibling-services',
    from: 'src/services/tsa/sibling.ts',
    imports: '../rekor/x.js',
  },
  {
    name: 'relative across layers',
    rule: 'marked-crossings',
    from: 'src/crypto/unmarked.ts',
    imports: '../encoding/x.js',
  },
  { name: 'fakes in production', rule: 'testing-for-tests-only', from: 'src/cli/fakes.ts', imports: '#testing/x' },
  { name: 'a test as a module', rule: 'tests-are-not-imported', from: 'src/cli/tests.ts', imports: './x.test.js' },
  { name: 'nothing there', rule: 'resolvable', from: 'src/cli/absent.ts', imports: '#cli/absent-one' },
  {
    name: 'a Node module in a pure layer',
    rule: 'pure-layers-touch-no-host',
    from: 'src/formats/host.ts',
    imports: 'node:fs',
  },
  {
    name: 'a package in a pure layer',
    rule: 'pure-layers-touch-no-host',
    from: 'src/verify/package.ts',
    imports: 'jose',
  },
  {
    name: 'a test library in production',
    rule: 'dev-dependencies-in-tests-only',
    from: 'src/cli/dev.ts',
    imports: 'fast-check',
  },
  { name: 'a cycle', rule: 'no-cycles', from: 'src/cli/cycle.ts', imports: './cycle-back.js' },
] as const

test('what breaks a rule is refused', async (context) => {
  const targets = ['crypto/x', 'clients/x', 'services/rekor/x', 'encoding/x', 'testing/x', 'cli/x.test']
  const output = cruise({
    'src/cli/cycle-back.ts': using('./cycle.js'),
    ...Object.fromEntries(targets.map((path) => [`src/${path}.ts`, VALUE])),
    ...Object.fromEntries(VIOLATIONS.map(({ from, imports }) => [from, using(imports)])),
  })
  for (const { name, rule, from } of VIOLATIONS) {
    await context.test(name, () =>
      assert.match(output, new RegExp(`error ${rule}: (${from} |${from.replace('.ts', '-back.ts')})`)),
    )
  }
})

test('is refused: a folder that no layer was given', () => {
  assert.match(cruise({ 'src/novel/x.ts': VALUE }), /folders without a layer.*novel/)
})
