/**
 * The same command lines, good and bad, given to cosign and to countersign: both succeed or both fail, and standard output has
 * something in it for both or for neither. Where they differ on purpose it says so here, and in docs/differences.md.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Finished } from './processes.js'
import { must } from './processes.js'
import { digestOf, pushImage } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const USER = 'alice@example.com'

let world: World
/** Images by what is attached to them. */
const images = new Map<string, string>()

/** Signed by cosign 3, so that nothing here rests on what countersign writes. */
before(async () => {
  world = await startWorld()
  for (const name of ['bundle', 'old', 'key', 'none', 'detached', 'sbom']) {
    images.set(name, await pushImage(world.registry, `agreement/${name}`, name))
  }
  for (const [file, content] of [
    ['blob', 'a blob'],
    ['other', 'another blob'],
    ['predicate', '{"x":1}'],
    ['rubbish', 'nothing of use'],
  ] as const) {
    await writeFile(join(world.folder, file), content)
  }
  const token = ['--identity-token', await world.token(USER)]
  await cosign('generate-key-pair')
  await cosign('generate-key-pair', '--output-key-prefix', 'wrong')
  await cosign('sign', ...token, '-a', 'env=prod', image('bundle'))
  await cosign('sign', ...token, ...OLD(), '-a', 'env=prod', image('old'))
  await cosign('sign', '--key', 'cosign.key', image('key'))
  await cosign('attest', ...token, '--predicate', 'predicate', image('bundle'))
  await cosign('attest', ...token, ...OLD(), '--predicate', 'predicate', image('old'))
  await cosign('sign', '--key', 'cosign.key', ...OLD(), ...detachedOutputs('k'), image('detached'))
  await cosign('sign', ...token, ...OLD(), ...detachedOutputs('i'), '--output-certificate', 'i.crt', image('detached'))
  await cosign('sign-blob', ...token, '--bundle', 'blob.json', 'blob')
  await cosign('sign-blob', '--key', 'cosign.key', '--bundle', 'key.json', 'blob')
  await cosign('attest-blob', ...token, '--predicate', 'predicate', '--bundle', 'att.json', 'blob')
  const parts = ['--output-signature', 'b.sig', '--output-certificate', 'b.crt']
  await cosign('sign-blob', ...token, ...OLD(), ...parts, 'blob')
  const [place = '', digest = ''] = image('sbom').split('@')
  await must('oras', ['push', '--plain-http', `${place}:${digest.replace(':', '-')}.sbom`, 'rubbish:text/spdx'], {
    cwd: world.folder,
  })
  await cosign('sign', '--key', 'cosign.key', ...OLD(), '--attachment', 'sbom', image('sbom'))
})
after(() => world.stop())

async function cosign(...args: readonly string[]): Promise<Finished> {
  const finished = await world.client('cosign3', args)
  assert.equal(finished.code, 0, `${args.join(' ')}\n${finished.stderr}`)
  return finished
}

function image(name: string): string {
  return images.get(name) ?? assert.fail(name)
}

function OLD(): readonly string[] {
  return [
    '--new-bundle-format=false',
    '--use-signing-config=false',
    '--rekor-url',
    world.url,
    '--fulcio-url',
    world.url,
  ]
}

function detachedOutputs(name: string): readonly string[] {
  return ['--upload=false', '--output-signature', `${name}.sig`, '--output-payload', `${name}.payload`]
}

/** A command line: words in braces stand for what is only known when the world runs. */
interface Case {
  readonly line: string
  /** Whether it succeeds, with both. */
  readonly holds: boolean
  /** The exit code with both, where cosign has one of its own. */
  readonly code?: number
}

const CASES: readonly (readonly [group: string, cases: readonly Case[]])[] = [
  [
    'verify',
    [
      { line: 'verify {who} {bundle}', holds: true },
      { line: 'verify {who} {old}', holds: true },
      { line: 'verify {who} {none}', holds: false, code: 10 },
      { line: 'verify {who} {registry}/nothing/here:latest', holds: false, code: 11 },
      { line: 'verify {bob} {bundle}', holds: false },
      { line: 'verify {bob} {old}', holds: false, code: 12 },
      { line: 'verify {elsewhere} {bundle}', holds: false },
      { line: 'verify {elsewhere} {old}', holds: false, code: 12 },
      { line: 'verify --key cosign.pub {key}', holds: true },
      { line: 'verify --key wrong.pub {key}', holds: false },
      { line: 'verify --key cosign.pub {bundle}', holds: false },
      { line: 'verify {who} {key}', holds: false },
      { line: 'verify {bundle}', holds: false },
      { line: 'verify --certificate-identity a {bundle}', holds: false },
      { line: 'verify --key cosign.pub {who} {bundle}', holds: false },
      { line: 'verify {who} -a env=prod {bundle}', holds: true },
      { line: 'verify {who} -a env=dev {bundle}', holds: false },
      { line: 'verify {who} -a env=prod {old}', holds: true },
      { line: 'verify {who} -a env=dev {old}', holds: false, code: 12 },
      { line: 'verify {who} -a env {bundle}', holds: false },
      { line: 'verify {who} -o text {bundle}', holds: true },
      { line: 'verify {who} -o text {old}', holds: true },
      { line: 'verify {who} --check-claims=false {bundle}', holds: true },
      { line: 'verify {who} --insecure-ignore-tlog {bundle}', holds: true },
      { line: 'verify {who} --insecure-ignore-tlog {old}', holds: true },
      { line: 'verify {who} --use-signed-timestamps {bundle}', holds: true },
      { line: 'verify {who} --offline {old}', holds: true },
      { line: 'verify {who} --trusted-root trusted_root.json {bundle}', holds: true },
      { line: 'verify {who} --trusted-root nowhere {bundle}', holds: false },
      { line: 'verify {who} --trusted-root rubbish {bundle}', holds: false },
      { line: 'verify {who} --certificate-github-workflow-repository o/r {bundle}', holds: false },
      { line: 'verify {who} --timeout 1ns {bundle}', holds: false },
      { line: 'verify {who} NOT/AN/IMAGE', holds: false },
      { line: 'verify --key nowhere {key}', holds: false },
      { line: 'verify --key rubbish {key}', holds: false },
      { line: 'verify --key cosign.key {key}', holds: false },
      { line: 'verify --key env://NOWHERE {key}', holds: false },
      { line: 'verify {who}', holds: false },
      { line: 'verify --nonsense {key}', holds: false },
      { line: 'verify -key cosign.pub {key}', holds: true },
    ],
  ],
  [
    'verify --signature',
    [
      { line: 'verify {unlogged} --signature k.sig --payload k.payload {detached}', holds: true },
      { line: 'verify {unlogged} --signature k.sig {detached}', holds: true },
      { line: 'verify {keyed} --signature k.sig --payload k.payload {detached}', holds: true },
      {
        line: 'verify --key cosign.pub --offline --signature k.sig --payload k.payload {detached}',
        holds: false,
        code: 12,
      },
      { line: 'verify {unlogged} --signature k.sig --payload k.payload {none}', holds: false, code: 12 },
      { line: 'verify {unlogged} --signature k.sig --payload rubbish {detached}', holds: false, code: 12 },
      { line: 'verify {unlogged} --signature k.sig --payload nowhere {detached}', holds: false },
      { line: 'verify {unlogged} --signature nowhere --payload k.payload {detached}', holds: false, code: 12 },
      { line: 'verify --key wrong.pub --insecure-ignore-tlog --signature k.sig {detached}', holds: false, code: 12 },
      {
        line: 'verify {who} --certificate i.crt {online} --signature i.sig --payload i.payload {detached}',
        holds: true,
      },
      {
        line: 'verify {bob} --certificate i.crt {online} --signature i.sig --payload i.payload {detached}',
        holds: false,
      },
      { line: 'verify {who} {online} --signature i.sig --payload i.payload {detached}', holds: false },
      { line: 'verify {keyed} --attachment sbom {sbom}', holds: true },
      { line: 'verify {keyed} --attachment sbom {none}', holds: false, code: 11 },
      { line: 'verify {keyed} --attachment nonsense {sbom}', holds: false },
    ],
  ],
  [
    'verify-attestation',
    [
      { line: 'verify-attestation {who} {bundle}', holds: true },
      { line: 'verify-attestation {who} {old}', holds: true },
      { line: 'verify-attestation {who} --type custom {bundle}', holds: true },
      { line: 'verify-attestation {who} --type https://sigstore.dev/cosign/sign/v1 {bundle}', holds: true },
      { line: 'verify-attestation {who} --type cyclonedx {bundle}', holds: false },
      { line: 'verify-attestation {who} --type nonsense {bundle}', holds: false },
      { line: 'verify-attestation {who} {none}', holds: false },
      { line: 'verify-attestation {bob} {bundle}', holds: false },
      { line: 'verify-attestation {bob} {old}', holds: false },
      { line: 'verify-attestation {who} --policy nowhere.cue {bundle}', holds: false },
      { line: 'verify-attestation {who} --policy predicate {bundle}', holds: false },
    ],
  ],
  [
    'files',
    [
      { line: 'verify-blob {who} --bundle blob.json blob', holds: true },
      { line: 'verify-blob {who} --bundle blob.json {blobDigest}', holds: true },
      { line: 'verify-blob {who} --bundle blob.json other', holds: false },
      { line: 'verify-blob {who} --bundle blob.json nowhere', holds: false },
      { line: 'verify-blob {who} --bundle nowhere blob', holds: false },
      { line: 'verify-blob {who} --bundle rubbish blob', holds: false },
      { line: 'verify-blob {who} --bundle key.json blob', holds: false },
      { line: 'verify-blob {who} --bundle att.json other', holds: false },
      { line: 'verify-blob {bob} --bundle blob.json blob', holds: false },
      { line: 'verify-blob --key cosign.pub --bundle key.json blob', holds: true },
      { line: 'verify-blob --key wrong.pub --bundle key.json blob', holds: false },
      { line: 'verify-blob --key cosign.pub --bundle blob.json blob', holds: false },
      { line: 'verify-blob --bundle blob.json blob', holds: false },
      { line: 'verify-blob {who} --bundle blob.json', holds: false },
      { line: 'verify-blob {who} --certificate b.crt --signature b.sig {online} blob', holds: true },
      { line: 'verify-blob {who} --certificate b.crt --signature b.sig --offline blob', holds: false },
      { line: 'verify-blob {who} --certificate b.crt --signature b.sig {online} other', holds: false },
      { line: 'verify-blob --key cosign.pub --certificate b.crt --signature b.sig {online} blob', holds: false },
      { line: 'verify-blob {who} --bundle blob.json --signature b.sig --rfc3161-timestamp b.sig blob', holds: false },
      { line: 'verify-blob-attestation {who} --bundle att.json blob', holds: true },
      { line: 'verify-blob-attestation {who} --bundle att.json --type custom blob', holds: true },
      { line: 'verify-blob-attestation {who} --bundle att.json --type spdx blob', holds: false },
      { line: 'verify-blob-attestation {who} --bundle att.json other', holds: false },
      { line: 'verify-blob-attestation {who} --bundle blob.json blob', holds: false },
      { line: 'verify-blob-attestation {who} --bundle att.json', holds: false },
      { line: 'verify-blob-attestation {who} --bundle att.json --check-claims=false', holds: true },
      { line: 'verify-blob-attestation {who} --bundle att.json --digest 00 --digestAlg sha256', holds: false },
    ],
  ],
  [
    'what is attached',
    [
      { line: 'tree {bundle}', holds: true },
      { line: 'tree {none}', holds: true },
      { line: 'download signature {bundle}', holds: true },
      { line: 'download signature {old}', holds: true },
      { line: 'download signature {none}', holds: false },
      { line: 'download attestation {old}', holds: true },
      { line: 'download attestation {none}', holds: false },
      { line: 'download attestation --predicate-type spdx {old}', holds: false },
    ],
  ],
  [
    'signing that cannot be',
    [
      { line: 'sign --key nowhere {none}', holds: false },
      { line: 'sign --key cosign.key', holds: false },
      { line: 'sign --key cosign.key {registry}/nothing/here:latest', holds: false },
      { line: 'sign --key cosign.key -a x {none}', holds: false },
      { line: 'sign --key cosign.key --upload=false {none}', holds: false },
      { line: 'sign --key cosign.key --signing-config nowhere {none}', holds: false },
      { line: 'sign --key cosign.key {online} --use-signing-config {none}', holds: false },
      { line: 'sign --identity-token a.b.c {none}', holds: false },
      { line: 'sign --key cosign.key --attachment nonsense {none}', holds: false },
      { line: 'sign-blob --key cosign.key --bundle o.json nowhere', holds: false },
      { line: 'sign-blob --key cosign.key --bundle no/such/folder/o.json blob', holds: false },
      { line: 'attest --key cosign.key {none}', holds: false },
      { line: 'attest --key cosign.key --predicate nowhere {none}', holds: false },
      { line: 'attest --key cosign.key --predicate rubbish --type cyclonedx {none}', holds: false },
      { line: 'attest --key cosign.key --predicate predicate --type nonsense {none}', holds: false },
      { line: 'attest-blob --key cosign.key --predicate predicate blob', holds: false },
      { line: 'attest-blob --key cosign.key --statement predicate --bundle o.json', holds: false },
      { line: 'import-key-pair --key rubbish -o imported', holds: false },
      { line: 'initialize --mirror {url}/tuf --root nowhere', holds: false },
      { line: 'trusted-root create --rekor url=http://x,public-key=cosign.pub,start-time=yesterday', holds: false },
      { line: 'signing-config create --rekor url=http://x', holds: false },
      { line: 'nonsense', holds: false },
    ],
  ],
]

/** What the words in braces stand for. */
async function wordsOf(line: string): Promise<readonly string[]> {
  const identity = (name: string, issuer = world.issuer): readonly string[] => [
    '--certificate-identity',
    name,
    '--certificate-oidc-issuer',
    issuer,
  ]
  const online = ['--rekor-url', world.url]
  const known: Readonly<Record<string, readonly string[]>> = {
    who: identity(USER),
    bob: identity('bob@example.com'),
    elsewhere: identity(USER, 'https://elsewhere.example'),
    unlogged: ['--key', 'cosign.pub', '--insecure-ignore-tlog'],
    keyed: ['--key', 'cosign.pub', ...online],
    online,
    registry: [world.registry],
    url: [world.url],
    blobDigest: [digestOf(await readFile(join(world.folder, 'blob')))],
  }
  return line.split(' ').flatMap((word) => {
    const whole = /^\{(\w+)\}$/.exec(word)?.[1]
    if (whole === undefined) return [word.replace('{registry}', world.registry).replace('{url}', world.url)]
    return known[whole] ?? [image(whole)]
  })
}

for (const [group, cases] of CASES) {
  describe(group, () => {
    for (const { line, holds, code } of cases) {
      test(line, async () => {
        const words = await wordsOf(line)
        const [theirs, ours] = await Promise.all(
          (['cosign3', 'countersign'] as const).map((client: Client) => world.client(client, words)),
        )
        assert.ok(theirs !== undefined && ours !== undefined)
        assert.equal(theirs.code === 0, holds, `cosign: exit ${String(theirs.code)}\n${theirs.stderr}`)
        assert.equal(ours.code === 0, holds, `countersign: exit ${String(ours.code)}\n${ours.stderr}`)
        assert.equal(ours.stdout === '', theirs.stdout === '', `standard output: ${ours.stdout}\n---\n${theirs.stdout}`)
        if (code !== undefined) assert.deepEqual([theirs.code, ours.code], [code, code], ours.stderr)
      })
    }
  })
}

describe('what countersign writes to files instead of attaching it', () => {
  for (const verifier of ['cosign3', 'cosign2', 'countersign'] as const) {
    test(`is verified by ${verifier}, beside its image and no other`, async () => {
      const mine = await pushImage(world.registry, `agreement/by-hand-${verifier}`, verifier)
      const outputs = ['--upload=false', '--output-signature', 'm.sig', '--output-payload', 'm.payload']
      const signed = await world.client('countersign', ['sign', '--key', 'cosign.key', ...OLD(), ...outputs, mine])
      assert.equal(signed.code, 0, signed.stderr)
      const words = ['verify', '--key', 'cosign.pub', '--rekor-url', world.url, '--signature', 'm.sig']
      const verify = async (...more: readonly string[]): Promise<Finished> =>
        await world.client(verifier, [...words, '--payload', 'm.payload', ...more])
      const { code, stderr } = await verify(mine)
      assert.equal(code, 0, stderr)
      assert.equal((await verify(image('none'))).code, 12)
    })
  }
})

test('every flag that cosign’s help shows is in the table that countersign is held against', async () => {
  const table = JSON.parse(await readFile('test/cli/cosign-flags.json', 'utf8')) as Record<string, readonly string[]>
  for (const [command, flags] of Object.entries(table)) {
    const { stdout } = await world.client('cosign3', [...command.split(' '), '--help'])
    const shown = [...stdout.matchAll(/^\s+(?:-\w, )?--([a-zA-Z0-9-]+)(?:[= ]|$)/gm)].map(([, flag = '']) => flag)
    assert.ok(shown.length > 2, command)
    assert.deepEqual(
      shown.filter((flag) => flag !== 'help' && !flags.includes(flag)),
      [],
      command,
    )
  }
})
