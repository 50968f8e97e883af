import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { lockDirectory } from './directory-lock.js'

const HAS_FLOCK = spawnSync('flock', ['--version']).error === undefined
/** As on a system without the program. */
const NO_FLOCK = { flock: '/nowhere/flock' }

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-lock-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

for (const [name, options] of [
  ['with flock', {}],
  ['without flock', NO_FLOCK],
] as const) {
  test(`${name}: a directory is locked, released, and locked again`, async (t) => {
    const path = directory(t)
    const lock = await lockDirectory(path, options)
    await assert.rejects(lockDirectory(path, options), { code: 'TLOG_LOCKED' })
    await lock.release()
    await lock.release()
    await (await lockDirectory(path, options)).release()
  })

  test(`${name}: the refusal names who has it`, async (t) => {
    const path = directory(t)
    const lock = await lockDirectory(path, options)
    await assert.rejects(lockDirectory(path, options), { found: `process ${String(process.pid)} on ${hostname()}` })
    await lock.release()
  })

  test(`${name}: what a killed process has left is taken over`, async (t) => {
    const path = directory(t)
    writeFileSync(join(path, 'lock'), `4194304\n${hostname()}\nanother boot 1\n`)
    const lock = await lockDirectory(path, options)
    assert.match(readFileSync(join(path, 'lock'), 'utf8'), new RegExp(`^${String(process.pid)}\n`))
    await lock.release()
  })

  test(`${name}: a file that says nothing is no lock`, async (t) => {
    const path = directory(t)
    writeFileSync(join(path, 'lock'), 'garbage\n\n\n')
    await (await lockDirectory(path, options)).release()
  })
}

test('without flock: a living process of another start is not the one that is named', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'lock'), `${String(process.pid)}\n${hostname()}\nanother boot 1\n`)
  await (await lockDirectory(path, NO_FLOCK)).release()
})

test('without flock: a process of another host counts as alive', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'lock'), '1\nanother.host.example\n\n')
  await assert.rejects(lockDirectory(path, NO_FLOCK), { code: 'TLOG_LOCKED' })
})

test('with flock: the kernel knows better than the file', { skip: !HAS_FLOCK && 'no flock program' }, async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'lock'), `${String(process.pid)}\n${hostname()}\n\n`)
  await (await lockDirectory(path)).release()
})
