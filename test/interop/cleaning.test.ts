/** What is attached is removed, and named, as the originals see it. @module */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { plain, startAll, stopAll, REGISTRIES, ok, newImage, sign, attest, verified } from './attached-images.js'

before(startAll)
after(stopAll)

for (const [kind, host] of Object.entries(REGISTRIES)) {
  for (const layout of ['bundle', 'legacy'] as const) {
    describe(`in a registry ${kind}, with attachments as ${layout}`, () => {
      test('of what countersign cleaned, nothing is left in cosign’s tree', async () => {
        const image = await newImage(host())
        await sign(image, layout)
        await attest(image, layout)
        await ok('countersign', ['clean', '-f', image])
        for (const client of ['cosign3', 'countersign'] as const) {
          const { stdout, stderr } = await ok(client, ['tree', image])
          assert.match(`${stdout}${stderr}`, /No Supply Chain Security Related Artifacts found/, client)
        }
        assert.equal(await verified('cosign3', 'verify', image), false)
      })

      test('signatures go, and attestations stay; and the other way round', async () => {
        for (const [type, gone, kept] of [
          ['signature', 'verify', 'verify-attestation'],
          ['attestation', 'verify-attestation', 'verify'],
        ] as const) {
          const image = await newImage(host())
          await sign(image, layout)
          await attest(image, layout)
          await ok('countersign', ['clean', '--type', type, '-f', image])
          for (const client of ['countersign', 'cosign3'] as const)
            assert.ok(await verified(client, kept, image), `${client} ${kept}`)
          // cosign itself takes an attestation for a signature, so it is not asked.
          assert.equal(await verified('countersign', gone, image), false, gone)
        }
      })
    })
  }
}

test('triangulate prints what cosign prints, also where attachments are elsewhere', async () => {
  const image = await newImage(plain.host)
  const [repository = ''] = image.split('@')
  for (const env of [{}, { COSIGN_REPOSITORY: `${plain.host}/elsewhere` }]) {
    for (const type of ['signature', 'attestation', 'sbom', 'digest']) {
      for (const name of [image, `${repository}:latest`]) {
        const words = ['triangulate', '--type', type, name]
        assert.equal(
          (await ok('countersign', words, env)).stdout,
          (await ok('cosign3', words, env)).stdout,
          words.join(' '),
        )
      }
    }
  }
})
