import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { createRegistryClient } from '#clients/registry/client'
import { parseManifest } from '#formats/oci/manifest'
import { parseReference } from '#formats/oci/reference'
import { openSigningBench, type SigningBench } from '#testing/cli/signing-bench'
import { command as sign } from './commands/sign.js'
import { command as verifyAttestation } from './commands/verify-attestation.js'
import { command as verify } from './commands/verify.js'

let bench: SigningBench
let folder: string
before(async () => {
  bench = await openSigningBench()
  folder = await mkdtemp(join(tmpdir(), 'local-image-'))
})
after(async () => {
  await rm(folder, { recursive: true, force: true })
  await bench.sigstore.close()
})

const FLAGS = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']

function who(user = 'ann@example.com'): readonly string[] {
  return ['--certificate-identity', user, '--certificate-oidc-issuer', bench.issuer, '--trusted-root', 'root.json']
}

/** Copies an image and its referrers to a folder, as `cosign save` leaves them: referrers only among the blobs. */
async function save(image: string, to: string): Promise<void> {
  const reference = parseReference(image)
  assert.ok(reference.kind === 'digest')
  const content = createRegistryClient({ fetch: bench.sigstore.fetch, clock: () => 0, keychain: anonymousKeychain })
  await mkdir(join(to, 'blobs/sha256'), { recursive: true })
  const put = async (digest: string, bytes: Uint8Array): Promise<void> => {
    await writeFile(join(to, 'blobs', digest.replace(':', '/')), bytes)
  }
  const { descriptors } = await content.referrers(reference, reference.digest)
  for (const digest of [reference.digest, ...descriptors.map((each) => each.digest)]) {
    const { bytes } = await content.manifest(reference, digest)
    await put(digest, bytes)
    const manifest = parseManifest(bytes)
    assert.ok(manifest.kind === 'image')
    for (const layer of manifest.layers) await put(layer.digest, await content.blob(reference, layer, 1_000_000))
  }
  const { mediaType, bytes } = await content.manifest(reference, reference.digest)
  const entry = {
    mediaType,
    digest: reference.digest,
    size: bytes.length,
    annotations: { kind: 'dev.cosignproject.cosign/image' },
  }
  await writeFile(join(to, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  await writeFile(join(to, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

test('a saved image is verified without a registry, and for nobody else', async () => {
  const image = await bench.pushImage('saved')
  assert.equal((await bench.run(sign, [...FLAGS, image])).code, 0)
  const to = join(folder, 'signed')
  await save(image, to)
  const before = bench.requests.length
  const verified = await bench.run(verify, [...who(), '--local-image', to])
  assert.equal(verified.code, 0, verified.stderr)
  assert.match(verified.stdout, new RegExp(image.split('@')[1] ?? 'none'))
  assert.notEqual((await bench.run(verify, [...who('mallory@example.com'), '--local-image', to])).code, 0)
  assert.notEqual((await bench.run(verifyAttestation, [...who(), '--local-image', to])).code, 0)
  assert.equal(bench.requests.length, before, 'nothing was asked over the network')
})

test('a saved image that is not signed, and a folder that is none, are refused', async () => {
  const image = await bench.pushImage('unsigned')
  const to = join(folder, 'unsigned')
  await save(image, to)
  assert.equal((await bench.run(verify, [...who(), '--local-image', to])).code, 10)
  const none = await bench.run(verify, [...who(), '--local-image', join(folder, 'none')])
  assert.notEqual(none.code, 0)
  assert.match(none.stderr, /is not an OCI image layout/)
})

test('another image with the signatures of a signed one is refused', async () => {
  const signed = await bench.pushImage('first')
  assert.equal((await bench.run(sign, [...FLAGS, signed])).code, 0)
  const to = join(folder, 'swapped')
  await save(signed, to)
  const other = await bench.pushImage('second')
  // The index of the other image over the blobs of both.
  await save(other, to)
  assert.equal((await bench.run(verify, [...who(), '--local-image', to])).code, 10)
})
