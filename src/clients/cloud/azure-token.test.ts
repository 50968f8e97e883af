import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateKey, privateKeyToPem } from '#crypto/private-key'
import { ALGORITHMS } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import { verifySignature } from '#crypto/verify'
import { decodeBase64Url, encodeBase64Url } from '#encoding/base64'
import { isJsonObject, type JsonObject, parseJson } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { CLOUD_NOW, fakeCloud, type FakeCloud, type FakeCloudOptions, formOf } from '#testing/fake-cloud'
import { json } from '#testing/fake-fetch'
import { fuzzRuns } from '#testing/fuzz'
import { azureToken } from './azure-token.js'

const RESOURCE = 'https://vault.azure.net'
const DIRECTORY = 'POST login.microsoftonline.com/tenant/oauth2/v2.0/token'
const MACHINE = 'GET 169.254.169.254/metadata/identity/oauth2/token'
const AZ = `az account get-access-token --output json --resource ${RESOURCE}`
const CLIENT = { AZURE_CLIENT_ID: 'client', AZURE_TENANT_ID: 'tenant' }
const SECRET = { ...CLIENT, AZURE_CLIENT_SECRET: 's3cret-app' }
const WORKLOAD = { ...CLIENT, AZURE_FEDERATED_TOKEN_FILE: '/token' }
const CERTIFICATE = { ...CLIENT, AZURE_CLIENT_CERTIFICATE_PATH: '/app.pem' }
const PRINTED = JSON.stringify({
  accessToken: 'from-cli',
  expires_on: CLOUD_NOW / 1000 + 3600,
  expiresOn: '2026-01-02 05:04:05',
})
const ANSWERS = { [DIRECTORY]: json({ access_token: 'from-directory' }), [MACHINE]: json({ access_token: 'machine' }) }

interface Asked extends FakeCloud {
  readonly token: string | undefined
}

async function ask(options: FakeCloudOptions): Promise<Asked> {
  const cloud = fakeCloud({ files: { '/token': 'jwt\n' }, ...options })
  return { ...cloud, token: await azureToken(cloud.ports, { resource: RESOURCE }) }
}

async function refused(asked: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(isCodedError(error), String(error))
    assert.equal(error.code, code, error.message)
    const said = [error.message, error.expected, error.found, error.hint, String(error.cause)].join(' ')
    return !said.includes('s3cret')
  })
}

describe('the order', () => {
  const programs = { [AZ]: PRINTED }
  for (const [name, options, expected, how] of [
    [
      'an application of the environment',
      { env: { ...SECRET, ...WORKLOAD }, answers: ANSWERS, programs },
      'from-directory',
      'client_secret',
    ],
    ['the workload identity', { env: WORKLOAD, answers: ANSWERS, programs }, 'from-directory', 'client_assertion'],
    ['the machine', { env: CLIENT, answers: ANSWERS, programs }, 'machine', undefined],
    ['the Azure CLI', { programs }, 'from-cli', undefined],
    ['nobody', {}, undefined, undefined],
  ] as const) {
    test(name, async () => {
      const { token, network, runs } = await ask(options)
      assert.equal(token, expected)
      if (how !== undefined) assert.ok(formOf(network.requests[0]).has(how))
      assert.deepEqual(runs, expected === 'from-cli' || expected === undefined ? [AZ] : [])
    })
  }

  test('AZURE_TOKEN_CREDENTIALS chooses, in any case', async () => {
    const all = { answers: ANSWERS, programs }
    const chosen = (name: string, env: Readonly<Record<string, string>> = SECRET): Promise<Asked> =>
      ask({ ...all, env: { ...env, ...WORKLOAD, AZURE_TOKEN_CREDENTIALS: name } })
    assert.equal((await chosen('dev')).token, 'from-cli')
    assert.equal((await chosen('AzureCliCredential')).token, 'from-cli')
    assert.equal((await chosen('ManagedIdentityCredential')).token, 'machine')
    assert.ok(formOf((await chosen('workloadidentitycredential')).network.requests[0]).has('client_assertion'))
    assert.ok(formOf((await chosen('EnvironmentCredential')).network.requests[0]).has('client_secret'))
    assert.equal((await chosen('prod')).token, 'from-directory')
    assert.deepEqual((await ask({ programs, env: { AZURE_TOKEN_CREDENTIALS: 'prod' } })).runs, [])
  })

  for (const name of ['AzurePowerShellCredential', 'x', 'constructor']) {
    test(`AZURE_TOKEN_CREDENTIALS=${name} is refused`, async () => {
      await refused(ask({ env: { ...SECRET, AZURE_TOKEN_CREDENTIALS: name }, answers: ANSWERS }), 'CLOUD_SETTINGS')
    })
  }
})

describe('an application', () => {
  test('with its secret, which goes to the directory', async () => {
    const { network } = await ask({ env: SECRET, answers: ANSWERS })
    assert.deepEqual(Object.fromEntries(formOf(network.requests[0])), {
      grant_type: 'client_credentials',
      client_id: 'client',
      scope: 'https://vault.azure.net/.default',
      client_secret: 's3cret-app',
    })
    assert.equal(network.requests[0]?.init.redirect, 'error')
  })

  test('of which something is missing is none', async () => {
    const { AZURE_TENANT_ID: _, ...half } = SECRET
    assert.equal((await ask({ env: half, answers: ANSWERS })).token, 'machine')
  })

  for (const [name, env, answers, code] of [
    [
      'that the directory refuses',
      SECRET,
      { [DIRECTORY]: json({ error: 'invalid_client', error_description: 's3cret-app' }, 401) },
      'CLOUD_CREDENTIALS',
    ],
    [
      'at a directory without TLS',
      { ...SECRET, AZURE_AUTHORITY_HOST: 'http://login.example' },
      ANSWERS,
      'CLOUD_CREDENTIALS',
    ],
    ['of a tenant that is a path', { ...SECRET, AZURE_TENANT_ID: '../x' }, ANSWERS, 'CLOUD_CREDENTIALS'],
  ] as const) {
    test(`an error: one ${name}`, async () => {
      await refused(ask({ env, answers }), code)
    })
  }
})

describe('an application with a certificate', async () => {
  const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
  const der = encodeUtf8('a certificate')
  const pem = `${encodePem('CERTIFICATE', der)}${privateKeyToPem(rsa)}`
  const part = (jwt: string, index: number): JsonObject => {
    const value = parseJson(decodeBase64Url(jwt.split('.')[index] ?? ''))
    assert.ok(isJsonObject(value))
    return value
  }

  test('proves itself with its key', async () => {
    const { network, token } = await ask({ env: CERTIFICATE, files: { '/app.pem': pem }, answers: ANSWERS })
    assert.equal(token, 'from-directory')
    const jwt = formOf(network.requests[0]).get('client_assertion') ?? ''
    assert.deepEqual(part(jwt, 0), { alg: 'PS256', typ: 'JWT', 'x5t#S256': encodeBase64Url(sha256(der)) })
    const { jti, ...claims } = part(jwt, 1)
    assert.match(typeof jti === 'string' ? jti : '', /^[0-9a-f]{32}$/)
    const issued = Math.floor(CLOUD_NOW / 1000)
    assert.deepEqual(claims, {
      aud: 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token',
      iss: 'client',
      sub: 'client',
      nbf: issued,
      exp: issued + 600,
    })
    const [input, signature] = [jwt.slice(0, jwt.lastIndexOf('.')), jwt.slice(jwt.lastIndexOf('.') + 1)]
    const check = {
      key: rsa.publicKey,
      scheme: ALGORITHMS['rsa-sign-pss-2048-sha256'],
      signature: decodeBase64Url(signature),
    }
    assert.ok(await verifySignature(check, encodeUtf8(input)))
  })

  const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  for (const [name, file] of [
    ['nothing', ''],
    ['no key', encodePem('CERTIFICATE', der)],
    ['no certificate', privateKeyToPem(rsa)],
    ['two keys', `${pem}${privateKeyToPem(rsa)}`],
    ['a key of another kind', `${encodePem('CERTIFICATE', der)}${privateKeyToPem(p256)}`],
    ['a key under a password', `${encodePem('CERTIFICATE', der)}${encodePem('ENCRYPTED PRIVATE KEY', der)}`],
  ] as const) {
    test(`refused: a file with ${name}`, async () => {
      await refused(ask({ env: CERTIFICATE, files: { '/app.pem': file }, answers: ANSWERS }), 'CLOUD_SETTINGS')
    })
  }
})

describe('the Azure CLI', () => {
  test('is asked once while its token holds', async () => {
    let now = CLOUD_NOW
    const cloud = fakeCloud({ programs: { [AZ]: PRINTED }, clock: () => now })
    for (const minutes of [0, 14, 16]) {
      now = CLOUD_NOW + minutes * 60_000
      assert.equal(await azureToken(cloud.ports, { resource: RESOURCE }), 'from-cli')
    }
    assert.equal(cloud.runs.length, 2)
  })

  for (const [name, printed] of [
    ['nothing', ''],
    ['no JSON', 's3cret'],
    ['a list', '["s3cret"]'],
    ['no token', '{"tokenType":"s3cret"}'],
    ['two lines', JSON.stringify({ accessToken: 's3cret\nx' })],
  ] as const) {
    test(`an error: it prints ${name}`, async () => {
      await refused(ask({ programs: { [AZ]: printed } }), 'CLOUD_CREDENTIALS')
    })
  }

  test('in which nobody is logged in is passed over, unless it was chosen', async () => {
    assert.equal((await ask({ programs: { [AZ]: 1 } })).token, undefined)
    await refused(ask({ programs: { [AZ]: 1 }, env: { AZURE_TOKEN_CREDENTIALS: 'dev' } }), 'CLOUD_LOGIN_EXPIRED')
    await refused(ask({ env: { AZURE_TOKEN_CREDENTIALS: 'dev' } }), 'CLOUD_LOGIN_EXPIRED')
  })

  test('is not run where others are answered, unless it was chosen', async () => {
    const options = { programs: { [AZ]: PRINTED }, programsAllowed: 'chosen' } as const
    const { token, runs } = await ask(options)
    assert.deepEqual([token, runs], [undefined, []])
    assert.equal((await ask({ ...options, env: { AZURE_TOKEN_CREDENTIALS: 'dev' } })).token, 'from-cli')
  })
})

test('whatever az prints, and whatever stands in a file, is a token or a coded error', async () => {
  const value = fc.constantFrom<unknown>(null, 0, 1e300, -1, '', 'word', 'a b', CLOUD_NOW)
  const printed = fc.oneof(
    fc.dictionary(fc.constantFrom('accessToken', 'expires_on'), value).map((each) => JSON.stringify(each)),
    fc.json(),
    fc.string(),
  )
  const line = fc.constantFrom(
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    'AAAA',
    '-----BEGIN PRIVATE KEY-----',
  )
  const file = fc.oneof(
    fc.string(),
    fc.array(line).map((lines) => lines.join('\n')),
  )
  await fc.assert(
    fc.asyncProperty(printed, file, async (output, pem) => {
      for (const options of [
        { programs: { [AZ]: output } },
        { env: CERTIFICATE, files: { '/app.pem': pem }, answers: ANSWERS },
      ]) {
        try {
          assert.notEqual((await ask(options)).token, '')
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
