import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { HttpError } from '#clients/http/http-error'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attest } from './attest.js'
import { command as downloadAttestation } from './download-attestation.js'
import { command as downloadSignature } from './download-signature.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'
import { command as tree } from './tree.js'
import { command as verifyAttestation } from './verify-attestation.js'
import { command as verify } from './verify.js'

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
  await bench.run(generate, [])
  await bench.run(generate, ['--output-key-prefix', 'other'])
})

const KEYLESS = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
const KEYLESS_V1 = [
  '--signing-config',
  'config-v1.json',
  '--trusted-root',
  'root.json',
  '--identity-token',
  'token',
  '-y',
]
const KEY = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
const WITH_KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

interface Item {
  readonly optional: Readonly<Record<string, unknown>>
  readonly identity: Readonly<Record<string, unknown>>
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function parsed(outcome: Outcome): readonly Item[] {
  return JSON.parse(outcome.stdout) as readonly Item[]
}

function errorCode(outcome: Outcome): string {
  return (JSON.parse(outcome.stdout) as { error: { code: string } }).error.code
}

describe('signing and verifying an image', () => {
  const ways: readonly { name: string; flags: readonly string[]; keyed?: true }[] = [
    { name: 'keyless, bundle, Rekor v2', flags: KEYLESS },
    { name: 'keyless, bundle, Rekor v1', flags: KEYLESS_V1 },
    { name: 'keyless, old format', flags: [...KEYLESS_V1, '--new-bundle-format=false'] },
    { name: 'keyless, both formats', flags: [...KEYLESS_V1, '--both-formats'] },
    { name: 'keyless, no log but a timestamp', flags: [...KEYLESS, '--signing-config', 'config-nolog.json'] },
    { name: 'key, bundle', flags: KEY, keyed: true },
    { name: 'key, old format', flags: [...KEY, '--new-bundle-format=false'], keyed: true },
    {
      name: 'key, logged',
      flags: ['--key', 'cosign.key', '--signing-config', 'config.json', '--trusted-root', 'root.json', '-y'],
      keyed: true,
    },
  ]
  for (const { name, flags, keyed } of ways) {
    test(name, async () => {
      const image = await bench.pushImage('way')
      const signed = succeeded(await bench.run(sign, [...flags, '-a', 'commit=abc', image]))
      assert.equal(signed.stdout, '', 'standard output of sign stays empty')
      assert.match(signed.stderr, /Pushing signature to: localhost:8080\/way\n/)
      const unlogged = name.includes('no log') ? ['--insecure-ignore-tlog'] : []
      const verified = succeeded(
        await bench.run(verify, [...(keyed ? WITH_KEY : anyone), ...unlogged, '-a', 'commit=abc', image]),
      )
      for (const item of parsed(verified)) {
        assert.equal(item.optional['commit'], 'abc')
        if (keyed !== true) assert.equal(item.identity['subject'], 'ann@example.com')
      }
      for (const [what, words, code] of [
        [
          'another identity',
          [
            '--certificate-identity',
            'bob@example.com',
            '--certificate-oidc-issuer',
            bench.issuer,
            '--trusted-root',
            'root.json',
            ...unlogged,
          ],
          keyed ? 13 : 12,
        ],
        [
          'another issuer',
          [
            '--certificate-identity',
            'ann@example.com',
            '--certificate-oidc-issuer',
            'https://else.example',
            '--trusted-root',
            'root.json',
            ...unlogged,
          ],
          keyed ? 13 : 12,
        ],
        ['another key', ['--key', 'other.pub', '--insecure-ignore-tlog'], 12],
        ['another annotation', [...(keyed ? WITH_KEY : anyone), ...unlogged, '-a', 'commit=xyz'], 12],
      ] as const) {
        const refused = await bench.run(verify, [...words, image])
        assert.deepEqual([refused.code, refused.stdout], [code, ''], `${what}: ${refused.stderr}`)
      }
    })
  }

  test('sign tells as whom, the log index and the entry’s address', async () => {
    const { stderr } = succeeded(await bench.run(sign, [...KEYLESS, await bench.pushImage('told')]))
    assert.ok(stderr.includes(`Signing as ann@example.com, vouched for by ${bench.issuer}\n`), stderr)
    assert.match(
      stderr,
      /tlog entry created with index: \d+\n {2}http:\/\/localhost:8080\/api\/v2\/tile\/entries\/\S+\n/,
    )
  })

  test('a tag gets a warning and what is signed is the digest', async () => {
    const image = await bench.pushImage('tagged')
    const { stderr } = succeeded(await bench.run(sign, [...KEYLESS, 'localhost:8080/tagged:latest']))
    assert.match(stderr, /WARNING: Image reference localhost:8080\/tagged:latest uses a tag/)
    assert.ok(stderr.includes(image.slice(image.indexOf('@'))))
    succeeded(await bench.run(verify, [...anyone, image]))
  })

  test('the signature of another image is none of this one', async () => {
    const [one, two] = [await bench.pushImage('pair'), await bench.pushImage('pair')]
    succeeded(await bench.run(sign, [...KEYLESS, one]))
    assert.equal((await bench.run(verify, [...anyone, two])).code, 10)
  })
})

describe('one session for many digests', () => {
  test('an index and all in it: one certificate, a signature each', async () => {
    const images = await Promise.all([bench.pushImage('multi'), bench.pushImage('multi')])
    const index = await bench.pushIndex('multi', images)
    bench.requests.length = 0
    succeeded(await bench.run(sign, [...KEYLESS, '--recursive', index]))
    assert.equal(bench.requests.filter((request) => request === 'POST /api/v2/signingCert').length, 1)
    for (const image of [index, ...images]) succeeded(await bench.run(verify, [...anyone, image]))
  })

  test('one bundle file for several images is refused before anything is signed', async () => {
    const images = await Promise.all([bench.pushImage('bundles'), bench.pushImage('bundles')])
    bench.requests.length = 0
    const { code } = await bench.run(sign, [...KEYLESS, '--bundle', 'out.json', ...images])
    assert.equal(code, 1)
    assert.ok(!bench.requests.includes('POST /api/v2/signingCert'))
  })

  test('a name that does not resolve leaves nothing signed', async () => {
    const image = await bench.pushImage('half')
    assert.equal((await bench.run(sign, [...KEYLESS, image, 'localhost:8080/half:missing'])).code, 11)
    assert.equal((await bench.run(verify, [...anyone, image])).code, 10)
  })
})

describe('exit codes and errors of verify', () => {
  test('10: nothing is attached', async () => {
    const outcome = await bench.run(verify, [...anyone, '--output', 'json', await bench.pushImage('bare')])
    assert.deepEqual([outcome.code, errorCode(outcome)], [10, 'VERDICT_NO_SIGNATURE'])
  })
  test('11: there is no such tag', async () => {
    assert.equal((await bench.run(verify, [...anyone, 'localhost:8080/bare:missing'])).code, 11)
  })
  test('12 with the report of every check, when it is asked for', async () => {
    const image = await bench.pushImage('report')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
    const outcome = await bench.run(verify, [
      '--certificate-identity',
      'bob@example.com',
      '--certificate-oidc-issuer',
      bench.issuer,
      '--trusted-root',
      'root.json',
      '--output',
      'json',
      image,
    ])
    const document = JSON.parse(outcome.stdout) as {
      error: { code: string; found: string }
      report: { code: string; report: { name: string; status: string }[] }[]
    }
    assert.equal(outcome.code, 12)
    assert.match(document.error.found, /ann@example\.com/)
    assert.equal(document.report[0]?.code, 'VERIFY_IDENTITY')
    assert.ok(document.report[0].report.some(({ name, status }) => name === 'identity' && status === 'failed'))
  })
  test('an attestation is no signature on the image', async () => {
    const image = await bench.pushImage('attested')
    succeeded(
      await bench.run(attest, [...KEYLESS, '--type', 'cyclonedx', '--predicate', 'sbom', image], {
        files: { sbom: '{"components":[]}' },
      }),
    )
    const outcome = await bench.run(verify, [...anyone, image])
    assert.deepEqual([outcome.code, outcome.stdout], [10, ''])
  })
  for (const words of [
    [],
    ['--certificate-identity', 'a'],
    ['--certificate-oidc-issuer', 'https://i'],
    ['--key', 'cosign.pub', '--certificate-identity', 'a', '--certificate-oidc-issuer', 'https://i'],
    ['--certificate-identity', 'a', '--certificate-identity-regexp', 'b', '--certificate-oidc-issuer', 'https://i'],
    [
      '--certificate-identity',
      'a',
      '--certificate-identity',
      'b',
      '--certificate-identity',
      'c',
      '--certificate-oidc-issuer',
      'https://i',
      '--certificate-oidc-issuer',
      'https://j',
    ],
    ['--certificate-identity-regexp', '(', '--certificate-oidc-issuer', 'https://i'],
    ['--certificate-identity', '', '--certificate-oidc-issuer', 'https://i'],
    ['--certificate-identity=', '--certificate-oidc-issuer='],
    ['--certificate-identity', 'a', '--certificate-oidc-issuer-regexp', ''],
    ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'https://i', '--certificate-extension', 'no-such=x'],
    ['--key', 'missing.pub'],
    ['--key', 'cosign.key'],
    ['--key', 'awskms://alias/x'],
    ['--key', 'env://NOT_SET'],
  ]) {
    test(`refuses: ${words.join(' ') || '(no policy)'}`, async () => {
      const outcome = await bench.run(verify, [...words, 'localhost:8080/bare:latest'])
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''])
      assert.match(outcome.stderr, /^Error: /m)
    })
  }
})

describe('the registry is asked before everything else is ready', () => {
  const gone = (): Promise<never> => Promise.reject(new HttpError('HTTP_CONNECT', 'nobody there'))
  const image = `localhost:8080/gone@sha256:${'0'.repeat(64)}`
  for (const [name, command] of [
    ['verify', verify],
    ['verify-attestation', verifyAttestation],
  ] as const) {
    test(`${name}: one that cannot be reached is told of`, async () => {
      const outcome = await bench.run(command, [...anyone, '--output', 'json', image], { fetch: gone })
      assert.deepEqual([outcome.code, errorCode(outcome)], [1, 'HTTP_CONNECT'])
    })
    test(`${name}: flags that are wrong are told of first`, async () => {
      const words = [...anyone, '--output', 'json', '--key', 'cosign.pub', image]
      const outcome = await bench.run(command, words, { fetch: gone })
      assert.deepEqual([outcome.code, errorCode(outcome)], [1, 'USAGE_FLAG_CONFLICT'])
    })
    test(`${name}: an image by digest has its two lists asked for at once, and once`, async () => {
      const asked: string[] = []
      const fetch = (url: string): Promise<never> => {
        asked.push(new URL(url).pathname.replace(/[0-9a-f]{64}/, '…'))
        return gone()
      }
      await bench.run(command, [...anyone, image.replace('localhost', 'registry.example')], { fetch })
      const tag = name === 'verify' ? 'sig' : 'att'
      assert.deepEqual(asked, ['/v2/gone/referrers/sha256:…', `/v2/gone/manifests/sha256-….${tag}`])
    })
  }
})

describe('identity flags', () => {
  let image: string
  before(async () => {
    image = await bench.pushImage('who')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
  })
  const accepted = (): readonly (readonly string[])[] => [
    [
      '--certificate-identity',
      'bob@example.com',
      '--certificate-identity',
      'ann@example.com',
      '--certificate-oidc-issuer',
      bench.issuer,
    ],
    [
      '--certificate-identity',
      'bob@example.com',
      '--certificate-identity',
      'ann@example.com',
      '--certificate-oidc-issuer',
      'https://i',
      '--certificate-oidc-issuer',
      bench.issuer,
    ],
    ['--certificate-identity-regexp', '.*@example\\.com', '--certificate-oidc-issuer-regexp', 'http://localhost.*'],
    ['--cert-identity', 'ann@example.com', '--cert-oidc-issuer', bench.issuer],
  ]
  test('several identities, patterns of whole names, aliases', async () => {
    for (const words of accepted()) succeeded(await bench.run(verify, [...words, '--trusted-root', 'root.json', image]))
  })
  test('a pattern that matches a part only, a claim that is not there, a pair that does not go together', async () => {
    for (const words of [
      ['--certificate-identity-regexp', 'ann', '--certificate-oidc-issuer', bench.issuer],
      [...anyone, '--certificate-github-workflow-repository', 'o/r'],
      [...anyone, '--certificate-extension', 'source-repository-uri=https://github.com/o/r'],
      [
        '--certificate-identity',
        'ann@example.com',
        '--certificate-identity',
        'bob@example.com',
        '--certificate-oidc-issuer',
        'https://i',
        '--certificate-oidc-issuer',
        bench.issuer,
      ],
    ]) {
      assert.equal(
        (await bench.run(verify, [...words, '--trusted-root', 'root.json', image])).code,
        12,
        words.join(' '),
      )
    }
  })
})

describe('what verify says was checked is true', () => {
  test('keyless: log, timestamp, certificate, identity', async () => {
    const image = await bench.pushImage('said')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
    const { stderr } = succeeded(await bench.run(verify, [...anyone, image]))
    for (const line of [
      'transparency log was verified offline',
      'timestamp authority',
      'code-signing certificate',
      'claims were validated',
    ])
      assert.ok(stderr.includes(line), line)
    assert.ok(!stderr.includes('public key'))
    assert.ok(!stderr.includes('annotations'))
  })
  test('key without a log: no word of a log, a certificate or a timestamp', async () => {
    const image = await bench.pushImage('said')
    succeeded(await bench.run(sign, [...KEY, image]))
    const { stderr } = succeeded(await bench.run(verify, [...WITH_KEY, image]))
    const list = stderr.slice(stderr.indexOf('The following checks'))
    for (const word of ['log', 'certificate', 'timestamp']) assert.ok(!list.includes(word), list)
    assert.ok(list.includes('against the specified public key'))
  })
  test('with the log ignored, it is not said to have been looked at', async () => {
    const image = await bench.pushImage('said')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
    const { stderr } = succeeded(await bench.run(verify, [...anyone, '--insecure-ignore-tlog', image]))
    assert.ok(!stderr.includes('verified offline'))
  })
  test('--explain shows every check', async () => {
    const image = await bench.pushImage('said')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
    assert.match(
      (await bench.run(verify, [...anyone, '--explain', image])).stderr,
      /✓ The certificate names an allowed identity/,
    )
  })
  test('offline means offline: nothing but the registry is asked', async () => {
    const image = await bench.pushImage('said')
    succeeded(await bench.run(sign, [...KEYLESS, image]))
    bench.requests.length = 0
    succeeded(await bench.run(verify, [...anyone, image]))
    assert.ok(
      bench.requests.every((request) => request.includes(' /v2/')),
      bench.requests.join(),
    )
    assert.ok(bench.requests.length <= 4, `few round trips: ${bench.requests.join(', ')}`)
  })
})

describe('attestations', () => {
  const SBOM = '{"bomFormat":"CycloneDX","components":[{"name":"a"},{"name":"b"}]}'
  for (const layout of [[], ['--new-bundle-format=false']]) {
    test(`signed, verified, read back ${layout.join('')}`, async () => {
      const image = await bench.pushImage('sbom')
      succeeded(
        await bench.run(attest, [...KEYLESS_V1, ...layout, '--type', 'cyclonedx', '--predicate', 'sbom', image], {
          files: { sbom: SBOM },
        }),
      )
      const { stdout } = succeeded(await bench.run(verifyAttestation, [...anyone, '--type', 'cyclonedx', image]))
      const { payload } = JSON.parse(stdout) as { payload: string }
      const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
        predicate: { components: unknown[] }
      }
      assert.equal(statement.predicate.components.length, 2)
      assert.equal((await bench.run(verifyAttestation, [...anyone, image])).code, 12, 'the type is custom unless said')
      assert.equal((await bench.run(verifyAttestation, [...anyone, '--type', 'spdx', image])).code, 12)
      assert.equal(
        (
          await bench.run(verifyAttestation, [
            '--key',
            'other.pub',
            '--insecure-ignore-tlog',
            '--type',
            'cyclonedx',
            image,
          ])
        ).code,
        12,
      )
      const found = succeeded(await bench.run(downloadAttestation, ['--predicate-type', 'cyclonedx', image]))
      assert.equal(found.stdout.trim().split('\n').length, 1)
      assert.equal((await bench.run(downloadAttestation, ['--predicate-type', 'spdx', image])).code, 10)
    })
  }
  describe('judged by policies on what they say', () => {
    const CUE = 'predicate: {components: [...{name: "a" | "b"}]}'
    const REGO = 'package signature\nallow { count(input.predicate.components) == 2 }'
    const NONE = 'package signature\ndefault allow = false'
    let image: string
    before(async () => {
      image = await bench.pushImage('judged')
      const options = { files: { sbom: SBOM } }
      succeeded(await bench.run(attest, [...KEYLESS, '--type', 'cyclonedx', '--predicate', 'sbom', image], options))
    })
    const judged = async (files: Readonly<Record<string, string>>): Promise<Outcome> =>
      await bench.run(
        verifyAttestation,
        [...anyone, '--type', 'cyclonedx', ...Object.keys(files).flatMap((name) => ['--policy', name]), image],
        { files },
      )
    for (const [name, files] of [
      ['CUE', { 'p.cue': CUE }],
      ['Rego', { 'p.rego': REGO }],
      ['both', { 'p.cue': CUE, 'p.rego': REGO }],
      [
        'Rego of two modules',
        { 'p.rego': 'package signature\nallow { data.lib.ok }', 'q.rego': 'package lib\nok = true' },
      ],
    ] as const) {
      test(`accepted by ${name}`, async () => {
        assert.notEqual(succeeded(await judged(files)).stdout, '')
      })
    }
    for (const [name, files] of [
      ['CUE', { 'p.cue': 'predicate: components: []' }],
      ['Rego', { 'p.rego': NONE }],
      ['Rego that says nothing', { 'p.rego': 'package signature\nallow { input.predicate.nothing }' }],
      ['Rego that says something else than true', { 'p.rego': 'package signature\nallow = "yes"' }],
      ['Rego of another package', { 'p.rego': 'package other\nallow = true' }],
      ['Rego that contradicts itself', { 'p.rego': 'package signature\nallow = true\nallow = false' }],
      ['the first of two', { 'p.cue': 'predicate: components: []', 'p.rego': REGO }],
      ['the second of two', { 'p.cue': CUE, 'p.rego': NONE }],
      ['the second of one language', { 'p.cue': CUE, 'q.cue': 'predicate: components: []' }],
      ['a policy that cannot be read', { 'p.rego': 'package' }],
      ['a policy that is not supported', { 'p.rego': 'package signature\nallow { http.send({}) }' }],
      ['a policy of another language', { 'p.json': '{}' }],
    ] as const) {
      test(`refused by ${name}`, async () => {
        const outcome = await judged(files)
        assert.deepEqual([outcome.code, outcome.stdout], [1, ''])
        assert.match(outcome.stderr, /^Error: /m)
      })
    }
    test('one attestation that does not satisfy the policy fails the command', async () => {
      const options = { files: { other: '{"components":[]}' } }
      const both = await bench.pushImage('both')
      const words = [...KEYLESS, '--type', 'cyclonedx', '--predicate']
      succeeded(await bench.run(attest, [...words, 'other', both], options))
      succeeded(await bench.run(attest, [...words, 'sbom', both], { files: { sbom: SBOM } }))
      const outcome = await bench.run(
        verifyAttestation,
        [...anyone, '--type', 'cyclonedx', '--policy', 'p.rego', both],
        { files: { 'p.rego': REGO } },
      )
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''])
      assert.match(outcome.stderr, /1 validation errors occurred/)
    })
  })
  test('--decode prints the statement', async () => {
    const image = await bench.pushImage('sbom')
    succeeded(
      await bench.run(attest, [...KEYLESS, '--type', 'cyclonedx', '--predicate', 'sbom', image], {
        files: { sbom: SBOM },
      }),
    )
    const { stdout } = succeeded(
      await bench.run(verifyAttestation, [...anyone, '--type', 'cyclonedx', '--decode', image]),
    )
    assert.equal((JSON.parse(stdout) as { predicateType: string }).predicateType, 'https://cyclonedx.org/bom')
  })
  test('a statement about another image, a predicate that is not JSON, both and neither', async () => {
    const image = await bench.pushImage('sbom')
    const other = JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: '00'.repeat(32) } }],
      predicateType: 'https://x',
      predicate: {},
    })
    bench.requests.length = 0
    for (const words of [
      ['--statement', 'other'],
      ['--predicate', 'bad', '--type', 'cyclonedx'],
      ['--predicate', 'bad', '--statement', 'other'],
      [],
    ]) {
      assert.equal(
        (await bench.run(attest, [...KEYLESS, ...words, image], { files: { other, bad: 'not json' } })).code,
        1,
        words.join(' '),
      )
    }
    assert.ok(!bench.requests.includes('POST /api/v2/signingCert'))
  })
  test('nothing attached is 10', async () => {
    assert.equal((await bench.run(verifyAttestation, [...anyone, await bench.pushImage('none')])).code, 10)
  })
})

describe('what hangs on an image', () => {
  test('tree and download signature show both layouts', async () => {
    const image = await bench.pushImage('shown')
    assert.match((await bench.run(tree, [image])).stdout, /^No Supply Chain Security Related Artifacts found/)
    assert.equal((await bench.run(downloadSignature, [image])).code, 10)
    succeeded(await bench.run(sign, [...KEYLESS_V1, '--both-formats', image]))
    const { stdout } = succeeded(await bench.run(tree, [image]))
    assert.match(
      stdout,
      /🔐 Signatures for an image tag: localhost:8080\/shown:sha256-[0-9a-f]{64}\.sig\n {3}└── 🍒 sha256:/,
    )
    assert.match(
      stdout,
      /🔗 https:\/\/sigstore\.dev\/cosign\/sign\/v1 artifacts via OCI referrer: localhost:8080\/shown@sha256:/,
    )
    const lines = succeeded(await bench.run(downloadSignature, [image]))
      .stdout.trim()
      .split('\n')
    assert.deepEqual(
      lines.map((line) => ('mediaType' in (JSON.parse(line) as object) ? 'bundle' : 'old')),
      ['bundle', 'old'],
    )
  })
})

describe('what the services return is verified before anything is written', () => {
  test('a trusted root of other services', async () => {
    const other = await openSigningBench()
    const image = await bench.pushImage('foreign')
    const { serializeTrustedRoot } = await import('#formats/trusted-root/serialize')
    const outcome = await bench.run(
      sign,
      [...KEYLESS, '--trusted-root', 'foreign.json', '--bundle', 'never.json', image],
      { files: { 'foreign.json': serializeTrustedRoot(other.sigstore.trustedRoot) } },
    )
    assert.equal(outcome.code, 1)
    assert.match(outcome.stderr, /does not verify/)
    assert.ok(!outcome.host.paths().includes('never.json'))
    assert.equal((await bench.run(verify, [...anyone, image])).code, 10)
  })
  test('a token that is none is never repeated', async () => {
    const outcome = await bench.run(sign, [...KEYLESS, '--identity-token', 'bad', await bench.pushImage('bad')], {
      files: { bad: 'hunter2.hunter2' },
    })
    assert.equal(outcome.code, 1)
    assert.doesNotMatch(outcome.stderr, /hunter2/)
  })
  test('without a token and without a terminal it fails at once', async () => {
    const outcome = await bench.run(sign, [
      '--signing-config',
      'config.json',
      '--trusted-root',
      'root.json',
      '-y',
      '--oidc-disable-ambient-providers',
      await bench.pushImage('ci'),
    ])
    assert.equal(outcome.code, 1)
    assert.match(outcome.stderr, /--identity-token/)
  })
  test('addresses and a signing configuration contradict each other', async () => {
    const image = await bench.pushImage('flags')
    assert.equal((await bench.run(sign, [...KEYLESS, '--rekor-url', 'http://localhost:8080', image])).code, 1)
    assert.equal((await bench.run(sign, [...KEYLESS, '--use-signing-config', image])).code, 1)
  })
  test('addresses alone are enough', async () => {
    const url = bench.sigstore.url
    const image = await bench.pushImage('flags')
    const words = [
      '--rekor-url',
      url,
      '--fulcio-url',
      url,
      '--oidc-issuer',
      bench.issuer,
      '--trusted-root',
      'root.json',
      '--identity-token',
      'token',
      '-y',
    ]
    succeeded(await bench.run(sign, [...words, image]))
    succeeded(await bench.run(verify, [...anyone, image]))
  })
})

describe('what would be lost is refused before anything is signed', () => {
  for (const words of [
    ['--payload', 'cosign.pub'],
    ['--sign-container-identity', 'registry.example.com/app'],
    ['--upload=false'],
    ['--upload=false', '--output-payload', 'x'],
  ]) {
    test(words.join(' '), async () => {
      const image = await bench.pushImage('lost')
      bench.requests.length = 0
      const outcome = await bench.run(sign, [...KEYLESS, ...words, image])
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
      assert.deepEqual(bench.requests, [])
    })
  }
  test('with the old format beside the bundle it is not lost', async () => {
    const image = await bench.pushImage('kept')
    const name = ['--sign-container-identity', 'registry.example.com/app']
    succeeded(await bench.run(sign, [...KEYLESS_V1, '--both-formats', ...name, image]))
    const { stdout } = succeeded(await bench.run(verify, [...anyone, image]))
    assert.match(stdout, /"docker-reference":"registry\.example\.com\/app"/)
  })
})

describe('--record-creation-timestamp', () => {
  const created = async (words: readonly string[], environment = {}): Promise<unknown> => {
    const image = await bench.pushImage('dated')
    succeeded(await bench.run(sign, [...KEY, '--new-bundle-format=false', ...words, image], { environment }))
    const tag = `${image.slice(image.indexOf('@') + 1).replace(':', '-')}.sig`
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await (await bench.sigstore.fetch(`${bench.sigstore.url}/v2/dated/${path}`)).json()) as Record<string, unknown>
    const { digest } = (await get(`manifests/${tag}`))['config'] as { digest: string }
    return (await get(`blobs/${digest}`))['created']
  }
  test('says when the old format’s image was made, and only where it is asked for', async () => {
    assert.equal(await created([]), '0001-01-01T00:00:00Z')
    assert.match(String(await created(['--record-creation-timestamp'])), /^20\d\d-/)
    const reproducible = { SOURCE_DATE_EPOCH: '1700000000' }
    assert.equal(await created(['--record-creation-timestamp'], reproducible), '2023-11-14T22:13:20Z')
  })
  test('a SOURCE_DATE_EPOCH that is no time', async () => {
    const image = await bench.pushImage('dated')
    const environment = { SOURCE_DATE_EPOCH: 'yesterday' }
    const words = [...KEY, '--new-bundle-format=false', '--record-creation-timestamp', image]
    assert.equal((await bench.run(sign, words, { environment })).code, 1)
  })
})

describe('the JSON that verify prints', () => {
  test('an annotation cannot pass for what the certificate says', async () => {
    const image = await bench.pushImage('spoofed')
    const forged = [
      'githubWorkflowRepository=corp/app',
      '1.3.6.1.4.1.57264.1.12=https://github.com/corp/app',
      'Subject=eve',
    ]
    const words = [...forged, 'commit=abc'].flatMap((pair) => ['-a', pair])
    for (const format of [[], ['--new-bundle-format=false']]) {
      succeeded(await bench.run(sign, [...KEYLESS_V1, ...format, ...words, image]))
    }
    const items = parsed(succeeded(await bench.run(verify, [...anyone, image])))
    assert.equal(items.length, 2)
    for (const { optional } of items) {
      assert.deepEqual([optional['commit'], optional['Subject']], ['abc', 'ann@example.com'])
      for (const name of ['githubWorkflowRepository', '1.3.6.1.4.1.57264.1.12']) assert.ok(!(name in optional), name)
    }
  })
})

describe('what verify prints as text', () => {
  for (const [format, words] of [
    ['bundle', KEY],
    ['old format', [...KEY, '--new-bundle-format=false']],
  ] as const) {
    test(`${format}: the claims as simple signing has them`, async () => {
      const image = await bench.pushImage('text')
      succeeded(await bench.run(sign, [...words, '-a', 'env=prod', image]))
      const { stdout } = succeeded(await bench.run(verify, [...WITH_KEY, '-o', 'text', image]))
      const { critical, optional } = JSON.parse(stdout) as {
        critical: { image: Record<string, string> }
        optional: unknown
      }
      assert.equal(critical.image['docker-manifest-digest'], image.slice(image.indexOf('@') + 1))
      assert.deepEqual(optional, { env: 'prod' })
    })
  }
})

describe('an image’s signature is an attestation only for those who ask for just that', () => {
  test('by its type', async () => {
    const image = await bench.pushImage('typed')
    succeeded(await bench.run(sign, [...KEY, image]))
    assert.equal((await bench.run(verifyAttestation, [...WITH_KEY, image])).code, 12)
    const type = ['--type', 'https://sigstore.dev/cosign/sign/v1']
    const { stdout } = succeeded(await bench.run(verifyAttestation, [...WITH_KEY, ...type, '--decode', image]))
    assert.match(stdout, /cosign\/sign\/v1/)
  })
})

describe('a file that cannot be used is named', () => {
  for (const words of [
    ['--key', 'broken'],
    [...WITH_KEY.slice(0, 2), '--trusted-root', 'broken'],
    ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'https://i', '--ca-roots', 'broken'],
    ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'https://i', '--certificate', 'broken'],
  ]) {
    test(words.join(' '), async () => {
      const image = await bench.pushImage('named')
      succeeded(await bench.run(sign, [...KEYLESS, image]))
      const { code, stderr } = await bench.run(verify, [...words, image], { files: { broken: 'nothing of use' } })
      assert.equal(code, 1)
      assert.match(stderr, /^Error: .*broken/m)
    })
  }
})
