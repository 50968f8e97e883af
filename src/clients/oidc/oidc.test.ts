import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64Url } from '#encoding/base64'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork, type SeenRequest } from '#testing/fake-fetch'
import { fakeTimers, type FakeTimers } from '#testing/fake-timers'
import { AMBIENT_PROVIDERS } from './ambient.js'
import { obtainIdentity, requireSource, type IdentityRequest } from './identity.js'
import type { AmbientPorts, LoginPorts, UnaryCall } from './ports.js'

const ISSUER = 'https://login.example/auth'
const SECRET_PART = 'c2VjcmV0LXNpZ25hdHVyZQ'

function jwt(claims: Readonly<Record<string, unknown>>): string {
  return `${encodeBase64Url(encodeUtf8('{"alg":"none"}'))}.${encodeBase64Url(encodeUtf8(JSON.stringify(claims)))}.${SECRET_PART}`
}

const AMBIENT = jwt({ sub: 'ambient' })

interface Bench {
  readonly ports: AmbientPorts & LoginPorts
  readonly network: FakeNetwork
  readonly time: FakeTimers
  readonly shown: string[]
}

interface Setting {
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly respond?: (request: SeenRequest, index: number) => FakeAnswer
  readonly call?: UnaryCall
  /** What the browser brings back, given the address it was sent to. */
  readonly browser?: (url: URL) => Readonly<Record<string, string>> | undefined
}

function setUp({ env = {}, files = {}, respond = () => ({ status: 404 }), call, browser }: Setting): Bench {
  const network = fakeNetwork(respond)
  const time = fakeTimers()
  const shown: string[] = []
  let comeBack = (_query: URLSearchParams): void => undefined
  const query = new Promise<URLSearchParams>((resolve) => {
    comeBack = resolve
  })
  const ports: AmbientPorts & LoginPorts = {
    fetch: network.fetch,
    env,
    files: { read: (path) => Promise.resolve(files[path]), exists: (path) => Promise.resolve(path in files) },
    call: call ?? (() => Promise.reject(new Error('no agent'))),
    timers: time.timers,
    clock: time.clock,
    random: (length) => new Uint8Array(length).fill(7),
    dialogue: {
      browser: (url) => {
        shown.push(url)
        const back = browser?.(new URL(url))
        if (back !== undefined) comeBack(new URLSearchParams(back))
        return Promise.resolve()
      },
      code: ({ code }) => {
        shown.push(code)
        return Promise.resolve()
      },
    },
    listen: (redirectUrl) => Promise.resolve({ redirectUrl, query, close: () => undefined }),
  }
  return { ports, network, time, shown }
}

const REQUEST: IdentityRequest = { issuer: ISSUER, clientId: 'sigstore', ambient: true, interactive: false }

async function rejectsWith(work: Promise<unknown>, code: string): Promise<Error> {
  let caught: unknown
  try {
    await work
  } catch (error) {
    caught = error
  }
  assert.ok(isCodedError(caught), 'a coded error')
  assert.equal(caught.code, code)
  const text = [caught.message, caught.expected, caught.found, caught.hint].join(' ')
  assert.ok(!text.includes(SECRET_PART) && !text.includes('hush'), 'no secret in the text')
  return caught
}

test('without a terminal and without anything to find it fails at once', async () => {
  const { ports, network } = setUp({})
  await rejectsWith(obtainIdentity(ports, REQUEST), 'OIDC_NO_IDENTITY')
  assert.equal(network.requests.length, 0)
})

test('whether there is anything to ask is told without asking it', async () => {
  const { ports, network } = setUp({})
  await rejectsWith(requireSource(ports, REQUEST), 'OIDC_NO_IDENTITY')
  await rejectsWith(requireSource(ports, { ...REQUEST, flow: 'normal' }), 'OIDC_NO_IDENTITY')
  const found = setUp({ env: { SIGSTORE_ID_TOKEN: 'x' } })
  await rejectsWith(requireSource(found.ports, { ...REQUEST, ambient: false }), 'OIDC_NO_IDENTITY')
  await requireSource(found.ports, REQUEST)
  await requireSource(ports, { ...REQUEST, interactive: true })
  await requireSource(ports, { ...REQUEST, flow: 'device' })
  assert.equal(network.requests.length + found.network.requests.length, 0)
})

for (const [env, hint] of [
  [{ GITHUB_ACTIONS: 'true' }, 'id-token: write'],
  [{ GITLAB_CI: 'true' }, 'id_tokens'],
  [{ BUILDKITE: 'true' }, 'Buildkite'],
  [{ CIRCLECI: 'true' }, 'circleci'],
  [{}, '--identity-token'],
] as const) {
  test(`what is missing is said (${Object.keys(env)[0] ?? 'nowhere in particular'})`, async () => {
    const error = await rejectsWith(obtainIdentity(setUp({ env }).ports, REQUEST), 'OIDC_NO_IDENTITY')
    assert.ok(isCodedError(error) && (error.hint ?? '').includes(hint))
  })
}

test('the variable comes first', async () => {
  const env = {
    SIGSTORE_ID_TOKEN: ` ${AMBIENT}\n`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'hush',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x/',
  }
  const { ports, network } = setUp({ env })
  assert.deepEqual(await obtainIdentity(ports, REQUEST), { token: AMBIENT, source: 'envvar' })
  assert.equal(network.requests.length, 0)
})

for (const token of ['', 'hush', 'a.b', 'a.b.c.d', 'a.b.c\r\nx: y', `${'a'.repeat(70_000)}.b.c`]) {
  test(`a variable with ${token.slice(0, 10) || 'nothing'} is no token`, async () => {
    const { ports } = setUp({ env: { SIGSTORE_ID_TOKEN: token } })
    await rejectsWith(obtainIdentity(ports, { ...REQUEST, provider: 'envvar' }), 'OIDC_TOKEN')
  })
}

test('GitHub is asked for the audience with its own token', async () => {
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'hush',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://gh.example/t?api-version=2',
  }
  const { ports, network } = setUp({ env, respond: () => json({ value: AMBIENT }) })
  assert.equal((await obtainIdentity(ports, REQUEST)).source, 'github-actions')
  assert.equal(network.requests[0]?.url.href, 'https://gh.example/t?api-version=2&audience=sigstore')
  assert.equal(network.requests[0].headers['authorization'], 'bearer hush')
})

for (const answer of [
  { status: 403, body: 'no' },
  json({}),
  json({ value: 7 }),
  json({ value: 'hush' }),
  { body: 'hush' },
] as const) {
  test(`a provider that is there but fails is an error (${JSON.stringify(answer).slice(0, 60)})`, async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'hush', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://gh.example/t' }
    const { ports } = setUp({ env, respond: () => answer })
    await assert.rejects(obtainIdentity(ports, { ...REQUEST, interactive: true }), (error: Error & { code?: string }) =>
      ['OIDC_PROVIDER', 'OIDC_TOKEN'].includes(error.code ?? ''),
    )
  })
}

test('Google’s metadata server is asked only on Google', async () => {
  const files = { '/sys/class/dmi/id/product_name': 'Google Compute Engine\n' }
  const { ports, network } = setUp({ files, respond: () => ({ body: AMBIENT }) })
  assert.equal((await obtainIdentity(ports, REQUEST)).source, 'google-workload-identity')
  assert.equal(network.requests[0]?.headers['metadata-flavor'], 'Google')
  const elsewhere = setUp({ files: { '/sys/class/dmi/id/product_name': 'KVM' } })
  await rejectsWith(obtainIdentity(elsewhere.ports, REQUEST), 'OIDC_NO_IDENTITY')
  assert.equal(elsewhere.network.requests.length, 0)
})

test('impersonation goes over the machine’s own account', async () => {
  const respond = ({ url }: SeenRequest): FakeAnswer =>
    url.host === 'metadata.google.internal' ? json({ access_token: 'hush' }) : json({ token: AMBIENT })
  const { ports, network } = setUp({ env: { GOOGLE_SERVICE_ACCOUNT_NAME: 'a@b.iam' }, respond })
  assert.equal((await obtainIdentity(ports, REQUEST)).source, 'google-impersonate')
  assert.equal(network.requests[1]?.headers['authorization'], 'Bearer hush')
  assert.match(network.requests[1].url.href, /serviceAccounts\/a%40b\.iam:generateIdToken$/)
})

test('a token file, Buildkite’s agent and SPIFFE’s agent are asked', async () => {
  const file = setUp({ files: { '/var/run/sigstore/cosign/oidc-token': `${AMBIENT}\n` } })
  assert.equal((await obtainIdentity(file.ports, REQUEST)).source, 'filesystem')
  const env = { BUILDKITE_AGENT_ACCESS_TOKEN: 'hush', BUILDKITE_JOB_ID: 'job/1' }
  const buildkite = setUp({ env, respond: () => json({ token: AMBIENT }) })
  assert.equal((await obtainIdentity(buildkite.ports, REQUEST)).source, 'buildkite-agent')
  assert.equal(buildkite.network.requests[0]?.url.href, 'https://agent.buildkite.com/v3/jobs/job%2F1/oidc/tokens')
  assert.equal(decodeUtf8(buildkite.network.requests[0].body), '{"audience":"sigstore"}')
  const token = encodeUtf8(AMBIENT)
  const svid = Uint8Array.of(0x0a, 1, 0x73, 0x12, (token.length & 0x7f) | 0x80, token.length >> 7, ...token)
  const answer = Uint8Array.of(0x0a, (svid.length & 0x7f) | 0x80, svid.length >> 7, ...svid)
  const socket = { SPIFFE_ENDPOINT_SOCKET: 'unix:///run/a.sock' }
  const seen: Parameters<UnaryCall>[0][] = []
  const call: UnaryCall = (asked) => {
    seen.push(asked)
    return Promise.resolve(answer)
  }
  const spiffe = setUp({ env: socket, files: { '/run/a.sock': '' }, call })
  assert.deepEqual(await obtainIdentity(spiffe.ports, REQUEST), { token: AMBIENT, source: 'spiffe' })
  assert.equal(seen[0]?.socket, '/run/a.sock')
  assert.deepEqual([...seen[0].message], [0x0a, 8, ...encodeUtf8('sigstore')])
})

for (const bytes of [
  [],
  [0x0a],
  [0x0a, 5, 1],
  [0x0a, 2, 0x12, 0x05],
  [0x0b],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x08],
]) {
  test(`the agent’s answer ${JSON.stringify(bytes)} is an error`, async () => {
    const { ports } = setUp({ call: () => Promise.resolve(Uint8Array.from(bytes)) })
    await rejectsWith(obtainIdentity(ports, { ...REQUEST, provider: 'spiffe' }), 'OIDC_PROVIDER')
  })
}

test('a provider is chosen by name', async () => {
  await rejectsWith(obtainIdentity(setUp({}).ports, { ...REQUEST, provider: 'gitlab' }), 'OIDC_UNKNOWN_PROVIDER')
  assert.equal(AMBIENT_PROVIDERS.length, 7)
})

test('ambient tokens are not looked for where that is switched off', async () => {
  const { ports } = setUp({ env: { SIGSTORE_ID_TOKEN: AMBIENT } })
  await rejectsWith(obtainIdentity(ports, { ...REQUEST, ambient: false }), 'OIDC_NO_IDENTITY')
})

// A person at a terminal

const DISCOVERY = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  device_authorization_endpoint: `${ISSUER}/device/code`,
}
const PERSON: IdentityRequest = { ...REQUEST, interactive: true }

function issuer(token: FakeAnswer, discovery: Readonly<Record<string, unknown>> = DISCOVERY): Setting['respond'] {
  return ({ url }) => (url.pathname.endsWith('/openid-configuration') ? json(discovery) : token)
}

/** Signs in as told; the token repeats the nonce of the request. */
function signIn(setting: Partial<Setting> & { readonly claims?: Readonly<Record<string, unknown>> } = {}): Bench {
  let nonce: string | null = null
  const claims = setting.claims ?? {}
  return setUp({
    respond: (request, index) => {
      const token = jwt({ iss: ISSUER, aud: 'sigstore', nonce, ...claims })
      return (issuer(json({ id_token: token, access_token: 'hush' })) ?? (() => ({})))(request, index)
    },
    browser: (url) => {
      nonce = url.searchParams.get('nonce')
      return { code: 'the-code', state: url.searchParams.get('state') ?? '' }
    },
    ...setting,
  })
}

test('a login with a browser uses PKCE, state and nonce', async () => {
  const { ports, network, shown } = signIn()
  const { source } = await obtainIdentity(ports, PERSON)
  assert.equal(source, 'browser')
  const asked = new URL(shown[0] ?? '')
  assert.equal(asked.searchParams.get('code_challenge_method'), 'S256')
  const form = new URLSearchParams(decodeUtf8(network.requests[1]?.body ?? new Uint8Array()))
  assert.equal(form.get('code'), 'the-code')
  assert.equal(form.get('redirect_uri'), asked.searchParams.get('redirect_uri'))
  assert.ok((form.get('code_verifier') ?? '').length >= 43)
})

test('a client secret goes as basic authentication', async () => {
  const { ports, network } = signIn()
  await obtainIdentity(ports, { ...PERSON, clientSecret: 'hush:1' })
  assert.equal(
    network.requests[1]?.headers['authorization'],
    `Basic ${Buffer.from('sigstore:hush%3A1').toString('base64')}`,
  )
})

for (const [what, back, code] of [
  ['another state', { code: 'x', state: 'other' }, 'OIDC_MISMATCH'],
  ['no state', { code: 'x' }, 'OIDC_MISMATCH'],
] as const) {
  test(`a browser that comes back with ${what} is refused`, async () => {
    await rejectsWith(obtainIdentity(signIn({ browser: () => back }).ports, PERSON), code)
  })
}

test('a login that is refused says why', async () => {
  const browser = (url: URL): Record<string, string> => ({
    error: 'access_denied',
    state: url.searchParams.get('state') ?? '',
  })
  const error = await rejectsWith(obtainIdentity(signIn({ browser }).ports, PERSON), 'OIDC_LOGIN')
  assert.ok(isCodedError(error) && error.found === 'access_denied')
})

test('a browser that brings no code is refused', async () => {
  const browser = (url: URL): Record<string, string> => ({ state: url.searchParams.get('state') ?? '' })
  await rejectsWith(obtainIdentity(signIn({ browser }).ports, PERSON), 'OIDC_LOGIN')
})

for (const claims of [
  { iss: 'https://evil.example' },
  { aud: 'other' },
  { aud: ['other'] },
  { nonce: 'other' },
  { nonce: undefined },
]) {
  test(`a token with ${JSON.stringify(claims)} is refused`, async () => {
    await rejectsWith(obtainIdentity(signIn({ claims }).ports, PERSON), 'OIDC_MISMATCH')
  })
}

test('nobody at the browser is given up after two minutes', async () => {
  const { ports, time } = signIn({ browser: () => undefined })
  const outcome = rejectsWith(obtainIdentity(ports, PERSON), 'OIDC_LOGIN_TIMEOUT')
  await time.advance(120_000)
  await outcome
})

for (const [what, discovery] of [
  ['another issuer', { ...DISCOVERY, issuer: 'https://evil.example' }],
  ['no token endpoint', { ...DISCOVERY, token_endpoint: undefined }],
  ['a plain token endpoint', { ...DISCOVERY, token_endpoint: 'http://login.example/token' }],
  ['a script as authorization endpoint', { ...DISCOVERY, authorization_endpoint: 'javascript:alert(1)' }],
  ['an array', []],
] as const) {
  test(`a discovery document with ${what} is refused`, async () => {
    const respond = issuer(json({}), discovery as Readonly<Record<string, unknown>>)
    await rejectsWith(obtainIdentity(setUp({ ...(respond && { respond }) }).ports, PERSON), 'OIDC_DISCOVERY')
  })
}

for (const address of ['http://login.example', 'ftp://x', 'nonsense', '']) {
  test(`the issuer "${address}" is not asked`, async () => {
    const { ports, network } = setUp({})
    await assert.rejects(obtainIdentity(ports, { ...PERSON, issuer: address }), (error: Error & { code?: string }) =>
      ['OIDC_DISCOVERY', 'OIDC_FLOW'].includes(error.code ?? ''),
    )
    assert.equal(network.requests.length, 0)
  })
}

// Another device

const GRANT = {
  device_code: 'hush',
  user_code: 'ABCD-EFGH',
  verification_uri: 'https://login.example/device',
  expires_in: 60,
  interval: 5,
}

function deviceLogin(...polls: readonly FakeAnswer[]): Bench {
  let poll = 0
  const bench = setUp({
    respond: ({ url }) => {
      if (url.pathname.endsWith('/openid-configuration')) return json(DISCOVERY)
      return url.pathname.endsWith('/device/code')
        ? json(GRANT)
        : (polls[poll++] ?? json({ error: 'authorization_pending' }, 400))
    },
  })
  bench.time.autoAdvance()
  return bench
}

const DEVICE: IdentityRequest = { ...REQUEST, flow: 'device' }

test('a device login waits, slows down when asked, and needs no terminal', async () => {
  const token = jwt({ iss: ISSUER, aud: 'sigstore' })
  const { ports, time, shown } = deviceLogin(
    json({ error: 'authorization_pending' }, 400),
    json({ error: 'slow_down' }, 400),
    json({ id_token: token }),
  )
  assert.deepEqual(await obtainIdentity(ports, DEVICE), { token, source: 'device' })
  assert.deepEqual([shown, time.started], [['ABCD-EFGH'], [5000, 5000, 10_000]])
})

test('a code that nobody enters runs out', async () => {
  await rejectsWith(obtainIdentity(deviceLogin().ports, DEVICE), 'OIDC_LOGIN_TIMEOUT')
  await rejectsWith(
    obtainIdentity(deviceLogin(json({ error: 'expired_token' }, 400)).ports, DEVICE),
    'OIDC_LOGIN_TIMEOUT',
  )
})

for (const answer of [
  json({ error: 'access_denied' }, 403),
  { status: 502, body: 'x' },
  json({ id_token: 'hush' }),
  json({}),
] as const) {
  test(`a device login that ends with ${JSON.stringify(answer).slice(0, 60)} fails`, async () => {
    await assert.rejects(obtainIdentity(deviceLogin(answer).ports, DEVICE), (error: Error & { code?: string }) =>
      ['OIDC_LOGIN', 'OIDC_TOKEN'].includes(error.code ?? ''),
    )
  })
}

test('an issuer without the device flow says so', async () => {
  const { device_authorization_endpoint: _none, ...rest } = DISCOVERY
  const respond = issuer(json({}), rest)
  await rejectsWith(obtainIdentity(setUp({ ...(respond && { respond }) }).ports, DEVICE), 'OIDC_FLOW')
})

test('client credentials need a secret and give a token', async () => {
  const token = jwt({ iss: ISSUER })
  const respond = issuer(json({ access_token: token }))
  const { ports } = setUp({ ...(respond && { respond }) })
  const request: IdentityRequest = { ...REQUEST, flow: 'client_credentials', clientSecret: 'hush' }
  assert.equal((await obtainIdentity(ports, request)).token, token)
  const { clientSecret: _none, ...without } = request
  await rejectsWith(obtainIdentity(ports, without), 'OIDC_FLOW')
  const refused = issuer(json({ error: 'invalid_client' }, 401))
  await rejectsWith(obtainIdentity(setUp({ ...(refused && { respond: refused }) }).ports, request), 'OIDC_LOGIN')
})

test('the token flow has no token of its own', async () => {
  await rejectsWith(obtainIdentity(setUp({}).ports, { ...REQUEST, flow: 'token' }), 'OIDC_FLOW')
})
