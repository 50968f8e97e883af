import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediateSpec, issueCertificate, leafSpec, rootSpec } from '#testing/pki/certificate'
import { isSelfIssued, withoutRoots } from './self-issued.js'

test('roots fall off a chain, the leaf and the intermediates stay', async () => {
  const root = await issueCertificate(rootSpec())
  const intermediate = await issueCertificate(intermediateSpec(), root)
  const leaf = await issueCertificate(leafSpec(), intermediate)
  const chain = [leaf, intermediate, root].map(({ certificate }) => certificate.der)
  assert.deepEqual(withoutRoots(chain), chain.slice(0, 2))
  assert.deepEqual(withoutRoots([]), [])
  assert.equal(isSelfIssued(root.certificate), true)
  assert.equal(isSelfIssued(intermediate.certificate), false)
})

test('a leaf that names itself as issuer stays, so that it is judged and refused', async () => {
  const { certificate } = await issueCertificate(rootSpec())
  assert.deepEqual(withoutRoots([certificate.der]), [certificate.der])
})

test('something that is no certificate after the leaf is refused', async () => {
  const { certificate } = await issueCertificate(rootSpec())
  assert.throws(() => withoutRoots([certificate.der, Uint8Array.of(1, 2, 3)]), { code: 'CERTIFICATE_MALFORMED' })
})
