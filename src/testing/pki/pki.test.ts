import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parseSignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import { requireImprint, verifyTimestampSignature } from '#formats/cms/timestamp-signature'
import { hashLeaf } from '#formats/merkle/hash'
import { verifyInclusion } from '#formats/merkle/proof'
import { parseEntryBody } from '#formats/rekor-entry/body'
import { parseSctList } from '#formats/sct/sct'
import { precertEntry } from '#formats/sct/sct-entry'
import { verifySct } from '#formats/sct/verify-sct'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { sha256 } from '#crypto/digest'
import { encodeUtf8 } from '#encoding/utf8'
import type { TestPki } from './pki.js'
import { createTestPki } from './pki.js'
import type { EntryShape } from './signed-entity.js'
import { signMessage, signStatement } from './signed-entity.js'

let pki: TestPki
before(async () => {
  pki = await createTestPki()
})

test('a leaf is signed by the intermediate, which is signed by the root', async () => {
  const { certificate } = await pki.issueLeaf()
  await verifyCertificateSignature(certificate, pki.intermediate.key.publicKey)
  await verifyCertificateSignature(pki.intermediate.certificate, pki.root.key.publicKey)
  await assert.rejects(verifyCertificateSignature(certificate, pki.root.key.publicKey), {
    code: 'CERTIFICATE_SIGNATURE',
  })
})

test('a leaf carries an SCT of the CT log, and none if none is asked for', async () => {
  const { certificate } = await pki.issueLeaf()
  const [sct] = parseSctList(certificate.sctList ?? new Uint8Array())
  assert.ok(sct)
  await verifySct(sct, precertEntry(certificate, pki.intermediate.certificate.spki), pki.ctLog.key.publicKey)
  assert.equal((await pki.issueLeaf({}, [])).certificate.sctList, undefined)
})

test('the TSA stamps a signature', async () => {
  const data = encodeUtf8('x')
  const token = grantedToken(parseTimestampResponse(await pki.tsa.stamp(data)))
  requireImprint(token, { digest: 'sha256', hash: sha256(data) })
  assert.equal((await verifyTimestampSignature(token, [])).subject.text, pki.tsa.leaf.certificate.subject.text)
})

for (const shape of [
  'v1-hashedrekord',
  'v1-dsse',
  'v1-intoto',
  'v2-hashedrekord',
  'v2-dsse',
] as const satisfies readonly EntryShape[]) {
  test(`a statement is logged as ${shape}, with a proof that holds`, async () => {
    const { entity } = await signStatement(pki, { logs: [{ shape }] })
    const [entry] = entity.logEntries
    const proof = entry?.inclusionProof
    assert.ok(entry && proof?.checkpoint !== undefined)
    assert.equal(parseEntryBody(entry.canonicalizedBody).kind, shape.slice(3))
    const { checkpoint } = parseSignedCheckpoint(proof.checkpoint)
    assert.equal(checkpoint.origin, shape.startsWith('v1') ? pki.rekorV1.origin : pki.rekorV2.origin)
    verifyInclusion({
      leafIndex: proof.logIndex,
      treeSize: checkpoint.size,
      leafHash: hashLeaf(entry.canonicalizedBody),
      proof: proof.hashes,
      root: checkpoint.rootHash,
    })
    assert.equal(entry.inclusionPromise === undefined, shape.startsWith('v2'))
  })
}

test('a message signature can be of a managed key, logged twice and stamped', async () => {
  const signer = { key: (await pki.issueLeaf()).key }
  const { entity } = await signMessage(pki, {
    signer,
    logs: [{ shape: 'v1-hashedrekord' }, { shape: 'v2-hashedrekord' }],
    timestamps: [{}],
  })
  assert.equal(entity.key.kind, 'public-key')
  assert.deepEqual(
    entity.logEntries.map((entry) => entry.version),
    ['0.0.1', '0.0.2'],
  )
  assert.equal(entity.timestamps.length, 1)
})
