/** Signatures that are not in a bundle and not attached: given by hand, completed from the log. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attestBlob } from './attest-blob.js'
import { command as generate } from './generate-key-pair.js'
import { command as importKey } from './import-key-pair.js'
import { command as sign } from './sign.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyBlobAttestation } from './verify-blob-attestation.js'
import { command as verifyBlob } from './verify-blob.js'
import { command as verify } from './verify.js'

let bench: SigningBench
let ann: readonly string[]
let image: string
let other: string

const OLD = ['--signing-config', 'config-v1.json', '--trusted-root', 'root.json', '--new-bundle-format=false', '-y']
const KEYLESS = [...OLD, '--identity-token', 'token']
const UNLOGGED = ['--key', 'cosign.pub', '--insecure-ignore-tlog']
const DETACHED = ['--signature', 'i.sig', '--payload', 'i.payload']
const KEYED = ['--signature', 'k.sig', '--payload', 'k.payload']

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function identity(name: string): readonly string[] {
  return ['--certificate-identity', name, '--certificate-oidc-issuer', bench.issuer, '--trusted-root', 'root.json']
}

before(async () => {
  bench = await openSigningBench()
  ann = identity('ann@example.com')
  image = await bench.pushImage('detached')
  other = await bench.pushImage('other')
  await bench.run(generate, [])
  await bench.run(generate, ['--output-key-prefix', 'second'])
  const outputs = (name: string): readonly string[] => [
    '--upload=false',
    '--output-signature',
    `${name}.sig`,
    '--output-payload',
    `${name}.payload`,
    '--output-certificate',
    `${name}.crt`,
  ]
  succeeded(await bench.run(sign, [...KEYLESS, ...outputs('i'), image]))
  succeeded(await bench.run(sign, [...KEYLESS, ...outputs('o'), other]))
  succeeded(await bench.run(sign, [...OLD, '--key', 'cosign.key', ...outputs('k'), image]))
  succeeded(
    await bench.run(signBlob, [...KEYLESS, '--output-signature', 'b.sig', '--output-certificate', 'b.crt', 'blob'], {
      files: { blob: 'a blob', another: 'another blob', predicate: '{"a":1}' },
    }),
  )
})

function online(): readonly string[] {
  return ['--rekor-url', bench.sigstore.url]
}

describe('verify --signature', () => {
  test('with a key: the payload that was signed, or the one that the image implies', async () => {
    for (const words of [KEYED, KEYED.slice(0, 2)]) {
      const { stdout, stderr } = succeeded(await bench.run(verify, [...UNLOGGED, ...words, image]))
      const [item] = JSON.parse(stdout) as readonly { critical: { image: Record<string, string> } }[]
      assert.equal(item?.critical.image['docker-manifest-digest'], image.slice(image.indexOf('@') + 1))
      assert.equal(stderr.includes('WARNING: using the payload'), words.length === 2)
    }
  })

  test('with a certificate, the entry asked for at the log', async () => {
    const { stdout, stderr } = succeeded(
      await bench.run(verify, [...ann, ...DETACHED, '--certificate', 'i.crt', ...online(), image]),
    )
    assert.match(stdout, /"subject":"ann@example.com"/)
    assert.match(stderr, /Existence of the claims in the transparency log was verified/)
    const { host } = succeeded(
      await bench.run(verify, [...ann, ...DETACHED, '--certificate', 'i.crt', ...online(), '--explain', image]),
    )
    assert.match(host.stderr(), /Checks of detached i\.sig/)
  })

  for (const [what, words, code, message] of [
    ['another image’s payload', () => [...UNLOGGED, ...KEYED, other], 12, /about another image/],
    ['another key', () => ['--key', 'second.pub', '--insecure-ignore-tlog', ...KEYED, image], 12, /not by this key/],
    ['another payload', () => [...UNLOGGED, '--signature', 'k.sig', '--payload', 'blob', image], 12, /not by this key/],
    ['an implied payload of another image', () => [...UNLOGGED, '--signature', 'k.sig', other], 12, /not by this key/],
    ['no certificate', () => [...ann, ...DETACHED, ...online(), image], 13, /with a key, not with a certificate/],
    [
      'another signer’s certificate',
      () => [...ann, ...DETACHED, '--certificate', 'o.crt', ...online(), image],
      12,
      /without a transparency log entry/,
    ],
    [
      'another signer’s certificate, log ignored',
      () => [...ann, ...DETACHED, '--certificate', 'o.crt', '--insecure-ignore-tlog', image],
      12,
      /not by this key/,
    ],
    [
      'another identity',
      () => [...identity('bob@example.com'), ...DETACHED, '--certificate', 'i.crt', ...online(), image],
      12,
      /allowed identity/,
    ],
    ['no log asked', () => [...ann, ...DETACHED, '--certificate', 'i.crt', image], 12, /name the log .*--rekor-url/],
    [
      'offline, in spite of an address',
      () => [...ann, ...DETACHED, '--certificate', 'i.crt', '--offline', ...online(), image],
      12,
      /without a transparency log entry/,
    ],
    [
      'a log that cannot be reached',
      () => [...ann, ...DETACHED, '--certificate', 'i.crt', '--rekor-url', 'http://localhost:9/nowhere', image],
      1,
      /^Error: /m,
    ],
    ['a payload alone', () => [...UNLOGGED, '--payload', 'i.payload', image], 1, /without its signature/],
    ['a missing payload', () => [...UNLOGGED, ...KEYED.slice(0, 3), 'nowhere', image], 1, /no such file/],
    ['text that is no signature', () => [...UNLOGGED, '--signature', 'nowhere', image], 12, /not by this key/],
    ['key and certificate', () => [...UNLOGGED, ...KEYED, '--certificate', 'i.crt', image], 1, /only one of --key/],
    [
      'a certificate that is none',
      () => [...ann, ...DETACHED, '--certificate', 'blob', ...online(), image],
      1,
      /holds no certificate/,
    ],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const outcome = await bench.run(verify, words())
      assert.deepEqual([outcome.code, outcome.stdout], [code, ''], outcome.stderr)
      assert.match(outcome.stderr, message)
    })
  }

  test('an envelope is no signature on an image', async () => {
    const envelope = JSON.stringify({
      payloadType: 'application/vnd.in-toto+json',
      payload: 'e30=',
      signatures: [{ sig: 'AAAA' }],
    })
    const outcome = await bench.run(verify, [...UNLOGGED, '--signature', 'env', image], { files: { env: envelope } })
    assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
  })
})

describe('--certificate beside signatures that are attached', () => {
  test('must be the one that came with the signature', async () => {
    const signed = await bench.pushImage('attached')
    succeeded(await bench.run(sign, [...KEYLESS, '--output-certificate', 'a.crt', signed]))
    succeeded(await bench.run(verify, [...ann, '--certificate', 'a.crt', signed]))
    const refused = await bench.run(verify, [...ann, '--certificate', 'o.crt', signed])
    assert.deepEqual([refused.code, refused.stdout], [12, ''])
    assert.match(refused.stderr, /not the one that came with the signature/)
  })
})

describe('files with detached parts', () => {
  const parts = ['--signature', 'b.sig', '--certificate', 'b.crt']
  test('the entry is asked for at the log', async () => {
    succeeded(await bench.run(verifyBlob, [...ann, ...parts, ...online(), 'blob']))
    for (const words of [
      [...ann, ...parts, 'blob'],
      [...ann, ...parts, ...online(), 'another'],
      [...ann, '--signature', 'b.sig', '--certificate', 'i.crt', ...online(), 'blob'],
      [...identity('bob@example.com'), ...parts, ...online(), 'blob'],
    ]) {
      const { code, stderr } = await bench.run(verifyBlob, words)
      assert.equal(code, 1, words.join(' '))
      assert.doesNotMatch(stderr, /Verified OK/)
    }
  })

  for (const kind of ['dsse', 'intoto'] as const) {
    test(`an envelope that was recorded as ${kind}`, async () => {
      const name = `predicate-${kind}`
      const words = ['--predicate', name, '--rekor-entry-type', kind]
      const outputs = ['--output-signature', 'e.sig', '--output-certificate', 'e.crt']
      succeeded(
        await bench.run(attestBlob, [...KEYLESS, ...words, ...outputs, 'blob'], {
          files: { [name]: `{"a":"${kind}"}` },
        }),
      )
      const given = [...ann, '--signature', 'e.sig', '--certificate', 'e.crt']
      succeeded(await bench.run(verifyBlobAttestation, [...given, ...online(), 'blob']))
      assert.equal((await bench.run(verifyBlobAttestation, [...given, 'blob'])).code, 1)
      assert.equal((await bench.run(verifyBlobAttestation, [...given, ...online(), 'another'])).code, 1)
    })
  }

  test('a bare signature is no attestation', async () => {
    const { code, stderr } = await bench.run(verifyBlobAttestation, [...ann, ...parts, ...online(), 'blob'])
    assert.equal(code, 1)
    assert.match(stderr, /a signature, not an attestation/)
  })

  test('parts beside a bundle that has everything are refused', async () => {
    const words = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
    succeeded(await bench.run(signBlob, [...words, '--bundle', 'whole.json', 'blob']))
    for (const part of [
      ['--signature', 'b.sig'],
      ['--rfc3161-timestamp', 'b.sig'],
      ['--certificate', 'i.crt'],
    ]) {
      const outcome = await bench.run(verifyBlob, [...ann, '--bundle', 'whole.json', ...part, 'blob'])
      assert.equal(outcome.code, 1, part.join(' '))
    }
  })
})

describe('--signature-digest-algorithm', () => {
  const curves = [
    ['P-256', 'sha256', 'sha384'],
    ['P-384', 'sha384', 'sha256'],
    ['P-521', 'sha512', 'sha224'],
  ] as const
  for (const [curve, right, wrong] of curves) {
    test(`${curve}: ${right} is what it signs with, ${wrong} is not`, async () => {
      const pem = generateKeyPairSync('ec', {
        namedCurve: curve,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      })
      succeeded(
        await bench.run(importKey, ['--key', `${curve}.pem`, '-o', curve], {
          files: { [`${curve}.pem`]: pem.privateKey },
        }),
      )
      const signing = ['--key', `${curve}.key`, '--use-signing-config=false', '--tlog-upload=false', '-y']
      succeeded(await bench.run(signBlob, [...signing, '--bundle', `${curve}.json`, 'blob']))
      const words = ['--key', `${curve}.pub`, '--insecure-ignore-tlog', '--bundle', `${curve}.json`, 'blob']
      for (const [digest, code] of [
        [right, 0],
        [wrong, 1],
      ] as const) {
        const outcome = await bench.run(verifyBlob, ['--signature-digest-algorithm', digest, ...words])
        assert.equal(outcome.code, code, outcome.stderr)
      }
    })
  }
})
