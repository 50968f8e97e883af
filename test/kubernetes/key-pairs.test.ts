/** Key pairs in Secrets of a real cluster: made by either program, read and signed with by both. @module */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { must, run, type Finished } from '../interop/processes.js'
import { startCluster, type TestCluster } from './cluster.js'
import { Opened } from './opened.js'

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')
const PROGRAMS = { countersign: COUNTERSIGN, cosign: 'cosign3' } as const
const UNLOGGED = ['--use-signing-config=false', '--tlog-upload=false', '-y']

const opened = new Opened()
let cluster: TestCluster
let cwd: string
let env: Readonly<Record<string, string>>
before(async () => {
  cluster = opened.add(await startCluster())
  cwd = await mkdtemp(join(tmpdir(), 'key-pairs-'))
  opened.add({ stop: () => rm(cwd, { recursive: true, force: true }) })
  env = { KUBECONFIG: cluster.kubeconfig, COSIGN_PASSWORD: 'correct horse', TUF_ROOT: join(cwd, 'root') }
  await writeFile(join(cwd, 'blob.txt'), 'a blob')
})
after(() => opened.stop())

async function says(program: string, args: readonly string[]): Promise<string> {
  return await must(program, args, { cwd, env })
}

async function tries(program: string, args: readonly string[]): Promise<Finished> {
  return await run(program, args, { cwd, env })
}

for (const [maker, program] of Object.entries(PROGRAMS)) {
  test(`what ${maker} makes serves both, and stays`, async () => {
    const key = `k8s://default/by-${maker}`
    await says(program, ['generate-key-pair', key])
    const pem = await readFile(join(cwd, 'cosign.pub'), 'utf8')
    for (const [signer, signing] of Object.entries(PROGRAMS)) {
      assert.equal(await says(signing, ['public-key', '--key', key]), pem)
      const bundle = `${maker}-${signer}.json`
      await says(signing, ['sign-blob', '--key', key, ...UNLOGGED, '--bundle', bundle, 'blob.txt'])
      for (const verifying of Object.values(PROGRAMS)) {
        const words = ['verify-blob', '--key', key, '--insecure-ignore-tlog', '--bundle', bundle]
        await says(verifying, [...words, 'blob.txt'])
        assert.notEqual((await tries(verifying, [...words, bundle])).code, 0)
      }
    }
    for (const again of Object.values(PROGRAMS))
      assert.notEqual(
        (await tries(again, ['generate-key-pair', key, ...(again === COUNTERSIGN ? ['-y'] : [])])).code,
        0,
      )
    assert.equal(await says(COUNTERSIGN, ['public-key', '--key', key]), pem)
  })
}

test('who may not read secrets cannot sign, and is told why', async () => {
  const kubectl = await cluster.kubectl(['config', 'view', '--raw'])
  const kubeconfig = join(cwd, 'bob')
  await writeFile(kubeconfig, kubectl.stdout.replace(/current-context: \S+/, 'current-context: bob'))
  const args = ['public-key', '--key', 'k8s://default/by-cosign', '--verbose']
  const { code, stderr } = await run(COUNTERSIGN, args, { cwd, env: { ...env, KUBECONFIG: kubeconfig } })
  assert.notEqual(code, 0)
  assert.match(stderr, /KUBERNETES_FORBIDDEN/)
})
