import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from './processes.js'
import { pushImage } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const SBOM = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  components: ['alpha', 'beta', 'gamma'].map((name) => ({ type: 'library', name, version: '1.0.0' })),
}
const USER = 'alice@example.com'

let world: World

before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'sbom.cdx.json'), JSON.stringify(SBOM))
  await world.client('countersign', ['generate-key-pair'])
})
after(async () => {
  await world.stop()
})

const WAYS: readonly (readonly [signer: Client, layout: 'bundle' | 'legacy', verifiers: readonly Client[]])[] = [
  ['countersign', 'bundle', ['countersign', 'cosign3']],
  ['countersign', 'legacy', ['countersign', 'cosign3', 'cosign2']],
  ['cosign3', 'bundle', ['countersign', 'cosign3']],
  ['cosign3', 'legacy', ['countersign', 'cosign3', 'cosign2']],
  ['cosign2', 'legacy', ['countersign', 'cosign3', 'cosign2']],
]

for (const [signer, layout, verifiers] of WAYS) {
  for (const keyless of [true, false]) {
    test(`an SBOM that ${signer} attests (${layout}, ${keyless ? 'keyless' : 'key'}) is read back by every client`, async () => {
      const image = await pushImage(
        world.registry,
        `sbom/${signer}-${layout}-${String(keyless)}`,
        signer + layout + String(keyless),
      )
      const services = ['--fulcio-url', world.url, '--rekor-url', world.url]
      const old =
        signer === 'cosign2' ? services : ['--new-bundle-format=false', '--use-signing-config=false', ...services]
      const key = keyless ? ['--identity-token', await world.token(USER)] : ['--key', 'cosign.key']
      const args = [
        'attest',
        '-y',
        '--type',
        'cyclonedx',
        '--predicate',
        'sbom.cdx.json',
        ...(layout === 'bundle' ? [] : old),
        ...key,
        image,
      ]
      const attested = await world.client(signer, args)
      assert.equal(attested.code, 0, attested.stderr)
      const by = keyless
        ? ['--certificate-identity', USER, '--certificate-oidc-issuer', world.issuer]
        : ['--key', 'cosign.pub']
      for (const verifier of verifiers) {
        const { code, stdout, stderr } = await world.client(verifier, [
          'verify-attestation',
          '--type',
          'cyclonedx',
          ...by,
          image,
        ])
        assert.equal(code, 0, `${verifier}: ${stderr}`)
        const jq = await run('bash', ['-c', "jq -r .payload | base64 -d | jq '.predicate.components | length'"], {
          input: stdout,
        })
        assert.equal(jq.stdout.trim(), '3', `${verifier}: ${stdout.slice(0, 200)}`)
        const otherType = await world.client(verifier, ['verify-attestation', '--type', 'spdxjson', ...by, image])
        assert.notEqual(otherType.code, 0, `${verifier}: another predicate type`)
      }
      const signature = await world.client('countersign', ['verify', ...by, image])
      assert.notEqual(signature.code, 0, 'an attestation is not a signature on the image')
    })
  }
}
