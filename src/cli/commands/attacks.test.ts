/** What somebody who may write to the registry, but may not sign, can try: nothing of it makes `verify` accept an image. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { readBytes } from '#clients/http/body'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { preAuthEncode } from '#formats/dsse/pae'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attest } from './attest.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyAttestation } from './verify-attestation.js'
import { command as verify } from './verify.js'

let bench: SigningBench
before(async () => {
  bench = await openSigningBench()
  await bench.run(generate, [])
})

const SIGN = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
const OLD = [...SIGN, '--new-bundle-format=false']
const KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const SIGNATURE_TYPE = 'https://sigstore.dev/cosign/sign/v1'

type Json = Readonly<Record<string, unknown>>
interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
}
interface Manifest extends Json {
  readonly layers: readonly Descriptor[]
}

function digestIn(image: string): string {
  return image.slice(image.indexOf('@') + 1)
}

function tagOf(image: string, kind: 'sig' | 'att'): string {
  return `${digestIn(image).replace(':', '-')}.${kind}`
}

async function call(method: string, path: string, body?: Uint8Array, type?: string): Promise<Response> {
  const { sigstore } = bench
  const headers = type === undefined ? {} : { 'content-type': type }
  const response = await sigstore.fetch(`${sigstore.url}/v2/${path}`, { method, headers, ...(body && { body }) })
  assert.ok(response.status < 300, `${method} ${path}: ${String(response.status)}`)
  return new Response(await readBytes(response, { limit: 1e7, what: path }))
}

async function pushBlob(name: string, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const digest = `sha256:${encodeHex(sha256(bytes))}`
  await call('POST', `${name}/blobs/uploads/?digest=${digest}`, bytes, 'application/octet-stream')
  return { mediaType, digest, size: bytes.length }
}

async function pushManifest(name: string, manifest: Json, reference?: string): Promise<Descriptor> {
  const bytes = encodeUtf8(JSON.stringify(manifest))
  const digest = `sha256:${encodeHex(sha256(bytes))}`
  await call('PUT', `${name}/manifests/${reference ?? digest}`, bytes, MANIFEST)
  return { mediaType: MANIFEST, digest, size: bytes.length }
}

async function manifestAt(name: string, reference: string): Promise<Manifest> {
  return (await (await call('GET', `${name}/manifests/${reference}`)).json()) as Manifest
}

/** The one referrer of an image: its manifest, and the bundle in it. */
async function referrerOf(name: string, image: string): Promise<{ manifest: Manifest; bundle: Uint8Array }> {
  const index = (await (await call('GET', `${name}/referrers/${digestIn(image)}`)).json()) as {
    manifests: Descriptor[]
  }
  assert.equal(index.manifests.length, 1)
  const manifest = await manifestAt(name, index.manifests[0]!.digest)
  const bundle = new Uint8Array(await (await call('GET', `${name}/blobs/${manifest.layers[0]!.digest}`)).arrayBuffer())
  return { manifest, bundle }
}

async function subjectOf(name: string, image: string): Promise<Json> {
  const bytes = new Uint8Array(await (await call('GET', `${name}/manifests/${digestIn(image)}`)).arrayBuffer())
  return { mediaType: MANIFEST, digest: digestIn(image), size: bytes.length }
}

async function signed(name: string, words: readonly string[] = SIGN): Promise<string> {
  const image = await bench.pushImage(name)
  const outcome = await bench.run(sign, [...words, image])
  assert.equal(outcome.code, 0, outcome.stderr)
  return image
}

/** Refused, with nothing on standard output but the reason that was asked for. */
async function refused(image: string, codes: readonly string[], ...more: readonly string[]): Promise<void> {
  const plain = await bench.run(verify, [...KEY, ...more, image])
  assert.equal(plain.stdout, '')
  assert.ok([10, 12].includes(plain.code), plain.stderr)
  if (codes.length === 0) return
  const { stdout } = await bench.run(verify, [...KEY, ...more, '-o', 'json', image])
  const { report } = JSON.parse(stdout) as { report: readonly { accepted: boolean; code?: string }[] }
  assert.deepEqual(
    report.map(({ accepted, code }) => (accepted ? 'accepted' : code)),
    codes,
  )
}

function succeeded(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.stderr)
}

describe('an index is not what is in it', () => {
  test('a signature on one platform is none on the index, by digest or by tag', async () => {
    const images = [await bench.pushImage('multi'), await bench.pushImage('multi')]
    const index = await bench.pushIndex('multi', images)
    succeeded(await bench.run(sign, [...SIGN, images[0]!]))
    succeeded(await bench.run(verify, [...KEY, images[0]!]))
    for (const name of [index, 'localhost:8080/multi:latest', images[1]!]) await refused(name, [])
  })
  test('a signature on the index is none on its platforms', async () => {
    const image = await bench.pushImage('multi-index')
    const index = await bench.pushIndex('multi-index', [image])
    succeeded(await bench.run(sign, [...SIGN, index]))
    succeeded(await bench.run(verify, [...KEY, index]))
    await refused(image, [])
  })
})

describe('a signature is about the image that it names', () => {
  test('the referrer of one image, made one of another', async () => {
    const [from, to] = [await signed('copied'), await bench.pushImage('copied')]
    const { manifest } = await referrerOf('copied', from)
    await pushManifest('copied', { ...manifest, subject: await subjectOf('copied', to) })
    await refused(to, ['VERIFY_SUBJECT'])
    await refused(to, ['VERIFY_SUBJECT'], '--check-claims=false')
  })
  test('the tag of one image, copied to another', async () => {
    const [from, to] = [await signed('retagged', OLD), await bench.pushImage('retagged')]
    await pushManifest('retagged', await manifestAt('retagged', tagOf(from, 'sig')), tagOf(to, 'sig'))
    await refused(to, ['VERIFY_IMAGE_DIGEST'])
  })
  test('another image under the tag that was signed', async () => {
    await signed('moved')
    succeeded(await bench.run(verify, [...KEY, 'localhost:8080/moved:latest']))
    await bench.pushImage('moved') // takes the tag
    await refused('localhost:8080/moved:latest', [])
  })
})

describe('an attestation is no signature', () => {
  async function attested(name: string, words: readonly string[] = SIGN): Promise<string> {
    const image = await bench.pushImage(name)
    const files = { predicate: '{"a":1}' }
    succeeded(await bench.run(attest, [...words, '--predicate', 'predicate', image], { files }))
    return image
  }
  test('whatever the annotations of its referrer say', async () => {
    const image = await attested('labelled')
    const { manifest } = await referrerOf('labelled', image)
    for (const annotations of [
      { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': SIGNATURE_TYPE },
      { 'dev.sigstore.bundle.content': 'message-signature' },
      {},
    ]) {
      await pushManifest('labelled', { ...manifest, annotations })
    }
    await refused(image, Array<string>(3).fill('VERIFY_NOT_IMAGE_SIGNATURE'))
    await refused(image, Array<string>(3).fill('VERIFY_NOT_IMAGE_SIGNATURE'), '--check-claims=false')
  })
  test('nor under the tag of signatures, as it is or taken apart', async () => {
    const image = await attested('apart', OLD)
    const manifest = await manifestAt('apart', tagOf(image, 'att'))
    const [layer] = manifest.layers
    await pushManifest('apart', manifest, tagOf(image, 'sig'))
    await refused(image, [])
    // The signature of an envelope is one over its encoding: as a layer of its own it is even genuine.
    const text = await (await call('GET', `apart/blobs/${layer!.digest}`)).text()
    const envelope = JSON.parse(text) as { payloadType: string; payload: string; signatures: { sig: string }[] }
    const encoded = preAuthEncode(envelope.payloadType, Buffer.from(envelope.payload, 'base64'))
    const blob = await pushBlob('apart', encoded, 'application/vnd.dev.cosign.simplesigning.v1+json')
    const annotations = { 'dev.cosignproject.cosign/signature': envelope.signatures[0]!.sig }
    await pushManifest('apart', { ...manifest, layers: [{ ...blob, annotations }] }, tagOf(image, 'sig'))
    await refused(image, ['VERIFY_NOT_IMAGE_SIGNATURE'])
  })
  test('and a signature on the manifest as a file is none on the image', async () => {
    const image = await bench.pushImage('as-file')
    const manifest = await (await call('GET', `as-file/manifests/${digestIn(image)}`)).text()
    succeeded(await bench.run(signBlob, [...SIGN, '--bundle', 'file.json', 'manifest'], { files: { manifest } }))
    const { host } = await bench.run(verify, [...KEY, image])
    const layer = await pushBlob('as-file', host.content('file.json'), BUNDLE)
    const config = await pushBlob('as-file', encodeUtf8('{}'), 'application/vnd.oci.empty.v1+json')
    const referrer = { schemaVersion: 2, mediaType: MANIFEST, artifactType: BUNDLE, config, layers: [layer] }
    await pushManifest('as-file', { ...referrer, subject: await subjectOf('as-file', image) })
    await refused(image, ['VERIFY_NOT_IMAGE_SIGNATURE'])
    await refused(image, ['VERIFY_NOT_IMAGE_SIGNATURE'], '--check-claims=false')
  })
  test('and a signature is no attestation', async () => {
    const image = await signed('other-way', OLD)
    await pushManifest('other-way', await manifestAt('other-way', tagOf(image, 'sig')), tagOf(image, 'att'))
    const { code, stdout } = await bench.run(verifyAttestation, [...KEY, image])
    assert.ok([10, 12].includes(code))
    assert.equal(stdout, '')
  })
})

describe('a referrer is what it says it is, or nothing', () => {
  test('a bundle among other layers, under another type, or under the type of something else', async () => {
    const [from, to] = [await signed('typed'), await bench.pushImage('typed')]
    const { manifest, bundle } = await referrerOf('typed', from)
    const subject = await subjectOf('typed', to)
    const [layer] = manifest.layers
    const other = await pushBlob('typed', bundle, 'application/octet-stream')
    for (const changed of [
      { layers: [layer, layer] },
      { layers: [] },
      { layers: [other] },
      { artifactType: 'application/vnd.example.sbom' },
      { artifactType: undefined, config: { ...other, mediaType: 'application/vnd.example.sbom' } },
    ]) {
      await pushManifest('typed', { ...manifest, ...changed, subject })
    }
    await refused(to, [])
  })
  test('one that cannot be read hides no other, and is told of', async () => {
    const image = await signed('rubbish')
    const { manifest } = await referrerOf('rubbish', image)
    for (const text of ['{', '{}', '{"mediaType":"x","mediaType":"y"}']) {
      const layer = await pushBlob('rubbish', encodeUtf8(text), BUNDLE)
      await pushManifest('rubbish', { ...manifest, layers: [layer] })
    }
    succeeded(await bench.run(verify, [...KEY, image]))
  })
})

describe('a payload has one meaning', () => {
  test('what names two images names none', async () => {
    const [mine, other] = [await bench.pushImage('double'), await bench.pushImage('double')]
    const critical = (image: string): string =>
      `"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":"${digestIn(image)}"},"type":"cosign container image signature"}`
    for (const payload of [
      `{${critical(other)},${critical(mine)},"optional":null}`,
      `{${critical(mine)},${critical(other)},"optional":null}`,
      `{${critical(mine)},"optional":null}{}`,
      `{${critical(mine).replace('"image":', '"image":{"docker-manifest-digest":"x"},"image":')},"optional":null}`,
    ]) {
      const words = [...OLD, '--payload', 'payload', mine]
      succeeded(await bench.run(sign, words, { files: { payload } }))
    }
    await refused(mine, Array<string>(4).fill('VERIFY_NOT_IMAGE_SIGNATURE'))
  })
})
