import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { ProgramRunner } from '../programs.js'
import { explicitKeychain, firstOf, type Credentials } from './credentials.js'
import { machineKeychain, saveLogin, type ConfigFiles } from './keychain.js'

const HOME = { HOME: '/home/me' }
const DOCKER = '/home/me/.docker/config.json'

function auth(username: string, password = 'hush'): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}

interface Machine {
  readonly files: ConfigFiles
  readonly runner: ProgramRunner
  readonly written: Map<string, string>
  readonly ran: string[]
}

function machine(
  contents: Readonly<Record<string, unknown>>,
  helper: (server: string) => { exitCode: number; stdout: string } = () => ({ exitCode: 1, stdout: '' }),
): Machine {
  const written = new Map<string, string>()
  const ran: string[] = []
  return {
    written,
    ran,
    files: {
      read: (path) => {
        const content = contents[path]
        if (content === undefined) return Promise.resolve(undefined)
        return Promise.resolve(encodeUtf8(typeof content === 'string' ? content : JSON.stringify(content)))
      },
      replace: (path, bytes) => {
        written.set(path, decodeUtf8(bytes))
        return Promise.resolve()
      },
    },
    runner: {
      run: (program, args, { stdin }) => {
        ran.push(`${program} ${args.join(' ')} ${stdin}`)
        return Promise.resolve(helper(stdin))
      },
    },
  }
}

async function find(
  contents: Readonly<Record<string, unknown>>,
  name: string,
  env: Readonly<Record<string, string>> = HOME,
): Promise<string> {
  const [registry = '', ...rest] = name.split('/')
  const found = await machineKeychain({ env, ...machine(contents) })({ registry, repository: rest.join('/') })
  return describe(found)
}

function describe(found: Credentials): string {
  return found.kind === 'basic' ? `${found.username}:${found.password}` : found.kind
}

test('entries are found under every name that a registry goes by', async () => {
  const config = {
    [DOCKER]: {
      auths: {
        'reg.example': { auth: auth('a') },
        'https://old.example/v1/': { auth: auth('b') },
        'https://index.docker.io/v1/': { username: 'c', password: 'd:e' },
      },
    },
  }
  assert.equal(await find(config, 'reg.example/team/app'), 'a:hush')
  assert.equal(await find(config, 'old.example/app'), 'b:hush')
  assert.equal(await find(config, 'index.docker.io/library/app'), 'c:d:e')
  assert.equal(await find(config, 'other.example/app'), 'anonymous')
  assert.equal(await find(config, 'reg.example.evil/app'), 'anonymous')
})

test('the longest path wins, as podman writes it', async () => {
  const config = {
    [DOCKER]: {
      auths: {
        'quay.io': { auth: auth('host') },
        'quay.io/team': { auth: auth('team') },
        'quay.io/team/app': { auth: auth('app') },
      },
    },
  }
  assert.equal(await find(config, 'quay.io/team/app'), 'app:hush')
  assert.equal(await find(config, 'quay.io/team/app2'), 'team:hush')
  assert.equal(await find(config, 'quay.io/teams/app'), 'host:hush')
})

test('tokens are told from passwords', async () => {
  const config = {
    [DOCKER]: {
      auths: {
        'a.example': { auth: auth('00000000-0000-0000-0000-000000000000', ''), identitytoken: 'hush' },
        'b.example': { registrytoken: 'hush' },
        'c.example': {},
      },
    },
  }
  assert.equal(await find(config, 'a.example/x'), 'identity-token')
  assert.equal(await find(config, 'b.example/x'), 'registry-token')
  assert.equal(await find(config, 'c.example/x'), 'anonymous')
})

test('a chosen file comes before the usual places', async () => {
  const file = (user: string): unknown => ({ auths: { 'r.example': { auth: auth(user) } } })
  const contents = {
    '/cfg/config.json': file('docker-config'),
    '/auth.json': file('auth-file'),
    [DOCKER]: file('home'),
    '/run/containers/auth.json': file('podman'),
  }
  const env = { ...HOME, XDG_RUNTIME_DIR: '/run' }
  assert.equal(await find(contents, 'r.example/x', env), 'home:hush')
  assert.equal(await find(contents, 'r.example/x', { ...env, REGISTRY_AUTH_FILE: '/auth.json' }), 'auth-file:hush')
  assert.equal(
    await find(contents, 'r.example/x', { ...env, REGISTRY_AUTH_FILE: '/auth.json', DOCKER_CONFIG: '/cfg' }),
    'docker-config:hush',
  )
  assert.equal(await find({ '/run/containers/auth.json': file('podman') }, 'r.example/x', env), 'podman:hush')
  assert.equal(await find({}, 'r.example/x', {}), 'anonymous')
})

test('helpers are asked once a server, in Docker’s words', async () => {
  const config = { [DOCKER]: { credHelpers: { 'gcr.io': 'gcloud' }, credsStore: 'desktop', auths: { 'gcr.io': {} } } }
  const here = machine(config, (server) => ({
    exitCode: 0,
    stdout: JSON.stringify({ ServerURL: server, Username: server === 'gcr.io' ? '<token>' : 'u', Secret: 'hush' }),
  }))
  const keychain = machineKeychain({ env: HOME, ...here })
  assert.equal(describe(await keychain({ registry: 'gcr.io', repository: 'x' })), 'identity-token')
  assert.equal(describe(await keychain({ registry: 'index.docker.io', repository: 'library/x' })), 'u:hush')
  await keychain({ registry: 'gcr.io', repository: 'y' })
  assert.deepEqual(here.ran, [
    'docker-credential-gcloud get gcr.io',
    'docker-credential-desktop get https://index.docker.io/v1/',
  ])
})

test('a helper that has nothing is no error', async () => {
  const here = machine({ [DOCKER]: { credsStore: 'x' } }, () => ({
    exitCode: 1,
    stdout: 'credentials not found in native keychain',
  }))
  assert.equal(describe(await machineKeychain({ env: HOME, ...here })({ registry: 'r', repository: 'x' })), 'anonymous')
})

for (const [what, helper, answer] of [
  ['fails', 'x', { exitCode: 2, stdout: 'hush' }],
  ['says nothing', 'x', { exitCode: 0, stdout: '' }],
  ['says no JSON', 'x', { exitCode: 0, stdout: 'hush' }],
  ['leaves the secret out', 'x', { exitCode: 0, stdout: '{"Username":"u"}' }],
  ['is a path', '../../bin/sh', { exitCode: 0, stdout: '{}' }],
  ['is an option', '-x', { exitCode: 0, stdout: '{}' }],
] as const) {
  test(`a helper that ${what} is an error without its output`, async () => {
    const here = machine({ [DOCKER]: { credsStore: helper } }, () => answer)
    await assert.rejects(
      machineKeychain({ env: HOME, ...here })({ registry: 'r', repository: 'x' }),
      (error: unknown) => {
        assert.ok(isCodedError(error))
        assert.equal(error.code, 'REGISTRY_CREDENTIAL_HELPER')
        assert.ok(!JSON.stringify([error.message, error.found, error.hint]).includes('hush'))
        return true
      },
    )
  })
}

for (const content of [
  '',
  '{',
  '[]',
  '"x"',
  { auths: { r: 'x' } },
  { auths: { r: { auth: '%%%' } } },
  { auths: { r: { auth: auth('nocolon').slice(0, 8) } } },
]) {
  test(`the configuration ${JSON.stringify(content).slice(0, 40)} is an error, not nothing`, async () => {
    await assert.rejects(find({ [DOCKER]: content }, 'r/x'), (error: unknown) => {
      assert.ok(isCodedError(error))
      assert.equal(error.code, 'REGISTRY_CREDENTIALS')
      return true
    })
  })
}

test('flags come before files', async () => {
  const files = machineKeychain({ env: HOME, ...machine({ [DOCKER]: { auths: { r: { auth: auth('file') } } } }) })
  const at = { registry: 'r', repository: 'x' }
  assert.equal(
    describe(await firstOf(explicitKeychain({ username: 'flag', password: 'hush' }), files)(at)),
    'flag:hush',
  )
  assert.equal(describe(await firstOf(explicitKeychain({ token: 'hush' }), files)(at)), 'registry-token')
  assert.equal(describe(await firstOf(explicitKeychain({}), files)(at)), 'file:hush')
})

test('a login is kept beside what was there, or by the helper', async () => {
  const login = { registry: 'index.docker.io', username: 'me', password: 'hush' }
  const here = machine({ [DOCKER]: { auths: { r: { auth: auth('a') } }, HttpHeaders: { x: 'y' } } })
  assert.equal(await saveLogin(login, { env: HOME, ...here }), DOCKER)
  assert.deepEqual(JSON.parse(here.written.get(DOCKER) ?? ''), {
    auths: { r: { auth: auth('a') }, 'https://index.docker.io/v1/': { auth: auth('me') } },
    HttpHeaders: { x: 'y' },
  })
  const helped = machine({ [DOCKER]: { credsStore: 'desktop' } }, () => ({ exitCode: 0, stdout: '' }))
  await saveLogin(login, { env: HOME, ...helped })
  assert.equal(helped.written.size, 0)
  assert.match(helped.ran[0] ?? '', /^docker-credential-desktop store /)
  const failing = machine({ [DOCKER]: { credsStore: 'desktop' } })
  await assert.rejects(saveLogin(login, { env: HOME, ...failing }), { code: 'REGISTRY_CREDENTIAL_HELPER' })
  await assert.rejects(saveLogin(login, { env: {}, ...machine({}) }), { code: 'REGISTRY_CREDENTIALS' })
})
