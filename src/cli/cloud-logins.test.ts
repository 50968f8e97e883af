import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isCodedError } from '#errors'
import { fakeHost } from '#testing/cli/fake-host'
import { fakeNetwork, json } from '#testing/fake-fetch'
import { CLOUDS } from './admission/pace.js'
import { openKms } from './keys/kms.js'
import type { Host } from './kit/host.js'
import { nodeFiles } from './node/files.js'

const URI = 'awskms:///alias/release'
let home: string

/** Programs that say that they ran. */
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'clouds-'))
  await mkdir(join(home, '.aws'))
  const program = join(home, 'vault creds')
  const login = JSON.stringify({ Version: 1, AccessKeyId: 'AKIDPROC', SecretAccessKey: 'word' })
  await writeFile(program, `#!/bin/sh\nprintf '%s' "$1" >> '${home}/ran'\nprintf '%s' '${login}'\n`)
  await chmod(program, 0o700)
  await writeFile(
    join(home, '.aws/config'),
    `[default]\nregion = eu-central-1\ncredential_process = "${program}" '$HOME; x'\n`,
  )
})
after(() => rm(home, { recursive: true, force: true }))

function hostOf(environment: Readonly<Record<string, string>>): { readonly host: Host; readonly asked: () => string } {
  const network = fakeNetwork(() => json({ __type: 'AccessDeniedException' }, 400))
  const host = { ...fakeHost({ environment, fetch: network.fetch }), files: nodeFiles(), homeFolder: home }
  return { host, asked: () => network.requests.map(({ headers }) => headers['authorization'] ?? '').join() }
}

const ran = (): Promise<string> => readFile(join(home, 'ran'), 'utf8').catch(() => '')
const codeOf = (error: unknown): string => (isCodedError(error) ? error.code : String(error))

describe('a program of the home folder', () => {
  test('is not run by the gate', async () => {
    const { host, asked } = hostOf({})
    const kms = await openKms(host, { endpoints: 'known', ...CLOUDS })
    const code = await kms.key(URI, AbortSignal.timeout(60_000)).then(() => '', codeOf)
    assert.deepEqual([code, asked(), await ran()], ['CLOUD_SETTINGS', '', ''])
  })

  test('is run for whoever put it there, with its arguments as they are', async () => {
    const { host, asked } = hostOf({})
    const kms = await openKms(host, { endpoints: 'any' })
    const code = await kms.key(URI, AbortSignal.timeout(60_000)).then(() => '', codeOf)
    assert.equal(code, 'KMS_DENIED')
    assert.match(asked(), /Credential=AKIDPROC\/\d+\/eu-central-1\/kms\//)
    assert.equal(await ran(), '$HOME; x')
  })
})
