import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UserPorts } from '#clients/cloud/cloud-ports'
import { fakeHost } from '#testing/cli/fake-host'
import { fakeNetwork, json } from '#testing/fake-fetch'
import { openCloudPorts } from './cloud-ports.js'
import { CliError } from './kit/errors.js'
import type { FileStore } from './kit/host.js'

const { fetch } = fakeNetwork(() => json({}))

async function userPorts(files: Readonly<Record<string, string>>, store: Partial<FileStore> = {}): Promise<UserPorts> {
  const host = fakeHost({ files, fetch })
  const { user } = await openCloudPorts({ ...host, files: { ...host.files, ...store } }, { programs: 'chosen' })
  assert.ok(user !== undefined)
  return user
}

describe('files of whoever runs this', () => {
  test('are read, or are not there', async () => {
    const { readFile, homeFolder, programs } = await userPorts({ '/home/test/.aws/config': '[default]' })
    assert.deepEqual([homeFolder, programs], ['/home/test', 'chosen'])
    assert.equal(new TextDecoder().decode(await readFile('/home/test/.aws/config')), '[default]')
    assert.equal(await readFile('/home/test/.aws/credentials'), undefined)
  })

  test('are refused if they are too large, before all of it is in memory', async () => {
    let given = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++
        yield new Uint8Array(1 << 16)
      }
    }
    const { readFile } = await userPorts({ '/zero': '' }, { stream: endless })
    await assert.rejects(readFile('/zero'), { code: 'CLOUD_SETTINGS' })
    assert.equal(given, 17)
  })

  test('that cannot be read are not passed over', async () => {
    const refuse = async (): Promise<never> => {
      throw new CliError('CLI_FILE', 'open /x: permission denied')
    }
    const { readFile } = await userPorts({}, { exists: refuse })
    await assert.rejects(readFile('/x'), { code: 'CLOUD_SETTINGS' })
  })

  test('tokens are limited as well, and have to be there', async () => {
    const host = fakeHost({ files: { '/large': 'x'.repeat(1024 * 1024 + 1), '/token': 'jwt' }, fetch })
    const { readText } = await openCloudPorts(host, { programs: 'any' })
    assert.equal(await readText('/token'), 'jwt')
    await assert.rejects(readText('/large'), { code: 'CLOUD_SETTINGS' })
    await assert.rejects(readText('/none'), { code: 'CLI_FILE_MISSING' })
  })
})
