import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import { countersign, startUp } from './up-process.js'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'up-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** The code in what a failed command prints as JSON. */
function codeIn(stdout: string): string | undefined {
  return (JSON.parse(stdout) as { error?: { code: string } }).error?.code
}

test('it starts, gives scripts tokens, refuses a second one, and stops in order', async (t) => {
  const data = join(await folder(t), 'data')
  const up = await startUp(['--data', data, '--port', '0'])
  t.after(() => up.stop())
  assert.equal(up.directory, data)
  assert.equal((await fetch(`${up.url}/readyz`)).status, 200)

  const token = await countersign(['token', '--data', data, 'ann@example.com'])
  assert.equal(token.code, 0)
  assert.equal(decodeJwt(token.stdout.trim())['email'], 'ann@example.com')
  assert.match(token.stderr, /development issuer/)
  const nobody = await countersign(['token', '--data', data, 'not-an-address'])
  assert.deepEqual([nobody.code, nobody.stdout], [1, ''])

  const second = await countersign(['up', '--data', data, '--port', '0', '--output', 'json'])
  assert.equal(second.code, 1)
  assert.equal(codeIn(second.stdout), 'UP_DATA_IN_USE')
  const port = new URL(up.url).port
  const taken = await countersign(['up', '--data', join(await folder(t), 'other'), '--port', port, '--output', 'json'])
  assert.equal(codeIn(taken.stdout), 'SERVE_ADDRESS_IN_USE')

  assert.equal(await up.stop(), 0)
  assert.equal(existsSync(join(data, 'run.json')), false)
  assert.equal(up.stderr(), '')
  assert.equal((await countersign(['token', '--data', data, 'ann@example.com'])).code, 1)
})

test('a data directory that cannot be one is said so', async (t) => {
  const place = await folder(t)
  await writeFile(join(place, 'file'), '')
  for (const data of [join(place, 'file'), join(place, 'file', 'below')]) {
    const { code, stdout } = await countersign(['up', '--data', data, '--port', '0', '--output', 'json'])
    assert.deepEqual([code, codeIn(stdout)], [1, 'UP_DATA_ACCESS'])
  }
})

test('a run file that a kill left behind is not believed', async (t) => {
  const data = join(await folder(t), 'data')
  const up = await startUp(['--data', data, '--port', '0'])
  await up.kill()
  const { code, stderr } = await countersign(['token', '--data', data, 'ann@example.com'])
  assert.equal(code, 1)
  assert.match(stderr, /does not answer/)
})

test('people from a file, written by user add, are asked for their password', async (t) => {
  const place = await folder(t)
  const users = join(place, 'users.json')
  await writeFile(join(place, 'empty'), '')
  const short = await countersign(['user', 'add', 'ann@example.com', '--users', users, '--password-stdin'])
  assert.equal(short.code, 1)
  await writeFile(users, JSON.stringify({ users: [{ email: 'ann@example.com', password: 'in the clear' }] }))
  const refused = await countersign([
    'up',
    '--data',
    join(place, 'data'),
    '--users',
    users,
    '--port',
    '0',
    '--output',
    'json',
  ])
  assert.equal(codeIn(refused.stdout), 'ISSUER_USERS_FILE')
  assert.doesNotMatch(refused.stdout + refused.stderr, /in the clear/)
})

test('keys are only read where nobody else can, and only with their password', async (t) => {
  const data = join(await folder(t), 'data')
  const up = await startUp(['--data', data, '--port', '0'], { COUNTERSIGN_PASSWORD: 'correct horse' })
  assert.equal(await up.stop(), 0)
  assert.doesNotMatch(await readFile(join(data, 'keys', 'fulcio.pem'), 'utf8'), /BEGIN PRIVATE KEY/)
  const codeOf = async (env: NodeJS.ProcessEnv): Promise<string | undefined> => {
    const { code, stdout, stderr } = await countersign(['up', '--data', data, '--port', '0', '--output', 'json'], env)
    assert.equal(code, 1)
    assert.doesNotMatch(stdout + stderr, /battery/)
    return codeIn(stdout)
  }
  assert.equal(await codeOf({}), 'UP_PASSWORD_MISSING')
  assert.equal(await codeOf({ COUNTERSIGN_PASSWORD: 'battery staple' }), 'UP_PASSWORD_WRONG')
  await chmod(join(data, 'keys', 'rekor.pem'), 0o644)
  assert.equal(await codeOf({ COUNTERSIGN_PASSWORD: 'correct horse' }), 'UP_KEY_PERMISSIONS')
})

for (const [name, args, code] of [
  ['open sign-in on every address', ['--host', '0.0.0.0'], 'UP_OPEN_SIGN_IN'],
  ['every address and no name', ['--host', '0.0.0.0', '--insecure-open-sign-in'], 'UP_URL'],
  ['a public address with a path', ['--url', 'https://a.example/path'], 'UP_URL'],
  ['two kinds of sign-in', ['--users', 'x', '--oidc-issuer', 'https://a.example'], 'USAGE_FLAG_CONFLICT'],
  ['a users file that is not there', ['--users', '/nonexistent/users.json'], 'CLI_FILE_MISSING'],
] as const) {
  test(`it does not start with ${name}, and leaves nothing behind`, async (t) => {
    const data = join(await folder(t), 'data')
    const { code: exit, stdout } = await countersign(['up', '--data', data, '--port', '0', '--output', 'json', ...args])
    assert.equal(exit, 1)
    assert.equal(codeIn(stdout), code)
    assert.equal(existsSync(data), false)
  })
}

test('fsck of nothing says so', async (t) => {
  const { code, stdout } = await countersign([
    'log',
    'fsck',
    '--data',
    join(await folder(t), 'none'),
    '--output',
    'json',
  ])
  assert.equal(code, 1)
  assert.equal(codeIn(stdout), 'UP_NO_INSTANCE')
})
