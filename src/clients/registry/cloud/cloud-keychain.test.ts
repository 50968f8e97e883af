import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { fakeCloud } from '#testing/fake-cloud'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork } from '#testing/fake-fetch'
import { HttpError } from '../../http/http-error.js'
import { signAwsRequest } from '../../cloud/aws-signature.js'
import { cloudKeychain, type CloudName } from './cloud-keychain.js'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

interface Cloud {
  readonly answers?: Readonly<Record<string, FakeAnswer>>
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly names?: readonly CloudName[]
}

interface Asked {
  /** `user:password`, `identity-token:…` or `anonymous`. */
  readonly login: string
  readonly network: FakeNetwork
}

/** Answers by `METHOD host/path`; whatever has none is not there. */
async function ask(registry: string, { answers = {}, env = {}, files = {}, names }: Cloud = {}): Promise<Asked> {
  const network = fakeNetwork(
    ({ method, url }) => answers[`${method} ${url.host}${url.pathname}`] ?? new HttpError('HTTP_CONNECT', 'no'),
  )
  const { fetch } = network
  const readText = (path: string): Promise<string> =>
    files[path] === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(files[path])
  const ports = { fetch, machineFetch: fetch, env, clock: () => NOW, readText }
  const found = await cloudKeychain(ports, names)({ registry, repository: 'x' })
  if (found.kind === 'basic') return { login: `${found.username}:${found.password}`, network }
  return { login: found.kind === 'identity-token' ? `identity-token:${found.token}` : found.kind, network }
}

const GOOGLE = 'GET metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token'
const ECR = '123456789012.dkr.ecr.eu-central-1.amazonaws.com'
const ECR_API = 'POST api.ecr.eu-central-1.amazonaws.com/'
const ECR_TOKEN = json({ authorizationData: [{ authorizationToken: encodeBase64(encodeUtf8('AWS:word')) }] })
const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' }
const IMDS = '169.254.169.254/latest'
const ROLE = { AccessKeyId: 'ASIA', SecretAccessKey: 's3cret', Token: 'session' }
const STS = `<AssumeRoleWithWebIdentityResponse><Credentials><SessionToken>sess+ion=</SessionToken>
  <SecretAccessKey>sec/ret</SecretAccessKey><AccessKeyId>ASIAWEB</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResponse>`
const WEB = { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/gate' }
const ENTRA = 'POST login.microsoftonline.com/tenant/oauth2/v2.0/token'
const WORKLOAD = { AZURE_CLIENT_ID: 'client', AZURE_TENANT_ID: 'tenant', AZURE_FEDERATED_TOKEN_FILE: '/token' }
const EXCHANGE = 'POST acmeteam.azurecr.io/oauth2/exchange'
const AZURE_IMDS = 'GET 169.254.169.254/metadata/identity/oauth2/token'

const form = (network: FakeNetwork, index: number): URLSearchParams =>
  new URLSearchParams(new TextDecoder().decode(network.requests[index]?.body))

describe('whose registries are whose', () => {
  test('each cloud’s login is for its own registry', async () => {
    const answers = { [GOOGLE]: json({ access_token: 'google' }), [ECR_API]: ECR_TOKEN }
    const env = { GITHUB_TOKEN: 'github', GITHUB_ACTOR: 'me', ...KEYS }
    for (const host of ['gcr.io', 'eu.gcr.io', 'europe-west1-docker.pkg.dev'])
      assert.equal((await ask(host, { answers, env })).login, 'oauth2accesstoken:google')
    assert.equal((await ask('ghcr.io', { env })).login, 'me:github')
    assert.equal((await ask('ghcr.io', { env: { GITHUB_TOKEN: 'github' } })).login, 'unset:github')
    assert.equal((await ask(ECR, { answers, env })).login, 'AWS:word')
  })

  for (const host of [
    ...['gcr.io.evil.example', 'evilgcr.io', 'x.ghcr.io', 'ghcr.io:443', 'docker.pkg.dev.evil', 'a.b.gcr.io'],
    ...['localhost:5000', `${ECR}.evil.example`, `${ECR}:443`, `x${ECR}`, '1.dkr.ecr.eu-central-1.amazonaws.com'],
    ...['123456789012.dkr.ecr.evil.example.amazonaws.com', '123456789012.dkr.ecr..amazonaws.com', 'public.ecr.aws'],
    ...[
      'acmeteam.azurecr.io.evil',
      'azurecr.io',
      'evil.acmeteam.azurecr.io',
      'acmeteam.azurecr.io:443',
      'a/b.azurecr.io',
    ],
  ]) {
    test(`${host} gets nothing, and nobody is asked`, async () => {
      const { login, network } = await ask(host, { env: { GITHUB_TOKEN: 'github', ...KEYS, ...WORKLOAD } })
      assert.deepEqual([login, network.lines()], ['anonymous', []])
    })
  }

  test('a cloud that was not named is not asked', async () => {
    const { login, network } = await ask(ECR, { env: KEYS, names: ['azure', 'google'] })
    assert.deepEqual([login, network.lines()], ['anonymous', []])
  })
})

describe('Amazon', () => {
  // Published by AWS with the description of Signature Version 4: post-vanilla and post-x-www-form-urlencoded.
  for (const [name, headers, body, signature] of [
    ['without a body', {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'with a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Param1=value1',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ] as const) {
    test(`the signature of a request ${name} is AWS’ own`, () => {
      const url = new URL('https://example.amazonaws.com/')
      const credentials = {
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
        sessionToken: undefined,
      }
      const request = { url, region: 'us-east-1', service: 'service', headers, body }
      const signed = signAwsRequest(request, credentials, Date.UTC(2015, 7, 30, 12, 36, 0))
      assert.ok(signed['authorization']?.endsWith(`Signature=${signature}`), signed['authorization'])
    })
  }

  test('keys of the environment sign the question of the registry’s own region', async () => {
    const { login, network } = await ask(ECR, { env: KEYS, answers: { [ECR_API]: ECR_TOKEN } })
    assert.equal(login, 'AWS:word')
    const [request] = network.requests
    assert.match(
      request?.headers['authorization'] ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/eu-central-1\/ecr\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, /,
    )
    assert.equal(request?.headers['host'], undefined)
  })

  for (const [registry, api] of [
    ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com', 'POST ecr-fips.us-east-1.amazonaws.com/'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'POST api.ecr.cn-north-1.amazonaws.com.cn/'],
    ['123456789012.dkr-ecr.us-gov-west-1.on.aws', 'POST api.ecr.us-gov-west-1.amazonaws.com/'],
  ] as const) {
    test(`${registry} is asked at ${api}`, async () => {
      assert.equal((await ask(registry, { env: KEYS, answers: { [api]: ECR_TOKEN } })).login, 'AWS:word')
    })
  }

  test('a role of the service account: its token is traded, and nothing else is sent along', async () => {
    const answers = { 'POST sts.eu-central-1.amazonaws.com/': { body: STS }, [ECR_API]: ECR_TOKEN }
    const { login, network } = await ask(ECR, { env: WEB, files: { '/token': 'jwt\n' }, answers })
    assert.equal(login, 'AWS:word')
    assert.equal(form(network, 0).get('WebIdentityToken'), 'jwt')
    assert.equal(form(network, 0).get('RoleArn'), WEB.AWS_ROLE_ARN)
    assert.equal(network.requests[0]?.headers['authorization'], undefined)
    assert.match(network.requests[1]?.headers['authorization'] ?? '', /Credential=ASIAWEB\//)
    assert.equal(network.requests[1]?.headers['x-amz-security-token'], 'sess+ion=')
  })

  test('the agent of a pod, with the token that the cluster projects', async () => {
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token',
    }
    const answers = { 'GET 169.254.170.23/v1/credentials': json(ROLE), [ECR_API]: ECR_TOKEN }
    const { login, network } = await ask(ECR, { env, files: { '/token': 'jwt' }, answers })
    assert.deepEqual([login, network.requests[0]?.headers['authorization']], ['AWS:word', 'jwt'])
  })

  for (const url of ['http://evil.example/', 'http://169.254.170.23.evil.example/', 'ftp://localhost/', 'x']) {
    test(`an agent at ${url} gets no token`, async () => {
      const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'jwt' }
      await assert.rejects(ask(ECR, { env }), { code: 'CLOUD_CREDENTIALS' })
    })
  }

  test('the role of the instance, by the second version of its service', async () => {
    const roles = `GET ${IMDS}/meta-data/iam/security-credentials/`
    const answers = {
      [`PUT ${IMDS}/api/token`]: { body: 'session-token' },
      [roles]: { body: 'node-role\n' },
      [`${roles}node-role`]: json(ROLE),
      [ECR_API]: ECR_TOKEN,
    }
    const { login, network } = await ask(ECR, { answers })
    assert.equal(login, 'AWS:word')
    assert.equal(network.requests[1]?.headers['x-aws-ec2-metadata-token'], 'session-token')
    assert.equal((await ask(ECR, { answers, env: { AWS_EC2_METADATA_DISABLED: 'true' } })).login, 'anonymous')
    const without = { ...answers, [roles]: { status: 404 } }
    assert.equal((await ask(ECR, { answers: without })).login, 'anonymous')
  })

  test('nobody to AWS: anonymous', async () => {
    assert.equal((await ask(ECR)).login, 'anonymous')
  })

  for (const [name, answer] of [
    ['a refusal', json({ __type: 'AccessDeniedException', message: 'AKID may not' }, 400)],
    ['nothing', json({})],
    ['no list', json({ authorizationData: {} })],
    ['a token that is no base64', json({ authorizationData: [{ authorizationToken: '%%' }] })],
    ['a token without a name', json({ authorizationData: [{ authorizationToken: encodeBase64(encodeUtf8('x')) }] })],
    ['a page', { body: '<html>' }],
  ] as const) {
    test(`an error, and no secret in it: ${name}`, async () => {
      await assert.rejects(
        ask(ECR, { env: KEYS, answers: { [ECR_API]: answer } }),
        (error: Error & { code: string }) => {
          assert.ok(['CLOUD_CREDENTIALS', 'HTTP_JSON'].includes(error.code), error.code)
          return !JSON.stringify(error).includes('secret')
        },
      )
    })
  }

  test('a role that may not be taken is told with AWS’ own code', async () => {
    const answers = {
      'POST sts.eu-central-1.amazonaws.com/': { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' },
    }
    await assert.rejects(ask(ECR, { env: WEB, files: { '/token': 'jwt' }, answers }), {
      code: 'CLOUD_CREDENTIALS',
      found: 'status 403, AccessDenied',
    })
  })
})

describe('Azure', () => {
  test('workload identity: the cluster’s token, the directory’s, the registry’s', async () => {
    const answers = { [ENTRA]: json({ access_token: 'aad' }), [EXCHANGE]: json({ refresh_token: 'refresh' }) }
    const { login, network } = await ask('acmeteam.azurecr.io', { env: WORKLOAD, files: { '/token': 'jwt' }, answers })
    assert.equal(login, 'identity-token:refresh')
    assert.equal(form(network, 0).get('client_assertion'), 'jwt')
    assert.equal(form(network, 0).get('scope'), 'https://containerregistry.azure.net/.default')
    assert.deepEqual(
      [...form(network, 1)],
      [
        ['grant_type', 'access_token'],
        ['service', 'acmeteam.azurecr.io'],
        ['access_token', 'aad'],
      ],
    )
  })

  test('the identity of the machine', async () => {
    const answers = { [AZURE_IMDS]: json({ access_token: 'aad' }), [EXCHANGE]: json({ refresh_token: 'refresh' }) }
    const { login, network } = await ask('acmeteam.azurecr.io', { answers, env: { AZURE_CLIENT_ID: 'one' } })
    assert.equal(login, 'identity-token:refresh')
    assert.equal(network.requests[0]?.headers['metadata'], 'true')
    assert.equal(network.requests[0].url.searchParams.get('client_id'), 'one')
  })

  for (const [name, answers] of [
    ['no machine', {}],
    ['a machine without an identity', { [AZURE_IMDS]: json({ error: 'invalid_request' }, 400) }],
    ['a registry that does not know it', { [AZURE_IMDS]: json({ access_token: 'aad' }), [EXCHANGE]: json({}, 401) }],
  ] as const) {
    test(`anonymous: ${name}`, async () => {
      assert.equal((await ask('acmeteam.azurecr.io', { answers })).login, 'anonymous')
    })
  }

  for (const [name, env, answers] of [
    ['a directory that refuses', WORKLOAD, { [ENTRA]: json({ error: 'invalid_client' }, 401) }],
    ['a directory without TLS', { ...WORKLOAD, AZURE_AUTHORITY_HOST: 'http://login.example/' }, {}],
    ['a tenant that is a path', { ...WORKLOAD, AZURE_TENANT_ID: '../x' }, {}],
    ['a token with a line break', WORKLOAD, { [ENTRA]: json({ access_token: 'a\nb' }) }],
  ] as const) {
    test(`an error: ${name}`, async () => {
      const asked = ask('acmeteam.azurecr.io', { env, files: { '/token': 'jwt' }, answers })
      await assert.rejects(asked, { code: 'CLOUD_CREDENTIALS' })
    })
  }
})

describe('Google', () => {
  for (const answer of [
    { status: 404 },
    { body: 'x' },
    json({}),
    json([]),
    json({ access_token: 1 }),
    new HttpError('HTTP_DNS', 'no'),
  ]) {
    const said = answer instanceof Error ? 'nothing' : JSON.stringify(answer).slice(0, 60)
    test(`a machine that answers ${said} is anonymous`, async () => {
      assert.equal((await ask('gcr.io', { answers: { [GOOGLE]: answer } })).login, 'anonymous')
    })
  }
})

describe('what somebody keeps on their machine', () => {
  test('serves for the registries of its cloud', async () => {
    const user = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' }
    const { ports } = fakeCloud({
      files: {
        '~/.aws/credentials': '[default]\naws_access_key_id = AKID\naws_secret_access_key = word\n',
        '~/.config/gcloud/application_default_credentials.json': JSON.stringify(user),
      },
      programs: {
        'az account get-access-token --output json --resource https://containerregistry.azure.net': JSON.stringify({
          accessToken: 'aad',
        }),
      },
      answers: {
        [ECR_API]: ECR_TOKEN,
        [EXCHANGE]: json({ refresh_token: 'refresh' }),
        'POST oauth2.googleapis.com/token': json({ access_token: 'google' }),
      },
    })
    const keychain = cloudKeychain(ports)
    const logins = [ECR, 'europe-west1-docker.pkg.dev', 'acmeteam.azurecr.io'].map((registry) =>
      keychain({ registry, repository: 'x' }),
    )
    assert.deepEqual(await Promise.all(logins), [
      { kind: 'basic', username: 'AWS', password: 'word' },
      { kind: 'basic', username: 'oauth2accesstoken', password: 'google' },
      { kind: 'identity-token', token: 'refresh' },
    ])
  })

  test('and for no others: nothing is looked at', async () => {
    const { ports, looked, runs } = fakeCloud()
    for (const registry of ['docker.io', 'ghcr.io', 'quay.io', 'gcr.io.evil.example'])
      assert.equal((await cloudKeychain(ports)({ registry, repository: 'x' })).kind, 'anonymous')
    assert.deepEqual([looked, runs], [[], []])
  })
})

describe('what is remembered', () => {
  const keychainOver = (answer: () => FakeAnswer, env: Readonly<Record<string, string>> = {}) => {
    const network = fakeNetwork(answer)
    const { fetch } = network
    const ports = { fetch, machineFetch: fetch, env, clock: () => NOW, readText: () => Promise.reject(new Error('no')) }
    return { network, keychain: cloudKeychain(ports) }
  }

  test('the machine is asked once, and a region once', async () => {
    const { network, keychain } = keychainOver(() => json({ access_token: 'google' }))
    await Promise.all(['gcr.io', 'eu.gcr.io'].map(async (registry) => await keychain({ registry, repository: 'x' })))
    assert.equal(network.requests.length, 1)
    const amazon = keychainOver(() => ECR_TOKEN, KEYS)
    for (const account of ['123456789012', '210987654321'])
      await amazon.keychain({ registry: ECR.replace('123456789012', account), repository: 'x' })
    assert.equal(amazon.network.requests.length, 1)
  })

  test('what failed is asked again', async () => {
    const answers = [json({}, 500), ECR_TOKEN]
    const { keychain } = keychainOver(() => answers.shift() ?? new Error('no more'), KEYS)
    await assert.rejects(keychain({ registry: ECR, repository: 'x' }), { code: 'CLOUD_CREDENTIALS' })
    assert.equal((await keychain({ registry: ECR, repository: 'x' })).kind, 'basic')
  })
})
