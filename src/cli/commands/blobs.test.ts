import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { privateKeyToPem } from '#crypto/private-key'
import { encodePem } from '#encoding/pem'
import { intermediateSpec, issueCertificate, leafSpec, rootSpec, type TestCertificate } from '#testing/pki/certificate'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attestBlob } from './attest-blob.js'
import { command as generate } from './generate-key-pair.js'
import { command as importKey } from './import-key-pair.js'
import { command as publicKey } from './public-key.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyBlobAttestation } from './verify-blob-attestation.js'
import { command as verifyBlob } from './verify-blob.js'

const ARTIFACT = 'some bytes\n'
const DIGEST = 'sha256:1d6f2a3a3e7b3c1b4a6c3b0a1f9e7d5c'
const KEYLESS = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
const NO_LOG = ['--use-signing-config=false', '--tlog-upload=false', '-y']

let bench: SigningBench
let anyone: readonly string[]
before(async () => {
  bench = await openSigningBench()
  anyone = [
    '--certificate-identity',
    'ann@example.com',
    '--certificate-oidc-issuer',
    bench.issuer,
    '--trusted-root',
    'root.json',
  ]
  await bench.run(generate, [], { files: { 'a.txt': ARTIFACT, 'b.txt': 'other bytes\n' } })
  await bench.run(generate, ['--output-key-prefix', 'other'])
})

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

async function refused(words: readonly string[], command: typeof verifyBlob, pattern: RegExp): Promise<void> {
  const outcome = await bench.run(command, words)
  assert.deepEqual([outcome.code, outcome.stdout], [1, ''], words.join(' '))
  assert.match(outcome.stderr, pattern)
}

describe('signing and verifying a file', () => {
  const ways: readonly { name: string; flags: readonly string[]; keyed?: true }[] = [
    { name: 'keyless', flags: KEYLESS },
    { name: 'keyless, P-384', flags: [...KEYLESS, '--signing-algorithm', 'ecdsa-sha2-384-nistp384'] },
    { name: 'keyless, P-521', flags: [...KEYLESS, '--signing-algorithm', 'ecdsa-sha2-512-nistp521'] },
    { name: 'key', flags: ['--key', 'cosign.key', ...NO_LOG], keyed: true },
  ]
  for (const { name, flags, keyed } of ways) {
    test(name, async () => {
      const signed = succeeded(await bench.run(signBlob, [...flags, '--bundle', 'out.json', 'a.txt']))
      assert.equal(signed.stdout, '')
      assert.match(signed.stderr, /Using payload from: a\.txt\n[\s\S]*Wrote bundle to file out\.json\n/)
      assert.equal(signed.host.modes.get('out.json'), 0o600)
      const who = keyed ? ['--key', 'cosign.pub', '--insecure-ignore-tlog'] : anyone
      const verified = succeeded(await bench.run(verifyBlob, [...who, '--bundle', 'out.json', 'a.txt']))
      assert.equal(verified.stdout, '')
      assert.match(verified.stderr, /Verified OK\n$/)
      await refused([...who, '--bundle', 'out.json', 'b.txt'], verifyBlob, /^Error: /m)
      await refused(
        ['--key', 'other.pub', '--insecure-ignore-tlog', '--bundle', 'out.json', 'a.txt'],
        verifyBlob,
        /^Error: /m,
      )
    })
  }

  test('from standard input, and as a digest', async () => {
    succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'in.json', '-'], { stdin: ARTIFACT }))
    succeeded(await bench.run(verifyBlob, [...anyone, '--bundle', 'in.json', 'a.txt']))
    succeeded(await bench.run(verifyBlob, [...anyone, '--bundle', 'in.json', '-'], { stdin: ARTIFACT }))
    const { createHash } = await import('node:crypto')
    const digest = `sha256:${createHash('sha256').update(ARTIFACT).digest('hex')}`
    succeeded(await bench.run(verifyBlob, [...anyone, '--bundle', 'in.json', digest]))
    await refused([...anyone, '--bundle', 'in.json', DIGEST], verifyBlob, /not a digest/)
  })

  test('several files: one certificate, a bundle beside each', async () => {
    bench.requests.length = 0
    const { host } = succeeded(await bench.run(signBlob, [...KEYLESS, 'a.txt', 'b.txt']))
    assert.ok(host.paths().includes('a.txt.sigstore.json') && host.paths().includes('b.txt.sigstore.json'))
    assert.equal(bench.requests.filter((request) => request === 'POST /api/v2/signingCert').length, 1)
    await refused([...KEYLESS, '--bundle', 'x.json', 'a.txt', 'b.txt'], signBlob, /several files/)
  })

  test('--output json has the facts', async () => {
    succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'out.json', 'a.txt']))
    const { stdout } = succeeded(
      await bench.run(verifyBlob, [...anyone, '--bundle', 'out.json', '-o', 'json', 'a.txt']),
    )
    const facts = JSON.parse(stdout) as {
      signer: { subject: string }
      logEntries: unknown[]
      times: unknown[]
      report: unknown[]
    }
    assert.equal(facts.signer.subject, 'ann@example.com')
    assert.deepEqual([facts.logEntries.length, facts.times.length], [1, 1])
  })
})

describe('the outputs of old clients', () => {
  test('signature on standard output, and verified from there', async () => {
    const { stdout } = succeeded(
      await bench.run(signBlob, ['--key', 'cosign.key', ...NO_LOG, '--new-bundle-format=false', 'a.txt']),
    )
    assert.match(stdout, /^[A-Za-z0-9+/]+=*\n$/)
    succeeded(
      await bench.run(verifyBlob, ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--signature', 'a.sig', 'a.txt'], {
        files: { 'a.sig': stdout },
      }),
    )
    succeeded(
      await bench.run(verifyBlob, [
        '--key',
        'cosign.pub',
        '--insecure-ignore-tlog',
        '--signature',
        stdout.trim(),
        'a.txt',
      ]),
    )
    await refused(
      ['--key', 'cosign.pub', '--signature', 'a.sig', '--trusted-root', 'root.json', 'a.txt'],
      verifyBlob,
      /log/,
    )
    await refused(
      ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--signature', 'a.sig', 'b.txt'],
      verifyBlob,
      /not by this key/,
    )
  })
  test('an old bundle, with certificate and signature beside it', async () => {
    const words = [
      ...KEYLESS,
      '--signing-config',
      'config-v1.json',
      '--new-bundle-format=false',
      '--bundle',
      'old.json',
      '--output-signature',
      'o.sig',
      '--output-certificate',
      'o.crt',
      'a.txt',
    ]
    const { host } = succeeded(await bench.run(signBlob, words))
    assert.ok('base64Signature' in (JSON.parse(new TextDecoder().decode(host.content('old.json'))) as object))
    succeeded(await bench.run(verifyBlob, [...anyone, '--bundle', 'old.json', 'a.txt']))
    await refused([...anyone, '--bundle', 'old.json', 'b.txt'], verifyBlob, /^Error: /m)
    await refused(
      [
        '--certificate-identity',
        'bob@example.com',
        '--certificate-oidc-issuer',
        bench.issuer,
        '--trusted-root',
        'root.json',
        '--bundle',
        'old.json',
        'a.txt',
      ],
      verifyBlob,
      /allowed identity/,
    )
  })
})

describe('one changed byte anywhere is refused', () => {
  test('in any string of the bundle', async () => {
    const { host } = succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'whole.json', 'a.txt']))
    const text = new TextDecoder().decode(host.content('whole.json'))
    // The id of a Rekor v2 is only a hint: its log is found by name and key of the checkpoint.
    const strings = [...text.matchAll(/(?<!"keyId":)"([A-Za-z0-9+/]{24,}=*)"/g)]
    assert.ok(strings.length >= 5)
    for (const match of strings) {
      // Near the end: in the middle of a timestamp are certificates that nobody relies on.
      const at = match.index + (match[1]?.length ?? 0) - 8
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      const outcome = await bench.run(verifyBlob, [...anyone, '--bundle', 'changed.json', 'a.txt'], {
        files: { 'changed.json': changed },
      })
      assert.equal(outcome.code, 1, `changed ${String(at)}: ${outcome.stderr}`)
      assert.doesNotMatch(outcome.stderr, /Verified OK/)
    }
  })
})

describe('attestations about a file', () => {
  const SBOM = '{"components":[1,2,3]}'
  test('signed, verified, and refused for anything else', async () => {
    succeeded(
      await bench.run(
        attestBlob,
        [...KEYLESS, '--predicate', 'sbom', '--type', 'cyclonedx', '--bundle', 'att.json', 'a.txt'],
        { files: { sbom: SBOM } },
      ),
    )
    succeeded(
      await bench.run(verifyBlobAttestation, [...anyone, '--type', 'cyclonedx', '--bundle', 'att.json', 'a.txt']),
    )
    await refused([...anyone, '--type', 'spdx', '--bundle', 'att.json', 'a.txt'], verifyBlobAttestation, /another type/)
    await refused([...anyone, '--bundle', 'att.json', 'a.txt'], verifyBlobAttestation, /another type/)
    await refused(
      [...anyone, '--type', 'cyclonedx', '--bundle', 'att.json', 'b.txt'],
      verifyBlobAttestation,
      /^Error: /m,
    )
    await refused(
      [...anyone, '--type', 'cyclonedx', '--bundle', 'att.json'],
      verifyBlobAttestation,
      /a file, or --digest/,
    )
    succeeded(
      await bench.run(verifyBlobAttestation, [
        ...anyone,
        '--type',
        'cyclonedx',
        '--bundle',
        'att.json',
        '--check-claims=false',
      ]),
    )
  })
  test('what cannot be signed is refused before anybody is asked', async () => {
    bench.requests.length = 0
    await refused([...KEYLESS, '--predicate', 'missing', '--bundle', 'x', 'a.txt'], attestBlob, /missing: no such file/)
    await refused(
      [...KEYLESS, '--predicate', 'a.txt', '--type', 'cyclonedx', '--bundle', 'x', 'a.txt'],
      attestBlob,
      /invalid JSON payload/,
    )
    await refused([...KEYLESS, '--predicate', 'sbom', '--hash', 'xyz', '--bundle', 'x'], attestBlob, /--hash/)
    await refused([...KEYLESS, '--statement', 'sbom', '--bundle', 'x'], attestBlob, /statement/)
    await refused([...KEYLESS, '--predicate', 'sbom', 'a.txt'], attestBlob, /--bundle/)
    assert.deepEqual(bench.requests, [])
  })
})

describe('key pairs', () => {
  test('a pair is written, private and public as they should be', async () => {
    const { host, stderr } = await bench.run(generate, ['--output-key-prefix', 'fresh'])
    assert.deepEqual([host.modes.get('fresh.key'), host.modes.get('fresh.pub')], [0o600, 0o644])
    assert.equal(stderr, 'Private key written to fresh.key\nPublic key written to fresh.pub\n')
    assert.match(new TextDecoder().decode(host.content('fresh.key')), /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----/)
    const shown = succeeded(await bench.run(publicKey, ['--key', 'fresh.key']))
    assert.equal(shown.stdout, new TextDecoder().decode(host.content('fresh.pub')))
  })
  test('an existing key is replaced only after a yes', async () => {
    for (const [stdin, code] of [
      ['', 1],
      ['n\n', 1],
      ['maybe\n', 1],
      ['y\n', 0],
    ] as const) {
      assert.equal((await bench.run(generate, ['--output-key-prefix', 'fresh'], { stdin })).code, code, stdin)
    }
    succeeded(await bench.run(generate, ['--output-key-prefix', 'fresh', '--yes']))
  })
  test('two different passwords, the wrong one, none', async () => {
    const typed = { tty: true, environment: { COSIGN_PASSWORD: undefined } }
    const mismatch = await bench.run(generate, ['--output-key-prefix', 'typed'], { ...typed, secrets: ['one', 'two'] })
    assert.equal(mismatch.code, 1)
    assert.match(mismatch.stderr, /passwords do not match/)
    succeeded(await bench.run(generate, ['--output-key-prefix', 'typed'], { ...typed, secrets: ['one', 'one'] }))
    for (const secrets of [['two'], []]) {
      const outcome = await bench.run(publicKey, ['--key', 'typed.key'], { ...typed, secrets })
      assert.equal(outcome.code, 1)
      assert.doesNotMatch(outcome.stderr, /two/)
    }
  })
  test('an OpenSSL key is imported; what is no key is refused', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const pem = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    succeeded(await bench.run(importKey, ['--key', 'ec.pem'], { files: { 'ec.pem': pem.privateKey } }))
    assert.equal(succeeded(await bench.run(publicKey, ['--key', 'import-cosign.key'])).stdout, pem.publicKey)
    for (const words of [[], ['--key', 'a.txt'], ['--key', 'nowhere'], ['--key', 'cosign.pub']]) {
      assert.equal((await bench.run(importKey, [...words, '-o', 'never'])).code, 1)
    }
  })
})

describe('what would be ignored is refused', () => {
  for (const words of [['--sct', 'x'], ['--signature-digest-algorithm', 'sha512'], ['--sk']]) {
    test(words.join(' '), async () => {
      await refused([...anyone, ...words, '--bundle', 'out.json', 'a.txt'], verifyBlob, /^Error: /m)
    })
  }
  test('variables do not change a trusted root that was given', async () => {
    succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'out.json', 'a.txt']))
    const environment = { SIGSTORE_ROOT_FILE: 'nowhere.pem', SIGSTORE_REKOR_PUBLIC_KEY: 'nowhere.pub' }
    succeeded(await bench.run(verifyBlob, [...anyone, '--bundle', 'out.json', 'a.txt'], { environment }))
  })
  test('a bundle beside the file is found', async () => {
    succeeded(await bench.run(signBlob, [...KEYLESS, 'a.txt']))
    succeeded(await bench.run(verifyBlob, [...anyone, 'a.txt']))
    await refused([...anyone, 'nothing-beside.txt'], verifyBlob, /--bundle/)
  })
})

describe('what a signature is written with', () => {
  test('a chain beside one’s own key goes in, and it is said who will not read it', async () => {
    const pem = ({ certificate }: TestCertificate): string => encodePem('CERTIFICATE', certificate.der)
    const root = await issueCertificate(rootSpec())
    const intermediate = await issueCertificate(intermediateSpec(), root)
    const leaf = await issueCertificate(leafSpec(), intermediate)
    const files = {
      'own.key': privateKeyToPem(leaf.key),
      'own.crt': pem(leaf),
      'above.crt': pem(intermediate) + pem(root),
    }
    const own = ['--key', 'own.key', '--certificate', 'own.crt', ...NO_LOG, '--bundle', 'own.json']
    const chained = await bench.run(signBlob, [...own, '--certificate-chain', 'above.crt', 'a.txt'], { files })
    assert.match(succeeded(chained).stderr, /WARNING: the bundle holds a certificate chain/)
    const verifying = [...anyone, '--insecure-ignore-tlog', '--bundle', 'own.json', 'a.txt']
    await refused(verifying, verifyBlob, /--allow-certificate-chain/)
    await refused([...verifying, '--allow-certificate-chain'], verifyBlob, /^Error: (?!.*0\.3)/m)
    assert.doesNotMatch(succeeded(await bench.run(signBlob, [...own, 'a.txt'])).stderr, /WARNING: the bundle/)
  })
  test('outputs that there is nothing for are told of', async () => {
    const words = ['--output-certificate', 'no.crt', '--rfc3161-timestamp', 'no.tsr', '--bundle', 'out.json', 'a.txt']
    const { stderr, host } = succeeded(await bench.run(signBlob, ['--key', 'cosign.key', ...NO_LOG, ...words]))
    assert.match(stderr, /no certificate to write to no\.crt/)
    assert.match(stderr, /no timestamp to write to no\.tsr/)
    assert.ok(!host.paths().includes('no.crt'))
  })
})
