import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { encodeBase64Url } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import { router } from '#serving/routes'
import { serve } from '#serving/serve'
import { oidcRoutes } from '#services/oidc/oidc'
import { developmentUsers, hashPassword, listedUsers } from '#services/oidc/users'
import type { UserDirectory } from '#services/oidc/users'
import { findChromium, withBrowser } from './chromium.js'

const chromium = findChromium()
const skip = chromium === undefined ? 'this machine has no Chromium' : false

const VERIFIER = 'v'.repeat(43)

/** An issuer behind a real socket, and a client program that waits for the browser on the loopback interface. */
async function start(
  t: TestContext,
  users: UserDirectory,
): Promise<{ issuer: string; authorize: string; redirect: string; arrived: Promise<URL> }> {
  const server = await serve((request) => current(request), { host: '127.0.0.1', port: 0, onFault: assert.ifError })
  t.after(() => server.close(0))
  const issuer = `http://localhost:${String(server.port)}/oidc`
  const current = router(
    oidcRoutes({
      issuer,
      users,
      signer: generatePrivateKey('rsa-sign-pkcs1-2048-sha256'),
      clock: Date.now,
      random: randomBytes,
    }),
  )
  const program = createServer((_, response) => response.end('<title>done</title>'))
  program.listen(0, '127.0.0.1')
  t.after(() => program.close())
  await once(program, 'listening')
  const redirect = `http://localhost:${String((program.address() as AddressInfo).port)}/auth/callback`
  const arrived = once(program, 'request').then(
    ([message]) => new URL((message as IncomingMessage).url ?? '', redirect),
  )
  const authorize = new URL(`${issuer}/auth`)
  authorize.search = String(
    new URLSearchParams({
      response_type: 'code',
      client_id: 'sigstore',
      redirect_uri: redirect,
      scope: 'openid email',
      state: 'st',
      nonce: 'no',
      code_challenge: encodeBase64Url(sha256(encodeUtf8(VERIFIER))),
      code_challenge_method: 'S256',
    }),
  )
  return { issuer, authorize: authorize.href, redirect, arrived }
}

async function emailIn(issuer: string, code: string, redirect: string): Promise<unknown> {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirect,
    client_id: 'sigstore',
    code_verifier: VERIFIER,
  }
  const reply = (await (
    await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
  ).json()) as { id_token: string }
  const keys = (await (await fetch(`${issuer}/keys`)).json()) as JSONWebKeySet
  const { payload } = await jwtVerify(reply.id_token, createLocalJWKSet(keys), { issuer, audience: 'sigstore' })
  return payload['email']
}

test('a person signs in with a browser; wrong passwords are told and can be corrected', { skip }, async (t) => {
  const people = listedUsers([{ email: 'ann@example.com', password: await hashPassword('correct horse', randomBytes) }])
  const { issuer, authorize, redirect, arrived } = await start(t, people)
  await withBrowser(chromium ?? '', async (page) => {
    await page.goto(authorize)
    await page.waitFor('document.activeElement.id === "email"')
    await page.type('ann@example.com')
    await page.click('#password')
    await page.waitFor('document.activeElement.id === "password"')
    await page.type('wrong')
    await page.click('button[value=yes]')
    await page.waitForAddress(`${issuer}/auth/sign-in`)
    await page.waitFor('document.querySelector("[role=alert]") !== null') // the address changes before the page is there
    assert.match(String(await page.evaluate('document.querySelector("[role=alert]").textContent')), /wrong/)
    assert.equal(await page.evaluate('document.querySelector("#email").value'), 'ann@example.com')
    await page.waitFor('document.activeElement.id === "password"')
    await page.type('correct horse')
    await page.click('button[value=yes]')
    await page.waitForAddress(redirect)
  })
  const callback = await arrived
  assert.equal(callback.searchParams.get('state'), 'st')
  assert.equal(await emailIn(issuer, callback.searchParams.get('code') ?? '', redirect), 'ann@example.com')
})

test('cancel reaches the program', { skip }, async (t) => {
  const { authorize, redirect, arrived } = await start(t, developmentUsers())
  await withBrowser(chromium ?? '', async (page) => {
    await page.goto(authorize)
    await page.click('button[value=no]')
    await page.waitForAddress(redirect)
  })
  assert.equal((await arrived).searchParams.get('error'), 'access_denied')
})

test('the page runs no script, shows its style, and cannot be framed', { skip }, async (t) => {
  const { authorize, issuer } = await start(t, developmentUsers())
  await withBrowser(chromium ?? '', async (page) => {
    await page.goto(authorize)
    assert.equal(await page.evaluate('getComputedStyle(document.querySelector("button")).fontWeight'), '600')
    assert.equal(await page.evaluate('document.scripts.length'), 0)
    const framed = `new Promise((done) => { const frame = document.createElement('iframe'); frame.src = ${JSON.stringify(`${issuer}/device`)}; frame.onload = () => { try { done(frame.contentDocument?.querySelector('form') ? 'shown' : 'blocked') } catch { done('blocked') } }; document.body.append(frame); setTimeout(() => done('blocked'), 1000) })`
    assert.equal(await page.evaluate(framed), 'blocked')
  })
})
