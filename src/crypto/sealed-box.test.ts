import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { randomBytes } from './random.js'
import { sealBox } from './sealed-box.js'

const RECIPIENT = decodeBase64('B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=')
const MESSAGE = encodeUtf8('COSIGN_PASSWORD of a repository')

test('as libsodium seals it, with the same key of its own', async () => {
  const random = (): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => index + 101)
  const sealed = await sealBox(RECIPIENT, MESSAGE, random)
  assert.equal(
    encodeBase64(sealed),
    'VxR2nRFr92Q2rnS8eT0sMK0ZA8WaxSc4BcfiaYtBDDY4YCyJ1aQ17UeetakclV3ZYtFwK0RLw1Zbr2jkhiX605kL2/Km4ebc4O95pejfoQ==',
  )
})

test('each box has a key of its own', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => sealBox(RECIPIENT, MESSAGE, randomBytes)))
  assert.notDeepEqual(one!.subarray(0, 32), two!.subarray(0, 32))
  assert.equal(one!.length, 32 + 16 + MESSAGE.length)
})

for (const [name, key] of [
  ['nothing', new Uint8Array()],
  ['a byte too few', RECIPIENT.subarray(1)],
  ['a byte too many', Uint8Array.of(...RECIPIENT, 0)],
  ['the point of order 1', new Uint8Array(32)],
  ['the point of order 2', Uint8Array.of(1, ...new Uint8Array(31))],
] as const) {
  test(`nothing is encrypted to ${name}`, async () => {
    await assert.rejects(
      sealBox(key, MESSAGE, randomBytes),
      (error) => isCodedError(error) && error.code === 'KEY_MALFORMED',
    )
  })
}
