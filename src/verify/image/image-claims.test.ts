/** What is a signature on an image, and what is not. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest, sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import { requestFor } from '#testing/verifying'
import type { Verification } from '../verification.js'
import { verify } from '../verify.js'
import { verifyAttestationClaims, verifyImageClaims } from './image-claims.js'

const pki = await createTestPki()
const MANIFEST = encodeUtf8('{"schemaVersion":2}')
const image = { digest: { algorithm: 'sha256' as const, value: sha256(MANIFEST) } }
const manifestDigest = `sha256:${encodeHex(sha256(MANIFEST))}`
const byDigest = { kind: 'digest' as const, digests: { sha256: sha256(MANIFEST) } }

async function statement(predicateType: string, annotations?: Record<string, string>): Promise<Verification> {
  const subject = [{ digest: { sha256: encodeHex(sha256(MANIFEST)) }, ...(annotations && { annotations }) }]
  const signed = await signStatement(pki, {
    logs: [{ shape: 'v1-dsse' }],
    statement: { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} },
  })
  return verify(requestFor(signed, pki.trusted, { artifact: byDigest }))
}

async function payload(bytes: Uint8Array): Promise<Verification> {
  return verify(requestFor(await signMessage(pki, { artifact: bytes }), pki.trusted))
}

const simple = (optional?: Record<string, string>, of = manifestDigest): Uint8Array =>
  serializeSimpleSigning({ dockerReference: 'index.docker.io/library/app', manifestDigest: of, optional })

const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'

test('a sign/v1 statement and a simple-signing payload are signatures on the image', async () => {
  const claims = verifyImageClaims(await statement(SIGNATURE, { tier: 'prod' }), image)
  assert.deepEqual([claims.kind, claims.type, claims.manifestDigest], ['statement', SIGNATURE, manifestDigest])
  const old = verifyImageClaims(await payload(simple({ tier: 'prod' })), image)
  assert.deepEqual(
    [old.kind, old.type, old.dockerReference],
    ['simple-signing', 'cosign container image signature', 'index.docker.io/library/app'],
  )
})

test('an attestation by the same signer about the same image is not a signature on it', async () => {
  for (const type of [
    'https://cyclonedx.org/bom',
    'https://slsa.dev/provenance/v1',
    `${SIGNATURE}/`,
    'https://sigstore.dev/cosign/sign/v2',
  ]) {
    const attestation = await statement(type)
    assert.throws(() => verifyImageClaims(attestation, image), { code: 'VERIFY_NOT_IMAGE_SIGNATURE' })
  }
})

test('a payload of another kind is not a signature on an image', async () => {
  const other = JSON.parse(new TextDecoder().decode(simple())) as { critical: { type: string } }
  other.critical.type = 'atomic container signature'
  for (const text of [JSON.stringify(other), '{}', '[]', 'not json', '', manifestDigest]) {
    const signed = await payload(encodeUtf8(text))
    assert.throws(() => verifyImageClaims(signed, image), { code: 'VERIFY_NOT_IMAGE_SIGNATURE' }, text)
  }
  // The manifest itself, signed as a blob, claims nothing.
  const blob = await payload(MANIFEST)
  assert.throws(() => verifyImageClaims(blob, image), { code: 'VERIFY_NOT_IMAGE_SIGNATURE' })
})

test('a payload of which only the digest was verified cannot claim anything', async () => {
  const bytes = simple()
  const signed = await signMessage(pki, { artifact: bytes })
  const verification = await verify(
    requestFor(signed, pki.trusted, { artifact: { kind: 'digest', digests: { sha256: sha256(bytes) } } }),
  )
  assert.throws(() => verifyImageClaims(verification, image), { code: 'VERIFY_NOT_IMAGE_SIGNATURE' })
})

test('a signature on another image', async () => {
  const other = `sha256:${encodeHex(sha256(Uint8Array.of(1)))}`
  for (const of of [other, manifestDigest.toUpperCase(), manifestDigest.slice(7), `${manifestDigest} `]) {
    const signed = await payload(simple(undefined, of))
    assert.throws(
      () => verifyImageClaims(signed, image),
      { code: /VERIFY_IMAGE_DIGEST|VERIFY_NOT_IMAGE_SIGNATURE/ },
      of,
    )
  }
  const signed = await statement(SIGNATURE)
  assert.throws(() => verifyImageClaims(signed, { digest: { algorithm: 'sha256', value: sha256(Uint8Array.of(1)) } }), {
    code: 'VERIFY_IMAGE_DIGEST',
  })
  assert.throws(
    () => verifyImageClaims(signed, { digest: { algorithm: 'sha512', value: digest('sha512', MANIFEST) } }),
    { code: 'VERIFY_IMAGE_DIGEST' },
  )
})

test('images that are named by SHA-512', async () => {
  const sha512 = { algorithm: 'sha512' as const, value: digest('sha512', MANIFEST) }
  const subject = [{ digest: { sha512: encodeHex(sha512.value) } }]
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: SIGNATURE, predicate: {} }
  const signed = await signStatement(pki, { logs: [{ shape: 'v1-dsse' }], statement })
  const artifact = { kind: 'digest' as const, digests: { sha512: sha512.value } }
  const verification = await verify(requestFor(signed, pki.trusted, { artifact }))
  assert.equal(verifyImageClaims(verification, { digest: sha512 }).manifestDigest, `sha512:${encodeHex(sha512.value)}`)
  assert.throws(() => verifyImageClaims(verification, image), { code: 'VERIFY_IMAGE_DIGEST' })
})

test('required annotations, in either form', async () => {
  const annotations = new Map([['tier', 'prod']])
  for (const make of [
    (values?: Record<string, string>) => statement(SIGNATURE, values),
    (values?: Record<string, string>) => payload(simple(values)),
  ]) {
    verifyImageClaims(await make({ tier: 'prod', more: 'x' }), { ...image, annotations })
    for (const values of [undefined, {}, { tier: 'test' }, { Tier: 'prod' }, { tier: 'prod ' }]) {
      const signed = await make(values)
      assert.throws(() => verifyImageClaims(signed, { ...image, annotations }), { code: 'VERIFY_ANNOTATION' })
    }
  }
})

test('an annotation by a name that every object has', async () => {
  const signed = await payload(simple({}))
  for (const name of ['constructor', '__proto__']) {
    assert.throws(() => verifyImageClaims(signed, { ...image, annotations: new Map([[name, '']]) }), {
      code: 'VERIFY_ANNOTATION',
    })
  }
})

test('attestations are of the type that was asked for, exactly (GHSA-w6c6-c85g-mmv6)', async () => {
  const attestation = await statement('https://cyclonedx.org/bom')
  assert.equal(
    verifyAttestationClaims(attestation, 'https://cyclonedx.org/bom').predicateType,
    'https://cyclonedx.org/bom',
  )
  for (const type of [
    'https://slsa.dev/provenance/v1',
    'https://cyclonedx.org/bom/v1',
    'https://cyclonedx.org/',
    '',
    'https://CycloneDX.org/bom',
  ]) {
    assert.throws(() => verifyAttestationClaims(attestation, type), { code: 'VERIFY_PREDICATE_TYPE' })
  }
  const signature = await payload(simple())
  assert.throws(() => verifyAttestationClaims(signature, 'https://cyclonedx.org/bom'), {
    code: 'VERIFY_PREDICATE_TYPE',
  })
})
