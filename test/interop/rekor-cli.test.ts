import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from './processes.js'
import type { Finished } from './processes.js'
import { startWorld } from './world.js'
import type { World } from './world.js'

const BLOB = 'logged\n'
const DIGEST = createHash('sha256').update(BLOB).digest('hex')

let world: World

before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'blob'), BLOB)
  await world.client('countersign', ['generate-key-pair'])
  const services = ['--use-signing-config=false', '--fulcio-url', world.url, '--rekor-url', world.url]
  const token = await world.token('alice@example.com')
  for (const [bundle, key] of [
    ['key.json', ['--key', 'cosign.key']],
    ['keyless.json', ['--identity-token', token]],
  ] as const) {
    const { code, stderr } = await world.client('countersign', [
      'sign-blob',
      '-y',
      ...services,
      '--bundle',
      bundle,
      ...key,
      'blob',
    ])
    assert.equal(code, 0, stderr)
  }
})
after(async () => {
  await world.stop()
})

/** rekor-cli keeps the tree that it saw last in its home. */
async function rekor(...args: readonly string[]): Promise<Finished> {
  return await run('rekor-cli', ['--rekor_server', world.url, ...args], {
    cwd: world.folder,
    env: { HOME: world.folder },
  })
}

async function json(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await rekor('--format', 'json', ...args)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as unknown
}

test('loginfo verifies the checkpoint and the consistency with what it saw before', async () => {
  const info = (await json('loginfo')) as { readonly ActiveTreeSize: number }
  assert.equal(info.ActiveTreeSize, 2)
  assert.equal((await rekor('loginfo')).code, 0)
})

test('get by index gives what was logged', async () => {
  const entry = (await json('get', '--log-index', '0')) as {
    readonly Body: { readonly HashedRekordObj: { readonly data: { readonly hash: { readonly value: string } } } }
  }
  assert.equal(entry.Body.HashedRekordObj.data.hash.value, DIGEST)
})

test('get of an entry that is not there fails', async () => {
  assert.notEqual((await rekor('get', '--log-index', '99')).code, 0)
})

test('search finds entries by digest, by e-mail address, and nothing for others', async () => {
  const found = async (...by: readonly string[]): Promise<number> =>
    ((await json('search', ...by)) as { readonly UUIDs: readonly string[] }).UUIDs.length
  assert.equal(await found('--sha', `sha256:${DIGEST}`), 2)
  assert.equal(await found('--email', 'alice@example.com'), 1)
  assert.equal((await rekor('search', '--email', 'mallory@example.com')).stdout.includes('108e'), false)
})

test('verify recomputes the proof of an entry', async () => {
  const bundle = JSON.parse(await readFile(join(world.folder, 'key.json'), 'utf8')) as {
    readonly messageSignature: { readonly signature: string }
  }
  await writeFile(join(world.folder, 'blob.sig'), Buffer.from(bundle.messageSignature.signature, 'base64'))
  const args = [
    '--type',
    'hashedrekord:0.0.1',
    '--artifact-hash',
    DIGEST,
    '--signature',
    'blob.sig',
    '--public-key',
    'cosign.pub',
    '--pki-format',
    'x509',
  ]
  const verified = await rekor('verify', ...args)
  assert.equal(verified.code, 0, verified.stderr)
  const other = args.map((arg) => (arg === DIGEST ? DIGEST.replace(/^../, '00') : arg))
  assert.notEqual((await rekor('verify', ...other)).code, 0, 'another digest')
})

test('upload logs an entry, once', async () => {
  const args = [
    'upload',
    '--artifact-hash',
    DIGEST,
    '--signature',
    'blob.sig',
    '--public-key',
    'cosign.pub',
    '--pki-format',
    'x509',
    '--type',
    'hashedrekord',
  ]
  const { stdout, stderr, code } = await rekor(...args)
  assert.equal(code, 0, stderr)
  assert.match(stdout + stderr, /already exists/)
})
