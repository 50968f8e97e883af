import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fetch } from '#clients/http/fetch'
import { HttpError } from '#clients/http/http-error'
import { listedUsers, parseUsers } from '#services/oidc/users'
import { fakeHost } from '#testing/cli/fake-host'
import type { FakeHost } from '#testing/cli/fake-host'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { command as tokenCommand } from '../commands/token.js'
import { command as userAdd } from '../commands/user-add.js'
import { runCommand } from '../kit/run.js'
import { describeRunning, runningDocument } from './describe.js'

async function addUser(host: FakeHost, ...words: readonly string[]): Promise<number> {
  return runCommand(userAdd, words, host)
}

test('user add writes a hash that lets the person in, and replaces it the next time', async () => {
  const first = fakeHost({ stdin: 'correct horse\n' })
  assert.equal(await addUser(first, 'Ann@example.com', '--users', 'people.json', '--password-stdin'), 0)
  const content = first.content('people.json')
  assert.doesNotMatch(new TextDecoder().decode(content), /correct horse/)
  assert.equal(first.modes.get('people.json'), 0o600)
  assert.equal(first.stdout(), '')

  const second = fakeHost({ files: { 'people.json': content }, stdin: 'battery staple' })
  assert.equal(await addUser(second, 'ann@example.com', '--users', 'people.json', '--password-stdin'), 0)
  const people = listedUsers(parseUsers(second.content('people.json')))
  assert.deepEqual(await people.authenticate('ann@example.com', 'battery staple'), {
    subject: 'ann@example.com',
    email: 'ann@example.com',
  })
  await assert.rejects(people.authenticate('ann@example.com', 'correct horse'), { code: 'ISSUER_CREDENTIALS' })
})

test('user add asks twice at a terminal', async () => {
  const host = fakeHost({ tty: true, secrets: ['correct horse', 'correct horse'] })
  assert.equal(await addUser(host, 'ann@example.com'), 0)
  assert.equal(parseUsers(host.content('users.json')).length, 1)
})

for (const [name, options, words] of [
  ['no address', { stdin: 'correct horse' }, ['ann', '--password-stdin']],
  ['a short password', { stdin: 'short' }, ['ann@example.com', '--password-stdin']],
  ['no password', { stdin: '' }, ['ann@example.com', '--password-stdin']],
  ['two different passwords', { tty: true, secrets: ['correct horse', 'battery staple'] }, ['ann@example.com']],
  ['no terminal to type at', {}, ['ann@example.com']],
  [
    'a file that is something else',
    { files: { 'users.json': '[]' }, stdin: 'correct horse' },
    ['ann@example.com', '--password-stdin'],
  ],
  ['nobody', { stdin: 'correct horse' }, ['--password-stdin']],
] as const) {
  test(`user add refuses ${name} and writes nothing`, async () => {
    const host = fakeHost(options)
    assert.equal(await addUser(host, ...words), 1)
    assert.deepEqual(host.modes.size, 0)
    assert.doesNotMatch(host.stderr(), /correct horse|battery/)
  })
}

const RUN = {
  url: 'http://localhost:8080',
  origin: 'http://127.0.0.1:8080',
  issuer: 'http://localhost:8080/oidc',
  localSecret: 's3cret',
}

function tokenHost(run: unknown, fetch?: Fetch): FakeHost {
  return fakeHost({
    files: { 'data/run.json': typeof run === 'string' ? run : JSON.stringify(run) },
    ...(fetch !== undefined && { fetch }),
  })
}

test('token asks the address that the instance listens on, and prints nothing but the token', async () => {
  const sigstore = await startVirtualSigstore()
  const secret = sigstore.sigstore.localSecret
  const asked: string[] = []
  const host = tokenHost({ ...RUN, localSecret: secret }, (url, init) => {
    asked.push(url)
    return sigstore.fetch(url.replace('127.0.0.1', 'localhost'), init)
  })
  assert.equal(await runCommand(tokenCommand, ['--data', 'data', 'ann@example.com'], host), 0)
  assert.match(host.stdout(), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
  assert.deepEqual(asked, ['http://127.0.0.1:8080/oidc/local-token'])
  await sigstore.close()
})

const unreachable: Fetch = () => Promise.reject(new HttpError('HTTP_CONNECT', 'connection refused'))
const silent: Fetch = () => Promise.resolve(new Response(JSON.stringify({ error_description: 'no' }), { status: 403 }))

for (const [name, run, fetch, code] of [
  ['there is no run file', undefined, unreachable, 'UP_NOT_RUNNING'],
  ['the run file is half', '{"url":', unreachable, 'UP_NOT_RUNNING'],
  ['the run file is something else', [], unreachable, 'UP_NOT_RUNNING'],
  ['the instance was killed', RUN, unreachable, 'UP_NOT_RUNNING'],
  ['people sign in with passwords', { ...RUN, localSecret: undefined }, unreachable, 'UP_NO_LOCAL_TOKENS'],
  ['the issuer refuses', RUN, silent, 'UP_TOKEN_REFUSED'],
] as const) {
  test(`token fails if ${name}`, async () => {
    const host = run === undefined ? fakeHost({ fetch }) : tokenHost(run, fetch)
    await assert.rejects(
      async () => {
        const noSignal = new AbortController().signal
        await tokenCommand.run({
          args: ['ann@example.com'],
          flags: { data: 'data' },
          changed: new Set(),
          host,
          signal: noSignal,
          verbose: false,
        })
      },
      { code },
    )
    assert.equal(host.stdout(), '')
    assert.doesNotMatch(host.stderr(), /s3cret/)
  })
}

test('what up tells can be pasted into a shell', async () => {
  const sigstore = await startVirtualSigstore()
  const running = {
    url: sigstore.url,
    origin: 'http://127.0.0.1:8080',
    directory: "/srv/it's here",
    sigstore: sigstore.sigstore,
    close: () => sigstore.close(),
  }
  const text = describeRunning(running, { open: true, millis: 12.3, clientId: 'sigstore' })
  assert.match(
    text,
    /cosign initialize --mirror http:\/\/localhost:8080\/tuf --root '\/srv\/it'\\''s here\/tuf\/root\.json'/,
  )
  assert.match(text, /any e-mail address is believed/)
  assert.doesNotMatch(text, /client-id|first start/)
  const moved = { ...running, url: 'https://sigstore.example.com' }
  assert.match(
    describeRunning(moved, { open: false, millis: 1, clientId: 'sigstore' }),
    /keep the name of the first start, localhost:/,
  )
  assert.match(
    describeRunning(running, { open: false, millis: 1, clientId: 'ours' }),
    /countersign sign --oidc-client-id ours /,
  )
  assert.doesNotMatch(describeRunning(running, { open: false, millis: 1, clientId: 'sigstore' }), /token/)
  assert.equal(JSON.stringify(runningDocument(running)).includes(sigstore.sigstore.localSecret ?? 'none'), false)
  await sigstore.close()
})
