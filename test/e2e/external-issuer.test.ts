/** `up --oidc-issuer`: the people of another provider, which is here the development issuer of a second instance. @module */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { countersign, startUp, type Ended, type UpProcess } from './up-process.js'

let folder: string
let provider: UpProcess
let instance: UpProcess

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'external-'))
  provider = await startUp(['--data', join(folder, 'provider'), '--port', '0'])
  instance = await startUp(['--data', join(folder, 'instance'), '--port', '0', '--oidc-issuer', provider.issuer])
  await writeFile(join(folder, 'artifact'), 'signed by somebody from elsewhere')
})
after(async () => {
  await Promise.all([provider.stop(), instance.stop()])
  await rm(folder, { recursive: true })
})

async function tokenOf(up: UpProcess, user: string): Promise<string> {
  return (await countersign(['token', '--data', up.directory, user])).stdout.trim()
}

/** Signs at an instance that has been trusted through its TUF repository. */
async function sign(up: UpProcess, token: string): Promise<Ended> {
  const env = { TUF_ROOT: join(folder, `tuf-${new URL(up.url).port}`), HOME: folder }
  const { tuf } = up
  const trusted = await countersign(['initialize', '--mirror', tuf.mirror, '--root', tuf.root], env)
  assert.equal(trusted.code, 0, trusted.stderr)
  const [artifact, bundle] = [join(folder, 'artifact'), join(folder, 'bundle.json')]
  const signed = await countersign(['sign-blob', '-y', '--identity-token', token, '--bundle', bundle, artifact], env)
  if (signed.code !== 0) return signed
  const issuer = ['--certificate-identity', 'ann@example.com', '--certificate-oidc-issuer', provider.issuer]
  return await countersign(['verify-blob', ...issuer, '--bundle', bundle, artifact], env)
}

describe('an instance that leaves sign-in to another provider', () => {
  test('points its clients there, and certifies who signed in there', async () => {
    assert.equal(instance.issuer, provider.issuer)
    const { code, stderr } = await sign(instance, await tokenOf(provider, 'ann@example.com'))
    assert.equal(code, 0, stderr)
  })

  test('has no sign-in of its own: no pages, no tokens for scripts', async () => {
    for (const path of ['/oidc/.well-known/openid-configuration', '/oidc/auth', '/oidc/local-token', '/auth']) {
      assert.equal((await fetch(`${instance.url}${path}`)).status, 404, path)
    }
    const { code, stdout, stderr } = await countersign(['token', '--data', instance.directory, 'ann@example.com'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.ok(stderr.includes(provider.issuer))
  })

  test('takes no token of a third issuer', async () => {
    const third = await startUp(['--data', join(folder, 'third'), '--port', '0'])
    const { code, stderr } = await sign(instance, await tokenOf(third, 'ann@example.com'))
    await third.stop()
    assert.equal(code, 1)
    assert.match(stderr, /does not accept the identity token/)
  })
})

/** A provider that can be wrong in every way. */
interface Forger {
  readonly url: string
  readonly server: Server
  token(claims: Readonly<Record<string, unknown>>): Promise<string>
}

async function startForger(): Promise<Forger> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }] }
  const server = createServer(({ url: path }, response) => {
    const document = {
      issuer: url,
      jwks_uri: `${url}/keys`,
      authorization_endpoint: `${url}/auth`,
      token_endpoint: `${url}/token`,
      id_token_signing_alg_values_supported: ['ES256'],
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(path === '/keys' ? keys : document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return { url, server, token: async (claims) => await signed(privateKey, { iss: url, ...claims }) }
}

async function signed(key: CryptoKey, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const usual = { sub: 'ann', aud: 'ours', iat: now, exp: now + 300, email: 'ann@example.com', email_verified: true }
  return await new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'ES256', kid: '1' }).sign(key)
}

describe('a provider that is not ours', () => {
  let forger: Forger
  let up: UpProcess
  before(async () => {
    forger = await startForger()
    const words = ['--port', '0', '--oidc-issuer', forger.url, '--oidc-client-id', 'ours']
    up = await startUp(['--data', join(folder, 'forged'), ...words])
  })
  after(async () => {
    await up.stop()
    forger.server.close()
  })

  for (const [what, claims, reason] of [
    ['an address that nobody verified', { email_verified: false }, /verified/],
    ['an address that is said to be verified in words', { email_verified: 'true' }, undefined],
    ['no address', { email: undefined }, undefined],
    ['another audience', { aud: 'sigstore' }, /audience/],
    ['an old token', { exp: 1 }, /expired/],
    ['another issuer', { iss: 'https://accounts.example.com' }, undefined],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const { code, stderr } = await sign(up, await forger.token(claims))
      assert.equal(code, 1)
      if (reason !== undefined) assert.match(stderr, reason)
    })
  }

  test('signs for the audience that was agreed, and says what it is called', async () => {
    const env = { TUF_ROOT: join(folder, 'tuf-agreed'), HOME: folder }
    await countersign(['initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root], env)
    const token = await forger.token({})
    const words = ['--identity-token', token, '--bundle', join(folder, 'agreed.json'), join(folder, 'artifact')]
    const { code, stderr } = await countersign(['sign-blob', '-y', ...words], env)
    assert.equal(code, 0, stderr)
  })
})

test('a provider that is not there is told of at the start, and does not keep the rest from starting', async () => {
  const words = ['--port', '0', '--oidc-issuer', 'http://127.0.0.1:9/nowhere']
  const up = await startUp(['--data', join(folder, 'alone'), ...words])
  assert.equal((await fetch(`${up.url}/readyz`)).status, 200)
  const deadline = performance.now() + 20_000 // it is tried a few times before it is told of
  while (!up.stderr().includes('WARNING') && performance.now() < deadline) await fetch(`${up.url}/healthz`)
  await up.stop()
  assert.match(up.stderr(), /WARNING: nobody can sign in at http:\/\/127\.0\.0\.1:9\/nowhere now/)
})
