/** Ed25519, which a log of version 1 records as it is or by a digest, and one of version 2 by a digest only. @module */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pushImage } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

let world: World
before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'predicate.json'), '{}')
  await writeFile(join(world.folder, 'blob.txt'), 'a blob')
  await succeeds('countersign', ['generate-key-pair', '--signing-algorithm', 'ed25519'])
  const other = ['generate-key-pair', '--signing-algorithm', 'ed25519', '--output-key-prefix', 'other']
  await succeeds('countersign', other)
})
after(() => world.stop())

async function succeeds(client: Client, args: readonly string[]): Promise<void> {
  const { code, stderr } = await world.client(client, args)
  assert.equal(code, 0, `${client} ${args.join(' ')}: ${stderr}`)
}

async function fails(client: Client, args: readonly string[]): Promise<void> {
  assert.notEqual((await world.client(client, args)).code, 0, `${client} ${args.join(' ')}`)
}

const TYPE = ['--type', 'custom']
const KEY = ['-y', '--key', 'cosign.key']
/** By version of the log. */
const SERVICES: readonly (readonly [version: string, flags: () => readonly string[], verifiers: readonly Client[]])[] =
  [
    ['2', () => [], ['countersign']],
    ['1', () => ['--use-signing-config=false', '--rekor-url', world.url], ['countersign', 'cosign3']],
  ]

for (const [version, services, verifiers] of SERVICES) {
  test(`a file, logged by version ${version}`, async () => {
    const bundle = ['--bundle', `blob-${version}.json`]
    await succeeds('countersign', ['sign-blob', ...KEY, ...services(), ...bundle, 'blob.txt'])
    await succeeds('countersign', ['verify-blob', '--key', 'cosign.pub', ...bundle, 'blob.txt'])
    await fails('countersign', ['verify-blob', '--key', 'other.pub', ...bundle, 'blob.txt'])
    await fails('countersign', ['verify-blob', '--key', 'cosign.pub', ...bundle, 'predicate.json'])
  })

  test(`an image and an attestation on it, logged by version ${version}`, async () => {
    const image = await pushImage(world.registry, `ed25519/v${version}`, version)
    await succeeds('countersign', ['sign', ...KEY, ...services(), image])
    await succeeds('countersign', ['attest', ...KEY, ...services(), ...TYPE, '--predicate', 'predicate.json', image])
    for (const verifier of verifiers) {
      await succeeds(verifier, ['verify', '--key', 'cosign.pub', image])
      await succeeds(verifier, ['verify-attestation', '--key', 'cosign.pub', ...TYPE, image])
      await fails(verifier, ['verify', '--key', 'other.pub', image])
      await fails(verifier, ['verify-attestation', '--key', 'other.pub', ...TYPE, image])
    }
  })
}

test('what is logged by a digest cosign 3 does not verify by a key, not even its own', async () => {
  const bundle = ['--bundle', 'theirs.json']
  const services = ['--use-signing-config=false', '--rekor-url', world.url]
  await succeeds('cosign3', ['sign-blob', ...KEY, ...services, ...bundle, 'blob.txt'])
  await succeeds('countersign', ['verify-blob', '--key', 'cosign.pub', ...bundle, 'blob.txt'])
  await fails('cosign3', ['verify-blob', '--key', 'cosign.pub', ...bundle, 'blob.txt'])
})
