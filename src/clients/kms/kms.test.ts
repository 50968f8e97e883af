import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { generatePrivateKey, type PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError, type ErrorDetail } from '#errors'
import { AWS_LOGIN, ARN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN, type FakeKey } from '#testing/kms/fake-services'
import { LOGINS, openKeyServices } from '#testing/kms/key-services'
import { fetchKmsKey, openKmsSigner } from './kms.js'
import type { KmsPorts } from './kms-key.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const GOOGLE_KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
const AWS = `awskms:///${ID}`
const GOOGLE = `gcpkms://${GOOGLE_KEY}`
const AZURE = 'azurekms://team.vault.azure.net/cosign'
const VAULT = 'hashivault://cosign'
const ALL = { AWS, GOOGLE, AZURE, VAULT }
const SECRETS = [AWS_LOGIN.AWS_SECRET_ACCESS_KEY, GOOGLE_TOKEN, AZURE_TOKEN, VAULT_TOKEN, 'session-word']

const [p256, other, p384, rsa, ed25519] = (await Promise.all(
  (
    [
      'ecdsa-sha2-256-nistp256',
      'ecdsa-sha2-256-nistp256',
      'ecdsa-sha2-384-nistp384',
      'rsa-sign-pkcs1-2048-sha256',
      'ed25519',
    ] as const
  ).map(generatePrivateKey),
)) as [PrivateKey, PrivateKey, PrivateKey, PrivateKey, PrivateKey]
/** SubjectPublicKeyInfo on secp256k1, which AWS and Google have keys on. */
const SECP256K1 =
  'MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEyis/MTRw7CrMyloaFnx8uggKG9fDYRp/17fG6qA+hmaLRoUqmCPj1vu33GX6eQTlPeRSdEbUL3EwWxjC0YdmNQ=='
const PEM_256K1 = `-----BEGIN PUBLIC KEY-----\n${SECP256K1}\n-----END PUBLIC KEY-----\n`

const services = await openKeyServices()
after(() => services.close())
beforeEach(() => {
  services.requests.length = 0
})
afterEach(() => {
  services.override = () => undefined
  const { aws, google, azure, vault } = services.keys
  for (const kept of [aws, google, azure, vault]) kept.clear()
})

/** The same key, or keys of versions, at all four. */
function put(...versions: readonly FakeKey[]): void {
  const newest = versions.at(-1)
  if (newest !== undefined)
    services.keys.aws.set(ID, { id: ID, ...newest }).set('alias/team/cosign', { id: ID, ...newest })
  services.keys.google.set(GOOGLE_KEY, versions)
  services.keys.azure.set('cosign', versions)
  services.keys.vault.set('cosign', versions)
}

const fetchKey = (uri: string, others?: Partial<KmsPorts>): ReturnType<typeof fetchKmsKey> =>
  fetchKmsKey(services.ports(others), uri, new AbortController().signal)
const pemOf = async (uri: string, others?: Partial<KmsPorts>): Promise<string> =>
  publicKeyToPem((await fetchKey(uri, others)).publicKey)

/** The code, and that nothing secret is in any of its texts. */
async function refused(work: Promise<unknown>, code: string, found?: string): Promise<void> {
  await assert.rejects(work, (error: Error & ErrorDetail & { readonly code: string }) => {
    const { message, expected = '', hint = '' } = error
    const texts = [message, expected, error.found ?? '', hint].join('\n')
    assert.equal(error.code, code, texts)
    assert.ok(
      SECRETS.every((secret) => !texts.includes(secret)),
      texts,
    )
    if (found !== undefined) assert.equal(error.found, found)
    return true
  })
}

for (const [name, uri] of Object.entries(ALL)) {
  describe(`${name} refuses`, () => {
    test('a key that is not there', async () => {
      await refused(fetchKey(uri), 'KMS_NOT_FOUND')
    })

    test('a key for encryption', async () => {
      put({ key: rsa, usage: 'encrypt' })
      await refused(fetchKey(uri), 'KMS_KEY_USAGE')
    })

    test('an answer that is too large', async () => {
      services.override = (request) => (isToken(request) ? undefined : new Response(new Uint8Array(3 << 20)))
      await refused(fetchKey(uri), 'KMS_RESPONSE')
    })

    test('a redirect, whose target sees nothing', async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        services.requests.length = 0
        services.override = (request) =>
          isToken(request) ? undefined : new Response(null, { status, headers: { location: 'http://elsewhere.test/' } })
        await refused(fetchKey(uri), 'KMS_RESPONSE')
        assert.ok(services.requests.every((line) => !line.includes('elsewhere')))
      }
    })

    for (const [status, code] of [
      [401, 'KMS_CREDENTIALS'],
      [403, 'KMS_DENIED'],
      [404, 'KMS_NOT_FOUND'],
      [400, 'KMS_REFUSED'],
      [429, 'KMS_UNREACHABLE'],
      [500, 'KMS_UNREACHABLE'],
      [503, 'KMS_UNREACHABLE'],
    ] as const) {
      test(`as ${code} what has status ${String(status)}, whatever its text says`, async () => {
        services.override = (request) =>
          isToken(request) ? undefined : new Response(`${SECRETS.join(' ')} <html>`, { status })
        await refused(fetchKey(uri), code, `status ${String(status)}`)
      })
    }

    for (const body of ['', '<html>', '[]', 'null', '"x"', '{}', '{"data":{}}', '{"key":{}}', '{"error":"x"}']) {
      test(`the answer ${JSON.stringify(body)}`, async () => {
        services.override = (request) => (isToken(request) ? undefined : new Response(body))
        // A list without versions is one: of a key of which none is enabled.
        await refused(fetchKey(uri), uri === GOOGLE && body.startsWith('{') ? 'KMS_KEY_USAGE' : 'KMS_RESPONSE')
      })
    }

    test('what nobody answers', async () => {
      await services
        .ports()
        .fetch('http://x/')
        .catch(() => undefined)
      const gone: KmsPorts['fetch'] = async (address, init) =>
        isTokenUrl(address) ? await services.fetch(address, init) : await unreachable(address)
      await refused(fetchKey(uri, { fetch: gone, vaultFetch: gone }), 'KMS_UNREACHABLE')
    })

    test('an asker who gave up, with another code', async () => {
      const ports = services.ports()
      const signal = AbortSignal.abort()
      await assert.rejects(fetchKmsKey(ports, uri, signal), { code: 'HTTP_ABORTED' })
    })
  })

  describe(`${name} gives`, () => {
    test('the key', async () => {
      put({ key: p256 })
      assert.equal(await pemOf(uri), publicKeyToPem(p256.publicKey))
    })

    test('a key that signs, and whose signatures verify', async () => {
      put({ key: other }, { key: p256 })
      const signer = await openKmsSigner(services.ports(), uri, new AbortController().signal)
      const message = encodeUtf8('message')
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: p256.publicKey, scheme: signer.algorithm, signature }, message))
      const streamed = await signer.sign(
        (async function* () {
          yield message.subarray(0, 3)
          yield message.subarray(3)
        })(),
      )
      assert.ok(
        await verifySignature({ key: signer.publicKey, scheme: signer.algorithm, signature: streamed }, message),
      )
    })
  })
}

const isTokenUrl = (address: string): boolean =>
  ['metadata.google.internal', '169.254.169.254'].includes(new URL(address).host)
const isToken = (request: Request): boolean => isTokenUrl(request.url)

/** Nobody listens on port 1 of this machine. */
async function unreachable(_address: string): ReturnType<KmsPorts['fetch']> {
  const { createHttpClient } = await import('../http/client.js')
  const client = createHttpClient({ env: {}, clock: () => 0, userAgent: 'x', random: () => 0, retry: { attempts: 1 } })
  return await client.fetch('http://127.0.0.1:1/')
}

describe('AWS', () => {
  const answer = (body: unknown, status = 200): void => {
    services.override = () => Response.json(body, { status })
  }
  const given = (more: object): object => ({
    KeyId: `${ARN}${ID}`,
    KeyUsage: 'SIGN_VERIFY',
    PublicKey: encodeBase64(p256.publicKey.spki),
    ...more,
  })

  for (const [name, body, code] of [
    ['another key than was asked for', given({ KeyId: `${ARN}00000000-12ab-34cd-56ef-1234567890ab` }), 'KMS_RESPONSE'],
    ['a key for message authentication', given({ KeyUsage: 'GENERATE_VERIFY_MAC' }), 'KMS_KEY_USAGE'],
    ['a key to agree on keys', given({ KeyUsage: 'KEY_AGREEMENT' }), 'KMS_KEY_USAGE'],
    ['a key without a use', given({ KeyUsage: undefined }), 'KMS_RESPONSE'],
    ['a key on secp256k1', given({ PublicKey: SECP256K1 }), 'KMS_KEY_TYPE'],
    ['a key that is no base64', given({ PublicKey: '%%' }), 'KMS_RESPONSE'],
    ['a key that is no DER', given({ PublicKey: 'AAAA' }), 'KMS_RESPONSE'],
    ['a point beside the curve', given({ PublicKey: offCurve() }), 'KMS_RESPONSE'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(body)
      await refused(fetchKey(AWS), code)
    })
  }

  for (const [type, code] of [
    ['AccessDeniedException', 'KMS_DENIED'],
    ['com.amazonaws.kms#NotFoundException', 'KMS_NOT_FOUND'],
    ['DisabledException', 'KMS_KEY_USAGE'],
    ['KMSInvalidStateException', 'KMS_KEY_USAGE'],
    ['UnsupportedOperationException', 'KMS_KEY_TYPE'],
    ['UnrecognizedClientException', 'KMS_CREDENTIALS'],
    ['ExpiredTokenException', 'KMS_CREDENTIALS'],
    ['ThrottlingException', 'KMS_UNREACHABLE'],
    ['aws-secret-word x', 'KMS_REFUSED'],
  ] as const) {
    test(`says ${type}: ${code}`, async () => {
      answer({ __type: type, message: 'aws-secret-word' }, 400)
      await refused(fetchKey(AWS), code)
    })
  }

  test('does not take the word of a wrong secret', async () => {
    put({ key: p256 })
    await refused(fetchKey(AWS, { env: { ...LOGINS, AWS_SECRET_ACCESS_KEY: 'another' } }), 'KMS_CREDENTIALS')
  })

  test('nobody to it, and no region', async () => {
    await refused(
      fetchKey(AWS, { env: { AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true' } }),
      'KMS_CREDENTIALS',
    )
    await refused(fetchKey(AWS, { env: AWS_LOGIN }), 'KMS_SETTINGS')
    await refused(fetchKey(AWS, { env: { ...AWS_LOGIN, AWS_REGION: 'evil.example/' } }), 'KMS_SETTINGS')
    assert.deepEqual(services.requests, [])
  })

  test('a policy sends no login to a host that it names itself', async () => {
    put({ key: p256 })
    for (const host of [
      ...['evil.example', 'kms.evil.example', 'x.execute-api.eu-central-1.amazonaws.com', 'kms.s3.amazonaws.com'],
      ...['kms.eu-central-1.amazonaws.com.evil.example', 'kms.eu-central-1.amazonaws.com:8443', '169.254.169.254'],
    ])
      await refused(fetchKey(`awskms://${host}/${ID}`, { endpoints: 'known' }), 'KMS_URI', host)
    assert.deepEqual(services.requests, [])
  })

  test('a policy may name AWS’ own hosts, and those of the environment', async () => {
    put({ key: p256 })
    const wanted = publicKeyToPem(p256.publicKey)
    const endpoints = 'known'
    assert.equal(await pemOf(`awskms://kms.us-east-2.amazonaws.com/${ID}`, { endpoints, env: AWS_LOGIN }), wanted)
    const env = { ...LOGINS, AWS_ENDPOINT_URL_KMS: 'http://kms.test' }
    assert.equal(await pemOf(`awskms://kms.test/${ID}`, { endpoints, env }), wanted)
    assert.equal(await pemOf(AWS, { endpoints, env }), wanted)
    assert.deepEqual(services.requests, ['POST kms.us-east-2.amazonaws.com/', 'POST kms.test/', 'POST kms.test/'])
    await refused(fetchKey(AWS, { env: { ...LOGINS, AWS_ENDPOINT_URL: 'file:///x' } }), 'KMS_SETTINGS')
  })

  test('whoever writes the address on their own command line may name any host', async () => {
    put({ key: p256 })
    assert.equal(await pemOf(`awskms://kms.test/${ID}`), publicKeyToPem(p256.publicKey))
  })

  test('the region is that of the ARN', async () => {
    put({ key: p256 })
    for (const name of [`key/${ID}`, 'alias/team/cosign'])
      assert.equal(await pemOf(`awskms:///arn:aws:kms:us-east-2:111122223333:${name}`), publicKeyToPem(p256.publicKey))
    assert.deepEqual(new Set(services.requests), new Set(['POST kms.us-east-2.amazonaws.com/']))
  })

  test('a key for ML-DSA', async () => {
    const key = await generatePrivateKey('ml-dsa-65')
    put({ key })
    assert.equal(await pemOf(AWS), publicKeyToPem(key.publicKey))
  })

  test('an alias stands for the key that it points at now', async () => {
    put({ key: p256 })
    assert.equal(await pemOf('awskms:///alias/team/cosign'), publicKeyToPem(p256.publicKey))
    put({ key: other })
    assert.equal(await pemOf('awskms:///alias/team/cosign'), publicKeyToPem(other.publicKey))
  })
})

describe('Google', () => {
  for (const [algorithm, key, code] of [
    ['EC_SIGN_SECP256K1_SHA256', p256, 'KMS_KEY_TYPE'],
    ['RSA_SIGN_RAW_PKCS1_2048', rsa, 'KMS_KEY_TYPE'],
    ['PQ_SIGN_SLH_DSA_SHA2_128S', p256, 'KMS_KEY_TYPE'],
    ['RSA_DECRYPT_OAEP_2048_SHA256', rsa, 'KMS_KEY_USAGE'],
    ['GOOGLE_SYMMETRIC_ENCRYPTION', p256, 'KMS_KEY_USAGE'],
    ['HMAC_SHA256', p256, 'KMS_KEY_USAGE'],
    ['EC_SIGN_P384_SHA384', p256, 'KMS_RESPONSE'],
    ['RSA_SIGN_PKCS1_2048_SHA256', p256, 'KMS_RESPONSE'],
    ['constructor', p256, 'KMS_KEY_USAGE'],
  ] as const) {
    test(`refuses ${algorithm} of ${key.publicKey.keyType}`, async () => {
      put({ key, algorithm })
      await refused(fetchKey(GOOGLE), code)
    })
  }

  for (const [algorithm, key, family, digest] of [
    ['EC_SIGN_P256_SHA256', p256, 'ecdsa', 'sha256'],
    ['EC_SIGN_P384_SHA384', p384, 'ecdsa', 'sha384'],
    ['EC_SIGN_ED25519', ed25519, 'ed25519', undefined],
    ['RSA_SIGN_PKCS1_2048_SHA256', rsa, 'rsa-pkcs1', 'sha256'],
    ['RSA_SIGN_PSS_2048_SHA256', rsa, 'rsa-pss', 'sha256'],
    ['RSA_SIGN_PKCS1_4096_SHA512', rsa, 'rsa-pkcs1', 'sha512'],
  ] as const) {
    test(`a version for ${algorithm} is used with nothing else`, async () => {
      put({ key, algorithm })
      const found = await fetchKey(GOOGLE)
      assert.deepEqual([found.algorithm?.family, found.algorithm?.digest], [family, digest])
    })
  }

  test('the newest version is the one with the greatest number, of all pages, that is enabled', async () => {
    const versions = Array.from({ length: 23 }, () => ({ key: other }))
    put(...versions, { key: p256 }, { key: other, disabled: true })
    const found = await fetchKey(GOOGLE)
    assert.equal(found.name, `${GOOGLE_KEY}/cryptoKeyVersions/24`)
    assert.equal(publicKeyToPem(found.publicKey), publicKeyToPem(p256.publicKey))
  })

  test('a version that is named, and nothing else that is asked', async () => {
    put({ key: p256 }, { key: other }, { key: other, disabled: true })
    for (const word of ['versions', 'cryptoKeyVersions'])
      assert.equal(await pemOf(`${GOOGLE}/${word}/1`), publicKeyToPem(p256.publicKey))
    assert.ok(services.requests.every((line) => !line.endsWith('/cryptoKeyVersions')))
    await refused(fetchKey(`${GOOGLE}/versions/3`), 'KMS_KEY_USAGE')
    await refused(fetchKey(`${GOOGLE}/versions/4`), 'KMS_NOT_FOUND')
  })

  test('no version that is enabled', async () => {
    put({ key: p256, disabled: true })
    await refused(fetchKey(GOOGLE), 'KMS_KEY_USAGE')
  })

  for (const [name, list] of [
    ['of another key', { cryptoKeyVersions: [{ name: 'projects/evil/cryptoKeyVersions/1', state: 'ENABLED' }] }],
    ['with paths', { cryptoKeyVersions: [{ name: `${GOOGLE_KEY}/cryptoKeyVersions/1/../2`, state: 'ENABLED' }] }],
    ['that is none', { cryptoKeyVersions: {} }],
    ['of nothing', { cryptoKeyVersions: [null] }],
    ['that never ends', { cryptoKeyVersions: [], nextPageToken: 'again' }],
  ] as const) {
    test(`refuses a list ${name}`, async () => {
      services.override = (request) => (isToken(request) ? undefined : Response.json(list))
      await refused(fetchKey(GOOGLE), 'KMS_RESPONSE')
    })
  }

  test('refuses another version than was asked for, and a key that is not one', async () => {
    const answer = (more: object): void => {
      services.override = (request) =>
        isToken(request)
          ? undefined
          : Response.json({ algorithm: 'EC_SIGN_P256_SHA256', pem: publicKeyToPem(p256.publicKey), ...more })
    }
    answer({ name: `${GOOGLE_KEY}/cryptoKeyVersions/2` })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_RESPONSE')
    answer({ pem: 'x' })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_RESPONSE')
    answer({ pem: PEM_256K1 })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_KEY_TYPE')
  })

  test('nobody to it', async () => {
    services.override = (request) => (isToken(request) ? new Response('no', { status: 404 }) : undefined)
    await refused(fetchKey(GOOGLE), 'KMS_CREDENTIALS')
  })
})

describe('Azure', () => {
  const JWK = { kid: 'https://team.vault.azure.net/keys/cosign/v1', kty: 'EC', crv: 'P-256', key_ops: ['sign'] }
  const answer = (key: object, attributes: object = { enabled: true }): void => {
    services.override = (request) => (isToken(request) ? undefined : Response.json({ key, attributes }))
  }

  for (const [name, key, code] of [
    ['a key of another vault', { ...JWK, kid: 'https://evil.vault.azure.net/keys/cosign/v1' }, 'KMS_RESPONSE'],
    ['another key', { ...JWK, kid: 'https://team.vault.azure.net/keys/other/v1' }, 'KMS_RESPONSE'],
    ['a secret', { ...JWK, kid: 'https://team.vault.azure.net/secrets/cosign/v1' }, 'KMS_RESPONSE'],
    ['a key without a name', { ...JWK, kid: 'v1' }, 'KMS_RESPONSE'],
    ['a symmetric key', { ...JWK, kty: 'oct-HSM' }, 'KMS_KEY_TYPE'],
    ['a key on secp256k1', { ...JWK, crv: 'P-256K', x: 'AAAA', y: 'AAAA' }, 'KMS_KEY_TYPE'],
    ['a key without numbers', JWK, 'KMS_RESPONSE'],
    ['a point beside the curve', { ...JWK, x: 'A'.repeat(43), y: 'A'.repeat(43) }, 'KMS_RESPONSE'],
    ['a key that wraps others', { ...JWK, key_ops: ['wrapKey'] }, 'KMS_KEY_USAGE'],
    ['a key of RSA that is too short', { ...JWK, kty: 'RSA', n: 'A'.repeat(85), e: 'AQAB' }, 'KMS_RESPONSE'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(key)
      await refused(fetchKey(AZURE), code)
    })
  }

  test('a key that is disabled', async () => {
    put({ key: p256, disabled: true })
    await refused(fetchKey(AZURE), 'KMS_KEY_USAGE')
  })

  test('no token goes to a host that is no vault', async () => {
    for (const host of [
      ...['evil.example', 'vault.azure.net', 'team.vault.azure.net.evil.example', 'team.evil.vault.azure.net'],
      ...['team.vault.azure.net:8443', 'user@team.vault.azure.net', 'team.blob.core.windows.net', 'localhost'],
    ])
      await refused(fetchKey(`azurekms://${host}/cosign`), 'KMS_URI', host)
    assert.deepEqual(services.requests, [])
  })

  test('a version that is named, and the newest one', async () => {
    put({ key: p256 }, { key: other })
    assert.equal(await pemOf(`${AZURE}/v1`), publicKeyToPem(p256.publicKey))
    assert.equal(await pemOf(AZURE), publicKeyToPem(other.publicKey))
    answer({ ...JWK, kid: 'https://team.vault.azure.net/keys/cosign/v2' })
    await refused(fetchKey(`${AZURE}/v1`), 'KMS_RESPONSE')
  })

  test('a token for this kind of vault, from the directory of its cloud', async () => {
    const env = { AZURE_CLIENT_ID: 'client', AZURE_TENANT_ID: 'tenant', AZURE_FEDERATED_TOKEN_FILE: '/token' }
    const forms: URLSearchParams[] = []
    const hosts: string[] = []
    const fetch: KmsPorts['fetch'] = async (address, init) => {
      const { host } = new URL(address)
      if (!host.startsWith('login.')) return await unreachable(address)
      hosts.push(host)
      forms.push(new URLSearchParams(init?.body as string))
      return await services.fetch('http://metadata.google.internal/x', { headers: { 'metadata-flavor': 'Google' } })
    }
    const readText = (): Promise<string> => Promise.resolve('jwt')
    for (const domain of ['vault.azure.net', 'managedhsm.azure.cn', 'vault.usgovcloudapi.net'])
      await refused(fetchKey(`azurekms://team.${domain}/cosign`, { env, fetch, readText }), 'KMS_UNREACHABLE')
    assert.deepEqual(
      forms.map((form) => form.get('scope')),
      [
        'https://vault.azure.net/.default',
        'https://managedhsm.azure.cn/.default',
        'https://vault.usgovcloudapi.net/.default',
      ],
    )
    assert.deepEqual(hosts, ['login.microsoftonline.com', 'login.chinacloudapi.cn', 'login.microsoftonline.us'])
  })

  test('RSA, as DER has it', async () => {
    put({ key: rsa })
    assert.equal(await pemOf(AZURE), publicKeyToPem(rsa.publicKey))
  })
})

describe('Vault', () => {
  const answer = (data: object): void => {
    services.override = () => Response.json({ data })
  }
  const version = { public_key: publicKeyToPem(p256.publicKey), name: 'P-256' }

  for (const [name, data, code] of [
    ['a version that is not there', { type: 'ecdsa-p256', latest_version: 2, keys: { 1: version } }, 'KMS_RESPONSE'],
    ['a version that is no number', { type: 'ecdsa-p256', latest_version: '1', keys: { 1: version } }, 'KMS_RESPONSE'],
    ['a name of the prototype', { type: 'ecdsa-p256', latest_version: 'constructor', keys: {} }, 'KMS_RESPONSE'],
    [
      'a key of a type that is new',
      { type: 'ml-dsa', latest_version: 1, keys: {}, supports_signing: true },
      'KMS_KEY_TYPE',
    ],
    ['a key for encryption', { type: 'aes256-gcm96', latest_version: 1, keys: { 1: 1 } }, 'KMS_KEY_USAGE'],
    [
      'a key of Ed25519 that is short',
      { type: 'ed25519', latest_version: 1, keys: { 1: { public_key: 'AAAA' } } },
      'KMS_RESPONSE',
    ],
    [
      'a key on secp256k1',
      { type: 'ecdsa-p256', latest_version: 1, keys: { 1: { public_key: PEM_256K1 } } },
      'KMS_KEY_TYPE',
    ],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(data)
      await refused(fetchKey(VAULT), code)
    })
  }

  for (const [name, env, code] of [
    ['no address', { VAULT_TOKEN }, 'KMS_SETTINGS'],
    ['an address that is a file', { VAULT_ADDR: 'file:///x', VAULT_TOKEN }, 'KMS_SETTINGS'],
    ['a path that climbs', { ...LOGINS, TRANSIT_SECRET_ENGINE_PATH: '../sys' }, 'KMS_SETTINGS'],
    ['a path with a question', { ...LOGINS, TRANSIT_SECRET_ENGINE_PATH: 'a?b' }, 'KMS_SETTINGS'],
    ['a namespace with a line break', { ...LOGINS, VAULT_NAMESPACE: 'a\nb: c' }, 'KMS_SETTINGS'],
    ['no token', { VAULT_ADDR: 'http://vault.test' }, 'KMS_CREDENTIALS'],
    ['a token with a line break', { ...LOGINS, VAULT_TOKEN: 'vault-secret-word\nx: y' }, 'KMS_CREDENTIALS'],
    ['a token that it does not know', { ...LOGINS, VAULT_TOKEN: 'session-word' }, 'KMS_DENIED'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      put({ key: p256 })
      await refused(fetchKey(VAULT, { env }), code)
    })
  }

  test('the newest version, of Ed25519 too', async () => {
    put({ key: other }, { key: p256 })
    assert.equal(await pemOf('openbao://cosign'), publicKeyToPem(p256.publicKey))
    put({ key: ed25519, algorithm: 'ed25519' })
    assert.equal(await pemOf(VAULT), publicKeyToPem(ed25519.publicKey))
  })

  test('engine, namespace and the token of the file; OpenBao’s names for them', async () => {
    services.keys.vault.set('team/v1/secrets/transit-2/cosign', [{ key: p256 }])
    const env = {
      BAO_ADDR: 'http://vault.test/',
      BAO_NAMESPACE: 'team',
      TRANSIT_SECRET_ENGINE_PATH: '/secrets/transit-2/',
    }
    const vaultTokenFile = (): Promise<string> => Promise.resolve(`${VAULT_TOKEN}\n`)
    assert.equal(await pemOf(VAULT, { env, vaultTokenFile }), publicKeyToPem(p256.publicKey))
    assert.deepEqual(services.requests, ['GET vault.test/v1/secrets/transit-2/keys/cosign'])
  })
})

describe('signing', () => {
  const message = encodeUtf8('message')
  const open = (uri: string): ReturnType<typeof openKmsSigner> =>
    openKmsSigner(services.ports(), uri, new AbortController().signal)

  for (const [name, uri] of Object.entries(ALL)) {
    test(`${name}: other curves and RSA`, async () => {
      for (const [key, google, vault] of [
        [p384, 'EC_SIGN_P384_SHA384', 'ecdsa-p384'],
        [rsa, 'RSA_SIGN_PKCS1_2048_SHA256', 'rsa-2048'],
      ] as const) {
        put({ key, algorithm: uri === GOOGLE ? google : vault })
        const signer = await open(uri)
        const signature = await signer.sign(message)
        assert.ok(await verifySignature({ key: key.publicKey, scheme: key.algorithm, signature }, message))
      }
    })

    test(`${name}: a signature that is none is an error`, async () => {
      put({ key: p256 })
      const signer = await open(uri)
      for (const text of ['%%', '', 'vault:v1:%%', 'vault:v9:AAAA']) {
        services.override = (request) =>
          isToken(request)
            ? undefined
            : Response.json({ Signature: text, signature: text, value: text, data: { signature: text } })
        const outcome = await signer
          .sign(message)
          .catch((error: unknown) => (isCodedError(error) ? error.code : String(error)))
        // Where the form says nothing, the self-check of signing does.
        assert.ok(
          outcome === 'KMS_RESPONSE' || (text === '' && outcome instanceof Uint8Array && outcome.length === 0),
          text,
        )
      }
    })

    test(`${name}: a key that signs messages is refused`, async () => {
      put({ key: ed25519, algorithm: uri === GOOGLE ? 'EC_SIGN_ED25519' : 'ed25519' })
      await refused(open(uri), 'KMS_KEY_TYPE')
    })
  }

  test('the version is the one whose key is known, although another is the newest by then', async () => {
    for (const uri of [GOOGLE, AZURE, VAULT]) {
      put({ key: p256 })
      const signer = await open(uri)
      put({ key: p256 }, { key: other })
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: p256.publicKey, scheme: signer.algorithm, signature }, message))
    }
  })
})

function offCurve(): string {
  const spki = p256.publicKey.spki.slice()
  spki[spki.length - 1] = (spki.at(-1) ?? 0) ^ 1
  return encodeBase64(spki)
}
