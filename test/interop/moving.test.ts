/** Images that move with what is attached to them: between countersign and the originals, in both directions. @module */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  world,
  plain,
  startAll,
  stopAll,
  REGISTRIES,
  ok,
  newImage,
  newName,
  newFolder,
  sign,
  attest,
  verified,
  assertVerified,
  newIndex,
  at,
  signingConfig,
} from './attached-images.js'
import { must } from './processes.js'

before(startAll)
after(stopAll)

for (const [kind, host] of Object.entries(REGISTRIES)) {
  for (const layout of ['bundle', 'legacy'] as const) {
    describe(`in a registry ${kind}, with attachments as ${layout}`, () => {
      test('what countersign saved is verified and loaded by cosign 3, and by countersign', async () => {
        const image = await newImage(host())
        await sign(image, layout)
        await attest(image, layout)
        const folder = newFolder()
        await ok('countersign', ['save', '--dir', folder, image])
        for (const client of ['countersign', 'cosign3'] as const) {
          assert.ok(await verified(client, 'verify', '--local-image', folder), `${client} verify --local-image`)
          assert.ok(
            await verified(client, 'verify-attestation', '--local-image', folder),
            `${client} verify-attestation`,
          )
        }
        for (const [client, to] of [
          ['countersign', plain.host],
          ['countersign', world.registry],
          // cosign pushes a bundle's manifest before the bundle, which the reference registry refuses (#5030).
          ['cosign3', layout === 'bundle' ? world.registry : plain.host],
        ] as const) {
          const name = newName(to)
          await ok(client, ['load', '--dir', folder, `${name}:v1`])
          await assertVerified(layout, `${name}:v1`)
        }
      })

      test('what cosign 3 saved is loaded by countersign', async () => {
        const image = await newImage(host())
        await sign(image, layout)
        await attest(image, layout)
        const folder = newFolder()
        await ok('cosign3', ['save', '--dir', folder, image])
        for (const to of [plain.host, world.registry]) {
          const name = newName(to)
          await ok('countersign', ['load', '--dir', folder, `${name}:v1`])
          await assertVerified(layout, `${name}:v1`)
        }
      })

      test('what countersign copied is verified by every client', async () => {
        const image = await newImage(host())
        await sign(image, layout)
        await attest(image, layout)
        for (const to of [plain.host, world.registry]) {
          const name = newName(to)
          await ok('countersign', ['copy', image, `${name}:v1`])
          await assertVerified(layout, `${name}:v1`)
        }
      })
    })
  }

  describe(`a multi-arch image in a registry ${kind}`, () => {
    for (const way of ['save and load', 'copy'] as const) {
      test(`${way}: the index and each platform keep their signatures`, async () => {
        const { index, platforms } = await newIndex(host())
        await ok('countersign', [
          'sign',
          '-y',
          '-r',
          '--both-formats',
          '--key',
          'cosign.key',
          '--signing-config',
          signingConfig(),
          index,
        ])
        for (const to of [plain.host, world.registry]) {
          const name = newName(to)
          if (way === 'copy') await ok('countersign', ['copy', index, `${name}:v1`])
          else {
            const folder = newFolder()
            await ok('countersign', ['save', '--dir', folder, index])
            await ok('countersign', ['load', '--dir', folder, `${name}:v1`])
          }
          for (const each of [index, ...platforms]) {
            for (const client of ['countersign', 'cosign3', 'cosign2'] as const)
              assert.ok(await verified(client, 'verify', at(name, each)), `${client} ${each}`)
          }
        }
      })
    }

    test('one platform is copied alone', async () => {
      const { index, platforms } = await newIndex(host())
      for (const platform of platforms) await sign(platform, 'bundle')
      const name = newName(plain.host)
      await ok('countersign', ['copy', '--platform', 'linux/arm64', index, `${name}:arm`])
      assert.ok(await verified('cosign3', 'verify', `${name}:arm`))
      const { stdout } = await ok('countersign', ['triangulate', '--type', 'digest', `${name}:arm`])
      assert.equal(stdout.trim(), at(name, platforms[1] ?? ''))
    })

    test('cosign 3 loads a multi-arch image that countersign saved, and the other way round', async () => {
      const { index } = await newIndex(host())
      await sign(index, 'bundle')
      for (const [saver, loader] of [
        ['countersign', 'cosign3'],
        ['cosign3', 'countersign'],
      ] as const) {
        const [folder, name] = [newFolder(), newName(world.registry)]
        await ok(saver, ['save', '--dir', folder, index])
        await ok(loader, ['load', '--dir', folder, `${name}:v1`])
        for (const client of ['countersign', 'cosign3'] as const)
          assert.ok(await verified(client, 'verify', `${name}:v1`))
      }
    })
  })
}

test('a copy to a bare repository is called latest, and something else there is kept, as with cosign', async () => {
  for (const client of ['countersign', 'cosign3'] as const) {
    const [image, other, name] = [await newImage(plain.host), await newImage(plain.host), newName(plain.host)]
    await ok(client, ['copy', image, name])
    assert.equal(
      (await ok('countersign', ['triangulate', '--type', 'digest', `${name}:latest`])).stdout.trim(),
      at(name, image),
    )
    const refused = await world.client(client, ['copy', other, name])
    assert.equal(refused.code, 1, client)
    assert.match(refused.stderr, /already exists. Use `-f` to overwrite/)
    await ok(client, ['copy', '-f', other, name])
  }
})

test('attachments that are elsewhere come along, and land beside the copy, as with cosign', async () => {
  for (const client of ['countersign', 'cosign3'] as const) {
    const [image, name, elsewhere] = [await newImage(plain.host), newName(plain.host), newName(plain.host)]
    const env = { COSIGN_REPOSITORY: elsewhere }
    const old = ['--new-bundle-format=false', '--use-signing-config=false', '--rekor-url', world.url]
    await ok('cosign3', ['sign', '-y', '--key', 'cosign.key', ...old, image], env)
    assert.equal(await verified('cosign3', 'verify', image), false)
    await ok(client, ['copy', image, `${name}:v1`], env)
    assert.ok(await verified('cosign3', 'verify', `${name}:v1`), client)
  }
})

test('oras finds every referrer in what was copied, and in a saved folder', async () => {
  const image = await newImage(plain.host)
  await sign(image, 'bundle')
  await writeFile(join(world.folder, 'scan.txt'), 'clean')
  await must(
    'oras',
    ['attach', '--plain-http', '--artifact-type', 'application/vnd.example.scan', image, 'scan.txt:text/plain'],
    {
      cwd: world.folder,
    },
  )
  const types = (json: string): readonly string[] =>
    (JSON.parse(json) as { referrers: readonly { artifactType: string }[] }).referrers
      .map((each) => each.artifactType)
      .sort()
  const expected = ['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.example.scan']
  const name = newName(plain.host)
  await ok('countersign', ['copy', image, `${name}:v1`])
  assert.deepEqual(types(await must('oras', ['discover', '--plain-http', '--format', 'json', `${name}:v1`])), expected)
  const folder = newFolder()
  await ok('countersign', ['save', '--dir', folder, `${name}:v1`])
  assert.deepEqual(
    types(await must('oras', ['discover', '--oci-layout', '--format', 'json', `${folder}:v1`])),
    expected,
  )
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { manifests: readonly unknown[] }
  assert.equal(index.manifests.length, 3)
})

test('what oras copied to a folder is verified and loaded', async () => {
  const image = await newImage(plain.host)
  await sign(image, 'bundle')
  const folder = newFolder()
  await must('oras', ['copy', '-r', '--from-plain-http', '--to-oci-layout', image, `${folder}:v1`])
  assert.ok(await verified('countersign', 'verify', '--local-image', folder))
  const name = newName(plain.host)
  await ok('countersign', ['load', '--dir', folder, `${name}:v1`])
  for (const client of ['countersign', 'cosign3'] as const) assert.ok(await verified(client, 'verify', `${name}:v1`))
})
