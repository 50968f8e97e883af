import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { countersign, startUp } from './up-process.js'
import type { UpProcess } from './up-process.js'

const scratch = mkdtempSync(join(tmpdir(), 'countersign-examples-'))
const data = join(scratch, 'sigstore')
const file = join(scratch, 'app.txt')
const token = join(scratch, 'token')
const bundle = `${file}.sigstore.json`
let up: UpProcess

before(async () => {
  up = await startUp(['--data', data, '--port', '0'])
  writeFileSync(file, 'a release\n')
  writeFileSync(token, (await countersign(['token', '--data', data, 'ann@example.com'])).stdout)
})
after(async () => {
  await up.stop()
  rmSync(scratch, { recursive: true, force: true })
})

/** The newest version of a target of the instance's TUF repository: `<hash>.name`. */
function target(name: string): string {
  const folder = join(data, 'tuf', 'targets')
  const found = readdirSync(folder).find((each) => each.endsWith(`.${name}`))
  assert.ok(found !== undefined, `${name} is not in ${folder}`)
  return join(folder, found)
}

function example(name: string, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join('examples', name), ...args], { encoding: 'utf8' })
}

test('what examples/sign-file.mjs signs, examples/verify-file.mjs verifies', () => {
  const signed = example('sign-file.mjs', file, token, target('signing_config.v0.2.json'), target('trusted_root.json'))
  assert.equal(signed.status, 0, signed.stderr)
  assert.match(signed.stderr, /^logged: http/)
  assert.doesNotMatch(signed.stdout + signed.stderr, new RegExp(readFileSync(token, 'utf8').trim()))
  writeFileSync(bundle, signed.stdout)

  const verify = (path: string, identity: string): ReturnType<typeof example> =>
    example('verify-file.mjs', path, bundle, target('trusted_root.json'), identity, up.issuer)
  const verified = verify(file, 'ann@example.com')
  assert.match(verified.stdout, /^ann@example.com signed /, verified.stderr)
  assert.equal(verify(file, 'bob@example.com').status, 1)
  assert.equal(verify(token, 'ann@example.com').status, 1)
})
