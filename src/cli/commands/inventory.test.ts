import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { trustedRootToJson } from '#formats/trusted-root/serialize'
import { createTestPki } from '#testing/pki/pki'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { createFakeCluster } from '#testing/kubernetes/fake-cluster'
import { command as attest } from './attest.js'
import { command as generate } from './generate-key-pair.js'
import { command as find } from './inventory-find.js'
import { command as list } from './inventory-list.js'
import { command as inventory } from './inventory.js'

let bench: SigningBench
let ann: readonly string[]
before(async () => {
  bench = await openSigningBench()
  ann = [
    '--certificate-identity',
    'ann@example.com',
    '--certificate-oidc-issuer',
    bench.issuer,
    '--trusted-root',
    'root.json',
  ]
  await bench.run(generate, [])
})

const component = (name: string, version: string, group = 'org.apache.logging.log4j'): JsonObject => ({
  type: 'library',
  group,
  name,
  version,
  purl: `pkg:maven/${group}/${name}@${version}`,
  evidence: { occurrences: [{ location: `/app/lib/${name}-${version}.jar` }] },
})
const LOG4J = component('log4j-core', '2.14.1')
const SLF4J = component('slf4j-api', '1.7.36', 'org.slf4j')

function cyclonedx(...components: readonly JsonObject[]): string {
  return JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components })
}

function spdx(...purls: readonly string[]): string {
  const packages = purls.map((purl) => ({
    name: purl.replace(/^.*\/|@.*$/g, ''),
    versionInfo: purl.replace(/^.*@/, ''),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }))
  return JSON.stringify({ spdxVersion: 'SPDX-2.3', packages })
}

interface Attesting {
  readonly type?: string
  readonly as?: string
  readonly flags?: readonly string[]
}

async function attested(image: string, predicate: string, { type = 'cyclonedx', as, flags = [] }: Attesting = {}) {
  const token = as === undefined ? {} : { [`token-${as}`]: await bench.sigstore.token(as) }
  const outcome = await bench.run(
    attest,
    [
      ...['--signing-config', 'config.json', '--trusted-root', 'root.json', '-y', '--type', type],
      ...['--identity-token', as === undefined ? 'token' : `token-${as}`, '--predicate', 'predicate', ...flags, image],
    ],
    { files: { predicate, ...token } },
  )
  assert.equal(outcome.code, 0, outcome.stderr)
}

/** The trusted root of an instance that nobody here has heard of. */
async function otherRoot(): Promise<string> {
  const { trusted } = await createTestPki()
  return JSON.stringify(trustedRootToJson(trusted, '0.2'))
}

/** A name of its own, so that tests do not share what they stored. */
let serial = 0
const named = (): string => `t${String(serial++)}`

async function take(name: string, words: readonly string[], files: Readonly<Record<string, string>> = {}) {
  return await bench.run(inventory, ['--name', name, ...words], { files })
}

async function ask(name: string, words: readonly string[], files: Readonly<Record<string, string>> = {}) {
  return await bench.run(find, ['--name', name, ...words], { files })
}

interface AnswerDocument {
  readonly verdict: string
  readonly found: readonly FindingsDocument[]
  readonly possible: readonly FindingsDocument[]
  readonly excused: readonly FindingsDocument[]
  readonly unknown: readonly { readonly reason: string; readonly platform: string | null }[]
  readonly brokenRecords: readonly { readonly path: string }[]
  readonly notes: readonly string[]
}

interface FindingsDocument {
  readonly image: {
    readonly names: readonly string[]
    readonly digestBasis: string
    readonly workloads: readonly JsonObject[]
  }
  readonly digest: string
  readonly platform: string | null
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly standing: string
    readonly locations: readonly string[]
    readonly sboms: readonly { readonly signer: { readonly identity: string }; readonly attachedTo: string }[]
    readonly vex?: { readonly status: string; readonly signer: { readonly identity: string } }
  }[]
}

async function answer(name: string, words: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const outcome = await ask(name, [...words, '--output', 'json'], files)
  return { ...(JSON.parse(outcome.stdout) as AnswerDocument), code: outcome.code }
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function errorCode(outcome: Outcome): string {
  assert.equal(outcome.code, 2, outcome.stdout)
  return (JSON.parse(outcome.stdout) as { error: { code: string } }).error.code
}

const OSV = {
  'osv/GHSA.json': JSON.stringify({
    id: 'GHSA-jfh8-c2jp-5v3q',
    modified: '2024-01-01T00:00:00Z',
    published: '2021-12-10T00:00:00Z',
    aliases: ['CVE-2021-44228'],
    summary: 'Remote code injection in Log4j',
    database_specific: { severity: 'CRITICAL' },
    affected: [
      {
        package: { ecosystem: 'Maven', name: 'org.apache.logging.log4j:log4j-core' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.0-beta9' }, { fixed: '2.15.0' }] }],
      },
    ],
  }),
  'osv/deeper/CVE-2020-1.json': JSON.stringify({
    id: 'CVE-2020-1',
    modified: '2020-01-01T00:00:00Z',
    affected: [
      {
        ranges: [
          { type: 'GIT', repo: 'https://example.com/a/slf4j-api', events: [{ introduced: '0' }, { fixed: 'ab' }] },
        ],
      },
    ],
  }),
}

describe('an inventory', () => {
  let affected: string
  let fixed: string
  let bare: string
  before(async () => {
    affected = await bench.pushImage('acme/shop')
    fixed = await bench.pushImage('acme/fixed')
    bare = await bench.pushImage('acme/bare')
    await attested(affected, cyclonedx(LOG4J, SLF4J))
    await attested(fixed, spdx('pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1'), { type: 'spdxjson' })
  })

  test('is taken, shown, and asked without asking anybody', async () => {
    const name = named()
    const taken = succeeded(await take(name, [...ann, affected, fixed, bare]))
    assert.match(taken.stdout, /^3 images in the command line; 2 verified bills of materials; 1 unknown\n/)
    assert.match(taken.stdout, /acme\/bare@sha256:\S+ +SBOM_MISSING +no attestation is attached/)
    const before = bench.requests.length
    const shown = succeeded(await bench.run(list, ['--name', name]))
    assert.match(
      shown.stdout,
      /acme\/shop +sha256:\w{12} +CycloneDX 1\.6, 2 components, signed by ann@example\.com \(http/,
    )
    assert.match(shown.stdout, /acme\/bare +sha256:\w{12} +UNKNOWN: SBOM_MISSING, no attestation is attached/)
    const found = await answer(name, ['log4j-core'])
    assert.deepEqual([found.verdict, found.code, found.found.length], ['found', 1, 2])
    const [shop] = found.found.filter(({ image }) => image.names[0] === affected)
    assert.equal(shop?.digest, affected.replace(/^.*@/, ''))
    const [core] = shop.components
    assert.deepEqual([core?.version, core?.locations], ['2.14.1', ['/app/lib/log4j-core-2.14.1.jar']])
    assert.equal(core?.sboms[0]?.signer.identity, 'ann@example.com')
    assert.equal(found.unknown[0]?.reason, 'SBOM_MISSING')
    assert.equal(bench.requests.length, before, 'questions are answered from the cache')
  })

  test('answers in words that name the image, the digest and who signed', async () => {
    const name = named()
    const pod = `kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: prod}\nspec: {template: {spec: {containers: [{name: app, image: '${affected}'}]}}}\n`
    succeeded(await take(name, [...ann, '-f', 'deploy.yaml'], { 'deploy.yaml': pod }))
    const { stdout, code } = await ask(name, ['log4j'])
    assert.equal(code, 1)
    assert.match(stdout, /^components with log4j: FOUND\n1 image of 1, 0 possible, 0 excused, 0 unknown\n/)
    assert.match(stdout, /digest +sha256:[0-9a-f]{64}\n/)
    assert.match(stdout, /runs in +prod\/Deployment\/web\n/)
    assert.match(stdout, /listed by +CycloneDX 1\.6 signed by ann@example\.com \(http/)
    assert.match(stdout, /org\.apache\.logging\.log4j:log4j-core +2\.14\.1 +\/app\/lib/)
  })

  test('what is nowhere is ruled out only where everything is known', async () => {
    const name = named()
    succeeded(await take(name, [...ann, affected]))
    assert.deepEqual((await answer(name, ['left-pad'])).code, 0)
    succeeded(await take(name, [...ann, affected, bare]))
    const open = await answer(name, ['left-pad'])
    assert.deepEqual([open.verdict, open.code], ['unknown', 3])
    assert.equal((await ask(name, ['left-pad', '--fail-on-unknown=false'])).code, 0)
    assert.equal((await take(name, [...ann, affected, bare, '--fail-on-unknown'])).code, 3)
    assert.equal((await bench.run(list, ['--name', name, '--fail-on-unknown'])).code, 3)
  })

  for (const [words, count] of [
    [['log4j-core@2.14.1'], 1],
    [['LOG4J-CORE'], 1],
    [['org.apache.logging.log4j:log4j-core'], 1],
    [['org.apache.logging.log4j/log4j-core'], 1],
    [['log4j-core@2.14'], 0],
    [['log4j', '--exact'], 0],
    [['log4j-core', '--exact'], 1],
    [['--purl', 'pkg:maven/org.apache.logging.log4j/log4j-core'], 1],
    [['--purl', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1'], 1],
    [['--purl', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.2'], 0],
    [['--purl', 'pkg:npm/log4j-core'], 0],
  ] as const) {
    test(`looking for ${words.join(' ')}`, async () => {
      const name = named()
      succeeded(await take(name, [...ann, affected]))
      assert.equal((await answer(name, words)).found.length, count)
    })
  }

  test('a vulnerability, by any of its names', async () => {
    const name = named()
    succeeded(await take(name, [...ann, affected, fixed]))
    for (const id of ['CVE-2021-44228', 'cve-2021-44228', 'GHSA-jfh8-c2jp-5v3q']) {
      const { found, code, verdict } = await answer(name, ['--cve', id, '--osv', 'osv'], OSV)
      assert.deepEqual([code, verdict, found.length], [1, 'found', 1], id)
      assert.deepEqual(
        found[0]?.components.map(({ standing, version }) => [standing, version]),
        [['affected', '2.14.1']],
      )
    }
  })

  test('every vulnerability of a folder, and only the new ones', async () => {
    const name = named()
    succeeded(await take(name, [...ann, affected, fixed]))
    const all = await answer(name, ['--osv', 'osv'], OSV)
    assert.deepEqual([all.found.length, all.possible.length, all.code], [1, 1, 1])
    const recent = await answer(name, ['--osv', 'osv', '--since', '2021-01-01'], OSV)
    assert.deepEqual([recent.found.length, recent.possible.length], [1, 0])
    assert.equal((await answer(name, ['--osv', 'osv', '--since', '7d'], OSV)).code, 0)
  })

  test('what only a repository is known of may be affected', async () => {
    const name = named()
    succeeded(await take(name, [...ann, affected]))
    const { possible, code } = await answer(name, ['--cve', 'CVE-2020-1', '--osv', 'osv'], OSV)
    assert.deepEqual([possible.length, code], [1, 3])
  })

  test('a record that cannot be read leaves the answer open, and is told', async () => {
    const name = named()
    succeeded(await take(name, [...ann, fixed]))
    const question = ['--cve', 'CVE-2021-44228', '--osv', 'osv']
    assert.equal((await answer(name, question, OSV)).code, 0)
    const broken = { ...OSV, 'osv/broken.json': '{"id":' }
    const open = await answer(name, question, broken)
    assert.deepEqual([open.code, open.brokenRecords.map(({ path }) => path)], [3, ['osv/broken.json']])
    assert.match(
      (await ask(name, question, broken)).stdout,
      /1 record could not be read; one of them may be about this/,
    )
    // Nothing else in the folder of the fake host is left behind for other tests.
    await bench.run(list, [], {
      files: { 'osv/broken.json': JSON.stringify({ id: 'X-1', modified: '2024-01-01T00:00:00Z' }) },
    })
  })

  test('one file, and a folder without records', async () => {
    const name = named()
    succeeded(await take(name, [...ann, fixed]))
    assert.equal((await answer(name, ['--osv', 'osv/GHSA.json'], OSV)).code, 0)
    for (const words of [
      ['--osv', 'nowhere'],
      ['--cve', 'CVE-2021-44228', '--osv', 'nowhere'],
    ])
      assert.equal(errorCode(await ask(name, [...words, '--output', 'json'])), 'INVENTORY_NO_RECORD')
  })

  test('what nobody wrote a record about is no answer', async () => {
    const name = named()
    succeeded(await take(name, [...ann, fixed]))
    const outcome = await ask(name, ['--cve', 'CVE-1999-1', '--osv', 'osv', '--output', 'json'], OSV)
    assert.equal(errorCode(outcome), 'INVENTORY_NO_RECORD')
  })
})

describe('who counts', () => {
  test('bills of materials that nobody pinned signed are ignored, and the image is unknown', async () => {
    const image = await bench.pushImage('trust/eve')
    await attested(image, cyclonedx(SLF4J), { as: 'eve@example.com' })
    const name = named()
    const taken = succeeded(await take(name, [...ann, image]))
    assert.match(taken.stdout, /SBOM_UNTRUSTED/)
    assert.match(taken.stdout, /IGNORED ON[^]*cyclonedx\.org\/bom: VERIFY_IDENTITY, the certificate is not/)
    assert.equal((await answer(name, ['log4j-core'])).code, 3)
    const eve = ann.map((word) => (word === 'ann@example.com' ? 'eve@example.com' : word))
    succeeded(await take(name, [...eve, image]))
    assert.equal((await answer(name, ['slf4j-api'])).code, 1)
  })

  test('a bill that is signed for another image counts for nothing', async () => {
    const [image, other] = [await bench.pushImage('trust/moved'), await bench.pushImage('trust/moved')]
    await attested(other, cyclonedx(SLF4J))
    const digest = (name: string): string => name.replace(/^.*@/, '')
    const repository = `${bench.sigstore.url}/v2/trust/moved`
    // The attestation is copied under the image's own fallback tag, as whoever may push could do.
    const list_ = await (await bench.sigstore.fetch(`${repository}/referrers/${digest(other)}`)).json()
    const [descriptor] = (list_ as { manifests: { digest: string }[] }).manifests
    const manifest = (await (
      await bench.sigstore.fetch(`${repository}/manifests/${descriptor?.digest ?? ''}`)
    ).json()) as {
      subject: { digest: string }
    }
    const body = JSON.stringify({ ...manifest, subject: { ...manifest.subject, digest: digest(image) } })
    const pushed = await bench.sigstore.fetch(`${repository}/manifests/moved`, {
      method: 'PUT',
      body: new TextEncoder().encode(body),
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    })
    assert.equal(pushed.status, 201)
    const taken = succeeded(await take(named(), [...ann, image]))
    assert.match(taken.stdout, /SBOM_UNTRUSTED +the statement is not about this artifact/)
  })

  test('keys', async () => {
    const image = await bench.pushImage('trust/key')
    await bench.run(
      attest,
      [
        '--key',
        'cosign.key',
        '--use-signing-config=false',
        '--tlog-upload=false',
        '-y',
        '--type',
        'cyclonedx',
        '--predicate',
        'p',
        image,
      ],
      { files: { p: cyclonedx(LOG4J) } },
    )
    const name = named()
    succeeded(await take(name, ['--key', 'cosign.pub', '--insecure-ignore-tlog', image]))
    const { found } = await answer(name, ['log4j-core'])
    assert.match(found[0]?.components[0]?.sboms[0]?.signer.identity ?? '', /^key [0-9a-f]{64}$/)
  })

  test('a bill that another Sigstore vouches for counts for nothing', async () => {
    const image = await bench.pushImage('trust/elsewhere')
    await attested(image, cyclonedx(SLF4J))
    const name = named()
    const elsewhere = ann.map((word) => (word === 'root.json' ? 'elsewhere.json' : word))
    const files = { 'elsewhere.json': await otherRoot() }
    const taken = succeeded(await take(name, [...elsewhere, image], files))
    assert.match(taken.stdout, /SBOM_UNTRUSTED/)
    const open = await answer(name, ['left-pad'])
    assert.deepEqual([open.verdict, open.code], ['unknown', 3])
    // Nor does the cache of the one trust answer under the other.
    succeeded(await take(name, [...ann, image]))
    assert.equal((await answer(name, ['slf4j-api'])).code, 1)
    succeeded(await take(name, [...elsewhere, image], files))
    assert.equal((await answer(name, ['slf4j-api'])).code, 3)
  })

  test('what was verified for one is not believed for another', async () => {
    const image = await bench.pushImage('trust/cached')
    await attested(image, cyclonedx(LOG4J))
    const name = named()
    succeeded(await take(name, [...ann, image]))
    const bob = ann.map((word) => (word === 'ann@example.com' ? 'bob@example.com' : word))
    const refused = await ask(name, ['log4j-core', ...bob, '--output', 'json'])
    assert.equal(errorCode(refused), 'INVENTORY_TRUST')
    assert.equal((await ask(name, ['log4j-core', ...ann])).code, 1)
    succeeded(await take(name, [...bob, image]))
    assert.equal((await answer(name, ['log4j-core'])).code, 3)
  })

  test('a second look fetches nothing that is known', async () => {
    const image = await bench.pushImage('trust/again')
    await attested(image, cyclonedx(LOG4J))
    const name = named()
    succeeded(await take(name, [...ann, image]))
    const before = bench.requests.length
    succeeded(await take(name, [...ann, image]))
    const again = bench.requests.slice(before)
    assert.ok(!again.some((request) => request.includes('/blobs/')), again.join('\n'))
    assert.equal((await answer(name, ['log4j-core'])).code, 1)
  })

  test('a damaged cache is unknown, and healed by the next look', async () => {
    const image = await bench.pushImage('trust/damaged')
    await attested(image, cyclonedx(LOG4J))
    const name = named()
    const { host } = succeeded(await take(name, [...ann, image]))
    const [path = ''] = host.paths().filter((each) => each.includes(`/${name}/entries/`))
    const damaged = { [path]: new TextDecoder().decode(host.content(path)).replace('2.14.1', '2.99.1') }
    const open = await answer(name, ['log4j-core'], damaged)
    assert.deepEqual([open.code, open.unknown[0]?.reason], [3, 'CACHE_LOST'])
    succeeded(await take(name, [...ann, image], damaged))
    assert.equal((await answer(name, ['log4j-core'])).code, 1)
  })
})

const vex = (status: string, more: JsonObject = {}): string =>
  JSON.stringify({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `https://example.com/vex/${status}`,
    author: 'PSIRT',
    timestamp: '2024-01-01T00:00:00Z',
    version: 1,
    statements: [
      {
        vulnerability: { name: 'CVE-2021-44228' },
        status,
        ...(status === 'not_affected' ? { justification: 'vulnerable_code_not_in_execute_path' } : {}),
        ...more,
      },
    ],
  })

describe('OpenVEX', () => {
  const question = ['--cve', 'CVE-2021-44228', '--osv', 'osv']
  let psirt: readonly string[]
  before(() => {
    psirt = ['--vex-certificate-identity', 'psirt@example.com', '--vex-certificate-oidc-issuer', bench.issuer]
  })

  test('excuses only by whoever is named for it', async () => {
    const image = await bench.pushImage('vex/excused')
    await attested(image, cyclonedx(LOG4J))
    await attested(image, vex('not_affected'), { type: 'openvex', as: 'psirt@example.com' })
    const name = named()
    const taken = succeeded(await take(name, [...ann, image, '--output', 'json']))
    assert.match(taken.stdout, /EXAMINE_VEX_UNTRUSTED/)
    const open = await answer(name, question, OSV)
    assert.deepEqual([open.code, open.notes.at(-1)], [1, 'OpenVEX documents that count for nothing: 1'])
    succeeded(await take(name, [...ann, ...psirt, image]))
    const excused = await answer(name, question, OSV)
    assert.deepEqual([excused.code, excused.found.length, excused.excused.length], [0, 0, 1])
    const [core] = excused.excused[0]?.components ?? []
    assert.deepEqual([core?.vex?.status, core?.vex?.signer.identity], ['not_affected', 'psirt@example.com'])
    assert.match(
      (await ask(name, question, OSV)).stdout,
      /EXCUSED BY OPENVEX[^]*not_affected \(vulnerable_code_not_in_execute_path\) by psirt/,
    )
    // A name alone is no vulnerability: nothing excuses it.
    assert.equal((await answer(name, ['log4j-core'])).code, 1)
  })

  test('by a stranger excuses nothing, whoever is named', async () => {
    const image = await bench.pushImage('vex/stranger')
    await attested(image, cyclonedx(LOG4J))
    await attested(image, vex('not_affected'), { type: 'openvex', as: 'eve@example.com' })
    const name = named()
    const taken = succeeded(await take(name, [...ann, ...psirt, image]))
    assert.match(taken.stdout, /openvex\.dev\S+ VERIFY_IDENTITY, /)
    const { code, found, excused, notes } = await answer(name, question, OSV)
    assert.deepEqual([code, found.length, excused.length], [1, 1, 0])
    assert.equal(notes.at(-1), 'OpenVEX documents that count for nothing: 1')
  })

  test('by the signer of bills of materials excuses nothing', async () => {
    const image = await bench.pushImage('vex/own')
    await attested(image, cyclonedx(LOG4J))
    await attested(image, vex('not_affected'), { type: 'openvex' })
    const name = named()
    succeeded(await take(name, [...ann, ...psirt, image]))
    assert.equal((await answer(name, question, OSV)).code, 1)
  })

  test('by its author lists no components', async () => {
    const image = await bench.pushImage('vex/listing')
    await attested(image, cyclonedx(SLF4J), { as: 'psirt@example.com' })
    const name = named()
    const taken = succeeded(await take(name, [...ann, ...psirt, image]))
    assert.match(taken.stdout, /SBOM_UNTRUSTED/)
  })

  test('that takes back what was said counts', async () => {
    const image = await bench.pushImage('vex/taken-back')
    await attested(image, cyclonedx(LOG4J))
    await attested(image, vex('not_affected'), { type: 'openvex', as: 'psirt@example.com' })
    await attested(image, vex('affected', { timestamp: '2024-06-01T00:00:00Z' }), {
      type: 'openvex',
      as: 'psirt@example.com',
    })
    const name = named()
    succeeded(await take(name, [...ann, ...psirt, image]))
    const { found, code } = await answer(name, question, OSV)
    assert.deepEqual([code, found[0]?.components[0]?.vex?.status], [1, 'affected'])
  })

  test('about another product excuses nothing', async () => {
    const image = await bench.pushImage('vex/other')
    await attested(image, cyclonedx(LOG4J))
    const products = [{ '@id': 'pkg:oci/somebody-else' }]
    await attested(image, vex('not_affected', { products }), { type: 'openvex', as: 'psirt@example.com' })
    const name = named()
    succeeded(await take(name, [...ann, ...psirt, image]))
    assert.equal((await answer(name, question, OSV)).code, 1)
  })
})

describe('images of several platforms', () => {
  let children: readonly string[]
  before(async () => {
    children = await Promise.all([bench.pushImage('multi/app'), bench.pushImage('multi/app')])
  })

  test('each platform counts; what hangs on the index counts for all of them', async () => {
    const index = await bench.pushIndex('multi/app', children)
    await attested(children[0] ?? '', cyclonedx(LOG4J))
    const name = named()
    const taken = succeeded(await take(name, [...ann, index]))
    assert.match(taken.stdout, /1 verified bill of materials; 1 unknown/)
    const found = await answer(name, ['log4j-core'])
    assert.deepEqual([found.found.length, found.unknown.length], [1, 1])
    assert.equal(found.found[0]?.components[0]?.sboms[0]?.attachedTo, 'image')
    await attested(index, spdx('pkg:npm/left-pad@1.3.0'), { type: 'spdxjson' })
    succeeded(await take(name, [...ann, index]))
    const both = await answer(name, ['left-pad'])
    assert.deepEqual([both.found.length, both.unknown.length, both.code], [2, 0, 1])
    assert.equal(both.found[0]?.components[0]?.sboms[0]?.attachedTo, 'index')
  })

  test('a running image of an index finds what hangs on the index', async () => {
    const child = await bench.pushImage('multi/running')
    const index = await bench.pushIndex('multi/running', [child])
    await attested(index, cyclonedx(LOG4J))
    const name = named()
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', image: index }] },
      status: { containerStatuses: [{ name: 'a', imageID: child }] },
    }
    succeeded(await take(name, [...ann, '-f', 'pod.json'], { 'pod.json': JSON.stringify(pod) }))
    const { found } = await answer(name, ['log4j-core'])
    assert.equal(found[0]?.digest, child.replace(/^.*@/, ''))
    assert.equal(found[0].image.digestBasis, 'running')
    assert.equal(found[0].components[0]?.sboms[0]?.attachedTo, 'index')
  })
})

describe('sources', () => {
  let image: string
  before(async () => {
    image = await bench.pushImage('source/app')
    await attested(image, cyclonedx(LOG4J))
  })

  test('a cluster: what runs, by whom it is there', async () => {
    const cluster = createFakeCluster()
    const owner = (kind: string, name: string): JsonObject => ({
      apiVersion: 'apps/v1',
      kind,
      name,
      controller: true,
      uid: name,
    })
    cluster.put({
      kind: 'ReplicaSet',
      apiVersion: 'apps/v1',
      metadata: { name: 'web-abc', namespace: 'prod', ownerReferences: [owner('Deployment', 'web')] },
    })
    const tag = image.replace(/@.*/, ':latest')
    cluster.put({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'web-abc-1', namespace: 'prod', ownerReferences: [owner('ReplicaSet', 'web-abc')] },
      spec: { containers: [{ name: 'app', image: tag }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID: image }] },
    })
    cluster.put({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'over', namespace: 'prod' },
      spec: { containers: [{ name: 'app', image: 'registry.example.com/over' }] },
      status: { phase: 'Succeeded' },
    })
    const name = named()
    const taken = await bench.run(inventory, ['--name', name, ...ann, '--cluster'], { cluster: cluster.api })
    assert.match(
      succeeded(taken).stdout,
      /^1 image in the cluster, all namespaces; 1 verified bill of materials; 0 unknown/,
    )
    const { found } = await answer(name, ['log4j-core'])
    assert.deepEqual(found[0]?.image.workloads, [
      { namespace: 'prod', kind: 'Deployment', name: 'web', container: 'app' },
    ])
    assert.equal(found[0].image.digestBasis, 'running')
  })

  test('a list, and tags as they are now', async () => {
    const name = named()
    const tag = image.replace(/@.*/, ':latest')
    const taken = succeeded(await take(name, [...ann, '--image-list', 'images'], { images: `# ours\n\n${tag}\n` }))
    assert.match(taken.stdout, /1 image by the digest that the tag has now/)
    assert.match((await ask(name, ['log4j'])).stdout, /by +the tag, as it was/)
  })

  test('a folder of manifests; what names no image at all is an error', async () => {
    const name = named()
    const pod = `{kind: Pod, apiVersion: v1, metadata: {name: p}, spec: {containers: [{name: a, image: '${image}'}]}}`
    const files = { 'deploy/a.yaml': pod, 'deploy/README': 'not a manifest' }
    succeeded(await take(name, [...ann, '-f', 'deploy'], files))
    const none = await take(named(), [...ann, '-f', 'c.yaml', '--output', 'json'], {
      'c.yaml': 'kind: ConfigMap\napiVersion: v1',
    })
    assert.equal(errorCode(none), 'INVENTORY_SOURCE')
  })

  test('names that are none, and images that are gone, are unknown', async () => {
    const name = named()
    const taken = succeeded(
      await take(name, [
        ...ann,
        image,
        'UPPER/case:1',
        'localhost:8080/gone:1',
        `localhost:8080/gone@sha256:${'a'.repeat(64)}`,
      ]),
    )
    assert.match(taken.stdout, /3 unknown/)
    assert.match(taken.stdout, /UPPER\/case:1 +IMAGE_UNRESOLVED/)
    assert.match(taken.stdout, /gone:1 +IMAGE_UNRESOLVED/)
    assert.match(taken.stdout, /gone@sha256:a{12}… +REGISTRY_FAILED/)
    assert.equal((await answer(name, ['log4j-core'])).unknown.length, 3)
  })

  test('find takes the inventory anew where images are named, and only a part of it offline', async () => {
    const name = named()
    const found = await ask(name, ['log4j-core', ...ann, '--image-list', 'images'], { images: image })
    assert.equal(found.code, 1, found.stderr)
    const before = bench.requests.length
    const open = await answer(name, ['log4j-core', '--offline', '--image-list', 'images'], {
      images: 'example.com/other:1',
    })
    assert.deepEqual([open.code, open.unknown[0]?.reason], [3, 'NOT_INDEXED'])
    assert.equal((await answer(name, ['log4j-core', '--offline', '--image-list', 'images'], { images: image })).code, 1)
    assert.equal(bench.requests.length, before)
  })
})

describe('refusals exit with 2, since 1 is an answer', () => {
  for (const [what, command, words, code] of [
    ['nothing to look at', inventory, [], 'USAGE_FLAG_MISSING'],
    ['nobody is trusted', inventory, ['example.com/a:1'], 'USAGE_FLAG_MISSING'],
    [
      'an identity without an issuer',
      inventory,
      ['--certificate-identity', 'a', 'example.com/a:1'],
      'USAGE_FLAG_MISSING',
    ],
    [
      'an OpenVEX signer without an issuer',
      inventory,
      ['--key', 'cosign.pub', '--vex-certificate-identity', 'a', 'example.com/a:1'],
      'USAGE_FLAG_MISSING',
    ],
    [
      'a name that leads elsewhere',
      inventory,
      ['--name', '../x', '--key', 'cosign.pub', 'example.com/a:1'],
      'USAGE_FLAG_VALUE',
    ],
    ['no inventory yet', find, ['log4j', '--name', 'never'], 'INVENTORY_MISSING'],
    ['no inventory to show', list, ['--name', 'never'], 'INVENTORY_MISSING'],
    ['nothing to look for', find, [], 'USAGE_ARGUMENTS'],
    ['two things at once', find, ['a', '--purl', 'pkg:npm/a'], 'USAGE_ARGUMENTS'],
    ['a vulnerability without records', find, ['--cve', 'CVE-1'], 'USAGE_FLAG_MISSING'],
    ['since, and one vulnerability', find, ['--cve', 'CVE-1', '--osv', 'osv', '--since', '7d'], 'USAGE_FLAG_CONFLICT'],
    ['since never', find, ['--osv', 'osv', '--since', 'yesterday'], 'USAGE_FLAG_VALUE'],
    ['a cluster offline', find, ['log4j', '--cluster', '--offline'], 'USAGE_FLAG_CONFLICT'],
  ] as const) {
    test(what, async () => {
      assert.equal(errorCode(await bench.run(command, [...words, '--output', 'json'])), code)
    })
  }

  test('questions that are none, and an inventory that is too old', async () => {
    const name = named()
    const image = await bench.pushImage('old/app')
    succeeded(await take(name, [...ann, image]))
    assert.equal(errorCode(await ask(name, ['x', '--output', 'json'])), 'INVENTORY_QUERY')
    assert.equal(errorCode(await ask(name, ['--purl', 'log4j', '--output', 'json'])), 'PURL_MALFORMED')
    const later = { now: bench.sigstore.clock() + 3 * 3_600_000 }
    const stale = await bench.run(find, ['log4j', '--name', name, '--max-age', '1h', '--output', 'json'], later)
    assert.equal(errorCode(stale), 'INVENTORY_STALE')
    assert.equal((await bench.run(find, ['log4j', '--name', name, '--max-age', '4h'], later)).code, 3)
  })
})

test('names of components do not act on the terminal', async () => {
  const image = await bench.pushImage('hostile/names')
  const hostile = { ...SLF4J, name: 'evil\u001b[2J\u202e\nname', version: '1\u0007', group: '\u009b31m' }
  await attested(image, cyclonedx(hostile))
  const name = named()
  succeeded(await take(name, [...ann, image]))
  for (const words of [['evil'], ['evil', '--output', 'json']]) {
    const { stdout } = await ask(name, words)
    assert.match(stdout, /evil/)
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  }
})

test('tables fit the terminal', async () => {
  const image = await bench.pushImage('wide/app')
  const many = Array.from({ length: 5 }, (_, index) => component(`log4j-${'x'.repeat(index * 20)}`, '1.0.0'))
  await attested(image, cyclonedx(...many))
  const name = named()
  succeeded(await take(name, [...ann, image]))
  for (const columns of [80, 120]) {
    const { stdout } = await bench.run(find, ['log4j', '--name', name], { tty: true, columns })
    const tooLong = stdout.split('\n').filter((line) => line.length > columns)
    // A name with a digest is not cut: half of it is of no use.
    assert.deepEqual(
      tooLong.filter((line) => !line.includes('sha256:') && !line.startsWith('taken')),
      [],
      String(columns),
    )
  }
})
