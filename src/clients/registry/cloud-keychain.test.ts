import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNetwork, json, type FakeAnswer } from '#testing/fake-fetch'
import { HttpError } from '../http/http-error.js'
import { cloudKeychain } from './cloud-keychain.js'

async function ask(registry: string, answer: FakeAnswer, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { fetch } = fakeNetwork(() => answer)
  const found = await cloudKeychain({ fetch, env })({ registry, repository: 'x' })
  return found.kind === 'basic' ? `${found.username}:${found.password}` : found.kind
}

test('each cloud’s credentials are for its own registry', async () => {
  const token = json({ access_token: 'google' })
  const env = { GITHUB_TOKEN: 'github', GITHUB_ACTOR: 'me' }
  for (const host of ['gcr.io', 'eu.gcr.io', 'europe-west1-docker.pkg.dev']) {
    assert.equal(await ask(host, token, env), 'oauth2accesstoken:google')
  }
  assert.equal(await ask('ghcr.io', token, env), 'me:github')
  assert.equal(await ask('ghcr.io', token, { GITHUB_TOKEN: 'github' }), 'unset:github')
})

for (const host of [
  'gcr.io.evil.example',
  'evilgcr.io',
  'x.ghcr.io',
  'ghcr.io:443',
  'docker.pkg.dev.evil',
  'a.b.gcr.io',
  'localhost:5000',
]) {
  test(`${host} gets nothing`, async () => {
    assert.equal(await ask(host, json({ access_token: 'google' }), { GITHUB_TOKEN: 'github' }), 'anonymous')
  })
}

for (const answer of [
  { status: 404 },
  { body: 'x' },
  json({}),
  json([]),
  json({ access_token: 1 }),
  new HttpError('HTTP_DNS', 'no'),
]) {
  test(`a machine that answers ${answer instanceof Error ? 'nothing' : JSON.stringify(answer).slice(0, 60)} is anonymous`, async () => {
    assert.equal(await ask('gcr.io', answer), 'anonymous')
  })
}

test('the machine is asked once', async () => {
  const network = fakeNetwork(() => json({ access_token: 'google' }))
  const keychain = cloudKeychain({ fetch: network.fetch, env: {} })
  await Promise.all(['gcr.io', 'eu.gcr.io'].map(async (registry) => await keychain({ registry, repository: 'x' })))
  assert.equal(network.requests.length, 1)
})
