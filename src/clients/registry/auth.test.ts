import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCodedError } from '#errors'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork, type SeenRequest } from '#testing/fake-fetch'
import { parseChallenges } from './challenge.js'
import { createRegistryClient } from './client.js'
import type { Credentials } from './credentials.js'
import type { RegistryClient } from './registry.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const MANIFEST: FakeAnswer = {
  headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
  body: '{"manifests":[]}',
}
const BASIC: Credentials = { kind: 'basic', username: 'me', password: 'hush' }
const ANONYMOUS: Credentials = { kind: 'anonymous' }
const BASIC_HEADER = `Basic ${Buffer.from('me:hush').toString('base64')}`

interface Options {
  readonly credentials?: Credentials
  readonly challenge?: string
  readonly token?: (request: SeenRequest, count: number) => FakeAnswer
  readonly accepts?: (authorization: string, request: SeenRequest) => boolean
}

interface Bench {
  readonly client: RegistryClient
  readonly network: FakeNetwork
  advance(milliseconds: number): void
}

const BEARER = 'Bearer realm="https://auth.example/token",service="reg.example",scope="repository:team/app:pull"'

function setUp({ credentials = ANONYMOUS, challenge = BEARER, token, accepts }: Options = {}): Bench {
  let tokens = 0
  let now = 0
  const network = fakeNetwork((request) => {
    if (request.url.host === 'auth.example')
      return (token ?? ((_request, count) => json({ token: `t${String(count)}`, expires_in: 300 })))(request, tokens++)
    const authorization = request.headers['authorization'] ?? ''
    const fine = accepts === undefined ? authorization.startsWith('Bearer t') : accepts(authorization, request)
    return fine ? MANIFEST : { status: 401, headers: { 'www-authenticate': challenge }, body: '{}' }
  })
  const client = createRegistryClient({
    fetch: network.fetch,
    clock: () => now,
    keychain: () => Promise.resolve(credentials),
  })
  return { client, network, advance: (milliseconds) => (now += milliseconds) }
}

async function rejectsWith(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isCodedError(error))
    assert.equal(error.code, code)
    assert.ok(
      !JSON.stringify([error.message, error.found, error.hint, error.expected]).includes('hush'),
      'no secret in the text',
    )
    return true
  })
}

test('an anonymous token is got when it is asked for, and used again', async () => {
  const { client, network } = setUp()
  await client.manifest(APP, 'v1')
  await client.manifest(APP, 'v2')
  assert.deepEqual(network.lines(), [
    'GET https://reg.example/v2/team/app/manifests/v1',
    'GET https://auth.example/token?service=reg.example&scope=repository%3Ateam%2Fapp%3Apull',
    'GET https://reg.example/v2/team/app/manifests/v1',
    'GET https://reg.example/v2/team/app/manifests/v2',
  ])
  assert.equal(network.requests[1]?.headers['authorization'], undefined)
})

test('a password goes to the realm, never to the registry itself', async () => {
  const { client, network } = setUp({ credentials: BASIC })
  await client.manifest(APP, 'v1')
  assert.deepEqual(
    network.requests.map(({ headers }) => headers['authorization']),
    [undefined, BASIC_HEADER, 'Bearer t0'],
  )
})

test('where basic is asked for, the password is sent, but not before', async () => {
  const options = {
    credentials: BASIC,
    challenge: 'Basic realm="x"',
    accepts: (header: string) => header === BASIC_HEADER,
  }
  const { client, network } = setUp(options)
  await client.manifest(APP, 'v1')
  await client.manifest(APP, 'v2')
  assert.deepEqual(
    network.requests.map(({ headers }) => headers['authorization']),
    [undefined, BASIC_HEADER, BASIC_HEADER],
  )
})

test('parallel requests share one token', async () => {
  const { client, network } = setUp()
  await client.manifest(APP, 'v0')
  const before = network.lines().filter((line) => line.includes('auth.example')).length
  await Promise.all(['v1', 'v2', 'v3'].map(async (tag) => await client.manifest(APP, tag)))
  assert.equal(network.lines().filter((line) => line.includes('auth.example')).length, before)
})

test('a token that ran out is replaced before it is sent, a revoked one after', async () => {
  const { client, network, advance } = setUp()
  await client.manifest(APP, 'v1')
  advance(295_000)
  await client.manifest(APP, 'v2')
  assert.equal(network.requests.at(-1)?.headers['authorization'], 'Bearer t1')
  assert.equal(network.requests.length, 5, 'no 401 in between')
  let revoked = true
  const second = setUp({ accepts: (header) => header === 'Bearer t1' || (header === 'Bearer t0' && !revoked) })
  revoked = false
  await second.client.manifest(APP, 'v1')
  revoked = true
  await second.client.manifest(APP, 'v2')
  assert.equal(second.network.requests.at(-1)?.headers['authorization'], 'Bearer t1')
})

test('writing asks for a token that may write', async () => {
  const { client, network } = setUp({ credentials: BASIC })
  await client.pushBlob(APP, new Uint8Array(1), 'x')
  assert.match(decodeURIComponent(network.requests[1]?.url.search ?? ''), /scope=repository:team\/app:pull,push/)
})

test('an identity token is traded at the realm', async () => {
  const { client, network } = setUp({
    credentials: { kind: 'identity-token', token: 'hush' },
    token: () => json({ access_token: 't0' }),
  })
  await client.manifest(APP, 'v1')
  const form = new URLSearchParams(Buffer.from(network.requests[1]?.body ?? []).toString())
  assert.equal(network.requests[1]?.method, 'POST')
  assert.deepEqual(
    [form.get('grant_type'), form.get('refresh_token'), form.get('service')],
    ['refresh_token', 'hush', 'reg.example'],
  )
})

test('a registry token is sent as it is', async () => {
  const { client, network } = setUp({ credentials: { kind: 'registry-token', token: 't-given' } })
  await client.manifest(APP, 'v1')
  assert.deepEqual(
    network.requests.map(({ headers }) => headers['authorization']),
    ['Bearer t-given'],
  )
})

test('without credentials a basic registry says what to do', async () => {
  await rejectsWith(setUp({ challenge: 'Basic realm="x"' }).client.manifest(APP, 'v1'), 'REGISTRY_UNAUTHORIZED')
})

test('a login that does not help is not tried for ever', async () => {
  const { client, network } = setUp({ credentials: BASIC, accepts: () => false })
  await rejectsWith(client.manifest(APP, 'v1'), 'REGISTRY_UNAUTHORIZED')
  assert.equal(network.requests.length, 3)
  const basic = setUp({ credentials: BASIC, challenge: 'Basic', accepts: () => false })
  await rejectsWith(basic.client.manifest(APP, 'v1'), 'REGISTRY_UNAUTHORIZED')
  assert.equal(basic.network.requests.length, 2)
})

for (const [answer, code] of [
  [{ status: 401 }, 'REGISTRY_UNAUTHORIZED'],
  [{ status: 403 }, 'REGISTRY_UNAUTHORIZED'],
  [{ status: 500 }, 'REGISTRY_TOKEN'],
  [json({}), 'REGISTRY_TOKEN'],
  [json({ token: '' }), 'REGISTRY_TOKEN'],
  [json({ token: 7 }), 'REGISTRY_TOKEN'],
  [json({ token: 't0\r\nx-evil: 1' }), 'REGISTRY_TOKEN'],
  [json([]), 'REGISTRY_TOKEN'],
  [{ body: '<html>' }, 'HTTP_JSON'],
] as const) {
  test(`a token service that answers ${JSON.stringify(answer).slice(0, 70)} is ${code}`, async () => {
    await rejectsWith(setUp({ credentials: BASIC, token: () => answer }).client.manifest(APP, 'v1'), code)
  })
}

for (const realm of ['http://auth.example/token', 'javascript:x', 'https://u:p@auth.example/', 'nonsense://', '']) {
  test(`a password is not sent to the realm "${realm}"`, async () => {
    const { client, network } = setUp({ credentials: BASIC, challenge: `Bearer realm="${realm}"` })
    await client.manifest(APP, 'v1').then(
      () => assert.fail('must not work'),
      () => undefined,
    )
    assert.ok(
      network.requests.every(
        ({ url, headers }) =>
          url.protocol === 'https:' &&
          url.username === '' &&
          (headers['authorization'] === undefined || url.host === APP.registry),
      ),
    )
  })
}

for (const challenge of ['', 'Negotiate', 'Digest realm="x"', ',,,']) {
  test(`the challenge "${challenge}" is not understood`, async () => {
    await rejectsWith(setUp({ challenge }).client.manifest(APP, 'v1'), 'REGISTRY_RESPONSE')
  })
}

test('challenges are read in every spelling', () => {
  const read = (header: string): readonly unknown[] =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])
  assert.deepEqual(read('Basic'), [['basic', {}]])
  assert.deepEqual(read('bearer Realm="a,b=\\"c",scope=x y'), [
    ['bearer', { realm: 'a,b="c', scope: 'x' }],
    ['y', {}],
  ])
  assert.deepEqual(read('Basic realm="x", Bearer realm="y", service=z'), [
    ['basic', { realm: 'x' }],
    ['bearer', { realm: 'y', service: 'z' }],
  ])
  assert.deepEqual(read('realm="x"'), [])
})
