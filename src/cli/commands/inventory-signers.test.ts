/** Whose bills of materials count, and whose word excuses. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { trustedRootToJson } from '#formats/trusted-root/serialize'
import { cyclonedx, LOG4J, OSV, SLF4J } from '#testing/cli/bills-of-materials'
import { errorCode, openInventoryBench, succeeded } from '#testing/cli/inventory-bench'
import { createTestPki } from '#testing/pki/pki'
import { command as attest } from './attest.js'

const { ann, answer, ask, attested, bench, named, take } = await openInventoryBench()

/** The trusted root of an instance that nobody here has heard of. */
async function otherRoot(): Promise<string> {
  const { trusted } = await createTestPki()
  return JSON.stringify(trustedRootToJson(trusted, '0.2'))
}

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
