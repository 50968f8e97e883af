/**
 * Keys at AWS and Vault, which stand-ins keep in the services' own protocols: cosign, whose clients are those of AWS and HashiCorp, agrees
 * with the stand-ins, and cosign and countersign with each other.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { serve } from '#serving/serve'
import type { RunningServer } from '#serving/serve'
import { AWS_LOGIN, emptyKeys, fakeServices, VAULT_TOKEN } from '#testing/kms/fake-services'
import { oracleNamed } from '../oracles/oracle.js'
import { must, run } from './processes.js'

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')
const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const URI = 'awskms:///alias/release'
const ALONE = ['--tlog-upload=false', '-y']
const UNLOGGED = '--insecure-ignore-tlog'
/** What each of them wants to be told to leave out its services, and to write what the other one reads. */
const CLIENTS = {
  cosign3: { sign: ['--use-signing-config=false'], verify: [] },
  cosign2: { sign: ['--new-bundle-format'], verify: ['--new-bundle-format', '--trusted-root', 'root.json'] },
} as const
const keys = emptyKeys()
const faults: unknown[] = []
let folder: string
let server: RunningServer
let env: Readonly<Record<string, string>>

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kms-'))
  await writeFile(join(folder, 'blob'), 'a blob')
  // cosign 2 asks for a root also where nothing of it is needed.
  await writeFile(
    join(folder, 'root.json'),
    '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}',
  )
  const onFault = (fault: unknown): void => {
    faults.push(fault)
  }
  server = await serve(fakeServices(keys), { host: '127.0.0.1', port: 0, onFault })
  env = {
    ...AWS_LOGIN,
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_KMS: server.origin,
    HOME: folder,
    COSIGN_PASSWORD: '',
  }
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  for (const name of [ID, 'alias/release']) keys.aws.set(name, { id: ID, key })
})
after(async () => {
  await server.close(0)
  await rm(folder, { recursive: true, force: true })
  assert.deepEqual(faults, [])
})

const ours = (...args: readonly string[]): Promise<string> => must(COUNTERSIGN, args, { cwd: folder, env })

test('is the same key to cosign', async () => {
  assert.equal(await ours('public-key', '--key', URI), await must('cosign3', ['public-key', '--key', URI], { env }))
})

for (const [cosign, flags] of Object.entries(CLIENTS)) {
  test(`what ${cosign} signed is verified`, async () => {
    const words = ['--key', URI, ...ALONE, ...flags.sign, '--bundle', 'theirs.json', 'blob']
    await must(cosign, ['sign-blob', ...words], { cwd: folder, env })
    await ours('verify-blob', '--key', URI, UNLOGGED, '--bundle', 'theirs.json', 'blob')
  })

  test(`what countersign signed is verified by ${cosign}`, async () => {
    await ours('sign-blob', '--key', URI, ...ALONE, '--use-signing-config=false', '--bundle', 'ours.json', 'blob')
    const words = ['--key', URI, UNLOGGED, ...flags.verify, '--bundle', 'ours.json', 'blob']
    await must(cosign, ['verify-blob', ...words], { cwd: folder, env })
  })
}

for (const [name, uri, secret] of [
  ['finds a key that is not there', 'awskms:///alias/none', AWS_LOGIN.AWS_SECRET_ACCESS_KEY],
  ['is let in with a wrong secret', URI, 'another'],
] as const) {
  test(`neither ${name}`, async () => {
    for (const program of [COUNTERSIGN, 'cosign3']) {
      const given = { ...env, AWS_SECRET_ACCESS_KEY: secret }
      const { code, stdout } = await run(program, ['public-key', '--key', uri], { env: given })
      assert.deepEqual([code === 0, stdout], [false, ''])
    }
  })
}

/** In a folder of its own, where `cosign.pub` is written. */
async function made(program: string, uri: string, more: Readonly<Record<string, string>>): Promise<string> {
  const cwd = await mkdtemp(join(folder, 'made-'))
  await must(program, ['generate-key-pair', '--kms', uri], { cwd, env: { ...env, ...more } })
  return await readFile(join(cwd, 'cosign.pub'), 'utf8')
}

/** Whoever made the key, both find it, neither makes another one, and each verifies what the other one signs. */
function sharesKeys(address: (name: string) => string, settings: () => Readonly<Record<string, string>>): void {
  for (const [maker, other] of [
    ['cosign3', COUNTERSIGN],
    [COUNTERSIGN, 'cosign3'],
  ] as const) {
    test(`a key that ${maker === 'cosign3' ? 'cosign' : 'countersign'} makes`, async () => {
      const uri = address(maker === 'cosign3' ? 'theirs' : 'ours')
      const more = settings()
      const pem = await made(maker, uri, more)
      assert.equal(await made(other, uri, more), pem)
      assert.equal(await made(maker, uri, more), pem)
      const given = { cwd: folder, env: { ...env, ...more } }
      for (const [signer, verifier] of [
        [maker, other],
        [other, maker],
      ] as const) {
        const words = ['--key', uri, ...ALONE, '--use-signing-config=false', '--bundle', 'made.json', 'blob']
        await must(signer, ['sign-blob', ...words], given)
        await must(verifier, ['verify-blob', '--key', uri, UNLOGGED, '--bundle', 'made.json', 'blob'], given)
      }
    })
  }
}

describe('at AWS', () => {
  sharesKeys(
    (name) => `awskms:///alias/${name}`,
    () => ({}),
  )

  test('neither makes one under an id', async () => {
    for (const program of [COUNTERSIGN, 'cosign3']) {
      const words = ['generate-key-pair', '--kms', `awskms:///${ID}`]
      assert.notEqual((await run(program, words, { cwd: folder, env })).code, 0)
    }
  })
})

/** Of a Vault of one's own, such as `vault server -dev` with `vault secrets enable transit`, which is then asked too. */
const { REAL_VAULT_ADDR = '', REAL_VAULT_TOKEN = '' } = process.env
const plugin = oracleNamed('vault-client-oracle')

describe(
  'at Vault',
  { skip: plugin === undefined && 'the client of Vault is not built: node scripts/oracles.mjs' },
  () => {
    let path = ''
    before(async () => {
      path = await mkdtemp(join(folder, 'bin-'))
      // Builds of cosign without this client take it as a plugin.
      await symlink(plugin ?? '', join(path, 'sigstore-kms-hashivault'))
    })
    const name = (): string => randomBytes(8).toString('hex')

    for (const [what, skip, vault] of [
      ['a stand-in', false, () => ({ VAULT_ADDR: server.origin, VAULT_TOKEN })],
      [
        'a real one',
        REAL_VAULT_ADDR === '' && 'no REAL_VAULT_ADDR',
        () => ({ VAULT_ADDR: REAL_VAULT_ADDR, VAULT_TOKEN: REAL_VAULT_TOKEN }),
      ],
    ] as const) {
      describe(what, { skip }, () => {
        const settings = (): Readonly<Record<string, string>> => ({
          ...vault(),
          PATH: `${path}:${process.env['PATH'] ?? ''}`,
        })
        const prefix = name()
        sharesKeys((key) => `hashivault://${key}-${prefix}`, settings)

        for (const [algorithm, digest] of [
          ['ecdsa-sha2-384-nistp384', 'sha384'],
          ['rsa-sign-pkcs1-3072-sha256', 'sha256'],
          ['ed25519', 'sha256'],
        ] as const) {
          test(`countersign makes ${algorithm} and signs, cosign finds it and verifies`, async () => {
            const cwd = await mkdtemp(join(folder, 'made-'))
            const given = { cwd, env: { ...env, ...settings() } }
            await writeFile(join(cwd, 'blob'), 'a blob')
            const uri = `hashivault://${name()}`
            await must(COUNTERSIGN, ['generate-key-pair', '--kms', uri, '--signing-algorithm', algorithm], given)
            const pem = await readFile(join(cwd, 'cosign.pub'), 'utf8')
            assert.equal(await must('cosign3', ['public-key', '--key', uri], given), pem)
            const words = ['--key', uri, ...ALONE, '--use-signing-config=false', '--bundle', 'b.json', 'blob']
            await must(COUNTERSIGN, ['sign-blob', ...words], given)
            const check = ['verify-blob', '--key', 'cosign.pub', UNLOGGED, '--bundle', 'b.json', 'blob']
            await must(COUNTERSIGN, check, given)
            await must('cosign3', [...check, '--signature-digest-algorithm', digest], given)
          })
        }

        test('neither finds a key that is not there', async () => {
          for (const program of [COUNTERSIGN, 'cosign3']) {
            const words = ['public-key', '--key', `hashivault://${name()}`]
            const { code, stdout } = await run(program, words, { env: { ...env, ...settings() } })
            assert.deepEqual([code === 0, stdout], [false, ''])
          }
        })
      })
    }
  },
)
