import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command } from './dockerfile-verify.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'

let bench: SigningBench
let signed: string
let second: string
let unsigned: string

const KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

before(async () => {
  bench = await openSigningBench()
  signed = await bench.pushImage('one')
  second = await bench.pushImage('two')
  unsigned = await bench.pushImage('three')
  await bench.run(generate, [])
  const words = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
  for (const image of [signed, second]) assert.equal((await bench.run(sign, [...words, image])).code, 0)
})

interface RunOptions {
  readonly words?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

async function run(text: string, { words = [], environment = {} }: RunOptions = {}): Promise<Outcome> {
  return await bench.run(command, ['-d', ...KEY, ...words, 'Dockerfile'], { files: { Dockerfile: text }, environment })
}

function codeOf({ stderr }: Outcome): string | undefined {
  return /^ {2}code: +(\w+)$/m.exec(stderr)?.[1]
}

test('all images, each once; earlier stages and scratch are none', async () => {
  const text = `FROM ${signed} AS build\nFROM scratch\nFROM ${second}\nCOPY --from=build /a /b\nCOPY --from=${signed} /a /c`
  const { code, stdout, stderr } = await run(text)
  assert.equal(code, 0, stderr)
  assert.match(stderr, new RegExp(`^Extracted image\\(s\\): ${signed}, ${second}$`, 'm'))
  assert.equal(stdout.match(/"critical"/g)?.length, 2)
})

for (const [what, make] of [
  ['a stage', (image) => `FROM ${image} AS build\nFROM ${signed}`],
  ['the last stage', (image) => `FROM ${signed} AS build\nFROM ${image}`],
  ['a source of files', (image) => `FROM ${signed}\nCOPY --from=${image} /a /b`],
  ['a mount', (image) => `FROM ${signed}\nRUN --mount=type=bind,from=${image},target=/x true`],
  ['a default', (image) => `ARG IMAGE=${image}\nFROM \${IMAGE}`],
] as const satisfies readonly (readonly [string, (image: string) => string])[]) {
  test(`an unsigned image as ${what} is not passed over`, async () => {
    assert.equal((await run(make(second))).code, 0)
    const outcome = await run(make(unsigned))
    assert.deepEqual([outcome.code, codeOf(outcome)], [10, 'VERDICT_NO_SIGNATURE'], outcome.stderr)
  })
}

test('variables of the environment', async () => {
  const text = 'ARG IMAGE\nFROM $IMAGE'
  assert.equal((await run(text, { environment: { IMAGE: signed } })).code, 0)
  assert.equal((await run(text, { environment: { IMAGE: unsigned } })).code, 10)
  for (const name of ['IMAGE', 'constructor']) {
    const outcome = await run(`FROM $${name}`)
    assert.deepEqual([outcome.code, outcome.stdout, codeOf(outcome)], [1, '', 'DOCKERFILE_VARIABLE'], outcome.stderr)
  }
})

test('--base-image-only: what the last stage is built on, through other stages', async () => {
  const words = ['--base-image-only']
  assert.equal((await run(`FROM ${unsigned} AS build\nFROM ${signed}`, { words })).code, 0)
  assert.equal((await run(`FROM ${signed} AS a\nFROM ${unsigned} AS b\nFROM a`, { words })).code, 0)
  assert.equal((await run(`FROM ${unsigned} AS a\nFROM ${signed} AS b\nFROM a`, { words })).code, 10)
  // cosign takes the last image that is named, of whatever.
  assert.equal((await run(`FROM ${unsigned}\nCOPY --from=${signed} /a /b`, { words })).code, 10)
  const scratch = await run(`FROM ${signed} AS a\nFROM scratch\nCOPY --from=a /x /`, { words })
  assert.deepEqual([scratch.code, scratch.stdout, codeOf(scratch)], [1, '', 'CLI_INPUT'], scratch.stderr)
})

for (const [what, text, code] of [
  ['an empty file', '', 'CLI_INPUT'],
  ['nothing but scratch', 'FROM scratch', 'CLI_INPUT'],
  ['another file', '{"a":1}', 'DOCKERFILE_SYNTAX'],
  ['a name that is none', 'FROM a@b', 'OCI_REFERENCE'],
] as const) {
  test(`refuses ${what}`, async () => {
    const outcome = await run(text)
    assert.deepEqual([outcome.code, outcome.stdout, codeOf(outcome)], [1, '', code], outcome.stderr)
  })
}

test('refuses folders for images, and a file that is not there; tells why as JSON', async () => {
  assert.equal(codeOf(await run(`FROM ${signed}`, { words: ['--local-image'] })), 'USAGE_FLAG_CONFLICT')
  assert.equal(codeOf(await bench.run(command, ['-d', ...KEY, 'nowhere'])), 'CLI_FILE_MISSING')
  const { stdout } = await run(`FROM ${unsigned}`, { words: ['-o', 'json'] })
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'VERDICT_NO_SIGNATURE')
})
