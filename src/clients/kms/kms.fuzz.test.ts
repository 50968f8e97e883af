import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateKey } from '#crypto/private-key'
import { keyObjectOf, publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fakeNetwork, json } from '#testing/fake-fetch'
import { fakeTimers } from '#testing/fake-timers'
import { fuzzRuns } from '#testing/fuzz'
import { createKmsKey, fetchKmsKey, openKmsSigner } from './kms.js'
import type { KmsPorts } from './kms-key.js'

const { publicKey } = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const GOOGLE = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const URIS = [
  'awskms:///alias/x',
  `gcpkms://${GOOGLE}`,
  `gcpkms://${GOOGLE}/versions/1`,
  'azurekms://team.vault.azure.net/cosign',
  'hashivault://cosign',
]
/** Names that the readers look for, and values that they like, so that answers are nearly right. */
const NAMES = [
  ...['KeyMetadata', 'Arn'],
  ...['KeyId', 'KeyUsage', 'PublicKey', 'Signature', '__type', 'pem', 'algorithm', 'name', 'cryptoKeyVersions'],
  ...['nextPageToken', 'state', 'key', 'kid', 'kty', 'crv', 'x', 'y', 'n', 'e', 'key_ops', 'attributes', 'enabled'],
  ...['data', 'type', 'latest_version', 'keys', '1', 'public_key', 'supports_signing', 'signature', 'value', 'error'],
]
const { x = '', y = '' } = keyObjectOf(publicKey).export({ format: 'jwk' })
const LIKED: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    1e300,
    '',
    'x',
    'SIGN_VERIFY',
    'ENABLED',
    'EC',
    'RSA',
    'oct',
    'P-256',
    'verify',
    x,
    y,
  ],
  ...[
    'arn:aws:kms:eu-central-1:111122223333:key/x',
    'PENDING_GENERATION',
    'EC_SIGN_P256_SHA256',
    'RSA_SIGN_PSS_2048_SHA256',
    'ecdsa-p256',
    'ed25519',
    'AAAA',
    'vault:v1:AAAA',
  ],
  ...[publicKeyToPem(publicKey), encodeBase64(publicKey.spki), `${GOOGLE}/cryptoKeyVersions/1`],
  ...['https://team.vault.azure.net/keys/cosign/1', 'arn:aws:kms:eu-central-1:111122223333:key/x'],
]
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...LIKED),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('tree'), { maxKeys: 6 }),
  ),
}))
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.json().map(encodeUtf8),
  tree.map((value) => encodeUtf8(JSON.stringify(value))),
)

const noPauses = fakeTimers()
noPauses.autoAdvance()

function portsOver(answers: readonly { readonly status: number; readonly body: Uint8Array }[]): KmsPorts {
  let index = 0
  const { fetch } = fakeNetwork(() => answers[index++ % answers.length] ?? json({}))
  const token = fakeNetwork(() => json({ access_token: 'token' }))
  return {
    fetch,
    vaultFetch: fetch,
    machineFetch: token.fetch,
    env: {
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_REGION: 'eu-central-1',
      VAULT_ADDR: 'http://v',
      VAULT_TOKEN: 't',
    },
    clock: () => 0,
    readText: () => Promise.reject(new Error('no files')),
    vaultTokenFile: () => Promise.resolve(undefined),
    endpoints: 'known',
    timers: noPauses.timers,
  }
}

for (const uri of URIS) {
  test(`any answers for ${uri.slice(0, 60)} give a key or a coded error`, async () => {
    const answer = fc.record({ status: fc.constantFrom(200, 200, 200, 400, 403, 500), body })
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), async (answers) => {
        try {
          const { publicKey: found } = await fetchKmsKey(portsOver(answers), uri, new AbortController().signal)
          assert.ok(found.spki.length > 0)
          const signer = await openKmsSigner(portsOver(answers), uri, new AbortController().signal)
          await signer.sign(Uint8Array.of(1))
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })

  if (uri.includes('/versions/')) continue
  test(`any answers for ${uri.slice(0, 60)} make a key or a coded error`, async () => {
    const rest = fc.record({ status: fc.constantFrom(200, 200, 204, 400, 403, 404, 409, 500), body })
    const missing = { status: 404, body: encodeUtf8('{}') }
    await fc.assert(
      fc.asyncProperty(fc.array(rest, { minLength: 1, maxLength: 5 }), async (answers) => {
        try {
          const ask = { algorithm: undefined, signal: new AbortController().signal }
          const { key } = await createKmsKey(portsOver([missing, ...answers]), uri, ask)
          assert.ok(key.publicKey.spki.length > 0)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })
}
