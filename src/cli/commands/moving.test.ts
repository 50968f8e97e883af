import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Command } from '#cli/kit/command'
import { createHeaders, createResponse } from '#clients/http/response'
import { type BenchRunOptions, openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attest } from './attest.js'
import { command as clean } from './clean.js'
import { command as copy } from './copy.js'
import { command as generate } from './generate-key-pair.js'
import { command as load } from './load.js'
import { command as save } from './save.js'
import { command as sign } from './sign.js'
import { command as tree } from './tree.js'
import { command as triangulate } from './triangulate.js'
import { command as verifyAttestation } from './verify-attestation.js'
import { command as verify } from './verify.js'

const KEY = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
const WITH_KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

let folder: string
let serial = 0
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moving-'))
})
after(async () => {
  await rm(folder, { recursive: true, force: true })
})

function newFolder(): string {
  return join(folder, String(serial++))
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function errorCode(outcome: Outcome): string {
  assert.notEqual(outcome.code, 0)
  return (JSON.parse(outcome.stdout) as { error: { code: string } }).error.code
}

function digestIn(image: string): string {
  return image.slice(image.indexOf('@') + 1)
}

for (const referrersApi of [true, false]) {
  describe(`at a registry ${referrersApi ? 'with' : 'without'} the referrers API`, () => {
    let bench: SigningBench
    const run = async (command: Command, words: readonly string[], options?: BenchRunOptions): Promise<Outcome> =>
      await bench.run(command, words, options)
    before(async () => {
      bench = await openSigningBench({ referrersApi })
      succeeded(await run(generate, []))
    })
    after(async () => {
      await bench.sigstore.close()
    })

    async function signedImage(name: string): Promise<string> {
      const image = await bench.pushImage(name)
      succeeded(await run(sign, [...KEY, '--both-formats', image]))
      const files = { 'predicate.json': '{"a":1}' }
      succeeded(await run(attest, [...KEY, '--predicate', 'predicate.json', '--type', 'custom', image], { files }))
      return image
    }

    async function assertVerified(image: string): Promise<void> {
      succeeded(await run(verify, [...WITH_KEY, image]))
      succeeded(await run(verifyAttestation, [...WITH_KEY, '--type', 'custom', image]))
    }

    test('save, verify from the folder, load elsewhere, verify there', async () => {
      const image = await signedImage('saved')
      const dir = newFolder()
      const saved = succeeded(await run(save, ['--dir', dir, 'localhost:8080/saved:latest']))
      assert.equal(saved.stdout, '')
      assert.match(saved.stderr, /^Saved localhost:8080\/saved:latest to .*: 3 attached, /)
      assert.deepEqual((await readdir(dir)).sort(), ['blobs', 'index.json', 'oci-layout'])
      succeeded(await run(verify, [...WITH_KEY, '--local-image', dir]))
      const loaded = succeeded(await run(load, ['--dir', dir, '-o', 'json', 'localhost:8080/loaded:v1']))
      const document = JSON.parse(loaded.stdout) as Readonly<Record<string, unknown>>
      assert.equal(document['digest'], digestIn(image))
      assert.equal(document['to'], 'localhost:8080/loaded:v1')
      assert.equal((document['attached'] as readonly unknown[]).length, 3)
      await assertVerified('localhost:8080/loaded:v1')
      succeeded(await run(save, ['--dir', newFolder(), 'localhost:8080/loaded:v1']))
    })

    test('what is verified from a folder is what was saved: another key is refused', async () => {
      const dir = newFolder()
      succeeded(await run(save, ['--dir', dir, await signedImage('other-key')]))
      succeeded(await run(generate, ['--output-key-prefix', `other${String(referrersApi)}`]))
      const words = ['--key', `other${String(referrersApi)}.pub`, '--insecure-ignore-tlog', '--local-image', dir]
      assert.equal((await run(verify, words)).code, 12)
    })

    test('copy, whole and in parts', async () => {
      const image = await signedImage('source')
      const copied = succeeded(await run(copy, [image, 'localhost:8080/copied:v1']))
      assert.equal(copied.stdout, '')
      await assertVerified('localhost:8080/copied:v1')
      for (const [only, signed, attested] of [
        ['sig', true, false],
        ['att', false, true],
        ['sig,att,sbom', true, true],
        ['sbom', false, false],
      ] as const) {
        const name = `localhost:8080/only-${only.replaceAll(',', '-')}`
        succeeded(await run(copy, [`--only=${only}`, image, name]))
        assert.equal((await run(triangulate, [`${name}:latest`])).code, 11, 'the image itself is not copied')
        const place = `${name}@${digestIn(image)}`
        assert.equal((await run(verify, [...WITH_KEY, place])).code === 0, signed, `${only} verify`)
        const outcome = await run(verifyAttestation, [...WITH_KEY, '--type', 'custom', place])
        assert.equal(outcome.code === 0, attested, `${only} verify-attestation`)
      }
      succeeded(await run(copy, ['--sig-only', image, 'localhost:8080/sig-only']))
      succeeded(await run(verify, [...WITH_KEY, `localhost:8080/sig-only@${digestIn(image)}`]))
    })

    test('something else is not overwritten, but with -f', async () => {
      const [one, two] = [await bench.pushImage('first'), await bench.pushImage('second')]
      succeeded(await run(copy, [one, 'localhost:8080/taken']))
      succeeded(await run(copy, [one, 'localhost:8080/taken:latest']))
      assert.equal(errorCode(await run(copy, ['-o', 'json', two, 'localhost:8080/taken'])), 'IMAGES_EXISTS')
      const digest = async (): Promise<string> =>
        digestIn((await run(triangulate, ['--type', 'digest', 'localhost:8080/taken'])).stdout.trim())
      assert.equal(await digest(), digestIn(one))
      succeeded(await run(copy, ['-f', two, 'localhost:8080/taken']))
      assert.equal(await digest(), digestIn(two))
    })

    test('clean asks, removes what was asked for, and tells', async () => {
      const image = await signedImage('cleaned')
      const declined = await run(clean, ['-o', 'json', image], { stdin: 'n\n' })
      assert.equal(errorCode(declined), 'CLI_PROMPT_DECLINED')
      assert.match(
        declined.stderr,
        /^WARNING: this will remove all signatures, SBOMs and attestations from the image\n/,
      )
      await assertVerified(image)
      const some = succeeded(await run(clean, ['--type', 'attestation', image], { stdin: 'y\n' }))
      assert.match(some.stderr, /Removed localhost:8080\/cleaned@sha256:\S+ from localhost:8080\/cleaned@/)
      succeeded(await run(verify, [...WITH_KEY, image]))
      assert.equal((await run(verifyAttestation, [...WITH_KEY, '--type', 'custom', image])).code, 12)
      const all = succeeded(await run(clean, ['-f', '-o', 'json', image]))
      const { removed } = JSON.parse(all.stdout) as { removed: readonly { kind: string }[] }
      assert.deepEqual(removed.map(({ kind }) => kind).sort(), ['sig', 'signature'])
      assert.equal((await run(verify, [...WITH_KEY, image])).code, 10)
      assert.match((await run(tree, [image])).stdout, /^No Supply Chain Security Related Artifacts found/)
      succeeded(await run(clean, ['-f', image]))
    })

    test('with COSIGN_REPOSITORY, what is attached is saved, loaded, cleaned and named there', async () => {
      const environment = { COSIGN_REPOSITORY: `localhost:8080/signatures-${String(referrersApi)}` }
      const image = await bench.pushImage('elsewhere')
      succeeded(await run(sign, [...KEY, '--both-formats', image], { environment }))
      const dir = newFolder()
      succeeded(await run(save, ['--dir', dir, image], { environment }))
      const there = { COSIGN_REPOSITORY: `localhost:8080/loaded-${String(referrersApi)}` }
      succeeded(await run(load, ['--dir', dir, 'localhost:8080/elsewhere-loaded:v1'], { environment: there }))
      succeeded(await run(verify, [...WITH_KEY, 'localhost:8080/elsewhere-loaded:v1'], { environment: there }))
      assert.equal((await run(verify, [...WITH_KEY, 'localhost:8080/elsewhere-loaded:v1'])).code, 10)
      const named = succeeded(await run(triangulate, [image], { environment }))
      assert.ok(named.stdout.startsWith(`${environment.COSIGN_REPOSITORY}:sha256-`))
      succeeded(await run(clean, ['-f', image], { environment }))
      assert.equal((await run(verify, [...WITH_KEY, image], { environment })).code, 10)
      succeeded(await run(verify, [...WITH_KEY, 'localhost:8080/elsewhere-loaded:v1'], { environment: there }))
    })

    for (const [what, command, words, code] of [
      ['save without a folder', save, ['-o', 'json', 'localhost:8080/x'], 'USAGE_FLAG_MISSING'],
      [
        'save of no image',
        save,
        ['-o', 'json', '--dir', '/dev/null/x', 'localhost:8080/nothing:v1'],
        'VERDICT_TAG_NOT_FOUND',
      ],
      [
        'save of no digest',
        save,
        ['-o', 'json', '--dir', '/dev/null/x', `localhost:8080/x@sha256:${'0'.repeat(64)}`],
        'REGISTRY_NOT_FOUND',
      ],
      ['load without a folder', load, ['-o', 'json', 'localhost:8080/x'], 'USAGE_FLAG_MISSING'],
      ['load from nowhere', load, ['-o', 'json', '--dir', '/nowhere/at/all', 'localhost:8080/x'], 'IMAGES_LAYOUT'],
      ['load to no reference', load, ['-o', 'json', '--dir', '/nowhere', 'localhost:8080/X'], 'OCI_REFERENCE'],
      [
        'copy of other kinds',
        copy,
        ['-o', 'json', '--only=sig,all', 'localhost:8080/x', 'localhost:8080/y'],
        'USAGE_FLAG_VALUE',
      ],
      ['copy of no image', copy, ['-o', 'json', 'localhost:8080/nothing', 'localhost:8080/y'], 'VERDICT_TAG_NOT_FOUND'],
      ['clean of other kinds', clean, ['-o', 'json', '--type', 'images', 'localhost:8080/x'], 'USAGE_FLAG_VALUE'],
      ['clean without an answer', clean, ['-o', 'json', 'localhost:8080/x'], 'CLI_PROMPT_DECLINED'],
      ['clean of no image', clean, ['-o', 'json', '-f', 'localhost:8080/nothing'], 'VERDICT_TAG_NOT_FOUND'],
    ] as const) {
      test(`${what} is refused`, async () => {
        const outcome = await run(command, words)
        // Flags that cannot be read leave it open how errors are wanted.
        if (code === 'USAGE_FLAG_VALUE' && outcome.stdout === '') assert.equal(outcome.code, 1)
        else assert.equal(errorCode(outcome), code)
      })
    }

    test('a copy cannot be given another digest, nor can what is loaded', async () => {
      const image = await bench.pushImage('digested')
      const wrong = `localhost:8080/wrong@sha256:${'0'.repeat(64)}`
      assert.equal(errorCode(await run(copy, ['-o', 'json', image, wrong])), 'CLI_INPUT')
      const dir = newFolder()
      succeeded(await run(save, ['--dir', dir, image]))
      assert.equal(errorCode(await run(load, ['-o', 'json', '--dir', dir, wrong])), 'CLI_INPUT')
      const right = `localhost:8080/right@${digestIn(image)}`
      succeeded(await run(copy, [image, right]))
      succeeded(await run(load, ['--dir', dir, right]))
    })

    test('a platform is asked of an index only', async () => {
      const [one, two] = [await bench.pushImage('multi'), await bench.pushImage('multi')]
      const index = await bench.pushIndex('multi', [one, two])
      for (const image of [one, index]) {
        const outcome = await run(copy, ['-o', 'json', '--platform', 'linux/amd64', image, 'localhost:8080/platform'])
        assert.equal(errorCode(outcome), 'IMAGES_PLATFORM')
      }
    })
  })
}

describe('registries that do not delete', () => {
  test('it is an error, which says what is still there', async () => {
    const bench = await openSigningBench()
    succeeded(await bench.run(generate, []))
    const image = await bench.pushImage('kept')
    succeeded(await bench.run(sign, [...KEY, '--both-formats', image]))
    const refused = await bench.run(clean, ['-f', '-o', 'json', image], {
      fetch: async (url, init) => {
        if (init?.method !== 'DELETE') return await bench.sigstore.fetch(url, init)
        return createResponse(405, createHeaders(new Map()), null)
      },
    })
    assert.equal(errorCode(refused), 'REGISTRY_UNSUPPORTED')
    assert.match(
      refused.stderr,
      /still there: localhost:8080\/kept:sha256-[0-9a-f]+\.sig, localhost:8080\/kept@sha256:/,
    )
    succeeded(await bench.run(verify, [...WITH_KEY, image]))
    await bench.sigstore.close()
  })
})
