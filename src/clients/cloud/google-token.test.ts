import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateKey, privateKeyToPem } from '#crypto/private-key'
import { verifySignature } from '#crypto/verify'
import { decodeBase64Url } from '#encoding/base64'
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { CLOUD_NOW, fakeCloud, type FakeCloud, type FakeCloudOptions, formOf } from '#testing/fake-cloud'
import { json } from '#testing/fake-fetch'
import { fuzzRuns } from '#testing/fuzz'
import { parseGoogleFile } from './google-credentials.js'
import { type GoogleAccess, googleAccess, googleToken } from './google-token.js'

const WELL_KNOWN = '~/.config/gcloud/application_default_credentials.json'
const METADATA = 'GET metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token'
const TOKEN = 'POST oauth2.googleapis.com/token'
const STS = 'POST sts.googleapis.com/v1/token'
const IAM =
  'POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ci@p.iam.gserviceaccount.com:generateAccessToken'
const IMPERSONATION = {
  service_account_impersonation_url: `https://${IAM.slice('POST '.length)}`,
}
const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')

const SERVICE = {
  type: 'service_account',
  client_email: 'release@p.iam.gserviceaccount.com',
  private_key: privateKeyToPem(rsa),
  private_key_id: 'key-1',
  token_uri: 'https://oauth2.googleapis.com/token',
  universe_domain: 'googleapis.com',
}
const USER = {
  type: 'authorized_user',
  client_id: 'id',
  client_secret: 's3cret-client',
  refresh_token: 's3cret-refresh',
}
const EXTERNAL = {
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: 'https://sts.googleapis.com/v1/token',
  credential_source: { file: '/token' },
}
const IMPERSONATED = { type: 'impersonated_service_account', source_credentials: USER, ...IMPERSONATION }

const ANSWERS = {
  [TOKEN]: json({ access_token: 'from-google', expires_in: 3599 }),
  [STS]: json({ access_token: 'federated', expires_in: 3599, token_type: 'Bearer' }),
  [IAM]: json({ accessToken: 'impersonated', expireTime: '2026-01-02T04:04:05Z' }),
  [METADATA]: json({ access_token: 'machine' }),
}

interface Asked extends FakeCloud {
  readonly access: GoogleAccess | undefined
}

async function ask(file: JsonValue | undefined, options: FakeCloudOptions = {}): Promise<Asked> {
  const { files = {}, answers = {} } = options
  const cloud = fakeCloud({
    ...options,
    answers: { ...ANSWERS, ...answers },
    files: { '/token': 'jwt\n', ...(file !== undefined && { [WELL_KNOWN]: JSON.stringify(file) }), ...files },
  })
  return { ...cloud, access: await googleAccess(cloud.ports) }
}

async function tokenOf(file: JsonValue | undefined, options: FakeCloudOptions = {}): Promise<string | undefined> {
  return (await ask(file, options)).access?.token
}

/** A code, and nothing that is secret in any text. */
async function refused(asked: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(isCodedError(error), String(error))
    assert.equal(error.code, code, error.message)
    const said = [error.message, error.expected, error.found, error.hint, String(error.cause)].join(' ')
    return !said.includes('s3cret') && !said.includes(SERVICE.private_key.slice(40, 80))
  })
}

describe('files that cannot be used', () => {
  const pkcs8 = (type: 'rsa' | 'rsa-pss', modulusLength: number): string =>
    generateKeyPairSync(type as 'rsa', { modulusLength })
      .privateKey.export({ format: 'pem', type: 'pkcs8' })
      .toString()
  for (const [name, file] of [
    ['a list', []],
    ['a text', 's3cret'],
    ['no type', {}],
    ['a type that is none', { type: 's' }],
    ['a type that is no text', { type: ['service_account'] }],
    ['gdch_service_account', { ...SERVICE, type: 'gdch_service_account' }],
    ['external_account_authorized_user', { ...USER, type: 'external_account_authorized_user' }],
    ['another universe', { ...SERVICE, universe_domain: 'evil.example' }],
    ['an account without a name', { ...SERVICE, client_email: '' }],
    ['an account without a key', { ...SERVICE, private_key: undefined }],
    ['a key that is none', { ...SERVICE, private_key: 's3cret' }],
    ['a key for another algorithm', { ...SERVICE, private_key: privateKeyToPem(p256) }],
    ['a key that is too small', { ...SERVICE, private_key: pkcs8('rsa', 1024) }],
    ['a person without a token', { ...USER, refresh_token: null }],
    ['a person with two lines', { ...USER, refresh_token: 's3cret\r\nx' }],
    ['no audience', { ...EXTERNAL, audience: undefined }],
    ['no source', { ...EXTERNAL, credential_source: undefined }],
    ['an empty source', { ...EXTERNAL, credential_source: {} }],
    [
      'AWS as a source',
      { ...EXTERNAL, credential_source: { environment_id: 'aws1', url: 'http://169.254.169.254/x' } },
    ],
    ['a program as a source', { ...EXTERNAL, credential_source: { executable: { command: '/bin/sh' } } }],
    ['a certificate as a source', { ...EXTERNAL, credential_source: { certificate: {} } }],
    ['a form that is none', { ...EXTERNAL, credential_source: { file: '/token', format: { type: 'xml' } } }],
    ['JSON without a field', { ...EXTERNAL, credential_source: { file: '/token', format: { type: 'json' } } }],
    [
      'headers that are none',
      { ...EXTERNAL, credential_source: { url: 'https://ci.example/', headers: { a: 'b\r\nc: d' } } },
    ],
    [
      'headers with a name that is none',
      { ...EXTERNAL, credential_source: { url: 'https://ci.example/', headers: { 'a: b': '' } } },
    ],
    ['delegates that are none', { ...IMPERSONATED, delegates: [1] }],
    [
      'a life that is none',
      { ...EXTERNAL, ...IMPERSONATION, service_account_impersonation: { token_lifetime_seconds: 0.5 } },
    ],
    ['nobody to impersonate', { ...IMPERSONATED, service_account_impersonation_url: undefined }],
    ['nobody who impersonates', { ...IMPERSONATED, source_credentials: undefined }],
    ['one impersonated by another', { ...IMPERSONATED, source_credentials: IMPERSONATED }],
  ] as const) {
    test(name, async () => {
      const written = JSON.parse(JSON.stringify(file)) as JsonValue
      const cloud = fakeCloud({ answers: ANSWERS, files: { [WELL_KNOWN]: JSON.stringify(written), '/token': 'jwt' } })
      await refused(googleToken(cloud.ports), 'CLOUD_SETTINGS')
      assert.deepEqual(cloud.network.lines(), [])
    })
  }

  test('what is no JSON, and what says a thing twice', async () => {
    for (const text of ['', 's3cret', '{"type":"authorized_user","type":"service_account"}', Uint8Array.of(0xff)])
      await refused(ask(undefined, { files: { [WELL_KNOWN]: text } }), 'CLOUD_SETTINGS')
  })
})

describe('a login goes to Google alone', () => {
  const elsewhere = [
    ...['http://oauth2.googleapis.com/token', 'https://oauth2.googleapis.com.evil.example/', 'https://evil.example/'],
    ...['https://oauth2.googleapis.com:8443/', 'https://a@oauth2.googleapis.com/', 'https://evil-googleapis.com/'],
    ...['https://sts.storage.googleapis.com/v1/token', 'https://bucket.storage.googleapis.com/v1/token'],
    ...[
      'https://storage.googleapis.com/v1/token',
      'https://sts-evil.googleapis.com/v1/token',
      'x',
      'file:///etc/passwd',
    ],
  ]
  for (const url of elsewhere) {
    test(`not to ${url}`, async () => {
      await refused(ask({ ...SERVICE, token_uri: url }), 'CLOUD_SETTINGS')
      await refused(ask({ ...EXTERNAL, token_url: url }), 'CLOUD_SETTINGS')
      await refused(ask({ ...IMPERSONATED, service_account_impersonation_url: url }), 'CLOUD_SETTINGS')
    })
  }

  const base = IMPERSONATION.service_account_impersonation_url
  for (const url of [
    base.replace(':generateAccessToken', ':signBlob'),
    base.replace('iamcredentials', 'iamcredentials.storage'),
    base.replace('/-/', '/../'),
    `${base}?x=y`,
  ]) {
    test(`nor to ${url}`, async () => {
      await refused(ask({ ...EXTERNAL, ...IMPERSONATION, service_account_impersonation_url: url }), 'CLOUD_SETTINGS')
    })
  }

  for (const url of [
    'http://ci.example/token',
    'http://169.254.169.254.evil.example/',
    'ftp://localhost/',
    'x',
    'http://169.254.1.1/',
  ]) {
    test(`the token of an issuer is not asked for at ${url}`, async () => {
      await refused(
        ask({ ...EXTERNAL, credential_source: { url, headers: { authorization: 's3cret' } } }),
        'CLOUD_SETTINGS',
      )
    })
  }

  test('by its other names, too', () => {
    for (const host of ['sts.mtls', 'us-east1-sts', 'us-east1.sts', 'sts.us-east1', 'sts.us-east1.rep', 'sts-mine.p'])
      parseGoogleFile(
        encodeUtf8(JSON.stringify({ ...EXTERNAL, token_url: `https://${host}.googleapis.com/v1/token` })),
        'file',
      )
  })
})

describe('the order', () => {
  const files = {
    '/adc.json': JSON.stringify(SERVICE),
    '/gcloud/application_default_credentials.json': JSON.stringify(EXTERNAL),
  }

  test('the file that is named, that of gcloud, the machine', async () => {
    const named = { env: { GOOGLE_APPLICATION_CREDENTIALS: '/adc.json', CLOUDSDK_CONFIG: '/gcloud' }, files }
    assert.equal(await tokenOf(USER, named), 'from-google')
    assert.equal(await tokenOf(USER, { env: { CLOUDSDK_CONFIG: '/gcloud' }, files }), 'federated')
    assert.equal(await tokenOf(USER), 'from-google')
    assert.equal(await tokenOf(undefined), 'machine')
    assert.equal(await tokenOf(undefined, { homeless: true }), 'machine')
  })

  test('a file that is named is there, or it is an error', async () => {
    await refused(ask(USER, { env: { GOOGLE_APPLICATION_CREDENTIALS: '/none' } }), 'CLOUD_SETTINGS')
  })

  test('without a file, it is looked for once', async () => {
    assert.deepEqual((await ask(undefined)).looked, [WELL_KNOWN])
  })

  test('nobody to Google', async () => {
    assert.equal(await googleToken(fakeCloud().ports), undefined)
  })
})

describe('a service account', () => {
  const part = (jwt: string, index: number): JsonObject => {
    const value = parseJson(decodeBase64Url(jwt.split('.')[index] ?? ''))
    assert.ok(isJsonObject(value))
    return value
  }

  test('proves itself with its key', async () => {
    const { access, network } = await ask(SERVICE)
    assert.deepEqual(access, { token: 'from-google', quotaProject: undefined })
    const [request] = network.requests
    assert.equal(request?.init.redirect, 'error')
    assert.equal(formOf(request).get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    const jwt = formOf(request).get('assertion') ?? ''
    assert.deepEqual(part(jwt, 0), { alg: 'RS256', typ: 'JWT', kid: 'key-1' })
    const issued = CLOUD_NOW / 1000 - 10
    assert.deepEqual(part(jwt, 1), {
      iss: SERVICE.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: SERVICE.token_uri,
      iat: issued,
      exp: issued + 3600,
    })
    const [input, signature] = [jwt.slice(0, jwt.lastIndexOf('.')), jwt.slice(jwt.lastIndexOf('.') + 1)]
    const check = { key: rsa.publicKey, scheme: rsa.algorithm, signature: decodeBase64Url(signature) }
    assert.ok(await verifySignature(check, encodeUtf8(input)))
  })

  test('at the address of its file', async () => {
    const answers = { 'POST accounts.google.com/o/oauth2/token': json({ access_token: 'old' }) }
    assert.equal(
      await tokenOf({ ...SERVICE, token_uri: 'https://accounts.google.com/o/oauth2/token' }, { answers }),
      'old',
    )
  })

  test('asks once while a token holds', async () => {
    let now = CLOUD_NOW
    const cloud = fakeCloud({ files: { [WELL_KNOWN]: JSON.stringify(SERVICE) }, answers: ANSWERS, clock: () => now })
    for (const minutes of [0, 14, 16]) {
      now = CLOUD_NOW + minutes * 60_000
      await googleToken(cloud.ports)
    }
    assert.equal(cloud.network.requests.length, 2)
  })
})

describe('a person', () => {
  test('trades what gcloud keeps', async () => {
    const { network, access } = await ask({ ...USER, quota_project_id: 'my-project' })
    assert.deepEqual(access, { token: 'from-google', quotaProject: 'my-project' })
    assert.deepEqual(Object.fromEntries(formOf(network.requests[0])), {
      grant_type: 'refresh_token',
      client_id: 'id',
      client_secret: 's3cret-client',
      refresh_token: 's3cret-refresh',
    })
  })

  test('may say another project', async () => {
    const env = { GOOGLE_CLOUD_QUOTA_PROJECT: 'other' }
    assert.equal((await ask({ ...USER, quota_project_id: 'my-project' }, { env })).access?.quotaProject, 'other')
  })

  test('has to log in again', async () => {
    const answers = { [TOKEN]: json({ error: 'invalid_grant', error_description: 's3cret-refresh was revoked' }, 400) }
    await refused(ask(USER, { answers }), 'CLOUD_LOGIN_EXPIRED')
    await refused(ask(USER, { answers: { [TOKEN]: json({ error: 'invalid_client' }, 401) } }), 'CLOUD_CREDENTIALS')
  })
})

describe('a token of another issuer', () => {
  test('from a file', async () => {
    const { network, access } = await ask(EXTERNAL)
    assert.equal(access?.token, 'federated')
    assert.deepEqual(Object.fromEntries(formOf(network.requests[0])), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: EXTERNAL.audience,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: EXTERNAL.subject_token_type,
      subject_token: 'jwt',
    })
    assert.equal(network.requests[0]?.headers['authorization'], undefined)
  })

  test('from a file with JSON', async () => {
    const source = { file: '/token.json', format: { type: 'json', subject_token_field_name: 'id' } }
    const files = { '/token.json': '{"id":"inner"}' }
    const { network } = await ask({ ...EXTERNAL, credential_source: source }, { files })
    assert.equal(formOf(network.requests[0]).get('subject_token'), 'inner')
  })

  test('from a CI system: what it wants to see goes to it, and to nobody else', async () => {
    const source = {
      url: 'https://ci.example/token?audience=x',
      headers: { Authorization: 'Bearer s3cret-ci' },
      format: { type: 'json', subject_token_field_name: 'value' },
    }
    const answers = { 'GET ci.example/token': json({ value: 'ci-jwt' }) }
    const { network, access } = await ask({ ...EXTERNAL, credential_source: source, ...IMPERSONATION }, { answers })
    assert.equal(access?.token, 'impersonated')
    const [first, second, third] = network.requests
    assert.deepEqual(
      [first?.headers['authorization'], first?.init.redirect, first?.url.search],
      ['Bearer s3cret-ci', 'error', '?audience=x'],
    )
    assert.deepEqual([formOf(second).get('subject_token'), second?.headers['authorization']], ['ci-jwt', undefined])
    assert.equal(third?.headers['authorization'], 'Bearer federated')
    assert.deepEqual(JSON.parse(new TextDecoder().decode(third.body)), {
      scope: ['https://www.googleapis.com/auth/cloud-platform'],
      lifetime: '3600s',
    })
  })

  test('from the machine beside, without TLS', async () => {
    const source = { url: 'http://169.254.169.254/metadata/identity', headers: { Metadata: 'True' } }
    const answers = { 'GET 169.254.169.254/metadata/identity': { body: 'azure-jwt' } }
    const { network } = await ask({ ...EXTERNAL, credential_source: source }, { answers })
    assert.equal(formOf(network.requests[1]).get('subject_token'), 'azure-jwt')
  })

  test('of a person, for a project or with a client', async () => {
    const workforce = { ...EXTERNAL, workforce_pool_user_project: '123' }
    const { network } = await ask(workforce)
    assert.equal(formOf(network.requests[0]).get('options'), '{"userProject":"123"}')
    const client = (await ask({ ...workforce, client_id: 'a', client_secret: 'b' })).network.requests[0]
    assert.deepEqual([client?.headers['authorization'], formOf(client).get('options')], ['Basic YTpi', null])
  })

  for (const [name, source, answer] of [
    ['an empty file', { file: '/empty' }, {}],
    ['a file with spaces', { file: '/spaces' }, {}],
    ['JSON without the field', { file: '/json', format: { type: 'json', subject_token_field_name: 'x' } }, {}],
    ['no JSON', { file: '/token', format: { type: 'json', subject_token_field_name: 'x' } }, {}],
    ['a refusal', { url: 'https://ci.example/token' }, { status: 403, body: 's3cret' }],
    ['a redirect', { url: 'https://ci.example/token' }, { status: 302, headers: { location: 'https://evil.example' } }],
  ] as const) {
    test(`an error: ${name}`, async () => {
      const files = { '/empty': '\n', '/spaces': 's3cret s3cret', '/json': '{"y":"s3cret"}' }
      const options = { files, answers: { 'GET ci.example/token': answer } }
      await refused(ask({ ...EXTERNAL, credential_source: source }, options), 'CLOUD_CREDENTIALS')
    })
  }
})

describe('another account', () => {
  test('is impersonated by a person', async () => {
    const { network, access } = await ask({ ...IMPERSONATED, delegates: ['a@p'], quota_project_id: 'q' })
    assert.deepEqual(access, { token: 'impersonated', quotaProject: 'q' })
    assert.equal(network.requests[1]?.headers['authorization'], 'Bearer from-google')
    assert.deepEqual((JSON.parse(new TextDecoder().decode(network.requests[1].body)) as JsonObject)['delegates'], [
      'a@p',
    ])
  })

  for (const [name, answer] of [
    ['that may not be', json({ error: { code: 403, message: 's3cret', status: 'PERMISSION_DENIED' } }, 403)],
    ['without a token', json({ expireTime: '2026-01-02T04:04:05Z' })],
  ] as const) {
    test(`an error: one ${name}`, async () => {
      await refused(ask(IMPERSONATED, { answers: { [IAM]: answer } }), 'CLOUD_CREDENTIALS')
    })
  }
})

const NAMES = [...new Set([SERVICE, USER, EXTERNAL, IMPERSONATED].flatMap((each) => Object.keys(each)))]
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      null,
      1,
      '',
      'x',
      ...Object.values(SERVICE),
      ...Object.values(EXTERNAL),
      ...Object.values(IMPERSONATED),
      USER,
    ),
    fc.array(tie('tree'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'file', 'url', 'headers', 'format', 'executable'), tie('tree'), {
      maxKeys: 6,
    }),
  ),
}))

test('any file is a login or a coded error', () => {
  const nearly = fc
    .tuple(
      fc.constantFrom<object>(SERVICE, USER, EXTERNAL, IMPERSONATED),
      fc.dictionary(fc.constantFrom(...NAMES), tree, { maxKeys: 2 }),
    )
    .map(([whole, other]) => encodeUtf8(JSON.stringify({ ...whole, ...other })))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.json().map(encodeUtf8), nearly)
  fc.assert(
    fc.property(bytes, (file) => {
      try {
        const { credentials } = parseGoogleFile(file, 'file')
        const url = 'tokenUrl' in credentials ? credentials.tokenUrl : 'https://oauth2.googleapis.com/token'
        assert.match(url, /^https:\/\/[a-z0-9.-]+\.google(?:apis)?\.com\//)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code === 'CLOUD_SETTINGS', String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
