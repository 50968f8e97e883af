/** Bundles made out of old material, and old bundles brought up to date. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attestBlob } from './attest-blob.js'
import { command as create } from './bundle-create.js'
import { command as upgrade } from './bundle-upgrade.js'
import { command as generate } from './generate-key-pair.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyBlobAttestation } from './verify-blob-attestation.js'
import { command as verifyBlob } from './verify-blob.js'

let bench: SigningBench
let ann: readonly string[]

const SERVICES = ['--signing-config', 'config-v1.json', '--trusted-root', 'root.json', '-y']
const KEYLESS = [...SERVICES, '--identity-token', 'token']
const OLD = '--new-bundle-format=false'

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

/** With `-d` the code of an error is told. */
function codeOf({ stderr }: Outcome): string | undefined {
  return /^ {2}code: +(\w+)$/m.exec(stderr)?.[1]
}

interface BundleJson {
  mediaType: string
  verificationMaterial: {
    certificate?: { rawBytes: string }
    x509CertificateChain?: { certificates: { rawBytes: string }[] }
    tlogEntries: { inclusionProof?: unknown; logIndex: string; inclusionPromise?: unknown; canonicalizedBody: string }[]
  }
}

function fileText(name: string): string {
  return new TextDecoder().decode(bytesOf(bench.files()[name]))
}

function bytesOf(content: string | Uint8Array | undefined): Uint8Array {
  assert.ok(content !== undefined)
  return typeof content === 'string' ? encodeUtf8(content) : content
}

function parsed(text: string): BundleJson {
  return JSON.parse(text) as BundleJson
}

async function refused(
  words: readonly string[],
  code: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const outcome = await bench.run(create, ['-d', ...words, '--out', 'refused.json'], { files })
  assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
  assert.equal(codeOf(outcome), code, outcome.stderr)
  assert.equal('refused.json' in bench.files(), false, 'nothing is written')
}

before(async () => {
  bench = await openSigningBench()
  ann = [
    '--certificate-identity',
    'ann@example.com',
    '--certificate-oidc-issuer',
    bench.issuer,
    '--trusted-root',
    'root.json',
  ]
  await bench.run(generate, [])
  await bench.run(generate, ['--output-key-prefix', 'second'])
  const files = { blob: 'a blob', another: 'another blob', predicate: '{"a":1}' }
  const parts = ['--output-signature', 'b.sig', '--output-certificate', 'b.crt']
  succeeded(await bench.run(signBlob, [...KEYLESS, OLD, ...parts, '--bundle', 'b.old', 'blob'], { files }))
  const others = ['--output-signature', 'o.sig', '--output-certificate', 'o.crt']
  succeeded(await bench.run(signBlob, [...KEYLESS, OLD, ...others, '--bundle', 'o.old', 'another']))
  const keyed = ['--key', 'cosign.key', '--output-signature', 'k.sig', '--bundle', 'k.old']
  succeeded(await bench.run(signBlob, [...SERVICES, OLD, ...keyed, 'blob']))
  const unlogged = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
  succeeded(await bench.run(signBlob, [...unlogged, OLD, '--output-signature', 'u.sig', 'another']))
  const envelope = ['--output-signature', 'e.sig', '--output-certificate', 'e.crt', '--predicate', 'predicate']
  succeeded(await bench.run(attestBlob, [...KEYLESS, OLD, ...envelope, 'blob']))
  const stamped = ['--output-signature', 't.sig', '--output-certificate', 't.crt', '--rfc3161-timestamp', 't.tsr']
  succeeded(await bench.run(signBlob, [...KEYLESS, OLD, ...stamped, 'blob']))
  succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'new.json', 'blob']))
})

function online(): readonly string[] {
  return ['--rekor-url', bench.sigstore.url]
}

describe('bundle create', () => {
  const rooted = ['--trusted-root', 'root.json']
  const ways: readonly (readonly [what: string, words: readonly string[], by: () => readonly string[]])[] = [
    ['signature and certificate', ['--signature', 'b.sig', '--certificate', 'b.crt'], () => ann],
    ['an old bundle with a certificate', ['--bundle', 'b.old'], () => ann],
    ['an old bundle by a key', ['--bundle', 'k.old', '--key', 'cosign.pub'], () => ['--key', 'cosign.pub', ...rooted]],
    ['a signature by a key', ['--signature', 'k.sig', '--key', 'cosign.pub'], () => ['--key', 'cosign.pub', ...rooted]],
  ]
  for (const [what, words, by] of ways) {
    for (const root of [[], rooted]) {
      test(`${what}${root.length > 0 ? ', verified against a root' : ''}: verifies as a bundle, offline`, async () => {
        const made = await bench.run(create, [
          '--artifact',
          'blob',
          ...words,
          ...online(),
          ...root,
          '--out',
          'made.json',
        ])
        assert.equal(succeeded(made).stdout, '')
        assert.equal(made.host.modes.get('made.json'), 0o600)
        const { mediaType, verificationMaterial } = parsed(fileText('made.json'))
        assert.equal(mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json')
        assert.ok(verificationMaterial.tlogEntries[0]?.inclusionProof !== undefined)
        bench.requests.length = 0
        succeeded(await bench.run(verifyBlob, [...by(), '--bundle', 'made.json', 'blob']))
        assert.deepEqual(bench.requests, [])
        assert.equal((await bench.run(verifyBlob, [...by(), '--bundle', 'made.json', 'another'])).code, 1)
      })
    }
  }

  test('prints the bundle where no file is named, and writes none', async () => {
    const { stdout } = succeeded(await bench.run(create, ['--artifact', 'blob', '--bundle', 'b.old', ...online()]))
    assert.match(stdout, /^\{"mediaType":.*\}\n$/)
  })

  for (const words of [
    ['--signature', 'e.sig'],
    ['--attestation', 'e.sig'],
    ['--attestation', 'e.sig', '--signature', 'e.sig'],
  ]) {
    test(`an envelope: ${words.join(' ')}`, async () => {
      const given = ['--artifact', 'blob', ...words, '--certificate', 'e.crt', ...rooted, ...online()]
      succeeded(await bench.run(create, [...given, '--out', 'att.json']))
      succeeded(await bench.run(verifyBlobAttestation, [...ann, '--bundle', 'att.json', 'blob']))
    })
  }

  test('a timestamp goes along', async () => {
    const given = ['--signature', 't.sig', '--certificate', 't.crt', '--rfc3161-timestamp', 't.tsr']
    succeeded(
      await bench.run(create, ['--artifact', 'blob', ...given, ...rooted, ...online(), '--out', 'stamped.json']),
    )
    succeeded(await bench.run(verifyBlob, [...ann, '--use-signed-timestamps', '--bundle', 'stamped.json', 'blob']))
    assert.equal(
      (await bench.run(verifyBlob, [...ann, '--use-signed-timestamps', '--bundle', 'stamped.json', 'another'])).code,
      1,
    )
  })

  test('what was never logged', async () => {
    const given = ['--artifact', 'another', '--signature', 'u.sig', '--key', 'cosign.pub']
    bench.requests.length = 0
    succeeded(await bench.run(create, [...given, '--ignore-tlog', '--out', 'unlogged.json']))
    assert.deepEqual(bench.requests, [])
    succeeded(
      await bench.run(verifyBlob, [
        '--key',
        'cosign.pub',
        '--insecure-ignore-tlog',
        '--bundle',
        'unlogged.json',
        'another',
      ]),
    )
    await refused([...given, ...online()], 'VERIFY_LOG_THRESHOLD')
  })

  const parts = ['--signature', 'b.sig', '--certificate', 'b.crt']
  const cases: readonly (readonly [what: string, words: readonly string[], code: string])[] = [
    ['another artifact', ['--artifact', 'another', ...parts], 'VERIFY_SIGNATURE'],
    ['another artifact of a bundle', ['--artifact', 'another', '--bundle', 'b.old'], 'VERIFY_SIGNATURE'],
    [
      'another signer’s certificate',
      ['--artifact', 'blob', '--signature', 'b.sig', '--certificate', 'o.crt'],
      'VERIFY_SIGNATURE',
    ],
    ['another key', ['--artifact', 'blob', '--signature', 'k.sig', '--key', 'second.pub'], 'VERIFY_SIGNATURE'],
    [
      'another key than the bundle has',
      ['--artifact', 'blob', '--bundle', 'k.old', '--key', 'second.pub'],
      'CLI_INPUT',
    ],
    [
      'an attestation about something else',
      ['--artifact', 'another', '--attestation', 'e.sig', '--certificate', 'e.crt'],
      'VERIFY_SUBJECT',
    ],
    [
      'an attestation with another signature',
      ['--artifact', 'blob', '--attestation', 'e.sig', '--signature', 'b.sig', '--certificate', 'e.crt'],
      'CLI_INPUT',
    ],
    ['a signature alone', ['--artifact', 'blob', '--signature', 'b.sig'], 'USAGE_FLAG_MISSING'],
    ['a key beside a certificate', ['--artifact', 'blob', ...parts, '--key', 'cosign.pub'], 'USAGE_FLAG_CONFLICT'],
    [
      'a key for a bundle with a certificate',
      ['--artifact', 'blob', '--bundle', 'b.old', '--key', 'cosign.pub'],
      'VERIFY_SIGNATURE',
    ],
    [
      'a bundle and a signature',
      ['--artifact', 'blob', '--bundle', 'b.old', '--signature', 'b.sig'],
      'USAGE_FLAG_CONFLICT',
    ],
    [
      'a bundle and a certificate',
      ['--artifact', 'blob', '--bundle', 'b.old', '--certificate', 'b.crt'],
      'USAGE_FLAG_CONFLICT',
    ],
    ['a bundle of today', ['--artifact', 'blob', '--bundle', 'new.json'], 'CLI_INPUT'],
    [
      'an entry that would be lost',
      ['--artifact', 'blob', '--bundle', 'b.old', '--ignore-tlog'],
      'USAGE_FLAG_CONFLICT',
    ],
    ['no artifact', parts, 'USAGE_FLAG_MISSING'],
    ['no signature', ['--artifact', 'blob', '--key', 'cosign.pub'], 'USAGE_FLAG_MISSING'],
    [
      'a timestamp that is none',
      ['--artifact', 'blob', ...parts, '--rfc3161-timestamp', 'blob'],
      'TIMESTAMP_MALFORMED',
    ],
    [
      'an attestation that is none',
      ['--artifact', 'blob', '--attestation', 'predicate', '--key', 'cosign.pub'],
      'DSSE_MALFORMED',
    ],
    [
      'a signature that is not there',
      ['--artifact', 'blob', '--signature', 'nowhere', '--key', 'cosign.pub'],
      'CLI_FILE_MISSING',
    ],
    [
      'the timestamp of another signature',
      ['--artifact', 'blob', ...parts, '--rfc3161-timestamp', 't.tsr'],
      'VERIFY_TIMESTAMP',
    ],
    ['a hardware key', ['--artifact', 'blob', '--signature', 'b.sig', '--sk'], 'CLI_UNSUPPORTED'],
  ]
  for (const [what, words, code] of cases) {
    test(`refuses ${what}`, async () => {
      await refused([...words, ...online()], code)
    })
  }

  test('refuses an old bundle with the entry of another, before anybody is asked', async () => {
    const ours = JSON.parse(fileText('b.old')) as Record<string, unknown>
    const theirs = JSON.parse(fileText('o.old')) as Record<string, unknown>
    const mixed = JSON.stringify({ ...ours, rekorBundle: theirs['rekorBundle'] })
    await refused(['--artifact', 'blob', '--bundle', 'mixed', ...online()], 'VERIFY_LOG_ENTRY_MISMATCH', { mixed })
  })

  test('refuses an old bundle whose entry was changed', async () => {
    const old = JSON.parse(fileText('b.old')) as { rekorBundle: { Payload: Record<string, unknown> } }
    old.rekorBundle.Payload['integratedTime'] = Number(old.rekorBundle.Payload['integratedTime']) + 1
    await refused(['--artifact', 'blob', '--bundle', 'changed', ...online()], 'VERIFY_LOG_ENTRY_MISMATCH', {
      changed: JSON.stringify(old),
    })
  })

  test('refuses what another Sigstore signed, if a root is given', async () => {
    const stranger = await openSigningBench()
    const root = fileText('root.json')
    const made = await stranger.run(
      signBlob,
      [...KEYLESS, OLD, '--output-signature', 's.sig', '--output-certificate', 's.crt', 'blob'],
      { files: { blob: 'a blob' } },
    )
    succeeded(made)
    const words = [
      '--artifact',
      'blob',
      '--signature',
      's.sig',
      '--certificate',
      's.crt',
      '--rekor-url',
      stranger.sigstore.url,
    ]
    succeeded(await stranger.run(create, [...words, '--trusted-root', 'root.json', '--out', 'own.json']))
    const { stderr } = succeeded(await stranger.run(create, [...words, '--out', 'untrusted.json']))
    assert.match(stderr, /for the verifier to say/)
    const outcome = await stranger.run(
      create,
      [...words, '--trusted-root', 'strange.json', '--out', 'strange-out.json'],
      {
        files: { 'strange.json': root },
      },
    )
    assert.equal(outcome.code, 1, outcome.stderr)
    assert.equal('strange-out.json' in stranger.files(), false)
  })

  test('refuses a certificate that nothing gives a time for and that has expired', async () => {
    const words = ['--artifact', 'blob', ...parts, '--ignore-tlog']
    succeeded(await bench.run(create, [...words, '--out', 'fresh.json']))
    const later = bench.sigstore.clock() + 86_400_000
    const outcome = await bench.run(create, ['-d', ...words, '--out', 'late.json'], { now: later })
    assert.equal(outcome.code, 1)
    assert.equal(codeOf(outcome), 'VERIFY_CERTIFICATE_TIME', outcome.stderr)
    assert.equal('late.json' in bench.files(), false)
  })

  test('tells no log what was signed that was not named', async () => {
    bench.requests.length = 0
    await refused(['--artifact', 'blob', ...parts], 'USAGE_FLAG_MISSING')
    assert.deepEqual(bench.requests, [])
  })

  test('refuses an address where there is no log', async () => {
    await refused(['--artifact', 'blob', ...parts, '--rekor-url', `${bench.sigstore.url}/nowhere`], 'REKOR_NOT_FOUND')
  })
})

describe('bundle upgrade', () => {
  /** The new bundle as an older version would have been: no proof, a chain, the old type. */
  function older(version: '0.1' | '0.2'): BundleJson {
    const bundle = parsed(fileText('new.json'))
    const { verificationMaterial: material } = bundle
    const leaf = material.certificate
    assert.ok(leaf !== undefined)
    delete material.certificate
    material.x509CertificateChain = { certificates: [leaf] }
    if (version === '0.1') for (const entry of material.tlogEntries) delete entry.inclusionProof
    bundle.mediaType = `application/vnd.dev.sigstore.bundle+json;version=${version}`
    return bundle
  }

  for (const version of ['0.1', '0.2'] as const) {
    test(`version ${version} becomes what was made as 0.3`, async () => {
      const files = { 'older.json': JSON.stringify(older(version)) }
      bench.requests.length = 0
      succeeded(await bench.run(upgrade, ['older.json', ...online(), '--out', 'upgraded.json'], { files }))
      assert.equal(bench.requests.length, version === '0.1' ? 1 : 0)
      const upgraded = parsed(fileText('upgraded.json'))
      const original = parsed(fileText('new.json'))
      assert.deepEqual(
        { ...upgraded, verificationMaterial: { ...upgraded.verificationMaterial, tlogEntries: [] } },
        { ...original, verificationMaterial: { ...original.verificationMaterial, tlogEntries: [] } },
      )
      succeeded(await bench.run(verifyBlob, [...ann, '--bundle', 'upgraded.json', 'blob']))
    })
  }

  test('version 0.3 stays as it is, to standard output too', async () => {
    bench.requests.length = 0
    const { stdout, stderr } = succeeded(await bench.run(upgrade, ['new.json']))
    assert.equal(stdout, `${fileText('new.json')}\n`)
    assert.match(stderr, /already at v0\.3/)
    assert.deepEqual(bench.requests, [])
  })

  test('takes standard input', async () => {
    const { stdout } = succeeded(await bench.run(upgrade, ['-', ...online()], { stdin: JSON.stringify(older('0.1')) }))
    assert.equal(parsed(stdout).mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json')
  })

  const DAMAGES: readonly (readonly [what: string, damage: (bundle: BundleJson) => void, code: string])[] = [
    [
      'an index of another entry',
      (bundle) => (bundle.verificationMaterial.tlogEntries[0]!.logIndex = '0'),
      'VERIFY_LOG_ENTRY_MISMATCH',
    ],
    [
      'an index that the log has not',
      (bundle) => (bundle.verificationMaterial.tlogEntries[0]!.logIndex = '99999'),
      'REKOR_NOT_FOUND',
    ],
    [
      'another body',
      (bundle) => {
        const entry = bundle.verificationMaterial.tlogEntries[0]!
        const body = new TextDecoder().decode(decodeBase64(entry.canonicalizedBody))
        entry.canonicalizedBody = encodeBase64(encodeUtf8(body.replace('}}}', '} }}')))
      },
      'VERIFY_LOG_ENTRY_MISMATCH',
    ],
    [
      'no promise',
      (bundle) => delete bundle.verificationMaterial.tlogEntries[0]!.inclusionPromise,
      'BUNDLE_INCLUSION_PROMISE',
    ],
    [
      'an unknown version',
      (bundle) => (bundle.mediaType = bundle.mediaType.replace('0.1', '0.9')),
      'BUNDLE_MEDIA_TYPE',
    ],
  ]
  for (const [what, damage, code] of DAMAGES) {
    test(`refuses ${what}`, async () => {
      const bundle = older('0.1')
      damage(bundle)
      const files = { 'damaged.json': JSON.stringify(bundle) }
      const outcome = await bench.run(upgrade, ['-d', 'damaged.json', ...online(), '--out', 'repaired.json'], { files })
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
      assert.equal(codeOf(outcome), code, outcome.stderr)
      assert.equal('repaired.json' in bench.files(), false)
    })
  }

  test('refuses a 0.2 bundle whose proof is for something else', async () => {
    const bundle = older('0.2')
    const entry = bundle.verificationMaterial.tlogEntries[0] as {
      inclusionProof: { logIndex: string; hashes: string[] }
    }
    entry.inclusionProof.hashes = entry.inclusionProof.hashes.map(() => encodeBase64(new Uint8Array(32)))
    const files = { 'damaged.json': JSON.stringify(bundle) }
    const outcome = await bench.run(upgrade, ['-d', 'damaged.json', '--out', 'repaired.json'], { files })
    assert.equal(outcome.code, 1, outcome.stderr)
    assert.equal('repaired.json' in bench.files(), false)
  })

  test('refuses an old bundle of cosign, and no bundle', async () => {
    for (const file of ['b.old', 'blob']) assert.equal((await bench.run(upgrade, [file])).code, 1)
  })
})
