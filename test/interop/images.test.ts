import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pushImage, startDockerRegistry } from './registry.js'
import type { RunningRegistry } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

/** How an image can be signed, and who can verify what came of it. */
interface Way {
  readonly signer: Client
  readonly layout: 'bundle' | 'legacy'
  readonly verifiers: readonly Client[]
}

// The cosign 2 of Debian writes and reads the old layout only.
const WAYS: readonly Way[] = [
  { signer: 'countersign', layout: 'bundle', verifiers: ['countersign', 'cosign3'] },
  { signer: 'countersign', layout: 'legacy', verifiers: ['countersign', 'cosign3', 'cosign2'] },
  { signer: 'cosign3', layout: 'bundle', verifiers: ['countersign', 'cosign3'] },
  { signer: 'cosign3', layout: 'legacy', verifiers: ['countersign', 'cosign3', 'cosign2'] },
  { signer: 'cosign2', layout: 'legacy', verifiers: ['countersign', 'cosign3', 'cosign2'] },
]

const USER = 'alice@example.com'

let world: World
let plain: RunningRegistry
let images = 0

before(async () => {
  world = await startWorld()
  plain = await startDockerRegistry()
  assert.equal((await world.client('countersign', ['generate-key-pair'])).code, 0)
})
after(async () => {
  await plain.stop()
  await world.stop()
})

/** A new image, which nobody has signed. */
async function newImage(host: string): Promise<string> {
  images += 1
  return await pushImage(host, `interop/image-${String(images)}`, `image ${String(images)}`)
}

function layoutFlags({ signer, layout }: Way): readonly string[] {
  if (layout === 'bundle') return []
  const services = ['--fulcio-url', world.url, '--rekor-url', world.url]
  return signer === 'cosign2' ? services : ['--new-bundle-format=false', '--use-signing-config=false', ...services]
}

async function keyFlags(way: Way, keyless: boolean): Promise<readonly string[]> {
  return keyless
    ? ['--identity-token', await world.token(USER)]
    : ['--key', 'cosign.key', ...(way.signer === 'cosign2' ? ['--tlog-upload=true'] : [])]
}

function who(user = USER, issuer = world.issuer): readonly string[] {
  return ['--certificate-identity', user, '--certificate-oidc-issuer', issuer]
}

async function sign(way: Way, image: string, keyless: boolean): Promise<void> {
  const args = ['sign', '-y', ...layoutFlags(way), ...(await keyFlags(way, keyless)), image]
  const { code, stderr } = await world.client(way.signer, args)
  assert.equal(code, 0, stderr)
}

for (const registry of ['with the referrers API', 'without it'] as const) {
  const host = (): string => (registry === 'without it' ? plain.host : world.registry)
  for (const way of WAYS) {
    describe(`${way.signer} signs (${way.layout}) in a registry ${registry}`, () => {
      test('keyless: every client verifies, and refuses another identity, issuer and image', async () => {
        const image = await newImage(host())
        const other = await newImage(host())
        await sign(way, image, true)
        for (const verifier of way.verifiers) {
          const verify = async (...args: readonly string[]): Promise<number> =>
            (await world.client(verifier, ['verify', ...args])).code
          assert.equal(await verify(...who(), image), 0, verifier)
          assert.notEqual(await verify(...who('mallory@example.com'), image), 0, `${verifier}: another identity`)
          assert.notEqual(await verify(...who(USER, 'https://issuer.example'), image), 0, `${verifier}: another issuer`)
          assert.notEqual(await verify(...who(), other), 0, `${verifier}: another image`)
        }
      })

      test('with a key: every client verifies, and refuses another key', async () => {
        const image = await newImage(host())
        await sign(way, image, false)
        await world.client('countersign', ['generate-key-pair', '--output-key-prefix', 'other'])
        for (const verifier of way.verifiers) {
          const key = async (name: string): Promise<number> =>
            (await world.client(verifier, ['verify', '--key', name, image])).code
          assert.equal(await key('cosign.pub'), 0, verifier)
          assert.notEqual(await key('other.pub'), 0, `${verifier}: another key`)
        }
      })
    })
  }
}

test('two signers of one image, in both layouts, are both found', async () => {
  const image = await newImage(world.registry)
  for (const [way, user] of [
    [WAYS[0], 'alice@example.com'],
    [WAYS[4], 'bob@example.com'],
  ] as const) {
    if (way === undefined) throw new Error('no such way')
    const token = await world.token(user)
    assert.equal(
      (await world.client(way.signer, ['sign', '-y', ...layoutFlags(way), '--identity-token', token, image])).code,
      0,
    )
  }
  for (const user of ['alice@example.com', 'bob@example.com']) {
    assert.equal((await world.client('countersign', ['verify', ...who(user), image])).code, 0, user)
  }
})

test('a key pair of cosign signs with countersign, and the other way round', async () => {
  assert.equal((await world.client('cosign3', ['generate-key-pair', '--output-key-prefix', 'theirs'])).code, 0)
  const image = await newImage(world.registry)
  assert.equal((await world.client('countersign', ['sign', '-y', '--key', 'theirs.key', image])).code, 0)
  assert.equal((await world.client('cosign3', ['verify', '--key', 'theirs.pub', image])).code, 0)
  const wrong = await world.client('countersign', ['sign', '-y', '--key', 'theirs.key', image], {
    env: { COSIGN_PASSWORD: 'wrong' },
  })
  assert.equal(wrong.code, 1)
})
