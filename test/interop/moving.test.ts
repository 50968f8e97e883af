/** Images that move with what is attached to them: between countersign and the originals, in both directions. @module */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { must, type Finished } from './processes.js'
import { digestOf, pushImage, startDockerRegistry, type RunningRegistry } from './registry.js'
import { startWorld, type Client, type World } from './world.js'

let world: World
let plain: RunningRegistry
let serial = 0

before(async () => {
  world = await startWorld()
  plain = await startDockerRegistry()
  assert.equal((await world.client('countersign', ['generate-key-pair'])).code, 0)
  await writeFile(join(world.folder, 'predicate.json'), '{"built":"here"}')
  const oidc = [
    { url: world.issuer, majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' }, operator: 'test' },
  ]
  const service = (url: string): unknown => [{ ...oidc[0], url }]
  await writeFile(
    signingConfig(),
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: service(world.url),
      oidcUrls: oidc,
      rekorTlogUrls: service(world.url),
      rekorTlogConfig: { selector: 'ANY' },
      tsaConfig: { selector: 'ANY' },
    }),
  )
})
after(async () => {
  await plain.stop()
  await world.stop()
})

const REGISTRIES = { 'with the referrers API': () => world.registry, 'without it': () => plain.host } as const

type Layout = 'bundle' | 'legacy'

async function ok(
  client: Client,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const finished = await world.client(client, args, { env })
  assert.equal(finished.code, 0, `${client} ${args.join(' ')}\n${finished.stderr}`)
  return finished
}

async function newImage(host: string): Promise<string> {
  serial += 1
  return await pushImage(host, `moving/image-${String(serial)}`, `moving ${String(serial)}`)
}

/** A place that nothing is at yet. */
function newName(host: string): string {
  serial += 1
  return `${host}/moved/image-${String(serial)}`
}

function newFolder(): string {
  serial += 1
  return join(world.folder, `saved-${String(serial)}`)
}

async function sign(image: string, layout: Layout, ...more: readonly string[]): Promise<void> {
  const old = [
    '--new-bundle-format=false',
    '--use-signing-config=false',
    '--fulcio-url',
    world.url,
    '--rekor-url',
    world.url,
  ]
  const flags = ['-y', '--key', 'cosign.key', ...(layout === 'legacy' ? old : []), ...more]
  await ok('cosign3', ['sign', ...flags, image])
}

async function attest(image: string, layout: Layout): Promise<void> {
  const old = ['--new-bundle-format=false', '--use-signing-config=false', '--rekor-url', world.url]
  const flags = ['-y', '--key', 'cosign.key', '--predicate', 'predicate.json', ...(layout === 'legacy' ? old : [])]
  await ok('cosign3', ['attest', ...flags, image])
}

const WITH_KEY = ['--key', 'cosign.pub'] as const

async function verified(
  client: Client,
  what: 'verify' | 'verify-attestation',
  ...words: readonly string[]
): Promise<boolean> {
  return (await world.client(client, [what, ...WITH_KEY, ...words])).code === 0
}

function verifiersOf(layout: Layout): readonly Client[] {
  return layout === 'bundle' ? ['countersign', 'cosign3'] : ['countersign', 'cosign3', 'cosign2']
}

async function assertVerified(layout: Layout, name: string): Promise<void> {
  for (const client of verifiersOf(layout)) {
    assert.ok(await verified(client, 'verify', name), `${client} verify ${name}`)
    assert.ok(await verified(client, 'verify-attestation', name), `${client} verify-attestation ${name}`)
  }
}

/** An index of images for two platforms, in the repository of the first. */
async function pushIndex(images: readonly string[]): Promise<string> {
  const [name = ''] = images[0]?.split('@') ?? []
  const url = (reference: string): string => `http://${name.replace('/', '/v2/')}/manifests/${reference}`
  const manifests = await Promise.all(
    images.map(async (image, index) => {
      const digest = image.slice(image.indexOf('@') + 1)
      const mediaType = 'application/vnd.oci.image.manifest.v1+json'
      const bytes = await (await fetch(url(digest), { headers: { accept: mediaType } })).arrayBuffer()
      return {
        mediaType,
        digest,
        size: bytes.byteLength,
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] },
      }
    }),
  )
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const response = await fetch(url('multi'), { method: 'PUT', headers: { 'content-type': mediaType }, body })
  assert.ok(response.ok)
  return `${name}@${digestOf(body)}`
}

async function newIndex(host: string): Promise<{ readonly index: string; readonly platforms: readonly string[] }> {
  serial += 1
  const name = `moving/index-${String(serial)}`
  const platforms = [await pushImage(host, name, `amd64 ${name}`), await pushImage(host, name, `arm64 ${name}`)]
  return { index: await pushIndex(platforms), platforms }
}

function at(name: string, image: string): string {
  return `${name}@${image.slice(image.indexOf('@') + 1)}`
}

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

/** A configuration with Rekor v1, which the old format needs. */
function signingConfig(): string {
  return join(world.folder, 'signing_config_v1.json')
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
