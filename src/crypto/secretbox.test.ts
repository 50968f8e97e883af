import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { openSecretbox, scryptKey, sealSecretbox } from './secretbox.js'

const KEY = new Uint8Array(32).fill(7)
const NONCE = new Uint8Array(24).fill(9)

test('what was sealed opens with the same key', async () => {
  const box = await sealSecretbox(KEY, NONCE, encodeUtf8('secret'))
  assert.deepEqual(await openSecretbox(KEY, NONCE, box), encodeUtf8('secret'))
})

test('a box does not open with another key, another nonce, or after a change', async () => {
  const box = await sealSecretbox(KEY, NONCE, encodeUtf8('secret'))
  const changed = box.map((byte, index) => (index === 3 ? byte ^ 1 : byte))
  await assert.rejects(openSecretbox(new Uint8Array(32), NONCE, box), { code: 'SECRETBOX_OPEN' })
  await assert.rejects(openSecretbox(KEY, new Uint8Array(24), box), { code: 'SECRETBOX_OPEN' })
  await assert.rejects(openSecretbox(KEY, NONCE, changed), { code: 'SECRETBOX_OPEN' })
  await assert.rejects(openSecretbox(KEY, NONCE, new Uint8Array(3)), { code: 'SECRETBOX_OPEN' })
  await assert.rejects(openSecretbox(new Uint8Array(5), NONCE, box), { code: 'SECRETBOX_OPEN' })
})

test('scrypt: the first 32 bytes of the vector of RFC 7914 §12 for N=1024, r=8, p=16', async () => {
  const key = await scryptKey(encodeUtf8('password'), encodeUtf8('NaCl'), { N: 1024, r: 8, p: 16 })
  assert.equal(encodeHex(key), 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162')
})
