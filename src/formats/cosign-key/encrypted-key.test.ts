import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { privateKeyFromPkcs8 } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { randomBytes } from '#crypto/random'
import { encodePem, parsePem } from '#encoding/pem'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { isCosignKey, openCosignKey, sealCosignKey } from './encrypted-key.js'

// Made by cosign 3.1 for this test; it has never signed anything.
const KEY = `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJ4Q0RNVmVjMjZaR1BUcVZtdy9zRG85aW9WTDRPaTlI
UzJmRzRWWnJ0K1FNPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJ5ODc3WlJUc2Jhc1B2a0t0NmNuZkwzdXF4cjM2RTZyVSJ9LCJj
aXBoZXJ0ZXh0IjoiTXkyMHh1ZEVnVFVjbE9YWGJnbDdpdEtxd2x3cjByUFpQR2Zn
cFJZelhuVTdkMWdvRnJTdGtnS0w0bmNCSWVobnBOUDR2M3pNZEVoRlBqWmxWMmsr
UWU3VjY2QmhDUWJyQXd5cHBkYm5zVndCVWRHY1lKQ3FiSDlxUlJHVnF3dFNDVEJE
M2VmT2lDN09NdU00USt3c3ZEQXhZMjA4aDNyQVJvVUVWcWNjZllqL3U4Z2FucEoy
Mm4xV1N4UDhpMGFkRThCQnMxN2t5SnVJMUE9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`
const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELqAXHvTX6p1734gnLLAP/F4jDQ4N
o2wX1IDthG9WwZY9NuGXtOZOCWPpYVGrtzN5sPmmlUjLPuBh+Y6Biv1T0g==
-----END PUBLIC KEY-----
`
const PASSWORD = encodeUtf8('päss wörd')

/** The same file with another content. */
function rewrite(edit: (document: string) => string, label = 'ENCRYPTED SIGSTORE PRIVATE KEY'): string {
  const [block] = parsePem(KEY)
  return encodePem(label, encodeUtf8(edit(decodeUtf8(block?.bytes ?? assert.fail()))))
}

test("cosign's key opens with its password", async () => {
  const key = privateKeyFromPkcs8(await openCosignKey(KEY, PASSWORD))
  assert.equal(publicKeyToPem(key.publicKey), PUBLIC_KEY)
  assert.ok(isCosignKey(KEY))
})

test('the old label opens too', async () => {
  const old = rewrite((document) => document, 'ENCRYPTED COSIGN PRIVATE KEY')
  assert.ok(isCosignKey(old))
  assert.deepEqual(await openCosignKey(old, PASSWORD), await openCosignKey(KEY, PASSWORD))
})

test('what is sealed opens, and has the form of the original', async () => {
  const secret = encodeUtf8('a secret')
  const empty = new Uint8Array(0)
  const sealed = await sealCosignKey(secret, empty, randomBytes)
  assert.deepEqual(await openCosignKey(sealed, empty), secret)
  assert.notEqual(await sealCosignKey(secret, empty, randomBytes), sealed)
  const shape = (pem: string): string =>
    decodeUtf8(parsePem(pem)[0]?.bytes ?? assert.fail()).replaceAll(/"[A-Za-z0-9+/=]{20,}"/g, '""')
  assert.equal(shape(sealed), shape(KEY))
})

test('a wrong password opens nothing', async () => {
  for (const password of ['', 'pass word', 'päss wörd ']) {
    await assert.rejects(openCosignKey(KEY, encodeUtf8(password)), { code: 'COSIGN_KEY_PASSWORD' })
  }
})

test('a changed file opens nothing', async () => {
  const changed = rewrite((document) =>
    document.replace(
      /("ciphertext":".{20})(.)/,
      (_, before: string, letter: string) => before + (letter === 'A' ? 'B' : 'A'),
    ),
  )
  await assert.rejects(openCosignKey(changed, PASSWORD), { code: 'COSIGN_KEY_PASSWORD' })
})

test('other costs and ciphers are refused before any work is done', async () => {
  for (const [from, to] of [
    ['65536', '65537'],
    ['65536', '1073741824'],
    ['"r":8', '"r":800'],
    ['"p":1', '"p":-1'],
    ['scrypt', 'pbkdf2'],
    ['nacl/secretbox', 'none'],
    [/"nonce":"[^"]+"/, '"nonce":"AAAA"'],
  ] as const) {
    await assert.rejects(
      openCosignKey(
        rewrite((document) => document.replace(from, to)),
        PASSWORD,
      ),
      { code: 'COSIGN_KEY_PARAMETERS' },
    )
  }
})

test('files of another form are refused', async () => {
  const rejects = (pem: string, code: string): Promise<void> => assert.rejects(openCosignKey(pem, PASSWORD), { code })
  await rejects('', 'COSIGN_KEY_MALFORMED')
  await rejects(KEY + KEY, 'COSIGN_KEY_MALFORMED')
  await rejects(KEY.slice(0, 200), 'COSIGN_KEY_MALFORMED')
  await rejects(PUBLIC_KEY, 'COSIGN_KEY_LABEL')
  await rejects(
    rewrite((document) => document, 'ENCRYPTED PRIVATE KEY'),
    'COSIGN_KEY_LABEL',
  )
  await rejects(
    rewrite(() => 'x'),
    'COSIGN_KEY_MALFORMED',
  )
  await rejects(
    rewrite(() => '{}'),
    'COSIGN_KEY_MALFORMED',
  )
  await rejects(
    rewrite((document) => document.replace('"salt":"', '"salt":"*')),
    'COSIGN_KEY_MALFORMED',
  )
  assert.equal(isCosignKey(PUBLIC_KEY), false)
})

test('no error quotes the file or the password', async () => {
  for (const pem of [
    KEY,
    rewrite((document) => document.replace('ciphertext', 'cipher text')),
    rewrite((document) => document.slice(0, -3)),
  ]) {
    await assert.rejects(openCosignKey(pem, encodeUtf8('hunter2')), (error) => {
      const all = JSON.stringify([String(error), error, String((error as Error).cause)])
      return !all.includes('hunter2') && !all.includes('My20xudEgTU')
    })
  }
})

test('any text is a key file or is refused with a code', async () => {
  const sources = fc.oneof(
    fc.string(),
    fc.json().map((json) => rewrite(() => json)),
  )
  await fc.assert(
    fc.asyncProperty(sources, async (pem) => {
      await assert.rejects(openCosignKey(pem, PASSWORD), isCodedError)
    }),
    { numRuns: fuzzRuns() },
  )
})
