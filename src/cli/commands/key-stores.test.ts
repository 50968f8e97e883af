/** Key pairs that are kept in a cluster, at GitLab and at GitHub: made there, signed and verified with. @module */
import assert from 'node:assert/strict'
import { before, beforeEach, describe, test } from 'node:test'
import type { Fetch } from '#clients/http/fetch'
import { withRedirects } from '#clients/http/redirect'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Command } from '#cli/kit/command'
import { fetchInProcess } from '#serving/in-process'
import type { FakeHostOptions } from '#testing/cli/fake-host'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { fakeForges, GITHUB_TOKEN, GITLAB_TOKEN, type FakeForges } from '#testing/forge/fake-forges'
import { createFakeCluster, type FakeCluster } from '#testing/kubernetes/fake-cluster'
import { command as generate } from './generate-key-pair.js'
import { command as publicKey } from './public-key.js'
import { command as signBlob } from './sign-blob.js'
import { command as verifyBlob } from './verify-blob.js'

const K8S = 'k8s://team-a/release'
const GITLAB = 'gitlab://team/app'
const GITHUB = 'github://team/app'
const AT = { apiVersion: 'v1', resource: 'secrets', namespace: 'team-a', name: 'release' }
const LOGINS = { GITLAB_TOKEN, GITHUB_TOKEN, COSIGN_PASSWORD: 'correct horse' }
const PROJECT = 'projects/team%2Fapp'
const REPOSITORY = 'repos/team/app'
const NAMES = ['COSIGN_PASSWORD', 'COSIGN_PRIVATE_KEY', 'COSIGN_PUBLIC_KEY']
const SIGNING = ['--use-signing-config=false', '--tlog-upload=false', '-y', '--bundle', 'bundle.json', 'blob.txt']
const VERIFYING = ['--insecure-ignore-tlog', '--bundle', 'bundle.json', 'blob.txt']

let bench: SigningBench
let cluster: FakeCluster
let forges: FakeForges
before(async () => {
  bench = await openSigningBench()
})
beforeEach(() => {
  cluster = createFakeCluster()
  forges = fakeForges()
  forges.gitlab.set(PROJECT, new Map())
  forges.github.set(REPOSITORY, new Map())
})

async function run(command: Command, words: readonly string[], more: FakeHostOptions = {}): Promise<Outcome> {
  const toForge = withRedirects(fetchInProcess((request) => forges.handler(request)))
  const fetch: Fetch = (address, init) =>
    /(?:gitlab|github)/.test(new URL(address).host) ? toForge(address, init) : bench.sigstore.fetch(address, init)
  const outcome = await bench.run(command, words, {
    fetch,
    cluster: cluster.api,
    ...more,
    files: { 'blob.txt': 'a blob', ...more.files },
    environment: { ...LOGINS, ...more.environment },
  })
  for (const secret of [GITLAB_TOKEN, GITHUB_TOKEN, 'correct horse', 'PRIVATE KEY'])
    assert.ok(!`${outcome.stdout}${outcome.stderr}`.includes(secret), secret)
  return outcome
}

async function made(place: string, ...words: string[]): Promise<Outcome> {
  const outcome = await run(generate, [place, ...words])
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

async function refused(
  code: string,
  command: Command,
  words: readonly string[],
  more?: FakeHostOptions,
): Promise<void> {
  const outcome = await run(command, [...words, '--verbose'], more)
  assert.equal(/^ *code: +(\w+)$/m.exec(outcome.stderr)?.[1], code, outcome.stderr)
}

function secretData(): JsonObject {
  return (cluster.get(AT)?.['data'] ?? {}) as JsonObject
}

describe('made, signed with and verified with', () => {
  for (const place of [K8S, GITLAB]) {
    test(place, async () => {
      const first = await made(place)
      const pem = Buffer.from(first.host.content('cosign.pub')).toString()
      assert.equal(first.host.modes.get('cosign.pub'), 0o644)
      assert.deepEqual(
        first.host.paths().filter((path) => path.endsWith('.key')),
        [],
      )
      assert.equal((await run(publicKey, ['--key', place])).stdout, pem)
      // Nobody types a password: it is where the key is.
      const signed = await run(signBlob, ['--key', place, ...SIGNING], { environment: { COSIGN_PASSWORD: 'another' } })
      assert.equal(signed.code, 0, signed.stderr)
      const files = { 'bundle.json': signed.host.content('bundle.json'), 'cosign.pub': pem }
      for (const key of [place, 'cosign.pub'])
        assert.equal((await run(verifyBlob, ['--key', key, ...VERIFYING], { files })).code, 0)
      await made(place === K8S ? 'k8s://team-a/other' : place, '-y')
      if (place === GITLAB) await refused('VERIFY_SIGNATURE', verifyBlob, ['--key', place, ...VERIFYING], { files })
    })
  }

  test('a secret is what cosign makes, and cannot be changed', async () => {
    const { stderr } = await made(K8S, '--output-key-prefix', 'release')
    assert.equal(cluster.get(AT)?.['immutable'], true)
    assert.deepEqual(Object.keys(secretData()).sort(), ['cosign.key', 'cosign.password', 'cosign.pub'])
    assert.equal(secretData()['cosign.password'], encodeBase64(encodeUtf8(LOGINS.COSIGN_PASSWORD)))
    assert.match(stderr, /Successfully created secret release in namespace team-a\n/)
    assert.match(stderr, /Public key written to release\.pub\n/)
  })

  test('variables that can be hidden in logs are', async () => {
    await made(GITLAB)
    const masked = (): unknown[] => NAMES.map((name) => forges.gitlab.get(PROJECT)?.get(name)?.['masked'])
    assert.deepEqual(masked(), [false, false, false])
    const long = await run(generate, [GITLAB, '-y'], { environment: { COSIGN_PASSWORD: 'correct-horse' } })
    assert.equal(long.code, 0, long.stderr)
    assert.deepEqual(masked(), [true, false, false])
  })

  test('a group of GitLab, and a server of one’s own', async () => {
    forges.gitlab.set('groups/team', new Map())
    const environment = { GITLAB_HOST: 'https://gitlab.example/' }
    const outcome = await run(generate, ['gitlab://team'], { environment })
    assert.equal(outcome.code, 0, outcome.stderr)
    assert.match(outcome.stderr, /"COSIGN_PASSWORD" group variable/)
    assert.ok(forges.requests.every((line) => line.includes(' gitlab.example/api/v4/')))
  })

  test('secrets of a repository and of an organisation of GitHub', async () => {
    await made(GITHUB)
    assert.deepEqual([...(forges.github.get(REPOSITORY)?.keys() ?? [])], NAMES)
    forges.github.set('orgs/team', new Map())
    const environment = { GITHUB_HOST: 'github.example' }
    assert.equal((await run(generate, ['github://team'], { environment })).code, 0)
    assert.equal(forges.github.get('orgs/team')?.size, 3)
    assert.ok(forges.requests.some((line) => line.startsWith('PUT github.example/api/v3/orgs/team/')))
  })
})

describe('what is there stays', () => {
  test('an immutable secret', async () => {
    await made(K8S)
    const before = secretData()
    await refused('CLI_PROMPT_DECLINED', generate, [K8S])
    await refused('CLI_KEY_EXISTS', generate, [K8S, '-y'])
    assert.deepEqual(secretData(), before)
  })

  test('of another secret, all but what is written', async () => {
    const metadata = { name: 'release', namespace: 'team-a', labels: { of: 'ours' } }
    cluster.put({ apiVersion: 'v1', kind: 'Secret', metadata, data: { more: 'bW9yZQ==' } })
    await made(K8S)
    assert.equal(secretData()['more'], 'bW9yZQ==')
    assert.deepEqual(cluster.get(AT)?.metadata.labels, { of: 'ours' })
  })

  test('variables and secrets, unless somebody says yes', async () => {
    for (const place of [GITLAB, GITHUB]) {
      await made(place)
      await refused('CLI_PROMPT_DECLINED', generate, [place])
      await made(place, '--yes')
    }
  })

  for (const failing of NAMES) {
    test(`if ${failing} cannot be written, at GitLab as it was, and at GitHub nothing that is new`, async () => {
      const project = forges.gitlab.get(PROJECT)!
      project.set('COSIGN_PASSWORD', { key: 'COSIGN_PASSWORD', value: 'as it was' })
      let left = 1
      forges.override = ({ method, url }) => {
        const mine = method === 'PUT' ? url.endsWith(failing) : method === 'POST' && isNext()
        return mine && left-- > 0 ? new Response('no', { status: 500 }) : undefined
      }
      // A variable that is new is posted without its name: those before it are there by then.
      const isNext = (): boolean => project.size === NAMES.indexOf(failing)
      await refused('FORGE_UNAVAILABLE', generate, [GITLAB, '-y'])
      assert.deepEqual(
        [...project].map(([name, { value }]) => [name, value]),
        [['COSIGN_PASSWORD', 'as it was']],
      )
      left = 1
      await refused('FORGE_UNAVAILABLE', generate, [GITHUB, '-y'])
      assert.equal(forges.github.get(REPOSITORY)?.size, 0)
    })
  }
})

describe('refuses', () => {
  for (const [place, code] of [
    ['k8s://release', 'CLI_INPUT'],
    ['k8s://team-a/release/more', 'CLI_INPUT'],
    ['k8s://team-a/../x', 'CLI_INPUT'],
    ['k8s://Team/release', 'CLI_INPUT'],
    ['gitlab://', 'FORGE_REFERENCE'],
    ['gitlab://team/../other', 'FORGE_REFERENCE'],
    ['gitlab://team/app?x', 'FORGE_REFERENCE'],
    ['gitlab://team/none', 'FORGE_NOT_FOUND'],
    ['github://team/app/more', 'FORGE_REFERENCE'],
    ['github://team/none', 'FORGE_NOT_FOUND'],
    ['bitbucket://team/app', 'USAGE_ARGUMENTS'],
    ['release', 'USAGE_ARGUMENTS'],
  ] as const) {
    test(`${place} to make a key`, async () => {
      await refused(code, generate, [place])
    })
  }

  for (const [name, environment, code] of [
    ['no token', { GITLAB_TOKEN: '', GITHUB_TOKEN: '' }, 'FORGE_CREDENTIALS'],
    ['a token with a line break', { GITLAB_TOKEN: 'a\nb: c', GITHUB_TOKEN: 'a\nb: c' }, 'FORGE_CREDENTIALS'],
    ['a token that is not taken', { GITLAB_TOKEN: 'other', GITHUB_TOKEN: 'other' }, 'FORGE_CREDENTIALS'],
    ['an address that is none', { GITLAB_HOST: 'ftp://x', GITHUB_HOST: 'ftp://x' }, 'FORGE_CREDENTIALS'],
    ['a password in the address', { GITLAB_HOST: 'https://a:b@x', GITHUB_HOST: 'https://a:b@x' }, 'FORGE_CREDENTIALS'],
  ] as const) {
    for (const place of [GITLAB, GITHUB])
      test(`${name}, at ${place}`, async () => {
        await refused(code, generate, [place], { environment })
      })
  }

  for (const [name, answer, code] of [
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }),
      'HTTP_REDIRECT',
    ],
    ['a page', () => new Response('<html>', { status: 200 }), 'HTTP_JSON'],
    ['a list', () => Response.json([]), 'FORGE_RESPONSE'],
    ['somebody without rights', () => new Response('correct horse', { status: 403 }), 'FORGE_DENIED'],
    ['another refusal', () => Response.json({ message: 'no' }, { status: 422 }), 'FORGE_REFUSED'],
  ] as const) {
    for (const place of [GITLAB, GITHUB])
      test(`${name}, from ${place}`, async () => {
        forges.override = answer
        await refused(code, generate, [place])
      })
  }

  test('a key of GitHub that is none to encrypt to', async () => {
    for (const key of ['%%', 'AAAA', encodeBase64(new Uint8Array(32)), 7]) {
      forges.override = ({ url }) => (url.endsWith('public-key') ? Response.json({ key_id: '1', key }) : undefined)
      await refused('FORGE_RESPONSE', generate, [GITHUB])
      assert.equal(forges.github.get(REPOSITORY)?.size, 0)
    }
  })

  test('to read a secret of GitHub', async () => {
    await made(GITHUB)
    await refused('CLI_UNSUPPORTED', publicKey, ['--key', GITHUB])
    await refused('CLI_UNSUPPORTED', signBlob, ['--key', GITHUB, ...SIGNING])
  })

  test('parts that are not there, and a pair that does not belong together', async () => {
    await refused('CLI_INPUT', publicKey, ['--key', GITLAB])
    await refused('KUBERNETES_NOT_FOUND', publicKey, ['--key', K8S])
    const metadata = { name: 'release', namespace: 'team-a' }
    cluster.put({ apiVersion: 'v1', kind: 'Secret', metadata, data: { 'tls.key': 'AAAA' } })
    await refused('CLI_INPUT', signBlob, ['--key', K8S, ...SIGNING])
    await made(K8S)
    const data: JsonObject = { ...secretData(), 'cosign.password': encodeBase64(encodeUtf8('wrong')) }
    cluster.put({ apiVersion: 'v1', kind: 'Secret', metadata, data })
    await refused('COSIGN_KEY_PASSWORD', signBlob, ['--key', K8S, ...SIGNING])
    cluster.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      data: { ...data, 'cosign.pub': data['cosign.key'] ?? null },
    })
    await refused('CLI_INPUT', verifyBlob, ['--key', K8S, ...VERIFYING])
  })

  test('a cluster that does not let us', async () => {
    cluster = createFakeCluster({ allows: () => false })
    await refused('KUBERNETES_FORBIDDEN', generate, [K8S])
    await refused('KUBERNETES_FORBIDDEN', publicKey, ['--key', K8S])
  })
})
