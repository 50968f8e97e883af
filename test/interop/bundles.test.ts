/**
 * What becomes of parts and of old bundles, and what is attached afterwards: real cosign verifies what countersign made of them, and
 * the other way round.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Finished } from './processes.js'
import { pushImage, startDockerRegistry } from './registry.js'
import type { RunningRegistry } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const USER = 'alice@example.com'

let world: World
let plain: RunningRegistry
let images = 0

before(async () => {
  world = await startWorld()
  plain = await startDockerRegistry()
  for (const [file, content] of [
    ['blob', 'a blob'],
    ['other', 'another blob'],
    ['predicate', '{"x":1}'],
  ] as const)
    await writeFile(join(world.folder, file), content)
  await must('countersign', 'generate-key-pair')
  // The proof of a log's very first entry has no hashes, which cosign 2 takes for a missing proof, whoever wrote it.
  await must('countersign', 'sign-blob', '-y', '--bundle', 'first.json', ...OLD(), '--key', 'cosign.key', 'other')
  const token = ['--identity-token', await world.token(USER)]
  // All of it by the old client that wrote such things.
  await must(
    'cosign2',
    'sign-blob',
    ...services(),
    ...token,
    '--output-signature',
    'b.sig',
    '--output-certificate',
    'b.crt',
    '--bundle',
    'b.old',
    'blob',
  )
  await must(
    'cosign2',
    'sign-blob',
    ...services(),
    '--tlog-upload=true',
    '--key',
    'cosign.key',
    '--output-signature',
    'k.sig',
    '--bundle',
    'k.old',
    'blob',
  )
  await must(
    'cosign2',
    'attest-blob',
    ...services(),
    ...token,
    '--predicate',
    'predicate',
    '--output-signature',
    'a.sig',
    '--output-certificate',
    'a.crt',
    '--bundle',
    'a.old',
    'blob',
  )
})
after(async () => {
  await plain.stop()
  await world.stop()
})

async function must(client: Client, ...args: readonly string[]): Promise<Finished> {
  const finished = await world.client(client, args)
  assert.equal(finished.code, 0, `${client} ${args.join(' ')}\n${finished.stdout}\n${finished.stderr}`)
  return finished
}

async function newImage(host = world.registry): Promise<string> {
  images += 1
  return await pushImage(host, `bundles/image-${String(images)}`, `image ${String(images)}`)
}

function services(): readonly string[] {
  return ['--fulcio-url', world.url, '--rekor-url', world.url]
}

function OLD(): readonly string[] {
  return ['--new-bundle-format=false', '--use-signing-config=false', ...services()]
}

function who(user = USER): readonly string[] {
  return ['--certificate-identity', user, '--certificate-oidc-issuer', world.issuer]
}

const WITH_KEY = ['--key', 'cosign.pub']
const BUNDLES: readonly (readonly [
  what: string,
  material: readonly string[],
  verify: string,
  by: () => readonly string[],
])[] = [
  ['a signature and its certificate', ['--signature', 'b.sig', '--certificate', 'b.crt'], 'verify-blob', who],
  ['an old bundle', ['--bundle', 'b.old'], 'verify-blob', who],
  ['an old bundle by a key', ['--bundle', 'k.old', ...WITH_KEY], 'verify-blob', () => WITH_KEY],
  ['a signature by a key', ['--signature', 'k.sig', ...WITH_KEY], 'verify-blob', () => WITH_KEY],
  ['an attestation in an old bundle', ['--bundle', 'a.old'], 'verify-blob-attestation', who],
]
const MAKERS: readonly Client[] = ['countersign', 'cosign3']
const VERIFIERS: readonly Client[] = ['countersign', 'cosign3']

describe('bundle create', () => {
  for (const [what, material, verify, by] of BUNDLES) {
    for (const maker of MAKERS) {
      test(`${what}: ${maker} makes a bundle that is verified by both`, async () => {
        const log = ['--rekor-url', world.url]
        await must(maker, 'bundle', 'create', '--artifact', 'blob', ...material, ...log, '--out', 'made.json')
        for (const verifier of VERIFIERS) {
          const check = async (file: string, as: readonly string[]): Promise<Finished> =>
            await world.client(verifier, [verify, ...as, '--bundle', 'made.json', file])
          const verified = await check('blob', by())
          assert.equal(verified.code, 0, `${verifier}: ${verified.stderr}`)
          assert.notEqual((await check('other', by())).code, 0, `${verifier}: another file`)
          if (by === who) assert.notEqual((await check('blob', who('mallory@example.com'))).code, 0, verifier)
        }
      })
    }
  }

  test('what belongs to something else is refused by countersign; cosign makes a bundle that nobody verifies', async () => {
    const wrong = ['bundle', 'create', '--artifact', 'other', '--bundle', 'a.old', '--rekor-url', world.url]
    assert.equal((await world.client('countersign', [...wrong, '--out', 'wrong-ours.json'])).code, 1)
    await must('cosign3', ...wrong, '--out', 'wrong-theirs.json')
    for (const verifier of VERIFIERS) {
      const words = ['verify-blob-attestation', ...who(), '--bundle', 'wrong-theirs.json', 'other']
      assert.notEqual((await world.client(verifier, words)).code, 0, verifier)
    }
  })
})

describe('bundle upgrade', () => {
  interface Material {
    certificate?: unknown
    x509CertificateChain?: unknown
    tlogEntries: { inclusionProof?: unknown }[]
  }

  for (const maker of MAKERS) {
    test(`${maker} upgrades a bundle of version 0.1, and both verify it`, async () => {
      const made = ['bundle', 'create', '--artifact', 'blob', '--bundle', 'b.old', '--rekor-url', world.url]
      await must('countersign', ...made, '--out', 'new.json')
      const bundle = JSON.parse(await readFile(join(world.folder, 'new.json'), 'utf8')) as {
        mediaType: string
        verificationMaterial: Material
      }
      const { certificate, tlogEntries } = bundle.verificationMaterial
      const older = {
        ...bundle,
        mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
        verificationMaterial: {
          x509CertificateChain: { certificates: [certificate] },
          tlogEntries: tlogEntries.map(({ inclusionProof: _, ...entry }) => entry),
        },
      }
      await writeFile(join(world.folder, 'older.json'), JSON.stringify(older))
      await must(maker, 'bundle', 'upgrade', 'older.json', '--rekor-url', world.url, '--out', 'upgraded.json')
      for (const verifier of VERIFIERS)
        await must(verifier, 'verify-blob', ...who(), '--bundle', 'upgraded.json', 'blob')
    })
  }
})

describe('attach', () => {
  for (const registry of ['with the referrers API', 'without it'] as const) {
    const host = (): string => (registry === 'without it' ? plain.host : world.registry)

    test(`a signature in a bundle, ${registry}: cosign 3 verifies it`, async () => {
      const image = await newImage(host())
      const token = ['--identity-token', await world.token(USER)]
      await must('cosign3', 'sign', '-y', ...token, '--upload=false', '--bundle', 'i.json', image)
      assert.notEqual((await world.client('cosign3', ['verify', ...who(), image])).code, 0)
      await must('countersign', 'attach', 'signature', '--bundle', 'i.json', image)
      for (const verifier of VERIFIERS) await must(verifier, 'verify', ...who(), image)
      assert.equal(
        (await world.client('countersign', ['attach', 'signature', '--bundle', 'i.json', await newImage(host())])).code,
        1,
      )
    })

    test(`a signature in parts, ${registry}: cosign 3 and cosign 2 verify it`, async () => {
      const image = await newImage(host())
      const token = ['--identity-token', await world.token(USER)]
      const parts = ['--output-signature', 'p.sig', '--output-payload', 'p.payload', '--output-certificate', 'p.crt']
      await must('cosign3', 'sign', '-y', ...OLD(), ...token, '--upload=false', ...parts, image)
      const answer = await entryOf('p.sig')
      await writeFile(join(world.folder, 'p.entry'), answer)
      const given = [
        '--signature',
        'p.sig',
        '--payload',
        'p.payload',
        '--certificate',
        'p.crt',
        '--rekor-response',
        'p.entry',
      ]
      await must('countersign', 'attach', 'signature', ...given, image)
      for (const verifier of ['countersign', 'cosign3', 'cosign2'] as const)
        await must(verifier, 'verify', ...who(), image)
    })

    test(`a payload of generate that a key signs, ${registry}: every client verifies it`, async () => {
      const image = await newImage(host())
      const annotated = ['generate', '-a', 'x=<1>', '-a', 'a=b', image]
      const { stdout } = await must('countersign', ...annotated)
      for (const other of ['cosign3', 'cosign2'] as const)
        assert.equal((await world.client(other, annotated)).stdout, stdout, other)
      const bare = (await must('countersign', 'generate', image)).stdout
      assert.equal((await must('cosign3', 'generate', image)).stdout, bare)
      await writeFile(join(world.folder, 'g.payload'), stdout)
      await must(
        'cosign2',
        'sign-blob',
        ...services(),
        '--tlog-upload=false',
        '--key',
        'cosign.key',
        '--output-signature',
        'g.sig',
        'g.payload',
      )
      await must('countersign', 'attach', 'signature', '--payload', 'g.payload', '--signature', 'g.sig', image)
      const words = ['verify', ...WITH_KEY, '--insecure-ignore-tlog', '-a', 'x=<1>', image]
      for (const verifier of ['countersign', 'cosign3', 'cosign2'] as const) await must(verifier, ...words)
    })
  }

  test('attestations: all of several bundles, where cosign attaches the first', async () => {
    const image = await newImage()
    const files = ['one', 'two']
    const token = ['--identity-token', await world.token(USER)]
    for (const name of files) {
      const words = ['--predicate', 'predicate', '--type', `https://example.com/${name}`, '--bundle', `${name}.json`]
      await must('cosign3', 'attest', '-y', ...token, ...words, '--no-upload', image)
    }
    const given = files.flatMap((name) => ['--attestation', `${name}.json`])
    await must('countersign', 'attach', 'attestation', ...given, image)
    for (const verifier of VERIFIERS)
      for (const name of files)
        await must(verifier, 'verify-attestation', ...who(), '--type', `https://example.com/${name}`, image)
  })

  test('an envelope by a key goes where cosign 2 looks for it', async () => {
    const image = await newImage()
    const words = [
      'attest',
      '-y',
      ...OLD(),
      '--key',
      'cosign.key',
      '--tlog-upload=false',
      '--no-upload',
      '--predicate',
      'predicate',
      image,
    ]
    await writeFile(join(world.folder, 'env.json'), (await must('countersign', ...words)).stdout)
    await must('countersign', 'attach', 'attestation', '--attestation', 'env.json', image)
    for (const verifier of ['countersign', 'cosign3', 'cosign2'] as const)
      await must(verifier, 'verify-attestation', ...WITH_KEY, '--insecure-ignore-tlog', image)
  })

  test('a bill of materials is downloaded as it was attached, by either', async () => {
    await writeFile(join(world.folder, 'b.json'), '{"bomFormat":"CycloneDX"}\n')
    for (const [attacher, reader] of [
      ['countersign', 'cosign3'],
      ['cosign3', 'countersign'],
    ] as const) {
      const image = await newImage()
      await must(attacher, 'attach', 'sbom', '--type', 'cyclonedx', '--sbom', 'b.json', image)
      const { stdout, stderr } = await must(reader, 'download', 'sbom', image)
      assert.equal(stdout, '{"bomFormat":"CycloneDX"}\n')
      assert.match(stderr, /Found SBOM of media type: application\/vnd\.cyclonedx\+json/)
    }
  })
})

/** What Rekor answers when it is asked for the entry of a signature. */
async function entryOf(file: string): Promise<string> {
  const text = await readFile(join(world.folder, file), 'utf8')
  for (let index = 0; ; index++) {
    const answer = await fetch(`${world.url}/api/v1/log/entries?logIndex=${String(index)}`)
    assert.equal(answer.status, 200, 'an entry of the signature')
    const body = await answer.text()
    const [entry] = Object.values(JSON.parse(body) as Record<string, { body: string }>)
    if (
      Buffer.from(entry?.body ?? '', 'base64')
        .toString()
        .includes(text.trim())
    )
      return body
  }
}

describe('verdicts on files that name images', () => {
  let signed: string
  let unsigned: string
  before(async () => {
    signed = await newImage()
    unsigned = await newImage()
    await must('cosign3', 'sign', '-y', ...OLD(), '--key', 'cosign.key', signed)
  })

  const pod = (image: string): string => `kind: Pod\nspec:\n  containers:\n  - image: ${image}\n`
  const template = (kind: string, image: string): string =>
    `kind: ${kind}\nspec:\n  template:\n    spec:\n      initContainers:\n      - image: ${image}\n      containers:\n      - image: ${signed}\n`
  const cronJob = (image: string): string =>
    `kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - image: ${image}\n`
  const manifests: readonly (readonly [what: string, text: (image: string) => string])[] = [
    ['a pod', pod],
    ['a deployment', (image) => template('Deployment', image)],
    ['a kind that nobody knows', (image) => template('Rollout', image)],
    ['a cron job', cronJob],
    ['several documents', (image) => `${pod(signed)}---\nkind: Service\n---\n${pod(image)}`],
  ]
  for (const [what, text] of manifests) {
    test(`manifest verify: ${what}`, async () => {
      for (const [image, holds] of [
        [signed, true],
        [unsigned, false],
      ] as const) {
        await writeFile(join(world.folder, 'm.yaml'), text(image))
        for (const client of ['countersign', 'cosign3'] as const) {
          const { code, stderr } = await world.client(client, ['manifest', 'verify', ...WITH_KEY, 'm.yaml'])
          assert.equal(code === 0, holds, `${client}: ${stderr}`)
          assert.match(stderr, /^Extracted image\(s\): /m)
        }
      }
    })
  }

  const dockerfiles: readonly (readonly [what: string, text: (image: string) => string, words?: readonly string[]])[] =
    [
      ['one stage', (image) => `FROM ${image}\nRUN true\n`],
      ['several stages', (image) => `FROM ${image} AS build\nFROM ${signed}\nCOPY --from=build /a /b\n`],
      ['lower case', (image) => `from --platform=linux/amd64 ${image} as base\n`],
      ['an argument', (image) => `ARG IMAGE=${image}\nFROM \${IMAGE}\n`],
      ['the environment', () => 'ARG TEST_IMAGE\nFROM ${TEST_IMAGE}\n'],
      ['files of an image', (image) => `FROM ${signed}\nCOPY --from=${image} /a /b\n`],
      ['the base alone', (image) => `FROM ${unsigned} AS build\nFROM ${image}\n`, ['--base-image-only']],
    ]
  for (const [what, text, words = []] of dockerfiles) {
    test(`dockerfile verify: ${what}`, async () => {
      for (const [image, holds] of [
        [signed, true],
        [unsigned, false],
      ] as const) {
        await writeFile(join(world.folder, 'Dockerfile'), text(image))
        for (const client of ['countersign', 'cosign3'] as const) {
          const args = ['dockerfile', 'verify', ...words, ...WITH_KEY, 'Dockerfile']
          const { code, stderr } = await world.client(client, args, { env: { TEST_IMAGE: image } })
          assert.equal(code === 0, holds, `${client}: ${stderr}`)
          assert.match(stderr, /^Extracted image\(s\): /m)
        }
      }
    })
  }

  test('dockerfile verify: a variable without a value fails with both', async () => {
    await writeFile(join(world.folder, 'Dockerfile'), 'ARG NONE\nFROM ${NONE}\n')
    const args = ['dockerfile', 'verify', ...WITH_KEY, 'Dockerfile']
    assert.equal((await world.client('countersign', args)).code, 1)
    assert.notEqual((await world.client('cosign3', args)).code, 0)
  })
})
