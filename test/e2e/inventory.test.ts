/** The real program: a private Sigstore, a cluster on a socket, a kubeconfig, and questions answered by a process each. @module */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { serve } from '#serving/serve'
import { createFakeCluster } from '#testing/kubernetes/fake-cluster'
import { pushImage } from '../interop/registry.js'
import { countersign, startUp } from './up-process.js'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'inventory-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

test('what runs in a cluster is verified once, and asked without the network', async (t) => {
  const place = await folder(t)
  const up = await startUp(['--data', join(place, 'data'), '--port', '0'])
  t.after(() => up.stop())
  const environment = { HOME: place, TUF_ROOT: join(place, 'tuf') }
  const run = async (...words: readonly string[]) => await countersign(words, environment)
  const done = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words)
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
    return stdout
  }
  await done('initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root)
  const image = await pushImage(up.registry, 'acme/shop', 'shop')
  const predicate = join(place, 'sbom.json')
  const components = [{ type: 'library', name: 'log4j-core', version: '2.14.1', purl: 'pkg:maven/a/log4j-core@2.14.1' }]
  await writeFile(predicate, JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components }))
  const token = (await done('token', '--data', up.directory, 'ci@example.com')).trim()
  await done('attest', '-y', '--type', 'cyclonedx', '--predicate', predicate, '--identity-token', token, image)

  const cluster = createFakeCluster()
  cluster.put({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'shop', namespace: 'prod' },
    spec: { containers: [{ name: 'app', image: image.replace(/@.*/, ':latest') }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID: image }] },
  })
  const server = await serve(cluster.handler, { host: '127.0.0.1', port: 0, onFault: () => undefined })
  t.after(() => server.close(0))
  const kubeconfig = join(place, 'kubeconfig')
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: server.origin } }],
    }),
  )
  const who = ['--certificate-identity', 'ci@example.com', '--certificate-oidc-issuer', up.issuer]
  const taken = await done('inventory', '--kubeconfig', kubeconfig, ...who)
  assert.match(taken, /^1 image in the cluster, all namespaces; 1 verified bill of materials; 0 unknown\n/)
  await up.stop()
  await server.close(0)

  const found = await run('inventory', 'find', 'log4j-core')
  assert.equal(found.code, 1, found.stderr)
  assert.match(found.stdout, /runs in +prod\/Pod\/shop/)
  assert.equal((await run('inventory', 'find', 'left-pad')).code, 0)
  assert.match(await done('inventory', 'list'), /CycloneDX 1\.6, 1 component, signed by ci@example\.com/)
  assert.equal((await run('inventory', 'find')).code, 2)

  const cache = join(place, '.cache', 'countersign', 'inventory', 'default')
  assert.deepEqual((await readdir(cache)).sort(), ['entries', 'inventory'])
  assert.equal((await stat(join(cache, 'inventory'))).mode & 0o077, 0, 'nobody else reads what runs')

  const osv = join(place, 'osv')
  await mkdir(osv)
  const record = {
    id: 'CVE-2021-44228',
    modified: '2024-01-01T00:00:00Z',
    affected: [{ package: { ecosystem: 'Maven', name: 'a:log4j-core' }, versions: ['2.14.1'] }],
  }
  await writeFile(join(place, 'record.json'), JSON.stringify(record))
  await symlink(join(place, 'record.json'), join(osv, 'linked.json'))
  assert.equal((await run('inventory', 'find', '--cve', 'CVE-2021-44228', '--osv', osv)).code, 1)
  await symlink(osv, join(osv, 'loop'))
  await symlink(join(place, 'nowhere'), join(osv, 'gone.json'))
  const answer = await run('inventory', 'find', '--cve', 'CVE-2021-44228', '--osv', osv, '-o', 'json')
  const { brokenRecords } = JSON.parse(answer.stdout) as { brokenRecords: readonly { path: string }[] }
  assert.deepEqual(
    brokenRecords.map(({ path }) => path),
    [join(osv, 'gone.json'), join(osv, 'loop')],
  )
})
