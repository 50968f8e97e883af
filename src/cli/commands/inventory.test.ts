/** Taking an inventory, and asking it. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { component, cyclonedx, LOG4J, OSV, SLF4J, spdx } from '#testing/cli/bills-of-materials'
import { errorCode, openInventoryBench, succeeded } from '#testing/cli/inventory-bench'
import { command as find } from './inventory-find.js'
import { command as inventory } from './inventory.js'
import { command as list } from './inventory-list.js'

const { ann, answer, ask, attested, bench, named, take } = await openInventoryBench()

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
