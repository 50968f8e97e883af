/** What was signed elsewhere, attached to images. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attachAttestation } from './attach-attestation.js'
import { command as attachSignature } from './attach-signature.js'
import { command as attest } from './attest.js'
import { command as downloadAttestation } from './download-attestation.js'
import { command as downloadSignature } from './download-signature.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyAttestation } from './verify-attestation.js'
import { command as verify } from './verify.js'

let bench: SigningBench
let ann: readonly string[]
let image: string
let other: string
/** The same image in a repository of its own, without anything attached. */
let bare: () => Promise<string>

const SERVICES = ['--signing-config', 'config-v1.json', '--trusted-root', 'root.json', '-y']
const KEYLESS = [...SERVICES, '--identity-token', 'token']
const OLD = '--new-bundle-format=false'
const KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

/** With `-d` the code of an error is told. */
function codeOf({ stderr }: Outcome): string | undefined {
  return /^ {2}code: +(\w+)$/m.exec(stderr)?.[1]
}

/** Copies a manifest to another repository. */
async function copyTo(repository: string, name: string): Promise<string> {
  const { url, registry, fetch } = bench.sigstore
  const [from = '', digest = ''] = name.slice(registry.length + 1).split('@')
  const manifest = await (await fetch(`${url}/v2/${from}/manifests/${digest}`)).text()
  const { config } = JSON.parse(manifest) as { config: { digest: string } }
  const blob = await (await fetch(`${url}/v2/${from}/blobs/${config.digest}`)).arrayBuffer()
  await fetch(`${url}/v2/${repository}/blobs/uploads/?digest=${config.digest}`, {
    method: 'POST',
    body: new Uint8Array(blob),
    headers: { 'content-type': 'application/octet-stream' },
  })
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const put = await fetch(`${url}/v2/${repository}/manifests/${digest}`, {
    method: 'PUT',
    body: new TextEncoder().encode(manifest),
    headers: { 'content-type': type },
  })
  assert.equal(put.status, 201)
  return `${registry}/${repository}@${digest}`
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
  image = await bench.pushImage('signed')
  other = await bench.pushImage('other')
  let copies = 0
  bare = async () => await copyTo(`copy-${String((copies += 1))}`, image)
  await bench.run(generate, [])
  const outputs = ['--upload=false', '--output-signature', 'i.sig', '--output-payload', 'i.payload']
  const certified = ['--output-certificate', 'i.crt', '--bundle', 'i.old']
  succeeded(await bench.run(sign, [...KEYLESS, OLD, ...outputs, ...certified, image]))
  const keyed = ['--upload=false', '--output-signature', 'k.sig', '--output-payload', 'k.payload']
  succeeded(await bench.run(sign, [...SERVICES, OLD, '--key', 'cosign.key', ...keyed, image]))
  succeeded(await bench.run(sign, [...KEYLESS, '--upload=false', '--bundle', 'i.json', image]))
  const files = { one: '{"a":1}', two: '{"a":2}', blob: 'a blob' }
  const made = (name: string): readonly string[] => ['--no-upload', '--predicate', name, '--bundle', `${name}.json`]
  for (const name of ['one', 'two']) succeeded(await bench.run(attest, [...KEYLESS, ...made(name), image], { files }))
  const envelope = ['--key', 'cosign.key', '--no-upload', '--predicate', 'one', '--output-file', 'env.json']
  succeeded(await bench.run(attest, [...SERVICES, OLD, ...envelope, image]))
  succeeded(await bench.run(signBlob, [...KEYLESS, '--bundle', 'blob.json', 'blob']))
})

describe('attach signature', () => {
  test('a bundle: another registry verifies it', async () => {
    const copy = await bare()
    assert.equal((await bench.run(verify, [...ann, copy])).code, 10)
    const attached = succeeded(await bench.run(attachSignature, ['--bundle', 'i.json', copy]))
    assert.equal(attached.stdout, '')
    assert.match(attached.stderr, /Nothing was verified/)
    succeeded(await bench.run(verify, [...ann, copy]))
    // cosign takes either flag for it.
    succeeded(await bench.run(attachSignature, ['--payload', 'i.json', await bare()]))
  })

  test('parts with certificate and log entry, in each form that it comes in', async () => {
    const old = JSON.parse(new TextDecoder().decode(bench.files()['i.old'] as Uint8Array)) as {
      rekorBundle: { Payload: { logIndex: number } }
    }
    const { fetch, url } = bench.sigstore
    const index = String(old.rekorBundle.Payload.logIndex)
    const answer = await (await fetch(`${url}/api/v1/log/entries?logIndex=${index}`)).text()
    const files = { 'entry.json': JSON.stringify(old.rekorBundle), 'answer.json': answer }
    const parts = ['--signature', 'i.sig', '--payload', 'i.payload', '--certificate', 'i.crt']
    for (const response of ['i.old', 'entry.json', 'answer.json']) {
      const copy = await bare()
      const words = [...parts, '--certificate-chain', 'chain.pem', '--rekor-response', response, copy]
      const chain = bench.sigstore.trustedRoot.certificateAuthorities[0]!.chain
      const pem = chain.map(
        ({ der }) => `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`,
      )
      succeeded(await bench.run(attachSignature, words, { files: { ...files, 'chain.pem': pem.join('') } }))
      succeeded(await bench.run(verify, [...ann, copy]))
      const { stdout } = succeeded(await bench.run(downloadSignature, [copy]))
      assert.match(stdout, /"SignedEntryTimestamp"/)
    }
  })

  test('a signature by a key, its payload given or implied, from standard input too', async () => {
    const stdin = new TextDecoder().decode(bench.files()['k.sig'] as Uint8Array)
    const payload = ['--payload', 'k.payload']
    for (const [words, target, options] of [
      [['--signature', 'k.sig', ...payload], await bare(), {}],
      [['--signature', '-', ...payload], await bare(), { stdin }],
      // The payload that is implied names the repository.
      [['--signature', 'k.sig'], image, {}],
    ] as const) {
      succeeded(await bench.run(attachSignature, [...words, target], options))
      succeeded(await bench.run(verify, [...KEY, target]))
    }
  })

  const cases: readonly (readonly [what: string, words: readonly string[], code: string, on?: 'other'])[] = [
    ['a bundle about another image', ['--bundle', 'i.json'], 'IMAGES_SUBJECT', 'other'],
    ['a payload about another image', ['--signature', 'k.sig', '--payload', 'k.payload'], 'IMAGES_SUBJECT', 'other'],
    ['an attestation', ['--bundle', 'one.json'], 'CLI_INPUT'],
    ['a signature over a file', ['--bundle', 'blob.json'], 'IMAGES_SUBJECT'],
    ['a payload that is none', ['--signature', 'k.sig', '--payload', 'blob'], 'SIMPLE_SIGNING_MALFORMED'],
    ['an envelope for a signature', ['--signature', 'env.json', '--payload', 'k.payload'], 'IMAGES_SIGNATURE_LAYER'],
    ['an empty signature', ['--signature', 'empty', '--payload', 'k.payload'], 'COSIGN_BUNDLE_MALFORMED'],
    ['nothing', [], 'USAGE_FLAG_MISSING'],
    ['a payload alone', ['--payload', 'k.payload'], 'USAGE_FLAG_MISSING'],
    ['a chain without its certificate', ['--signature', 'k.sig', '--certificate-chain', 'i.crt'], 'USAGE_FLAG_MISSING'],
    ['a bundle and a payload', ['--bundle', 'i.json', '--payload', 'k.payload'], 'USAGE_FLAG_CONFLICT'],
    ['a bundle and a certificate', ['--bundle', 'i.json', '--certificate', 'i.crt'], 'USAGE_FLAG_CONFLICT'],
    ['a certificate that is none', ['--signature', 'i.sig', '--certificate', 'blob'], 'CLI_INPUT'],
    ['an entry that is none', ['--signature', 'i.sig', '--rekor-response', 'one'], 'PROTOJSON_TYPE'],
    ['a timestamp that is none', ['--signature', 'i.sig', '--tsr', 'one'], 'CLI_INPUT'],
    ['a file that is not there', ['--bundle', 'nowhere'], 'CLI_FILE_MISSING'],
  ]
  for (const [what, words, code, on] of cases) {
    test(`refuses ${what}, and attaches nothing`, async () => {
      const target = on === undefined ? await bare() : other
      bench.requests.length = 0
      const outcome = await bench.run(attachSignature, ['-d', ...words, target], { files: { empty: '' } })
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
      assert.equal(codeOf(outcome), code, outcome.stderr)
      assert.deepEqual(
        bench.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
        [],
      )
    })
  }
})

describe('attach attestation', () => {
  const count = (stdout: string): number => stdout.trim().split('\n').length

  test('all of several bundles', async () => {
    const copy = await bare()
    const { stderr } = succeeded(
      await bench.run(attachAttestation, ['--attestation', 'one.json', '--attestation', 'two.json', copy]),
    )
    assert.match(stderr, /Using payload from: one\.json\nUsing payload from: two\.json\n/)
    assert.equal(count(succeeded(await bench.run(verifyAttestation, [...ann, copy])).stdout), 2)
  })

  test('an envelope goes to the tag, beside bundles', async () => {
    const copy = await bare()
    succeeded(await bench.run(attachAttestation, ['--attestation', 'one.json', '--attestation', 'env.json', copy]))
    assert.equal(count(succeeded(await bench.run(verifyAttestation, [...KEY, copy])).stdout), 1)
    assert.equal(count(succeeded(await bench.run(downloadAttestation, [copy])).stdout), 2)
  })

  test('what download printed, one a line', async () => {
    const [first, second] = [await bare(), await bare()]
    for (const file of ['one.json', 'two.json', 'env.json'])
      succeeded(await bench.run(attachAttestation, ['--attestation', file, first]))
    const { stdout } = succeeded(await bench.run(downloadAttestation, [first]))
    succeeded(
      await bench.run(attachAttestation, ['--attestation', 'all.jsonl', second], { files: { 'all.jsonl': stdout } }),
    )
    assert.equal(succeeded(await bench.run(downloadAttestation, [second])).stdout, stdout)
  })

  const cases: readonly (readonly [what: string, words: readonly string[], code: string, on?: 'other'])[] = [
    ['a bundle about another image', ['--attestation', 'one.json'], 'IMAGES_SUBJECT', 'other'],
    ['an envelope about another image', ['--attestation', 'env.json'], 'IMAGES_SUBJECT', 'other'],
    ['a good one and one about a file', ['--attestation', 'one.json', '--attestation', 'blob.json'], 'IMAGES_SUBJECT'],
    ['a predicate', ['--attestation', 'one'], 'DSSE_MALFORMED'],
    ['text', ['--attestation', 'blob'], 'DSSE_MALFORMED'],
    ['an empty file', ['--attestation', 'empty'], 'CLI_INPUT'],
    ['nothing', [], 'USAGE_FLAG_MISSING'],
  ]
  for (const [what, words, code, on] of cases) {
    test(`refuses ${what}, and attaches nothing`, async () => {
      const target = on === undefined ? await bare() : other
      bench.requests.length = 0
      const outcome = await bench.run(attachAttestation, ['-d', ...words, target], { files: { empty: ' \n' } })
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
      assert.equal(codeOf(outcome), code, outcome.stderr)
      assert.deepEqual(
        bench.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
        [],
      )
    })
  }
})
