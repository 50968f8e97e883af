import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { fakeCloud, type FakeCloudOptions } from '#testing/fake-cloud'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN } from '#testing/kms/fake-services'
import { openKeyServices } from '#testing/kms/key-services'
import { fetchKmsKey } from './kms.js'
import type { KmsKey } from './kms-key.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const GOOGLE_KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const services = await openKeyServices()
const seen: Headers[] = []

before(() => {
  services.keys.aws.set('alias/release', { id: ID, key })
  services.keys.google.set(GOOGLE_KEY, [{ key }])
  services.keys.azure.set('cosign', [{ key }])
})
after(() => services.close())
beforeEach(() => {
  services.requests.length = 0
  seen.length = 0
  services.override = (request) => {
    seen.push(request.headers)
    const { host } = new URL(request.url)
    if (host === 'oauth2.googleapis.com') return Response.json({ access_token: GOOGLE_TOKEN })
    // No machine is anywhere.
    return host.startsWith('169.254.') || host.startsWith('metadata.') ? new Response('', { status: 404 }) : undefined
  }
})

async function fetchKey(uri: string, options: FakeCloudOptions): Promise<KmsKey> {
  const { user } = fakeCloud(options).ports
  const ports = services.ports({ env: { AWS_EC2_METADATA_DISABLED: 'true', ...options.env }, user })
  return await fetchKmsKey(ports, uri, new AbortController().signal)
}

describe('a key at a service, for a login that somebody keeps on their machine', () => {
  test('AWS: a profile, which also says where the key is', async () => {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = AWS_LOGIN
    const config = `[default]\nregion = eu-north-1\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}`
    const { publicKey } = await fetchKey('awskms:///alias/release', { files: { '~/.aws/config': config } })
    assert.deepEqual(publicKey.spki, key.publicKey.spki)
    assert.deepEqual(services.requests, ['POST kms.eu-north-1.amazonaws.com/'])
  })

  test('AWS: nowhere is a region', async () => {
    const asked = fetchKey('awskms:///alias/release', { files: { '~/.aws/config': '[default]' } })
    await assert.rejects(asked, { code: 'KMS_SETTINGS' })
  })

  test('Google: a person, whose requests are counted on a project', async () => {
    const user = {
      type: 'authorized_user',
      client_id: 'id',
      client_secret: 'word',
      refresh_token: 'token',
      quota_project_id: 'mine',
    }
    const path = '~/.config/gcloud/application_default_credentials.json'
    await fetchKey(`gcpkms://${GOOGLE_KEY}/versions/1`, { files: { [path]: JSON.stringify(user) } })
    assert.deepEqual(
      seen.map((headers) => headers.get('x-goog-user-project')),
      [null, 'mine'],
    )
  })

  test('Azure: whoever is logged in to its tool', async () => {
    const line = 'az account get-access-token --output json --resource https://vault.azure.net'
    const programs = { [line]: JSON.stringify({ accessToken: AZURE_TOKEN }) }
    const { publicKey } = await fetchKey('azurekms://team.vault.azure.net/cosign', { programs })
    assert.deepEqual(publicKey.spki, key.publicKey.spki)
  })

  for (const uri of ['awskms:///alias/release', `gcpkms://${GOOGLE_KEY}`, 'azurekms://team.vault.azure.net/cosign']) {
    test(`nobody: ${uri}`, async () => {
      await assert.rejects(fetchKey(uri, { env: { AWS_REGION: 'eu-central-1' } }), { code: 'KMS_CREDENTIALS' })
    })
  }
})
