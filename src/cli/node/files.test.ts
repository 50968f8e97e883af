import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { nodeFiles } from './files.js'

const files = nodeFiles()
let place = ''
before(async () => {
  place = await mkdtemp(join(tmpdir(), 'files-'))
})
after(async () => {
  await rm(place, { recursive: true, force: true })
})

test('a folder is listed by name, links by what they lead to', async () => {
  const folder = join(place, 'listed')
  await mkdir(join(folder, 'b'), { recursive: true })
  await writeFile(join(folder, 'c'), '')
  await symlink('c', join(folder, 'd'))
  await symlink('b', join(folder, 'e'))
  await symlink('nowhere', join(folder, 'f'))
  await symlink('g', join(folder, 'g'))
  await writeFile(join(folder, 'a'), '')
  assert.deepEqual(await files.list(folder), [
    { name: 'a', kind: 'file' },
    { name: 'b', kind: 'folder' },
    { name: 'c', kind: 'file' },
    { name: 'd', link: true, kind: 'file' },
    { name: 'e', link: true, kind: 'folder' },
    { name: 'f', link: true, kind: 'other' },
    { name: 'g', link: true, kind: 'other' },
  ])
})

test('a folder that is not there is empty; a file is no folder', async () => {
  assert.deepEqual(await files.list(join(place, 'nowhere')), [])
  await writeFile(join(place, 'file'), '')
  await assert.rejects(files.list(join(place, 'file')), { code: 'CLI_FILE' })
})

test('folders are made only where that is asked for, for this user alone', async () => {
  const path = join(place, 'x', 'y', 'z')
  await assert.rejects(files.write(path, 'text'), { code: 'CLI_FILE_MISSING' })
  await files.write(path, 'text', { folders: true })
  assert.equal(await readFile(path, 'utf8'), 'text')
  assert.equal((await stat(join(place, 'x'))).mode & 0o077, 0)
})
