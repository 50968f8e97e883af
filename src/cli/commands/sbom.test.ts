/** Bills of materials at the .sbom tag, and payloads to be signed by other means. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as attachSbom } from './attach-sbom.js'
import { command as downloadSbom } from './download-sbom.js'
import { command as generate } from './generate.js'
import { command as tree } from './tree.js'

let bench: SigningBench
let image: string

const FILES = { 'b.json': '{"bomFormat":"CycloneDX"}', 'b.xml': '<bom/>', 'b.spdx': 'SPDXVersion: SPDX-2.3\n' }

before(async () => {
  bench = await openSigningBench()
  image = await bench.pushImage('app')
})

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

function codeOf({ stderr }: Outcome): string | undefined {
  return /^ {2}code: +(\w+)$/m.exec(stderr)?.[1]
}

describe('attach sbom and download sbom', () => {
  const kinds: readonly (readonly [words: readonly string[], mediaType: string, file: keyof typeof FILES])[] = [
    [['--sbom', 'b.spdx'], 'text/spdx', 'b.spdx'],
    [['--sbom', 'b.json'], 'text/spdx+json', 'b.json'],
    [['--sbom', 'b.json', '--type', 'cyclonedx'], 'application/vnd.cyclonedx+json', 'b.json'],
    [['--sbom', 'b.xml', '--type', 'cyclonedx'], 'application/vnd.cyclonedx+xml', 'b.xml'],
    [['--sbom', 'b.json', '--type', 'syft'], 'application/vnd.syft+json', 'b.json'],
    [['--sbom', '-', '--type', 'spdx', '--input-format', 'text'], 'text/spdx', 'b.spdx'],
  ]
  for (const [words, mediaType, file] of kinds) {
    test(`${words.join(' ')}: ${mediaType}, in place of the one before`, async () => {
      const stdin = FILES['b.spdx']
      const attached = succeeded(await bench.run(attachSbom, [...words, image], { files: FILES, stdin }))
      assert.equal(attached.stdout, '')
      assert.match(attached.stderr, /deprecated/)
      const { stdout, stderr } = succeeded(await bench.run(downloadSbom, [image]))
      assert.equal(stdout, FILES[file])
      assert.match(stderr, new RegExp(`^Found SBOM of media type: ${mediaType.replaceAll('+', '\\+')}$`, 'm'))
    })
  }

  test('as a referrer', async () => {
    const other = await bench.pushImage('referred')
    const words = ['--sbom', 'b.spdx', '--registry-referrers-mode', 'oci-1-1', other]
    succeeded(await bench.run(attachSbom, words, { files: FILES }))
    assert.match(succeeded(await bench.run(tree, [other])).stdout, /vnd\.dev\.cosign\.artifact\.sbom\.v1\+json/)
  })

  const refused: readonly (readonly [what: string, words: readonly string[], code: string])[] = [
    ['nothing', [], 'USAGE_FLAG_MISSING'],
    ['SPDX in XML', ['--sbom', 'b.xml', '--input-format', 'xml'], 'USAGE_FLAG_CONFLICT'],
    ['CycloneDX in text', ['--sbom', 'b.xml', '--type', 'cyclonedx', '--input-format', 'text'], 'USAGE_FLAG_CONFLICT'],
    ['JSON that is none', ['--sbom', 'b.xml', '--type', 'syft'], 'JSON'],
    ['a file that is not there', ['--sbom', 'nowhere'], 'CLI_FILE_MISSING'],
  ]
  for (const [what, words, code] of refused) {
    test(`refuses ${what}, and attaches nothing`, async () => {
      bench.requests.length = 0
      const outcome = await bench.run(attachSbom, ['-d', ...words, image], { files: FILES })
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr)
      assert.match(outcome.stderr, new RegExp(`^ {2}code: +(?:\\w+_)?${code}$`, 'm'))
      assert.deepEqual(
        bench.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
        [],
      )
    })
  }

  test('none: says so, for a platform that there is not as well', async () => {
    const bare = await bench.pushImage('bare')
    const index = await bench.pushIndex('bare', [bare])
    for (const [words, code] of [
      [[bare], 'CLI_INPUT'],
      [[index], 'CLI_INPUT'],
      [['--platform', 'linux/amd64', index], 'IMAGES_PLATFORM'],
    ] as const) {
      const outcome = await bench.run(downloadSbom, ['-d', ...words])
      assert.deepEqual([outcome.code, outcome.stdout, codeOf(outcome)], [1, '', code], outcome.stderr)
    }
  })
})

describe('generate', () => {
  test('the payload, without a line end', async () => {
    const digest = image.slice(image.indexOf('@') + 1)
    const critical = `{"critical":{"identity":{"docker-reference":"localhost:8080/app"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"}`
    assert.equal(succeeded(await bench.run(generate, [image])).stdout, `${critical},"optional":null}`)
    const annotated = succeeded(await bench.run(generate, ['-a', 'b=<2>', '-a', 'a=1', 'localhost:8080/app:latest']))
    assert.equal(annotated.stdout, `${critical},"optional":{"a":"1","b":"\\u003c2\\u003e"}}`)
  })

  test('refuses what is no annotation, and a tag that is not there', async () => {
    const outcome = await bench.run(generate, ['-d', '-a', 'x', image])
    assert.deepEqual([outcome.code, outcome.stdout, codeOf(outcome)], [1, '', 'CLI_INPUT'])
    const missing = await bench.run(generate, ['localhost:8080/app:none'])
    assert.deepEqual([missing.code, missing.stdout], [11, ''])
  })
})
