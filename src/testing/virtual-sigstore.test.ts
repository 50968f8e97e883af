import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { startVirtualSigstore } from './virtual-sigstore.js'
import type { VirtualSigstore } from './virtual-sigstore.js'

async function certificateFor(sigstore: VirtualSigstore, email: string): Promise<number> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const body = {
    credentials: { oidcIdentityToken: await sigstore.token(email) },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: publicKeyToPem(key.publicKey) },
      proofOfPossession: encodeBase64(await key.sign(encodeUtf8(email))),
    },
  }
  const response = await sigstore.fetch(`${sigstore.url}/api/v2/signingCert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.status
}

test('every service answers, without a socket', async () => {
  const sigstore = await startVirtualSigstore()
  const paths = [
    '/',
    '/readyz',
    '/metrics',
    '/oidc/.well-known/openid-configuration',
    '/oidc/keys',
    '/api/v2/trustBundle',
    '/api/v1/log',
    '/api/v2/checkpoint',
    '/api/v1/timestamp/certchain',
    '/tuf/timestamp.json',
    '/tuf/1.root.json',
    '/v2/',
  ]
  for (const path of paths) assert.equal((await sigstore.fetch(sigstore.url + path)).status, 200, path)
  assert.equal(await certificateFor(sigstore, 'ann@example.com'), 200)
  assert.equal(
    serializeTrustedRoot(parseTrustedRoot(serializeTrustedRoot(sigstore.trustedRoot))),
    serializeTrustedRoot(sigstore.trustedRoot),
  )
  await sigstore.close()
})

test('its tokens die with its clock', async () => {
  const sigstore = await startVirtualSigstore()
  const token = await sigstore.token('ann@example.com')
  const post = (): Promise<{ readonly status: number }> =>
    sigstore.fetch(`${sigstore.url}/api/v2/signingCert`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        credentials: { oidcIdentityToken: token },
        publicKeyRequest: { publicKey: { content: 'x' }, proofOfPossession: 'eA==' },
      }),
    })
  sigstore.advance(11 * 60_000)
  assert.equal((await post()).status, 400)
  await sigstore.close()
})

test('it goes on after a restart as the one it was', async () => {
  const first = await startVirtualSigstore()
  await first.close()
  const second = await startVirtualSigstore({ storage: first.storage, now: first.clock() + 1000 })
  assert.equal(serializeTrustedRoot(second.trustedRoot), serializeTrustedRoot(first.trustedRoot))
  assert.deepEqual(second.tuf.root, first.tuf.root)
  await second.close()
})

test('it does not reach the network', async () => {
  const sigstore = await startVirtualSigstore()
  await assert.rejects(sigstore.fetch('https://example.com/'), /reached for the network/)
  await sigstore.close()
})
