import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const USER = 'alice@example.com'

let world: World

before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'blob'), 'a file\n')
  await writeFile(join(world.folder, 'other'), 'another file\n')
  await writeFile(join(world.folder, 'predicate.json'), '{"answer":42}')
  await world.client('countersign', ['generate-key-pair'])
  // The proof of a log's very first entry has no hashes, which cosign 2 takes for a missing proof, whoever wrote it.
  const first = [
    'sign-blob',
    '-y',
    '--bundle',
    'first.json',
    '--use-signing-config=false',
    '--rekor-url',
    world.url,
    '--key',
    'cosign.key',
    'blob',
  ]
  assert.equal((await world.client('countersign', first)).code, 0)
})
after(async () => {
  await world.stop()
})

const PAIRS: readonly (readonly [signer: Client, verifier: Client])[] = [
  ['countersign', 'cosign3'],
  ['countersign', 'cosign2'],
  ['countersign', 'countersign'],
  ['cosign3', 'countersign'],
  ['cosign2', 'countersign'],
]

function who(user = USER): readonly string[] {
  return ['--certificate-identity', user, '--certificate-oidc-issuer', world.issuer]
}

/** cosign 2 needs to be told the format and the services, and verifies bundles only with a trusted root in a file. */
function oldFlags(client: Client): readonly string[] {
  return client === 'cosign2' ? ['--new-bundle-format', '--fulcio-url', world.url, '--rekor-url', world.url] : []
}

for (const [signer, verifier] of PAIRS) {
  for (const keyless of [true, false]) {
    test(`${verifier} verifies a file that ${signer} signed (${keyless ? 'keyless' : 'key'}), and no other`, async () => {
      const bundle = `${signer}-${verifier}-${String(keyless)}.json`
      const key = keyless ? ['--identity-token', await world.token(USER)] : ['--key', 'cosign.key']
      // cosign 2 knows Rekor v1 only, so what is made for it goes there.
      const forOld =
        verifier === 'cosign2' && signer !== 'cosign2'
          ? ['--use-signing-config=false', '--fulcio-url', world.url, '--rekor-url', world.url]
          : []
      const signed = await world.client(signer, [
        'sign-blob',
        '-y',
        '--bundle',
        bundle,
        ...oldFlags(signer),
        ...forOld,
        ...key,
        'blob',
      ])
      assert.equal(signed.code, 0, signed.stderr)
      const format = verifier === 'cosign2' ? ['--new-bundle-format', '--trusted-root', world.trustedRoot] : []
      const verify = (by: readonly string[], file: string): ReturnType<World['client']> =>
        world.client(verifier, ['verify-blob', ...format, '--bundle', bundle, ...by, file])
      const by = keyless ? who() : ['--key', 'cosign.pub']
      const verified = await verify(by, 'blob')
      assert.equal(verified.code, 0, verified.stderr)
      assert.match(verified.stderr, /Verified OK/)
      assert.notEqual((await verify(by, 'other')).code, 0, 'another file')
      if (keyless) assert.notEqual((await verify(who('mallory@example.com'), 'blob')).code, 0, 'another identity')
    })
  }
}

for (const [signer, verifier] of [
  ['countersign', 'cosign3'],
  ['cosign3', 'countersign'],
] as const) {
  test(`${verifier} verifies an attestation about a file by ${signer}, and not about another`, async () => {
    const bundle = `attest-${signer}.json`
    const token = await world.token(USER)
    const attest = [
      'attest-blob',
      '-y',
      '--predicate',
      'predicate.json',
      '--type',
      'https://example.com/answer/v1',
      '--bundle',
      bundle,
    ]
    const attested = await world.client(signer, [...attest, '--identity-token', token, 'blob'])
    assert.equal(attested.code, 0, attested.stderr)
    const verify = (...rest: readonly string[]): ReturnType<World['client']> =>
      world.client(verifier, ['verify-blob-attestation', '--bundle', bundle, ...who(), ...rest])
    const right = await verify('--type', 'https://example.com/answer/v1', 'blob')
    assert.equal(right.code, 0, right.stderr)
    assert.notEqual((await verify('--type', 'https://example.com/answer/v1', 'other')).code, 0, 'another file')
    assert.notEqual((await verify('--type', 'https://example.com/question/v1', 'blob')).code, 0, 'another type')
  })
}
