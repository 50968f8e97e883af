import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Fetch } from '#clients/http/fetch'
import { generatePrivateKey, type PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import type { Command } from '#cli/kit/command'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN, type FakeKey } from '#testing/kms/fake-services'
import { LOGINS, openKeyServices, type KeyServices } from '#testing/kms/key-services'
import { command as attestBlob } from './attest-blob.js'
import { command as attest } from './attest.js'
import { command as policyTest } from './policy-test.js'
import { command as publicKey } from './public-key.js'
import { command as signBlob } from './sign-blob.js'
import { command as sign } from './sign.js'
import { command as verifyAttestation } from './verify-attestation.js'
import { command as verifyBlobAttestation } from './verify-blob-attestation.js'
import { command as verifyBlob } from './verify-blob.js'
import { command as verify } from './verify.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const GOOGLE_KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const AWS = `awskms:///arn:aws:kms:eu-central-1:111122223333:key/${ID}`
const VAULT = 'hashivault://cosign'
const URIS = [AWS, `gcpkms://${GOOGLE_KEY}`, 'azurekms://team.vault.azure.net/cosign', VAULT, 'openbao://cosign']

let bench: SigningBench
let services: KeyServices
let [ours, other, pss]: readonly [PrivateKey?, PrivateKey?, PrivateKey?] = []
let image: string
before(async () => {
  bench = await openSigningBench()
  services = await openKeyServices()
  ours = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  pss = await generatePrivateKey('rsa-sign-pss-2048-sha256')
  image = await bench.pushImage('acme/app')
  put({ key: ours })
  succeeded(await run(sign, ['--key', VAULT, ...ALONE, image]))
  succeeded(await run(attest, ['--key', VAULT, ...ALONE, '--type', 'custom', '--predicate', 'predicate.json', image]))
})
after(() => services.close())
afterEach(() => {
  services.override = () => undefined
  put({ key: ours! })
})

/** The same key, or its versions, at all of them. */
function put(...versions: readonly FakeKey[]): void {
  const { aws, google, azure, vault } = services.keys
  const newest = versions.at(-1)
  if (newest === undefined) for (const kept of [aws, google, azure, vault]) kept.clear()
  else aws.set(ID, { id: ID, ...newest })
  if (versions.length > 0)
    for (const [kept, name] of [
      [google, GOOGLE_KEY],
      [azure, 'cosign'],
      [vault, 'cosign'],
    ] as const)
      kept.set(name, versions)
}

const ALONE = ['--use-signing-config=false', '--tlog-upload=false', '-y']
const UNLOGGED = '--insecure-ignore-tlog'
const FILES = { 'blob.txt': 'a blob', 'predicate.json': '{"x":1}' }

/** Hosts of key services are asked there, all others are those of the bench. */
async function run(
  command: Command,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const fetch: Fetch = (address, init) => {
    const { host } = new URL(address)
    const theirs = /(?:amazonaws\.com|googleapis\.com|azure\.net|google\.internal|\.test)$|^169\.254/.test(host)
    return theirs ? services.fetch(address, init) : bench.sigstore.fetch(address, init)
  }
  return await bench.run(command, words, { fetch, files: FILES, environment: { ...LOGINS, ...environment } })
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function failed(outcome: Outcome, text: RegExp): void {
  assert.deepEqual([outcome.code === 0, outcome.stdout], [false, ''])
  assert.match(outcome.stderr, text)
  const secrets = [AWS_LOGIN.AWS_SECRET_ACCESS_KEY, GOOGLE_TOKEN, AZURE_TOKEN, VAULT_TOKEN]
  for (const secret of secrets) assert.ok(!outcome.stderr.includes(secret), secret)
}

describe('a key at a service that is no help', () => {
  for (const [name, command, words] of [
    ['verify', verify, () => [UNLOGGED, image]],
    ['verify-attestation', verifyAttestation, () => [UNLOGGED, '--type', 'custom', image]],
    ['verify-blob', verifyBlob, () => [UNLOGGED, '--bundle', 'b.json', 'blob.txt']],
    [
      'verify-blob-attestation',
      verifyBlobAttestation,
      () => [UNLOGGED, '--bundle', 'a.json', '--type', 'custom', 'blob.txt'],
    ],
    ['public-key', publicKey, () => []],
    ['sign', sign, () => [...ALONE, image]],
    ['sign-blob', signBlob, () => [...ALONE, '--bundle', 'n.json', 'blob.txt']],
  ] as const) {
    test(`${name} says why, and prints nothing`, async () => {
      failed(await run(command, ['--key', 'awskms://alias/x', ...words()]), /not the address of a key/)
      failed(await run(command, ['--key', 'azurekms://evil.test/x', ...words()]), /no key vault of Azure/)
      put()
      for (const uri of URIS) failed(await run(command, ['--key', uri, ...words()]), /has no such key/)
      put({ key: ours!, usage: 'encrypt' })
      for (const uri of URIS) failed(await run(command, ['--key', uri, ...words()]), /not (?:one )?for signatures/)
      services.override = () => new Response('{}', { status: 503 })
      failed(await run(command, ['--key', VAULT, ...words()]), /cannot answer now/)
      failed(await run(command, ['--key', VAULT, ...words()], { VAULT_TOKEN: '' }), /no login for Vault/)
    })
  }

  test('a service whose signatures are wrong: nothing is written', async () => {
    services.override = (request) => {
      if (request.method !== 'POST' || !request.url.includes('/sign/')) return undefined
      return Response.json({ data: { signature: `vault:v1:${Buffer.from('no signature').toString('base64')}` } })
    }
    const outcome = await run(signBlob, ['--key', VAULT, ...ALONE, '--bundle', 'wrong.json', 'blob.txt'])
    failed(outcome, /does not verify/)
    assert.ok(!outcome.host.paths().includes('wrong.json'))
  })
})

describe('a key at a service', () => {
  for (const uri of URIS) {
    test(`${uri.slice(0, 40)}: its PEM, and what it signed verifies by either`, async () => {
      const pem = publicKeyToPem(ours!.publicKey)
      assert.equal(succeeded(await run(publicKey, ['--key', uri])).stdout, pem)
      succeeded(await run(publicKey, ['--key', uri, '--outfile', 'kms.pub']))
      succeeded(await run(signBlob, ['--key', uri, ...ALONE, '--bundle', 'b.json', 'blob.txt']))
      for (const key of [uri, 'kms.pub'])
        succeeded(await run(verifyBlob, ['--key', key, UNLOGGED, '--bundle', 'b.json', 'blob.txt']))
      succeeded(
        await run(attestBlob, [
          '--key',
          uri,
          ...ALONE,
          '--bundle',
          'a.json',
          '--type',
          'custom',
          '--predicate',
          'predicate.json',
          'blob.txt',
        ]),
      )
      succeeded(
        await run(verifyBlobAttestation, [
          '--key',
          uri,
          UNLOGGED,
          '--bundle',
          'a.json',
          '--type',
          'custom',
          'blob.txt',
        ]),
      )
      succeeded(await run(verify, ['--key', uri, UNLOGGED, image]))
      succeeded(await run(verifyAttestation, ['--key', uri, UNLOGGED, '--type', 'custom', image]))
      put({ key: other! })
      failed(await run(verifyBlob, ['--key', uri, UNLOGGED, '--bundle', 'b.json', 'blob.txt']), /not by this key/)
      failed(await run(verify, ['--key', uri, UNLOGGED, image]), /Error/)
      failed(await run(verifyAttestation, ['--key', uri, UNLOGGED, '--type', 'custom', image]), /Error/)
    })
  }

  test('signs into the log, and with the services of a signing configuration', async () => {
    const words = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '-y']
    succeeded(await run(signBlob, ['--key', VAULT, ...words, '--bundle', 'logged.json', 'blob.txt']))
    succeeded(
      await run(verifyBlob, ['--key', VAULT, '--trusted-root', 'root.json', '--bundle', 'logged.json', 'blob.txt']),
    )
  })

  test('a token in the home folder, and the authority of Vault’s certificate', async () => {
    const options = { files: { ...FILES, '/home/test/.vault-token': `${VAULT_TOKEN}\n` }, fetch: services.fetch }
    const environment = { VAULT_ADDR: 'http://vault.test', VAULT_CACERT: '/ca.pem' }
    const outcome = succeeded(await bench.run(publicKey, ['--key', VAULT], { ...options, environment }))
    assert.ok(outcome.host.connections.some(({ tls }) => tls?.caFile === '/ca.pem'))
  })

  test('that signs with RSA-PSS alone is verified as such, and with no other digest', async () => {
    const key = { key: pss!, algorithm: 'RSA_SIGN_PSS_2048_SHA256' }
    services.keys.google.set(GOOGLE_KEY, [key])
    const uri = `gcpkms://${GOOGLE_KEY}`
    const signature = Buffer.from(await pss!.sign(new TextEncoder().encode('a blob'))).toString('base64')
    const files = { ...FILES, 'blob.sig': signature }
    const words = ['--key', uri, UNLOGGED, '--signature', 'blob.sig', 'blob.txt']
    const given = { fetch: services.fetch, files, environment: LOGINS }
    succeeded(await bench.run(verifyBlob, words, given))
    failed(await bench.run(verifyBlob, ['--signature-digest-algorithm', 'sha512', ...words], given), /sha512/)
  })
})

describe('policy test', () => {
  const policy = (name: string, kms: string, count = 1): string =>
    Array.from(
      { length: count },
      (_, index) => `---
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: ${name}-${String(index)}}
spec:
  images: [{glob: '**'}]
  authorities: [{name: us, key: {kms: '${kms}'}}]
`,
    ).join('')
  const judged = async (text: string): Promise<Outcome> => {
    const files = { ...FILES, 'p.yaml': text }
    const fetch: Fetch = (address, init) =>
      /\.test|amazonaws/.test(address) ? services.fetch(address, init) : bench.sigstore.fetch(address, init)
    const words = ['--policy', 'p.yaml', '--trusted-root', 'root.json', '--mirror', 'ghcr.io=localhost:8080']
    const resource = ['--image', logged.replace('localhost:8080', 'ghcr.io')]
    return await bench.run(policyTest, [...words, ...resource], { fetch, files, environment: LOGINS })
  }
  let logged: string
  before(async () => {
    logged = await bench.pushImage('acme/logged')
    const words = ['--signing-config', 'config-v1.json', '--trusted-root', 'root.json', '-y']
    succeeded(await run(sign, ['--key', VAULT, ...words, logged]))
  })

  test('by a key of a service, which is asked once for all policies', async () => {
    services.requests.length = 0
    const outcome = await judged(policy('by-kms', VAULT, 5))
    assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr)
    assert.deepEqual(services.requests, ['GET vault.test/v1/transit/keys/cosign'])
  })

  test('denied by another key, by none, and at a host that a policy names itself', async () => {
    put({ key: other! })
    assert.equal((await judged(policy('by-kms', VAULT))).code, 1)
    put()
    const gone = await judged(policy('by-kms', VAULT))
    assert.equal(gone.code, 1)
    assert.match(gone.stdout, /has no such key/)
    services.requests.length = 0
    const lured = await judged(policy('by-kms', AWS.replace('///', '//kms.test:443/')))
    assert.equal(lured.code, 1)
    assert.match(lured.stdout, /no login is sent to/)
    assert.deepEqual(services.requests, [])
  })
})
