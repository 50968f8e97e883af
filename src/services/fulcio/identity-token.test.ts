import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose'
import fc from 'fast-check'
import { encodeBase64Url } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { TEST_TIME } from '#testing/pki/certificate'
import type { TestOidcIssuer, TestOidcOptions } from '#testing/pki/oidc-issuer'
import { createTestOidcIssuer } from '#testing/pki/oidc-issuer'
import type { UnixMillis } from '#time'
import type { FulcioConfig } from './config.js'
import { emailIssuerConfig, findIssuer } from './config.js'
import { createKeyFinder } from './discovery.js'
import { verifyIdentityToken } from './identity-token.js'
import type { VerifiedToken } from './identity-token.js'

interface Bench {
  readonly oidc: TestOidcIssuer
  verify(token: string): Promise<VerifiedToken>
  advance(milliseconds: number): void
}

async function bench(options: TestOidcOptions = {}, config?: FulcioConfig): Promise<Bench> {
  const oidc = await createTestOidcIssuer(options)
  let now: UnixMillis = TEST_TIME
  const clock = (): UnixMillis => now
  const keyFinder = createKeyFinder({ fetchFor: () => oidc.fetch, clock })
  const checks = { config: config ?? emailIssuerConfig(oidc.url), keyFinder, clock }
  return {
    oidc,
    verify: (token) => verifyIdentityToken(token, checks),
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

test('accepts a token, and asks the issuer once for many', async () => {
  const { oidc, verify } = await bench()
  const verified = await verify(await oidc.token({ aud: ['other', 'sigstore'] }))
  assert.equal(verified.subject, 'subject-1')
  assert.equal(verified.issuer.issuerUrl, oidc.url)
  await Promise.all([verify(await oidc.token()), verify(await oidc.token())])
  assert.deepEqual(oidc.requests, [`${oidc.url}/.well-known/openid-configuration`, `${oidc.url}/keys`])
})

for (const algorithm of ['RS256', 'PS256', 'ES384', 'EdDSA']) {
  test(`accepts ${algorithm}, with key ids and without`, async () => {
    for (const withoutKeyIds of [false, true]) {
      const { oidc, verify } = await bench({ algorithm, withoutKeyIds })
      if (withoutKeyIds) await oidc.rotate()
      await verify(await oidc.token())
    }
  })
}

test('learns of a new key, but asks for one at most every ten seconds', async () => {
  const { oidc, verify, advance } = await bench()
  await verify(await oidc.token())
  await oidc.rotate()
  await assert.rejects(verify(await oidc.token()), { code: 'ISSUING_TOKEN_SIGNATURE' })
  advance(10_000)
  await verify(await oidc.token())
  const asked = oidc.requests.length
  for (let i = 0; i < 5; i++) {
    await assert.rejects(verify(await oidc.token({}, { header: { kid: `made-up-${String(i)}` } })), {
      code: 'ISSUING_TOKEN_SIGNATURE',
    })
  }
  assert.equal(oidc.requests.length, asked)
})

test('asks again after a quarter of an hour, and after a failure at once', async () => {
  let broken = true
  const { oidc, verify, advance } = await bench({
    intercept: () => (broken ? new Response('', { status: 500 }) : undefined),
  })
  await assert.rejects(verify(await oidc.token()), { code: 'ISSUING_DISCOVERY' })
  broken = false
  await verify(await oidc.token())
  advance(15 * 60_000 + 1)
  const before = oidc.requests.length
  await verify(await oidc.token({ exp: TEST_TIME / 1000 + 3600 }))
  assert.equal(oidc.requests.length, before + 2)
})

test('expiry has no leeway, nbf five minutes', async () => {
  const { oidc, verify } = await bench()
  const second = TEST_TIME / 1000
  await verify(await oidc.token({ exp: second + 0.001, nbf: second + 300 }))
  for (const claims of [{ exp: second }, { exp: second - 1 }, { exp: -1e300 }, { nbf: second + 301 }]) {
    await assert.rejects(verify(await oidc.token(claims)), { code: 'ISSUING_TOKEN_TIME' })
  }
})

const BAD_CLAIMS: readonly (readonly [name: string, claims: Readonly<Record<string, unknown>>, code: string])[] = [
  ['no expiry', { exp: undefined }, 'ISSUING_TOKEN'],
  ['an expiry of text', { exp: '9999999999' }, 'ISSUING_TOKEN'],
  ['an nbf of text', { nbf: 'now' }, 'ISSUING_TOKEN'],
  ['another audience', { aud: 'other' }, 'ISSUING_TOKEN_AUDIENCE'],
  ['no audience', { aud: undefined }, 'ISSUING_TOKEN_AUDIENCE'],
  ['an audience that only contains the right one', { aud: 'sigstore-evil' }, 'ISSUING_TOKEN_AUDIENCE'],
  ['an audience in an inner list', { aud: [['sigstore']] }, 'ISSUING_TOKEN_AUDIENCE'],
  ['no subject', { sub: undefined }, 'ISSUING_TOKEN'],
  ['an empty subject', { sub: '' }, 'ISSUING_TOKEN'],
  ['a subject that is a number', { sub: 7 }, 'ISSUING_TOKEN'],
  ['a huge subject', { sub: 'x'.repeat(5000) }, 'ISSUING_TOKEN'],
  ['another issuer', { iss: 'https://evil.example.com' }, 'ISSUING_TOKEN_ISSUER'],
  ['an issuer with a slash more', { iss: 'https://issuer.example.com/' }, 'ISSUING_TOKEN_ISSUER'],
  ['no issuer', { iss: undefined }, 'ISSUING_TOKEN_ISSUER'],
  ['an issuer that is a list', { iss: ['https://issuer.example.com'] }, 'ISSUING_TOKEN_ISSUER'],
]
for (const [name, claims, code] of BAD_CLAIMS) {
  test(`refuses a token with ${name}`, async () => {
    const { oidc, verify } = await bench()
    await assert.rejects(verify(await oidc.token(claims)), { code })
  })
}

const claims = { iss: 'https://issuer.example.com', sub: 's', aud: 'sigstore', exp: TEST_TIME / 1000 + 60 }

test('refuses tokens that another key signed, or no key, or a symmetric one', async () => {
  const { oidc, verify } = await bench()
  const { privateKey } = await generateKeyPair('ES256')
  await assert.rejects(verify(await oidc.token({}, { key: privateKey })), { code: 'ISSUING_TOKEN_SIGNATURE' })
  await assert.rejects(verify(new UnsecuredJWT(claims).encode()), { code: 'ISSUING_TOKEN_SIGNATURE' })
  const secret = encodeUtf8('-----BEGIN PUBLIC KEY-----')
  await assert.rejects(verify(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret)), {
    code: 'ISSUING_TOKEN_SIGNATURE',
  })
  const { privateKey: rsa } = await generateKeyPair('RS256')
  await assert.rejects(verify(await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(rsa)), {
    code: 'ISSUING_TOKEN_SIGNATURE',
  })
})

test('refuses a token with one claim changed', async () => {
  const { oidc, verify } = await bench()
  const [header, payload, signature] = (await oidc.token()).split('.')
  const changed = Buffer.from(payload ?? '', 'base64url')
    .toString()
    .replace('alice', 'mallo')
  await assert.rejects(verify([header, encodeBase64Url(encodeUtf8(changed)), signature].join('.')), {
    code: 'ISSUING_TOKEN_SIGNATURE',
  })
})

test('refuses what is no JWT before doing any work for it', async () => {
  const { oidc, verify } = await bench()
  const token = await oidc.token()
  const bad = [
    '',
    'x',
    'a.b',
    `${token}.x`,
    `${token}${'.'.repeat(1000)}`,
    'a.%%%.c',
    `a.${encodeBase64Url(encodeUtf8('[]'))}.c`,
    `a.${encodeBase64Url(encodeUtf8('{'))}.c`,
    `a.${'x'.repeat(40_000)}.c`,
  ]
  for (const text of bad) await assert.rejects(verify(text), { code: 'ISSUING_TOKEN' })
  assert.deepEqual(oidc.requests, [])
})

const DISCOVERIES: readonly (readonly [name: string, options: TestOidcOptions])[] = [
  ['of another issuer', { discovery: { issuer: 'https://other.example.com' } }],
  ['without keys', { discovery: { jwks_uri: undefined } }],
  ['whose keys are not there', { discovery: { jwks_uri: 'https://issuer.example.com/nowhere' } }],
  ['that is a list', { intercept: () => Response.json([]) }],
  ['that is no JSON', { intercept: () => new Response('<html>') }],
  ['that is endless', { intercept: () => new Response('x'.repeat(600_000)) }],
  [
    'that leads elsewhere',
    { intercept: () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } }) },
  ],
  ['that leads in a circle', { intercept: (url) => new Response(null, { status: 302, headers: { location: url } }) }],
]
for (const [name, options] of DISCOVERIES) {
  test(`refuses a discovery ${name}`, async () => {
    const { oidc, verify } = await bench(options)
    await assert.rejects(verify(await oidc.token()), { code: 'ISSUING_DISCOVERY' })
    assert.ok(oidc.requests.every((url) => url.startsWith(oidc.url)))
  })
}

test('an issuer that says it signs with nothing usable signs nothing', async () => {
  const { oidc, verify } = await bench({ discovery: { id_token_signing_alg_values_supported: ['none', 'HS256'] } })
  await assert.rejects(verify(await oidc.token()), { code: 'ISSUING_TOKEN_SIGNATURE' })
})

test('a redirect on the same host is followed', async () => {
  const { oidc, verify } = await bench({
    intercept: (url) =>
      url.endsWith('openid-configuration')
        ? new Response(null, { status: 307, headers: { location: '/moved' } })
        : url.endsWith('/moved')
          ? Response.json({
              issuer: 'https://issuer.example.com',
              jwks_uri: 'https://issuer.example.com/keys',
              id_token_signing_alg_values_supported: ['ES256'],
            })
          : undefined,
  })
  await verify(await oidc.token())
})

test('a wildcard matches whole URLs, one part a star', () => {
  const issuer = { issuerUrl: 'x', clientId: 'sigstore', type: 'kubernetes' } as const
  const config: FulcioConfig = {
    issuers: new Map(),
    metaIssuers: new Map([['https://oidc.eks.*.amazonaws.com/id/*', issuer]]),
    ciProviders: new Map(),
  }
  const good = 'https://oidc.eks.us-west-2.amazonaws.com/id/B02C93B6A2D30341AD01E1B6D48164CB'
  assert.equal(findIssuer(config, good)?.issuerUrl, good)
  const bad = [
    `http://localhost:3000?${good}`,
    `${good}/`,
    `${good}\n`,
    'https://oidc.eks.a.b.amazonaws.com/id/x',
    'https://oidc.eks.us-west-2.amazonaws.com/id/',
    'https://oidc.eks.us-west-2xamazonaws.com/id/x',
    'https://oidc.eks.us-west-2.amazonaws.com/id/x?y',
    `https://oidc.eks.${'a'.repeat(3000)}.amazonaws.com/id/x`,
  ]
  for (const url of bad) assert.equal(findIssuer(config, url), undefined, url)
})

test('any text gives a coded error and no request', async () => {
  const { oidc, verify } = await bench()
  const part = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((text) => encodeBase64Url(encodeUtf8(text))),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      await assert.rejects(
        verify(parts.join('.')),
        (error: unknown) => isCodedError(error) && error.code.startsWith('ISSUING_TOKEN'),
      )
    }),
    { numRuns: fuzzRuns() },
  )
  assert.deepEqual(oidc.requests, [])
})
