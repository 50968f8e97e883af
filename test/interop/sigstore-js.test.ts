import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify'
import { sign } from 'sigstore'
import { startWorld } from './world.js'
import type { World } from './world.js'

const BLOB = Buffer.from('a file\n')
const USER = 'alice@example.com'

let world: World

before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'blob'), BLOB)
})
after(async () => {
  await world.stop()
})

/** sigstore-js's own verifier, told whom to expect. */
async function verifyWithSigstoreJs(bundle: string, data: Buffer | undefined, user: string): Promise<void> {
  const root = TrustedRoot.fromJSON(JSON.parse(await readFile(world.trustedRoot, 'utf8')))
  const entity = toSignedEntity(bundleFromJSON(JSON.parse(await readFile(join(world.folder, bundle), 'utf8'))), data)
  // Without a time-stamp its default asks for a log's promise; Rekor v2 gives the time by a time-stamp.
  new Verifier(toTrustMaterial(root)).verify(entity, {
    subjectAlternativeName: `^${user}$`,
    extensions: { issuer: world.issuer },
  })
}

for (const services of ['Rekor v2', 'Rekor v1'] as const) {
  test(`sigstore-js verifies what countersign signs (${services}), and refuses other bytes and other people`, async () => {
    const flags =
      services === 'Rekor v1' ? ['--use-signing-config=false', '--fulcio-url', world.url, '--rekor-url', world.url] : []
    const token = await world.token(USER)
    const bundle = services.replace(' ', '-')
    const signed = await world.client('countersign', [
      'sign-blob',
      '-y',
      ...flags,
      '--identity-token',
      token,
      '--bundle',
      bundle,
      'blob',
    ])
    assert.equal(signed.code, 0, signed.stderr)
    await verifyWithSigstoreJs(bundle, BLOB, USER)
    await assert.rejects(verifyWithSigstoreJs(bundle, Buffer.from('another file\n'), USER))
    await assert.rejects(verifyWithSigstoreJs(bundle, BLOB, 'mallory@example.com'))
  })
}

test('countersign verifies what sigstore-js signs with our services', async () => {
  const bundle = await sign(BLOB, {
    fulcioURL: world.url,
    rekorURL: world.url,
    tsaServerURL: world.url,
    identityToken: await world.token(USER),
  })
  await writeFile(join(world.folder, 'js.json'), JSON.stringify(bundle))
  const verify = (user: string, artifact: string): ReturnType<World['client']> =>
    world.client('countersign', [
      'verify-blob',
      '--bundle',
      'js.json',
      '--certificate-identity',
      user,
      '--certificate-oidc-issuer',
      world.issuer,
      artifact,
    ])
  const verified = await verify(USER, 'blob')
  assert.equal(verified.code, 0, verified.stderr)
  const digest = await verify(USER, `sha256:${createHash('sha256').update(BLOB).digest('hex')}`)
  assert.equal(digest.code, 0, digest.stderr)
  assert.notEqual((await verify('mallory@example.com', 'blob')).code, 0)
  assert.notEqual((await verify(USER, `sha256:${'0'.repeat(64)}`)).code, 0)
})
