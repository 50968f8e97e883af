import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { ALGORITHMS } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import { parsePublicKey } from '#crypto/public-key'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { formatVerifierKey, keyIdOf, logKeyHash, parseVerifierKey } from './key.js'
import { formatNote, parseNote, parseSignatureLine } from './note.js'
import { noteSignerForKey, signNote } from './sign.js'
import { noteVerifierForKey, verifyNote } from './verify.js'

// The example of C2SP signed-note.
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
const TEXT = 'a text\n'

let ed25519: PrivateKey
let p256: PrivateKey
let rsa: PrivateKey

before(async () => {
  ed25519 = await generatePrivateKey('ed25519')
  p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
})

test('the example of the specification verifies with its key', async () => {
  const { name, key } = parseVerifierKey(VKEY)
  const verified = await verifyNote(parseNote(NOTE), [noteVerifierForKey({ name, key, rule: 'note' })])
  assert.equal(verified.length, 1)
  assert.equal(formatVerifierKey(name, 1, key), VKEY)
  assert.equal(formatNote(parseNote(NOTE).text, parseNote(NOTE).signatures), NOTE)
})

test('the key id of Rekor v2 is the one of the public log, and differs from the rule of Rekor v1', () => {
  // log2025-1.rekor.sigstore.dev, from the public trusted root.
  const spki = Buffer.from('MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=', 'base64')
  const key = parsePublicKey(new Uint8Array(spki))
  const hash = logKeyHash({ name: 'log2025-1.rekor.sigstore.dev', key, rule: 'note' })
  assert.equal(Buffer.from(hash).toString('base64'), 'zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A=')
  assert.deepEqual(logKeyHash({ name: 'x', key, rule: 'rekor-v1' }), key.id)
  assert.notDeepEqual(logKeyHash({ name: 'x', key, rule: 'note' }), hash)
})

test('the key id of Rekor v1 is the one of the public log', () => {
  const spki = Buffer.from(
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==',
    'base64',
  )
  const hash = logKeyHash({ name: 'rekor.sigstore.dev', key: parsePublicKey(new Uint8Array(spki)), rule: 'rekor-v1' })
  assert.equal(encodeHex(keyIdOf(hash)), 'c0d23d6a')
})

test('every kind of key signs and verifies under both rules', async () => {
  for (const key of [ed25519, p256, rsa]) {
    for (const rule of ['note', 'rekor-v1'] as const) {
      const note = await signNote(TEXT, [noteSignerForKey({ name: 'log.example', key, rule })])
      const verifier = noteVerifierForKey({ name: 'log.example', key: key.publicKey, rule })
      assert.equal((await verifyNote(parseNote(note), [verifier])).length, 1)
    }
  }
})

test('lines of unknown keys are ignored, a known name with another key too', async () => {
  const other = await generatePrivateKey('ed25519')
  const signers = [
    noteSignerForKey({ name: 'witness.example', key: other, rule: 'note' }),
    noteSignerForKey({ name: 'log.example', key: other, rule: 'note' }),
    noteSignerForKey({ name: 'log.example', key: ed25519, rule: 'note' }),
  ]
  const known = noteVerifierForKey({ name: 'log.example', key: ed25519.publicKey, rule: 'note' })
  const verified = await verifyNote(parseNote(await signNote(TEXT, signers)), [known])
  assert.deepEqual(
    verified.map(({ verifier }) => verifier),
    [known],
  )
})

test('a note without a known signature, or with a wrong one of a known key, is refused', async () => {
  const known = noteVerifierForKey({ name: 'log.example', key: ed25519.publicKey, rule: 'note' })
  const signed = parseNote(
    await signNote(TEXT, [noteSignerForKey({ name: 'log.example', key: ed25519, rule: 'note' })]),
  )
  await assert.rejects(verifyNote(signed, []), { code: 'NOTE_UNSIGNED' })
  await assert.rejects(verifyNote({ ...signed, text: 'another text\n' }, [known]), { code: 'NOTE_SIGNATURE' })
  const renamed = signed.signatures.map((signature) => ({ ...signature, name: 'other.example' }))
  await assert.rejects(verifyNote({ ...signed, signatures: renamed }, [known]), { code: 'NOTE_UNSIGNED' })
  const [good] = signed.signatures
  assert.ok(good)
  const bad = { ...good, signature: good.signature.map((byte) => byte ^ 1) }
  await assert.rejects(verifyNote({ ...signed, signatures: [bad, good] }, [known]), { code: 'NOTE_SIGNATURE' })
  const cut = { ...good, signature: good.signature.subarray(1) }
  await assert.rejects(verifyNote({ ...signed, signatures: [cut] }, [known]), { code: 'NOTE_SIGNATURE' })
})

test('a line given twice counts once', async () => {
  const known = noteVerifierForKey({ name: 'log.example', key: p256.publicKey, rule: 'note' })
  const signer = noteSignerForKey({ name: 'log.example', key: p256, rule: 'note' })
  const note = parseNote(await signNote(TEXT, [signer, signer, signer]))
  assert.equal((await verifyNote(note, [known])).length, 1)
})

test('another algorithm than the log uses does not verify', async () => {
  const signer = noteSignerForKey({ name: 'log.example', key: rsa, rule: 'note' })
  const note = parseNote(await signNote(TEXT, [signer]))
  const verifier = noteVerifierForKey({
    name: 'log.example',
    key: rsa.publicKey,
    rule: 'note',
    algorithm: ALGORITHMS['rsa-sign-pss-2048-sha256'],
  })
  await assert.rejects(verifyNote(note, [verifier]), { code: 'NOTE_SIGNATURE' })
})

test('notes of another form are refused', () => {
  const line = '— a AAAAAAA=\n'
  for (const source of [
    '',
    'text',
    'text\n',
    'text\n\n',
    `text\n${line}`,
    'text\n\n— a\n',
    'text\n\n- a AAAAAAA=\n',
    `text\n\n${line}x`,
    'text\n\n— a AAAAAA==\n',
    'text\n\n— a AAAAAAA\n',
    'text\n\n— a+b AAAAAAA=\n',
    'text\n\n—  AAAAAAA=\n',
    'text\n\n— a b AAAAAAA=\n',
    'text\n\n— a\u00a0b AAAAAAA=\n',
    'text\n\n— a\u0085 AAAAAAA=\n',
    `te\txt\n\n${line}`,
    `te\rxt\n\n${line}`,
    `te\u0000xt\n\n${line}`,
    `te\ud800xt\n\n${line}`,
    `t\n\n${line.repeat(101)}`,
    `${'t'.repeat(1_000_001)}\n\n${line}`,
  ]) {
    assert.throws(() => parseNote(source), { code: 'NOTE_MALFORMED' }, source.slice(0, 40))
  }
  assert.equal(parseNote(`t\n\n${line.repeat(100)}`).signatures.length, 100)
  assert.equal(parseNote(`one\n\ntwo\n\n${line}`).text, 'one\n\ntwo\n')
})

test('verifier keys of another form are refused', async () => {
  const rsaKey = createPublicKey({ key: Buffer.from(rsa.publicKey.spki), format: 'der', type: 'spki' }).export({
    format: 'der',
    type: 'spki',
  })
  const rsaText = Buffer.concat([Buffer.of(2), rsaKey]).toString('base64')
  for (const text of [
    '',
    'a',
    'a+b',
    'example.com/foo+530d903a+',
    VKEY.replace('530d903a', '530d903b'),
    VKEY.replace('530d903a', '530D903A'),
    VKEY.replace('example', 'exam ple'),
    VKEY.slice(0, -4),
    `x+00000000+${rsaText}`,
  ]) {
    assert.throws(() => parseVerifierKey(text), { code: /^NOTE_(?:KEY|NAME)$/ }, text)
  }
  assert.throws(() => parseVerifierKey('a+00000000+Bgg='), { code: 'NOTE_KEY_UNSUPPORTED' })
  assert.throws(() => formatVerifierKey('a', 1, p256.publicKey), { code: 'NOTE_KEY' })
  assert.equal(parseVerifierKey(formatVerifierKey('a', 2, p256.publicKey)).type, 2)
  const mlDsa = await generatePrivateKey('ml-dsa-44')
  assert.throws(() => logKeyHash({ name: 'a', key: mlDsa.publicKey, rule: 'note' }), { code: 'NOTE_KEY_UNSUPPORTED' })
})

test('texts that cannot be notes are not signed', async () => {
  const signer = noteSignerForKey({ name: 'log.example', key: ed25519, rule: 'note' })
  await assert.rejects(signNote('no newline', [signer]), { code: 'NOTE_MALFORMED' })
  await assert.rejects(signNote('tab\t\n', [signer]), { code: 'NOTE_MALFORMED' })
  assert.throws(() => noteSignerForKey({ name: 'a b', key: ed25519, rule: 'note' }), { code: 'NOTE_NAME' })
})

test('any text is a note or is refused with a code', () => {
  const pieces = fc.array(fc.constantFrom('— ', 'a', ' ', '\n', '\n\n', 'AAAAAAA=', '=', '+', '\t', 'é'), {
    maxLength: 12,
  })
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    pieces.map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(anything, (text) => {
      for (const parse of [parseNote, parseVerifierKey, parseSignatureLine]) {
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
