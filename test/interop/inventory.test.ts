/** Bills of materials and OpenVEX documents that real cosign attests, in every layout, are read by the inventory. @module */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pushImage } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const USER = 'alice@example.com'
const PSIRT = 'psirt@example.com'
const LOG4J = 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1'

const FILES = {
  cyclonedx: JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    components: [
      { type: 'library', group: 'org.apache.logging.log4j', name: 'log4j-core', version: '2.14.1', purl: LOG4J },
    ],
  }),
  // Complete enough for cosign, which reads SPDX into its own structs.
  spdxjson: JSON.stringify({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: 'app',
    documentNamespace: 'https://example.com/app',
    creationInfo: { created: '2024-01-01T00:00:00Z', creators: ['Tool: hand'] },
    packages: [
      {
        name: 'log4j-core',
        SPDXID: 'SPDXRef-1',
        versionInfo: '2.14.1',
        downloadLocation: 'NOASSERTION',
        externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: LOG4J }],
      },
    ],
  }),
  spdx: `SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app

PackageName: log4j-core
SPDXID: SPDXRef-1
PackageVersion: 2.14.1
ExternalRef: PACKAGE-MANAGER purl ${LOG4J}
`,
  openvex: JSON.stringify({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://example.com/vex/1',
    author: 'PSIRT',
    timestamp: '2024-01-01T00:00:00Z',
    version: 1,
    statements: [
      {
        vulnerability: { name: 'CVE-2021-44228' },
        status: 'not_affected',
        justification: 'vulnerable_code_not_in_execute_path',
      },
    ],
  }),
} as const
type Type = keyof typeof FILES

const RECORD = {
  id: 'GHSA-jfh8-c2jp-5v3q',
  modified: '2024-01-01T00:00:00Z',
  aliases: ['CVE-2021-44228'],
  affected: [
    {
      package: { ecosystem: 'Maven', name: 'org.apache.logging.log4j:log4j-core' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.0-beta9' }, { fixed: '2.15.0' }] }],
    },
  ],
}

let world: World
before(async () => {
  world = await startWorld()
  for (const [type, text] of Object.entries(FILES)) await writeFile(join(world.folder, type), text)
  await mkdir(join(world.folder, 'osv'))
  await writeFile(join(world.folder, 'osv', 'record.json'), JSON.stringify(RECORD))
})
after(async () => {
  await world.stop()
})

async function attest(
  client: Client,
  type: Type,
  image: string,
  more: readonly string[] = [],
  user = USER,
): Promise<void> {
  const token = ['--identity-token', await world.token(user)]
  const { code, stderr } = await world.client(client, [
    'attest',
    '-y',
    '--type',
    type,
    '--predicate',
    type,
    ...token,
    ...more,
    image,
  ])
  assert.equal(code, 0, `${client} attest ${type}: ${stderr}`)
}

const signers = (): readonly string[] => ['--certificate-identity', USER, '--certificate-oidc-issuer', world.issuer]

interface Answer {
  readonly verdict: string
  readonly found: readonly {
    readonly components: readonly { readonly sboms: readonly { readonly format: string }[] }[]
  }[]
  readonly excused: readonly unknown[]
}

async function ask(name: string, words: readonly string[]): Promise<Answer & { readonly code: number }> {
  const { code, stdout, stderr } = await world.client('countersign', [
    'inventory',
    'find',
    '--name',
    name,
    '-o',
    'json',
    ...words,
  ])
  assert.ok(stdout.startsWith('{'), stderr)
  return { ...(JSON.parse(stdout) as Answer), code }
}

const WAYS: readonly (readonly [Client, 'bundle' | 'legacy'])[] = [
  ['countersign', 'bundle'],
  ['cosign3', 'bundle'],
  ['cosign3', 'legacy'],
  ['cosign2', 'legacy'],
]

for (const [client, layout] of WAYS) {
  for (const type of ['cyclonedx', 'spdxjson', 'spdx'] as const) {
    // cosign 3 refuses to sign its own predicate of text ("invalid attestation: decoding json").
    if (client === 'cosign3' && type === 'spdx') continue
    test(`${type} that ${client} attests (${layout})`, async () => {
      const name = `${client}-${layout}-${type}`
      const image = await pushImage(world.registry, `inventory/${name}`, name)
      const services = ['--fulcio-url', world.url, '--rekor-url', world.url]
      const old =
        client === 'cosign2' ? services : ['--new-bundle-format=false', '--use-signing-config=false', ...services]
      await attest(client, type, image, layout === 'legacy' ? old : [])
      const taken = await world.client('countersign', ['inventory', '--name', name, ...signers(), image])
      assert.equal(taken.code, 0, taken.stderr)
      assert.match(taken.stdout, /1 verified bill of materials; 0 unknown/)
      const { code, found } = await ask(name, ['--purl', LOG4J])
      assert.equal(code, 1)
      assert.match(
        found[0]?.components[0]?.sboms[0]?.format ?? '',
        type === 'cyclonedx' ? /^CycloneDX 1\.6$/ : /^SPDX 2\.3$/,
      )
      assert.equal((await ask(name, ['left-pad'])).code, 0)
    })
  }
}

test('OpenVEX that cosign 3 attests excuses, by whoever is named for it', async () => {
  const image = await pushImage(world.registry, 'inventory/vex', 'vex')
  await attest('cosign3', 'cyclonedx', image)
  await attest('cosign3', 'openvex', image, [], PSIRT)
  const question = ['--cve', 'CVE-2021-44228', '--osv', 'osv']
  for (const [vex, verdict] of [
    [[], 'found'],
    [['--vex-certificate-identity', PSIRT, '--vex-certificate-oidc-issuer', world.issuer], 'none'],
    [['--vex-certificate-identity', USER, '--vex-certificate-oidc-issuer', world.issuer], 'found'],
  ] as const) {
    const taken = await world.client('countersign', ['inventory', '--name', 'vex', ...signers(), ...vex, image])
    assert.equal(taken.code, 0, taken.stderr)
    const answer = await ask('vex', question)
    assert.deepEqual([answer.verdict, answer.excused.length], [verdict, verdict === 'none' ? 1 : 0])
  }
})
