import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Fetch } from '#clients/http/fetch'
import type { Command } from '#cli/kit/command'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN } from '#testing/kms/fake-services'
import { LOGINS, openKeyServices, type KeyServices } from '#testing/kms/key-services'
import { command as attestBlob } from './attest-blob.js'
import { command as generate } from './generate-key-pair.js'
import { command as publicKey } from './public-key.js'
import { command as signBlob } from './sign-blob.js'
import { command as sign } from './sign.js'
import { command as verifyBlobAttestation } from './verify-blob-attestation.js'
import { command as verifyBlob } from './verify-blob.js'
import { command as verify } from './verify.js'

const AWS = 'awskms:///alias/release'
const GOOGLE = 'gcpkms://projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const AZURE = 'azurekms://team.vault.azure.net/cosign'
const VAULT = 'hashivault://cosign'
const URIS = [AWS, GOOGLE, AZURE, VAULT, 'openbao://cosign']
const ALONE = ['--use-signing-config=false', '--tlog-upload=false', '-y']
const UNLOGGED = '--insecure-ignore-tlog'
const LOGGED = ['--trusted-root', 'root.json', '-y', '--signing-config']
const FILES = { 'blob.txt': 'a blob', 'predicate.json': '{"x":1}', 'large.bin': new Uint8Array(5000) }
const PREDICATE = ['--type', 'custom', '--predicate', 'predicate.json']

let bench: SigningBench
let services: KeyServices
before(async () => {
  bench = await openSigningBench()
  services = await openKeyServices()
})
after(() => services.close())
afterEach(() => {
  services.override = () => undefined
  const { aws, google, azure, vault } = services.keys
  for (const kept of [aws, google, azure, vault]) kept.clear()
})

async function run(command: Command, words: readonly string[], password?: string): Promise<Outcome> {
  const fetch: Fetch = (address, init) => {
    const { host } = new URL(address)
    const theirs = /(?:amazonaws\.com|googleapis\.com|azure\.net|google\.internal|\.test)$|^169\.254/.test(host)
    return theirs ? services.fetch(address, init) : bench.sigstore.fetch(address, init)
  }
  const environment = { ...LOGINS, ...(password !== undefined && { COSIGN_PASSWORD: password }) }
  return await bench.run(command, words, { fetch, files: FILES, environment })
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function failed(outcome: Outcome, text: RegExp, ...unwritten: readonly string[]): void {
  assert.deepEqual([outcome.code === 0, outcome.stdout], [false, ''])
  assert.match(outcome.stderr, text)
  for (const secret of [AWS_LOGIN.AWS_SECRET_ACCESS_KEY, GOOGLE_TOKEN, AZURE_TOKEN, VAULT_TOKEN])
    assert.ok(!outcome.stderr.includes(secret), secret)
  for (const path of unwritten) assert.ok(!outcome.host.paths().includes(path), path)
}

const textOf = (outcome: Outcome, path: string): string => new TextDecoder().decode(outcome.host.content(path))

describe('generate-key-pair --kms writes nothing', () => {
  for (const [name, words, text] of [
    ['for the id of a key', ['--kms', 'awskms:///1234abcd-12ab-34cd-56ef-1234567890ab'], /made under an alias/],
    ['for a version', ['--kms', `${GOOGLE}/cryptoKeyVersions/1`], /numbers versions itself/],
    ['for what is no address', ['--kms', 'k8s://ns/name'], /not the address of a key/],
    [
      'for an algorithm that the service has not',
      ['--kms', AZURE, '--signing-algorithm', 'ed25519'],
      /makes no keys for this algorithm/,
    ],
    ['beside another place', ['--kms', VAULT, 'k8s://ns/name'], /made in one place/],
  ] as const) {
    test(name, async () => {
      failed(await run(generate, [...words, '--output-key-prefix', 'none']), text, 'none.pub', 'none.key')
      assert.equal(services.keys.vault.size + services.keys.aws.size + services.keys.google.size, 0)
    })
  }

  for (const uri of URIS) {
    test(`if ${uri.slice(0, 12)} refuses`, async () => {
      services.override = () => new Response('{}', { status: 403 })
      failed(await run(generate, ['--kms', uri, '--output-key-prefix', 'none']), /./, 'none.pub', 'none.key')
    })
  }
})

describe('generate-key-pair --kms', () => {
  for (const uri of URIS) {
    test(`${uri.slice(0, 12)}: makes a key once, writes its public half and no other`, async () => {
      const prefix = `made-${uri.slice(0, 4)}`
      const outcome = succeeded(await run(generate, ['--kms', uri, '--output-key-prefix', prefix]))
      assert.equal(outcome.stdout, '')
      assert.equal(outcome.stderr.trim(), `Public key written to ${prefix}.pub`)
      const pem = textOf(outcome, `${prefix}.pub`)
      assert.match(pem, /^-----BEGIN PUBLIC KEY-----\n/)
      assert.ok(!outcome.host.paths().includes(`${prefix}.key`))
      assert.equal(succeeded(await run(publicKey, ['--key', uri])).stdout, pem)
      succeeded(await run(signBlob, ['--key', uri, ...ALONE, '--bundle', 'b.json', 'blob.txt']))
      succeeded(await run(verifyBlob, ['--key', `${prefix}.pub`, UNLOGGED, '--bundle', 'b.json', 'blob.txt']))
      const again = succeeded(await run(generate, ['--kms', uri, '--output-key-prefix', 'again']))
      assert.match(again.stderr, /is there already.*\nPublic key written to again\.pub\n$/)
      assert.equal(textOf(again, 'again.pub'), pem)
    })
  }

  test('cosign.pub, for the algorithm that was asked for', async () => {
    const words = ['--kms', VAULT, '--signing-algorithm', 'ecdsa-sha2-384-nistp384']
    const outcome = succeeded(await run(generate, words))
    assert.match(outcome.stderr, /^Public key written to cosign\.pub$/m)
    assert.equal(services.keys.vault.get('cosign')?.[0]?.key.publicKey.keyType, 'ec-p384')
    failed(await run(generate, ['--kms', VAULT, '--signing-algorithm', 'ed25519']), /for another algorithm/)
  })
})

describe('Ed25519', () => {
  for (const uri of [AWS, GOOGLE, VAULT]) {
    test(`${uri.slice(0, 12)}: files without a log, attestations and images also with a Rekor v1`, async () => {
      const words = ['--kms', uri, '--signing-algorithm', 'ed25519', '--output-key-prefix', 'ed']
      succeeded(await run(generate, words))
      succeeded(await run(signBlob, ['--key', uri, ...ALONE, '--bundle', 'b.json', 'blob.txt']))
      for (const key of [uri, 'ed.pub'])
        succeeded(await run(verifyBlob, ['--key', key, UNLOGGED, '--bundle', 'b.json', 'blob.txt']))
      failed(await run(verifyBlob, ['--key', uri, UNLOGGED, '--bundle', 'b.json', 'large.bin']), /not by this key/)
      const attest = ['--key', uri, ...LOGGED, 'config-v1.json', '--bundle', 'a.json', ...PREDICATE, 'large.bin']
      succeeded(await run(attestBlob, attest))
      const check = ['--trusted-root', 'root.json', '--bundle', 'a.json', '--type', 'custom', 'large.bin']
      for (const key of [uri, 'ed.pub']) succeeded(await run(verifyBlobAttestation, ['--key', key, ...check]))
      const image = await bench.pushImage(`acme/ed-${uri.slice(0, 4)}`)
      succeeded(await run(sign, ['--key', uri, ...LOGGED, 'config-v1.json', image]))
      succeeded(await run(verify, ['--key', 'ed.pub', '--trusted-root', 'root.json', image]))
    })

    test(`${uri.slice(0, 12)}: what a log cannot record is refused before it is signed`, async () => {
      succeeded(await run(generate, ['--kms', uri, '--signing-algorithm', 'ed25519']))
      services.requests.length = 0
      for (const config of ['config.json', 'config-v1.json']) {
        const words = ['--key', uri, ...LOGGED, config, '--bundle', 'refused.json', 'blob.txt']
        failed(await run(signBlob, words), /cannot record a signature of ed25519/, 'refused.json')
      }
      const words = ['--key', uri, ...LOGGED, 'config.json', '--bundle', 'refused.json', ...PREDICATE, 'blob.txt']
      failed(await run(attestBlob, words), /cannot record a signature of ed25519/, 'refused.json')
      // AWS has one address for everything: there, one question a command is for the key.
      const asked = services.requests.filter((line) => /\/sign\/|:asymmetricSign$|^POST kms\./.test(line))
      assert.equal(asked.length, uri === AWS ? 3 : 0)
    })
  }

  test('a file that is too large for the service', async () => {
    succeeded(await run(generate, ['--kms', AWS, '--signing-algorithm', 'ed25519']))
    const words = ['--key', AWS, ...ALONE, '--bundle', 'large.json', 'large.bin']
    failed(await run(signBlob, words), /too large for the service[^]*attest-blob/, 'large.json')
  })

  test('in a file: what is read in pieces is signed without a log, too', async () => {
    const words = ['--signing-algorithm', 'ed25519', '--output-key-prefix', 'file']
    succeeded(await run(generate, words, 'secret'))
    succeeded(await run(signBlob, ['--key', 'file.key', ...ALONE, '--bundle', 'f.json', 'large.bin'], 'secret'))
    succeeded(await run(verifyBlob, ['--key', 'file.pub', UNLOGGED, '--bundle', 'f.json', 'large.bin']))
  })
})
