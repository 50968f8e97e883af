import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeBase64Url } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import type { Handler } from '#serving/handler'
import { router } from '#serving/routes'
import type { OidcOptions } from './issuer.js'
import { oidcRoutes } from './oidc.js'
import { developmentUsers, hashPassword, listedUsers } from './users.js'

const ISSUER = 'http://localhost:8080/oidc'
const signer = generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const START = Date.UTC(2025, 0, 1)
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = encodeBase64Url(sha256(encodeUtf8(VERIFIER)))
const REDIRECT = 'http://localhost:39999/auth/callback'

interface Driver {
  readonly handler: Handler
  advance(millis: number): void
  readonly now: () => number
}

function start(options: Partial<OidcOptions> = {}): Driver {
  let now = START
  let counter = 0
  const random = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let offset = 0; offset < length; offset += 32)
      bytes.set(sha256(encodeUtf8(String(counter++))).subarray(0, length - offset), offset)
    return bytes
  }
  const routes = oidcRoutes({ issuer: ISSUER, signer, users: developmentUsers(), clock: () => now, random, ...options })
  return { handler: router(routes), advance: (millis) => void (now += millis), now: () => now }
}

function authorizeUrl(changes: Record<string, string | undefined> = {}): string {
  const parameters: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: 'sigstore',
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: 's',
    nonce: 'n',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
  const url = new URL(`${ISSUER}/auth`)
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

/** A browser's part: the cookie and the hidden fields of the page. */
interface OpenPage {
  readonly status: number
  readonly text: string
  readonly cookie: string
  readonly fields: Record<string, string>
}

async function open(handler: Handler, url: string, headers: Record<string, string> = {}): Promise<OpenPage> {
  return readPage(await handler(new Request(url, { headers })))
}

async function readPage(response: Response): Promise<OpenPage> {
  const text = await response.text()
  const fields = Object.fromEntries(
    [...text.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
  return { status: response.status, text, cookie: response.headers.get('set-cookie')?.split(';', 1)[0] ?? '', fields }
}

function submit(
  handler: Handler,
  path: string,
  opened: OpenPage,
  extra: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams({ ...opened.fields, ...extra })
  return handler(
    new Request(`${ISSUER}${path}`, { method: 'POST', body, headers: { cookie: opened.cookie, ...headers } }),
  )
}

function post(
  handler: Handler,
  path: string,
  form: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Response> {
  return handler(new Request(`${ISSUER}${path}`, { method: 'POST', body: new URLSearchParams(form), headers }))
}

async function oauthError(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error?: string }
  return `${String(response.status)} ${error ?? ''}`
}

async function claimsOf(driver: Driver, token: string): Promise<JWTPayload> {
  const keys = (await (await driver.handler(new Request(`${ISSUER}/keys`))).json()) as JSONWebKeySet
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: ISSUER,
    audience: 'sigstore',
    algorithms: ['RS256'],
    currentDate: new Date(driver.now()),
  })
  return payload
}

async function codeFor(driver: Driver, email = 'a@example.com'): Promise<string> {
  const answered = await submit(driver.handler, '/auth/sign-in', await open(driver.handler, authorizeUrl()), {
    email,
    answer: 'yes',
  })
  assert.equal(answered.status, 303)
  return new URL(answered.headers.get('location') ?? '').searchParams.get('code') ?? ''
}

const exchange = (code: string, changes: Record<string, string> = {}): Record<string, string> => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: REDIRECT,
  client_id: 'sigstore',
  code_verifier: VERIFIER,
  ...changes,
})

test('discovery names itself and what it can', async () => {
  const response = await start().handler(new Request(`${ISSUER}/.well-known/openid-configuration`))
  const found = (await response.json()) as Record<string, unknown>
  assert.equal(found['issuer'], ISSUER)
  assert.deepEqual(found['code_challenge_methods_supported'], ['S256'])
  assert.deepEqual(found['id_token_signing_alg_values_supported'], ['RS256'])
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
})

test('a person signs in, and the token says who', async () => {
  const driver = start()
  const answered = await submit(driver.handler, '/auth/sign-in', await open(driver.handler, authorizeUrl()), {
    email: 'ann@example.com',
    answer: 'yes',
  })
  const location = new URL(answered.headers.get('location') ?? '')
  assert.equal(location.origin + location.pathname, REDIRECT)
  assert.deepEqual([location.searchParams.get('state'), location.searchParams.get('iss')], ['s', ISSUER])
  const response = await post(driver.handler, '/token', exchange(location.searchParams.get('code') ?? ''))
  assert.deepEqual([response.status, response.headers.get('cache-control')], [200, 'no-store'])
  const { id_token: token, access_token: access } = (await response.json()) as Record<string, string>
  assert.ok(access)
  assert.deepEqual(await claimsOf(driver, token ?? ''), {
    iss: ISSUER,
    sub: 'ann@example.com',
    aud: 'sigstore',
    email: 'ann@example.com',
    email_verified: true,
    nonce: 'n',
    iat: START / 1000,
    exp: START / 1000 + 300,
  })
})

test('the client may name itself in the header, as Go does', async () => {
  const driver = start()
  const { client_id: _, ...form } = exchange(await codeFor(driver))
  const response = await post(driver.handler, '/token', form, { authorization: `Basic ${btoa('sigstore:')}` })
  assert.equal(response.status, 200)
})

const BAD_REQUESTS: readonly {
  name: string
  changes: Record<string, string | undefined>
  status?: number
  error?: string
}[] = [
  { name: 'no client', changes: { client_id: undefined }, status: 400 },
  { name: 'another client', changes: { client_id: 'other' }, status: 401 },
  { name: 'no redirect', changes: { redirect_uri: undefined }, status: 400 },
  ...[
    'https://evil.example/cb',
    'http://evil.example/cb',
    'http://localhost.evil.example/cb',
    'http://localhost@evil.example/',
    'http://evil.example#localhost',
    'http://localhost:1/cb#fragment',
    'javascript:alert(1)',
    'http://127.0.0.1.nip.io/',
    'http://localhost\\@evil.example/',
    'http://[::1]evil/',
    'https://localhost/cb',
    ' http://localhost/',
    'http://localhost/\n',
    '//localhost/',
    'urn:ietf:wg:oauth:2.0:oob',
    'http://0.0.0.0/',
    'http://user@localhost/',
  ].map((uri) => ({ name: `redirect to ${JSON.stringify(uri)}`, changes: { redirect_uri: uri }, status: 400 })),
  { name: 'token response', changes: { response_type: 'token' }, error: 'unsupported_response_type' },
  { name: 'no response type', changes: { response_type: undefined }, error: 'invalid_request' },
  { name: 'fragment mode', changes: { response_mode: 'fragment' }, error: 'invalid_request' },
  { name: 'no openid scope', changes: { scope: 'email' }, error: 'invalid_scope' },
  {
    name: 'no challenge',
    changes: { code_challenge: undefined, code_challenge_method: undefined },
    error: 'invalid_request',
  },
  { name: 'plain challenge', changes: { code_challenge_method: 'plain' }, error: 'invalid_request' },
  { name: 'method without challenge', changes: { code_challenge: undefined }, error: 'invalid_request' },
  { name: 'short challenge', changes: { code_challenge: 'x' }, error: 'invalid_request' },
  { name: 'prompt none', changes: { prompt: 'none' }, error: 'invalid_request' },
  { name: 'endless state', changes: { state: 'x'.repeat(3000) }, status: 400 },
]
for (const { name, changes, status, error } of BAD_REQUESTS) {
  test(`authorization refuses ${name}`, async () => {
    const response = await start().handler(new Request(authorizeUrl(changes)))
    const location = response.headers.get('location')
    assert.equal(response.status, status ?? 303)
    assert.equal(location === null ? undefined : (new URL(location).searchParams.get('error') ?? ''), error)
  })
}

test('a repeated parameter is refused', async () => {
  const response = await start().handler(new Request(`${authorizeUrl()}&client_id=sigstore`))
  assert.equal(response.status, 400)
})

for (const uri of [
  'http://localhost:1/',
  'http://127.0.0.1:65535/cb',
  'http://[::1]:8/a/b',
  'http://localhost/auth/callback',
]) {
  test(`authorization accepts a redirect to ${uri}`, async () => {
    assert.equal((await start().handler(new Request(authorizeUrl({ redirect_uri: uri })))).status, 200)
  })
}

test('a redirect elsewhere must be configured, exactly', async () => {
  const { handler } = start({ redirectUris: ['https://app.example/cb'] })
  assert.equal((await handler(new Request(authorizeUrl({ redirect_uri: 'https://app.example/cb' })))).status, 200)
  assert.equal((await handler(new Request(authorizeUrl({ redirect_uri: 'https://app.example/cb/' })))).status, 400)
})

test('the page forbids what it does not need and escapes what it shows', async () => {
  const { handler } = start()
  const response = await handler(new Request(authorizeUrl()))
  const policy = response.headers.get('content-security-policy') ?? ''
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' http:\/\/localhost:39999; frame-ancestors 'none'/,
  )
  const cookie = response.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^countersign-form=[\w-]{43}; Path=\/oidc; HttpOnly; SameSite=Strict/)
  const opened = await open(handler, authorizeUrl())
  const again = await submit(handler, '/auth/sign-in', opened, { email: '"><script>alert(1)</script>', answer: 'yes' })
  assert.equal(again.status, 400)
  const text = await again.text()
  assert.doesNotMatch(text, /<script/)
  assert.match(text, /&quot;&gt;&lt;script&gt;/)
})

test('pressing cancel tells the client', async () => {
  const { handler } = start()
  const opened = await open(handler, authorizeUrl())
  const answered = await submit(handler, '/auth/sign-in', opened, { answer: 'no' })
  assert.equal(new URL(answered.headers.get('location') ?? '').searchParams.get('error'), 'access_denied')
  assert.equal((await submit(handler, '/auth/sign-in', opened, { email: 'a@example.com' })).status, 400)
})

const FORGED: readonly {
  name: string
  status: number
  headers?: Record<string, string>
  extra?: Record<string, string>
}[] = [
  { name: 'without the cookie', status: 400, headers: { cookie: '' } },
  { name: "with another browser's cookie", status: 403, headers: { cookie: `countersign-form=${'A'.repeat(43)}` } },
  { name: 'with a malformed cookie', status: 400, headers: { cookie: 'countersign-form=short' } },
  { name: 'with a made-up form token', status: 403, extra: { form_token: 'x' } },
  { name: 'without a form token', status: 403, extra: { form_token: '' } },
  { name: 'from another origin', status: 403, headers: { origin: 'https://evil.example' } },
  { name: 'from another port', status: 403, headers: { origin: 'http://localhost:8081' } },
  { name: 'from another site', status: 403, headers: { 'sec-fetch-site': 'cross-site' } },
  { name: 'for an unknown request', status: 400, extra: { request: 'x' } },
  { name: 'as JSON', status: 415, headers: { 'content-type': 'application/json' } },
]
for (const { name, status, headers = {}, extra = {} } of FORGED) {
  test(`a form ${name} is refused`, async () => {
    const { handler } = start()
    const opened = await open(handler, authorizeUrl())
    assert.equal(
      (await submit(handler, '/auth/sign-in', opened, { email: 'a@example.com', answer: 'yes', ...extra }, headers))
        .status,
      status,
    )
  })
}

test('a form answers once, and only while it is fresh', async () => {
  const { handler, advance } = start()
  const opened = await open(handler, authorizeUrl())
  assert.equal((await submit(handler, '/auth/sign-in', opened, { email: 'a@example.com' })).status, 303)
  assert.equal((await submit(handler, '/auth/sign-in', opened, { email: 'a@example.com' })).status, 400)
  const old = await open(handler, authorizeUrl())
  advance(15 * 60_000)
  assert.equal((await submit(handler, '/auth/sign-in', old, { email: 'a@example.com' })).status, 400)
})

test('two tabs of one browser both work', async () => {
  const { handler } = start()
  const first = await open(handler, authorizeUrl())
  const second = await open(handler, authorizeUrl({ state: 't' }), { cookie: first.cookie })
  assert.equal(second.cookie, first.cookie)
  assert.equal((await submit(handler, '/auth/sign-in', second, { email: 'a@example.com' })).status, 303)
  assert.equal((await submit(handler, '/auth/sign-in', first, { email: 'a@example.com' })).status, 303)
})

test('a name that resolves to this machine but is not the issuer is refused', async () => {
  const { handler } = start()
  assert.equal(
    (await handler(new Request(authorizeUrl().replace('localhost:8080', 'rebound.example:8080')))).status,
    421,
  )
})

const BAD_EXCHANGES: readonly { name: string; changes: Record<string, string>; error: string }[] = [
  { name: 'another redirect', changes: { redirect_uri: 'http://localhost:1/' }, error: '400 invalid_grant' },
  { name: 'another verifier', changes: { code_verifier: 'w'.repeat(43) }, error: '400 invalid_grant' },
  { name: 'no verifier', changes: { code_verifier: '' }, error: '400 invalid_grant' },
  { name: 'the challenge as verifier', changes: { code_verifier: CHALLENGE }, error: '400 invalid_grant' },
  { name: 'an unknown code', changes: { code: 'x' }, error: '400 invalid_grant' },
  { name: 'no code', changes: { code: '' }, error: '400 invalid_request' },
  { name: 'another client', changes: { client_id: 'x' }, error: '401 invalid_client' },
  { name: 'no client', changes: { client_id: '' }, error: '401 invalid_client' },
  { name: 'another grant', changes: { grant_type: 'password' }, error: '400 unsupported_grant_type' },
]
for (const { name, changes, error } of BAD_EXCHANGES) {
  test(`the token endpoint refuses ${name}`, async () => {
    const driver = start()
    assert.equal(
      await oauthError(await post(driver.handler, '/token', exchange(await codeFor(driver), changes))),
      error,
    )
  })
}

test('a code works once, is burnt by a wrong verifier, and dies soon', async () => {
  const driver = start()
  const [used, burnt, old] = [await codeFor(driver), await codeFor(driver), await codeFor(driver)]
  assert.equal((await post(driver.handler, '/token', exchange(used))).status, 200)
  assert.equal(await oauthError(await post(driver.handler, '/token', exchange(used))), '400 invalid_grant')
  await post(driver.handler, '/token', exchange(burnt, { code_verifier: 'w'.repeat(43) }))
  assert.equal(await oauthError(await post(driver.handler, '/token', exchange(burnt))), '400 invalid_grant')
  driver.advance(2 * 60_000)
  assert.equal(await oauthError(await post(driver.handler, '/token', exchange(old))), '400 invalid_grant')
})

test('passwords are asked where people are listed, and guessing is slowed down', async () => {
  const record = {
    email: 'Ann@Example.com',
    password: await hashPassword('correct horse', (length) => new Uint8Array(length).fill(7), { N: 1024, r: 8, p: 1 }),
  }
  const driver = start({ users: listedUsers([record]) })
  const opened = await open(driver.handler, authorizeUrl())
  assert.match(opened.text, /type="password"/)
  assert.doesNotMatch(opened.text, /development issuer/)
  const attempt = async (email: string, password: string): Promise<number> =>
    (await submit(driver.handler, '/auth/sign-in', opened, { email, password, answer: 'yes' })).status
  assert.equal(await attempt('ann@example.com', 'wrong'), 401)
  assert.equal(await attempt('bob@example.com', 'correct horse'), 401)
  assert.equal(await attempt('ann@example.com', ''), 401)
  for (let count = 0; count < 8; count++) await attempt('ann@example.com', 'wrong')
  assert.equal(await attempt('ann@example.com', 'correct horse'), 429)
  driver.advance(15 * 60_000)
  const later = await open(driver.handler, authorizeUrl())
  const answered = await submit(driver.handler, '/auth/sign-in', later, {
    email: 'ann@example.com',
    password: 'correct horse',
    answer: 'yes',
  })
  assert.equal(answered.status, 303)
})

interface DeviceStart {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly interval: number
}

async function beginDevice(driver: Driver, extra: Record<string, string> = {}): Promise<DeviceStart> {
  const response = await post(driver.handler, '/device/code', {
    client_id: 'sigstore',
    scope: 'openid email',
    ...extra,
  })
  assert.equal(response.status, 200)
  return (await response.json()) as DeviceStart
}

const askFor = (deviceCode: string, verifier = ''): [string, string][] => [
  ['grant_type', 'urn:ietf:params:oauth:grant-type:device_code'],
  ['device_code', deviceCode],
  ['scope', 'openid'],
  ['scope', 'email'],
  ['code_verifier', verifier],
]

test('a device waits, the person answers elsewhere, the device gets its token once', async () => {
  const driver = start()
  const begun = await beginDevice(driver, { code_challenge: CHALLENGE, code_challenge_method: 'S256' })
  assert.match(begun.user_code, /^[B-Z]{4}-[B-Z]{4}$/)
  assert.equal(
    await oauthError(await post(driver.handler, '/token', askFor(begun.device_code, VERIFIER))),
    '400 authorization_pending',
  )
  assert.equal(
    await oauthError(await post(driver.handler, '/token', askFor(begun.device_code, VERIFIER))),
    '400 slow_down',
  )
  const opened = await open(driver.handler, begun.verification_uri_complete)
  assert.match(opened.text, new RegExp(begun.user_code))
  assert.equal(
    (await submit(driver.handler, '/device', opened, { email: 'ann@example.com', answer: 'yes' })).status,
    200,
  )
  driver.advance(10_000)
  const response = await post(driver.handler, '/token', askFor(begun.device_code, VERIFIER))
  const { id_token: token } = (await response.json()) as { id_token: string }
  assert.equal((await claimsOf(driver, token))['email'], 'ann@example.com')
  assert.equal(
    await oauthError(await post(driver.handler, '/token', askFor(begun.device_code, VERIFIER))),
    '400 expired_token',
  )
  assert.equal((await open(driver.handler, begun.verification_uri_complete)).status, 404)
})

test('the typed code may be in any case, with or without the dash', async () => {
  const driver = start()
  const { user_code: code, verification_uri: uri } = await beginDevice(driver)
  assert.match((await open(driver.handler, uri)).text, /name="user_code"/)
  for (const typed of [code.toLowerCase(), code.replace('-', ''), ` ${code.replace('-', ' ')} `]) {
    assert.equal((await open(driver.handler, `${uri}?user_code=${encodeURIComponent(typed)}`)).status, 200)
  }
})

test('a device learns of a no, of another verifier, and of its end', async () => {
  const driver = start()
  const denied = await beginDevice(driver)
  await submit(driver.handler, '/device', await open(driver.handler, denied.verification_uri_complete), {
    answer: 'no',
  })
  assert.equal(await oauthError(await post(driver.handler, '/token', askFor(denied.device_code))), '400 access_denied')
  const bound = await beginDevice(driver, { code_challenge: CHALLENGE, code_challenge_method: 'S256' })
  await submit(driver.handler, '/device', await open(driver.handler, bound.verification_uri_complete), {
    email: 'a@example.com',
    answer: 'yes',
  })
  assert.equal(
    await oauthError(await post(driver.handler, '/token', askFor(bound.device_code, 'w'.repeat(43)))),
    '400 invalid_grant',
  )
  const late = await beginDevice(driver)
  driver.advance(5 * 60_000)
  assert.equal(await oauthError(await post(driver.handler, '/token', askFor(late.device_code))), '400 expired_token')
  assert.equal((await open(driver.handler, late.verification_uri_complete)).status, 404)
})

test('guessing user codes ends soon', async () => {
  const driver = start()
  const { verification_uri_complete: uri } = await beginDevice(driver)
  for (let count = 0; count < 10; count++)
    assert.equal((await open(driver.handler, `${ISSUER}/device?user_code=BBBB-BBBB`)).status, 404)
  assert.equal((await open(driver.handler, uri)).status, 429)
})

for (const [name, form, error] of [
  ['another client', { client_id: 'x', scope: 'openid' }, '401 invalid_client'],
  ['no client', { scope: 'openid' }, '400 invalid_request'],
  ['no openid scope', { client_id: 'sigstore', scope: 'email' }, '400 invalid_scope'],
  [
    'a plain challenge',
    { client_id: 'sigstore', scope: 'openid', code_challenge: CHALLENGE, code_challenge_method: 'plain' },
    '400 invalid_request',
  ],
] as const) {
  test(`the device endpoint refuses ${name}`, async () => {
    assert.equal(await oauthError(await post(start().handler, '/device/code', form)), error)
  })
}

test('a script with the local secret gets a token; nobody else does', async () => {
  const driver = start({ localSecret: 'local-secret' })
  const ask = (secret: string, email = 'ci@example.com'): Promise<Response> =>
    post(driver.handler, '/local-token', { email }, { authorization: `Bearer ${secret}` })
  const { id_token: token } = (await (await ask('local-secret')).json()) as { id_token: string }
  assert.equal((await claimsOf(driver, token)).sub, 'ci@example.com')
  for (const wrong of ['', 'local-secre', 'local-secret2', 'LOCAL-SECRET']) assert.equal((await ask(wrong)).status, 403)
  assert.equal(await oauthError(await ask('local-secret', 'not-an-address')), '400 invalid_request')
  assert.equal(
    (await post(start().handler, '/local-token', { email: 'a@example.com' }, { authorization: 'Bearer ' })).status,
    404,
  )
})
