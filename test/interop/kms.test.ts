/**
 * A key at AWS, which a stand-in keeps in the service's own protocol: cosign, whose client is AWS' own, agrees with the stand-in, and
 * cosign and countersign with each other.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { serve } from '#serving/serve'
import type { RunningServer } from '#serving/serve'
import { AWS_LOGIN, emptyKeys, fakeServices } from '#testing/kms/fake-services'
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
