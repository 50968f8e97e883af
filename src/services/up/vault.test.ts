import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { memoryDataFiles, openDataFiles } from './data-files.js'
import type { DataFiles } from './data-files.js'
import { openInstance, storeInstance } from './instance.js'
import { parseRunFile } from './run-file.js'
import { createVault } from './vault.js'
import type { MaterialSpec, Vault } from './vault.js'

const SPEC: MaterialSpec = {
  name: 'log',
  algorithm: 'ecdsa-sha2-256-nistp256',
  make: async () => ({ key: await generatePrivateKey('ecdsa-sha2-256-nistp256'), chain: [] }),
}
const PASSWORD = encodeUtf8('correct horse')

function vault(files: DataFiles, known: Readonly<Record<string, string>> = {}, password?: Uint8Array): Vault {
  return createVault({ files, random: randomBytes, known, password })
}

async function keyId(opened: Vault, spec: MaterialSpec = SPEC): Promise<string> {
  return encodeHex((await opened.material(spec)).key.publicKey.id)
}

test('a key is made once', async () => {
  const files = memoryDataFiles()
  const first = vault(files)
  const id = await keyId(first)
  assert.deepEqual(first.fingerprints(), { log: id })
  assert.equal(await keyId(vault(files)), id)
  assert.equal(await keyId(vault(files, { log: id })), id)
})

test('with a password a key is stored encrypted, also one that was there before', async () => {
  const files = memoryDataFiles()
  const id = await keyId(vault(files))
  assert.match(new TextDecoder().decode(await files.read('keys/log.pem')), /BEGIN PRIVATE KEY/)
  assert.equal(await keyId(vault(files, {}, PASSWORD)), id)
  assert.match(new TextDecoder().decode(await files.read('keys/log.pem')), /BEGIN SEALED PRIVATE KEY/)
  assert.equal(await keyId(vault(files, {}, PASSWORD)), id)
  assert.match(new TextDecoder().decode(await files.read('keys/master.pem')), /BEGIN ENCRYPTED SIGSTORE PRIVATE KEY/)
  await assert.rejects(keyId(vault(files, {}, encodeUtf8('wrong'))), { code: 'UP_PASSWORD_WRONG' })
  await assert.rejects(keyId(vault(files)), { code: 'UP_PASSWORD_MISSING' })
})

test('a sealed key cannot stand in for another', async () => {
  const files = memoryDataFiles()
  await keyId(vault(files, {}, PASSWORD))
  await files.write('keys/other.pem', (await files.read('keys/log.pem')) ?? '')
  await assert.rejects(keyId(vault(files, {}, PASSWORD), { ...SPEC, name: 'other' }), { code: 'UP_KEY_MALFORMED' })
  await files.remove('keys/master.pem')
  await assert.rejects(keyId(vault(files, { master: '0'.repeat(64) }, PASSWORD)), { code: 'UP_KEY_MISSING' })
  await assert.rejects(keyId(vault(files, {}, PASSWORD)), { code: 'UP_KEY_MALFORMED' })
})

test('a key that was made before is never made again', async () => {
  await assert.rejects(keyId(vault(memoryDataFiles(), { log: '0'.repeat(64) })), { code: 'UP_KEY_MISSING' })
})

test('another key in its place is refused', async () => {
  const files = memoryDataFiles()
  await keyId(vault(files))
  await assert.rejects(keyId(vault(files, { log: '0'.repeat(64) })), { code: 'UP_KEY_CHANGED' })
})

for (const [name, content] of [
  ['nothing', ''],
  ['no PEM', 'hello'],
  ['half a block', '-----BEGIN PRIVATE KEY-----\nMIGH'],
  ['another block', '-----BEGIN PUBLIC KEY-----\nMIGH\n-----END PUBLIC KEY-----\n'],
  ['no key inside', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ['bytes', '\xff\xfe'],
] as const) {
  test(`a key file with ${name} is refused`, async () => {
    const files = memoryDataFiles()
    await files.write(
      'keys/log.pem',
      Uint8Array.from(content, (character) => character.charCodeAt(0)),
    )
    await assert.rejects(keyId(vault(files)), { code: 'UP_KEY_MALFORMED' })
  })
}

test('on disk: only the owner can read, and a key that others can read is refused', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'vault-'))
  t.after(() => rm(root, { recursive: true }))
  const files = openDataFiles(join(root, 'data'), randomBytes)
  await keyId(vault(files))
  const path = join(root, 'data', 'keys', 'log.pem')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(root, 'data', 'keys'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(root, 'data'))).mode & 0o777, 0o700)
  assert.deepEqual(await readdir(join(root, 'data', 'keys')), ['log.pem'])
  await chmod(path, 0o640)
  await assert.rejects(keyId(vault(files)), { code: 'UP_KEY_PERMISSIONS' })
})

const BIRTH = { random: randomBytes, now: 1_700_000_000_999, hostname: 'localhost' }

test('an instance is the same after a restart', async () => {
  const files = memoryDataFiles()
  const born = await openInstance(files, BIRTH)
  assert.equal(born.created, 1_700_000_000_000)
  assert.ok(born.treeId > 0n && born.treeId < 2n ** 63n)
  const again = await openInstance(files, { ...BIRTH, now: 1_800_000_000_000, hostname: 'elsewhere' })
  assert.deepEqual(again, born)
  await storeInstance(files, { ...born, keys: { log: 'a'.repeat(64) } })
  assert.deepEqual((await openInstance(files, BIRTH)).keys, { log: 'a'.repeat(64) })
})

test('a damaged or newer description is refused, not replaced', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'instance-'))
  t.after(() => rm(root, { recursive: true }))
  const files = openDataFiles(root, randomBytes)
  await openInstance(files, BIRTH)
  const good = JSON.parse(await readFile(join(root, 'instance.json'), 'utf8')) as Record<string, unknown>
  const bad: readonly unknown[] = [
    '',
    '{',
    '[]',
    'null',
    { ...good, format: 2 },
    { ...good, format: undefined },
    { ...good, id: 'x' },
    { ...good, created: 'yesterday' },
    { ...good, treeId: '0' },
    { ...good, treeId: 7 },
    { ...good, keys: [] },
    { ...good, keys: { log: 'x' } },
    { ...good, hostname: 'a b' },
    { ...good, hostname: undefined },
  ]
  for (const content of bad) {
    await writeFile(join(root, 'instance.json'), typeof content === 'string' ? content : JSON.stringify(content))
    await assert.rejects(openInstance(files, BIRTH), { code: 'UP_DATA_FORMAT' }, JSON.stringify(content))
  }
})

test('any bytes are a run file or no instance', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)), (bytes) => {
      try {
        return typeof parseRunFile(bytes).url === 'string'
      } catch (error) {
        return isCodedError(error) && error.code === 'UP_NOT_RUNNING'
      }
    }),
  )
})

test('any bytes are the description of an instance or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)), async (bytes) => {
      const files = memoryDataFiles()
      await files.write('instance.json', bytes)
      await assert.rejects(openInstance(files, BIRTH), { code: 'UP_DATA_FORMAT' })
    }),
  )
})
