import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateKey } from '#crypto/private-key'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { parseNote } from '../note/note.js'
import { signNote } from '../note/sign.js'
import { verifyNote } from '../note/verify.js'
import { parseVerifierKey } from '../note/key.js'
import { formatCheckpoint, parseCheckpoint, parseSignedCheckpoint } from './checkpoint.js'
import { cosignatureKeyId, cosignatureTime, cosignatureVerifier, cosigner } from './cosignature.js'

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const TEXT = `example.com/behind-the-sofa\n20852163\n${ROOT}\n`

test('a checkpoint reads back', () => {
  for (const text of [
    TEXT,
    `rekor.sigstore.dev - 2605736670972794746\n0\n${ROOT}\n`,
    `${TEXT}Timestamp: 1689177396617352539\nmore — text\n`,
  ]) {
    assert.equal(formatCheckpoint(parseCheckpoint(text)), text)
  }
  assert.deepEqual(parseCheckpoint(`a\n${String(2n ** 64n - 1n)}\n${ROOT}\nx\n`).extensions, ['x'])
})

test('checkpoints of another form are refused', () => {
  for (const text of [
    '',
    '\n',
    'a\n',
    'a\n1\n',
    TEXT.slice(0, -1),
    `\n1\n${ROOT}\n`,
    `a\n01\n${ROOT}\n`,
    `a\n-1\n${ROOT}\n`,
    `a\n+1\n${ROOT}\n`,
    `a\n1.0\n${ROOT}\n`,
    `a\n\n${ROOT}\n`,
    `a\n${String(2n ** 64n)}\n${ROOT}\n`,
    `a\n1\n\n`,
    'a\n1\nAAAA\n',
    `a\n1\n${ROOT.slice(0, -1)}\n`,
    `a\n1\n${ROOT} \n`,
    `a\n1\n${ROOT}\n\n`,
    `a\n1\n${ROOT}\n\nx\n`,
    `1\n${ROOT}\n`,
    `a\n${ROOT}\n1\n`,
  ]) {
    assert.throws(() => parseCheckpoint(text), { code: 'CHECKPOINT_MALFORMED' }, JSON.stringify(text))
  }
  assert.throws(() => formatCheckpoint({ origin: 'a\nb', size: 1n, rootHash: new Uint8Array(32), extensions: [] }), {
    code: 'CHECKPOINT_MALFORMED',
  })
  assert.throws(() => parseSignedCheckpoint(TEXT), { code: 'NOTE_MALFORMED' })
})

test('witnesses cosign with a time', async () => {
  const key = await generatePrivateKey('ed25519')
  const note = parseNote(
    await signNote(TEXT, [cosigner({ name: 'witness.example/w1', key, clock: () => 1_679_315_147_500 })]),
  )
  const [verified] = await verifyNote(note, [cosignatureVerifier('witness.example/w1', key.publicKey)])
  assert.equal(cosignatureTime(verified?.signature.signature ?? assert.fail()), 1_679_315_147_000)
  const [line] = note.signatures
  assert.ok(line)
  const later = line.signature.with(7, (line.signature[7] ?? 0) + 1)
  await assert.rejects(
    verifyNote({ ...note, signatures: [{ ...line, signature: later }] }, [
      cosignatureVerifier('witness.example/w1', key.publicKey),
    ]),
    { code: 'NOTE_SIGNATURE' },
  )
  const short = { ...line, signature: line.signature.subarray(0, 8) }
  await assert.rejects(
    verifyNote({ ...note, signatures: [short] }, [cosignatureVerifier('witness.example/w1', key.publicKey)]),
    { code: 'NOTE_SIGNATURE' },
  )
  assert.throws(() => cosignatureTime(short.signature), { code: 'CHECKPOINT_COSIGNATURE' })
})

test('cosignatures have key ids of their own', async () => {
  const { name, key, keyId } = parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
  assert.notDeepEqual(cosignatureKeyId(name, key), keyId)
  const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  assert.throws(() => cosignatureKeyId('a', p256.publicKey), { code: 'CHECKPOINT_COSIGNATURE' })
})

test('any text is a checkpoint or is refused with a code', () => {
  const parts = fc
    .array(fc.constantFrom('a', '\n', '1', '0', ROOT, '=', ' ', '\n\n— a AAAAAAA=\n'), { maxLength: 10 })
    .map((all) => all.join(''))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), parts), (text) => {
      for (const parse of [parseCheckpoint, parseSignedCheckpoint]) {
        try {
          parse(text)
        } catch (error) {
          assert.ok(isCodedError(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
