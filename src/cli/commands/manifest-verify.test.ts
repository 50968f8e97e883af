import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { openSigningBench, type Outcome, type SigningBench } from '#testing/cli/signing-bench'
import { command as generate } from './generate-key-pair.js'
import { command } from './manifest-verify.js'
import { command as sign } from './sign.js'

let bench: SigningBench
let signed: string
let second: string
let unsigned: string

const KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

before(async () => {
  bench = await openSigningBench()
  ;[signed, second, unsigned] = [
    await bench.pushImage('one'),
    await bench.pushImage('two'),
    await bench.pushImage('three'),
  ]
  await bench.run(generate, [])
  await bench.run(generate, ['--output-key-prefix', 'other'])
  const words = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
  for (const image of [signed, second]) assert.equal((await bench.run(sign, [...words, '-a', 'a=b', image])).code, 0)
})

async function run(manifest: unknown, words: readonly string[] = KEY): Promise<Outcome> {
  const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
  return await bench.run(command, ['-d', ...words, 'm.yaml'], { files: { 'm.yaml': text } })
}

function codeOf({ stderr }: Outcome): string | undefined {
  return /^ {2}code: +(\w+)$/m.exec(stderr)?.[1]
}

const containers = (...images: readonly unknown[]): unknown => images.map((image) => ({ name: 'c', image }))
const template = (image: unknown): unknown => ({ spec: { containers: containers(image) } })
const PLACES: readonly (readonly [what: string, resource: (image: unknown) => unknown])[] = [
  ['a pod', (image) => ({ kind: 'Pod', spec: { containers: containers(image) } })],
  [
    'an init container',
    (image) => ({ kind: 'Pod', spec: { containers: containers(signed), initContainers: containers(image) } }),
  ],
  [
    'an ephemeral container',
    (image) => ({ kind: 'Pod', spec: { containers: containers(signed), ephemeralContainers: containers(image) } }),
  ],
  [
    'an image volume',
    (image) => ({
      kind: 'Pod',
      spec: { containers: containers(signed), volumes: [{ name: 'v', image: { reference: image } }] },
    }),
  ],
  ['a deployment', (image) => ({ kind: 'Deployment', spec: { template: template(image) } })],
  [
    'a kind that nobody knows',
    (image) => ({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', spec: { template: template(image) } }),
  ],
  ['a cron job', (image) => ({ kind: 'CronJob', spec: { jobTemplate: { spec: { template: template(image) } } } })],
  ['a pod template', (image) => ({ kind: 'PodTemplate', template: template(image) })],
  ['a list', (image) => ({ kind: 'List', items: [{ kind: 'Pod', spec: { containers: containers(image) } }] })],
  ['a list of pods', (image) => ({ kind: 'PodList', items: [{ spec: { containers: containers(signed, image) } }] })],
  ['no kind at all', (image) => ({ spec: { template: template(image) } })],
]

describe('every place where a manifest names an image', () => {
  for (const [what, resource] of PLACES) {
    test(what, async () => {
      const good = await run(resource(second))
      assert.equal(good.code, 0, good.stderr)
      assert.match(good.stderr, /^Extracted image\(s\): localhost:8080\//m)
      assert.ok(good.stdout.includes(second.slice(second.indexOf('@') + 1)))
      const bad = await run(resource(unsigned))
      assert.deepEqual([bad.code, codeOf(bad)], [10, 'VERDICT_NO_SIGNATURE'], bad.stderr)
      assert.ok(!bad.stdout.includes(unsigned.slice(unsigned.indexOf('@') + 1)))
    })
  }
})

test('several documents: all images, each once', async () => {
  const pod = (image: string): string => JSON.stringify({ kind: 'Pod', spec: { containers: containers(image) } })
  const text = [pod(signed), '', pod(second), '{"kind":"Service","metadata":{"name":"s"}}', pod(signed)].join('\n---\n')
  const outcome = await run(text)
  assert.equal(outcome.code, 0, outcome.stderr)
  assert.match(outcome.stderr, new RegExp(`^Extracted image\\(s\\): ${signed}, ${second}$`, 'm'))
  assert.match(outcome.stderr, /^No images in: Service s/m)
  assert.equal(outcome.stdout.match(/"critical"/g)?.length, 2)
  assert.equal((await run([text, pod(unsigned)].join('\n---\n'))).code, 10)
})

test('the flags of verify are honoured', async () => {
  const pod = { kind: 'Pod', spec: { containers: containers(signed) } }
  assert.equal((await run(pod, [...KEY, '-a', 'a=b'])).code, 0)
  for (const [words, code] of [
    [[...KEY, '-a', 'a=c'], 12],
    [['--key', 'other.pub', '--insecure-ignore-tlog'], 12],
    [[], 1],
    [[...KEY, '--local-image'], 1],
  ] as const) {
    const outcome = await run(pod, words)
    assert.deepEqual([outcome.code, outcome.stdout], [code, ''], outcome.stderr)
  }
  const json = await run({ ...pod, spec: { containers: containers(unsigned) } }, [...KEY, '-o', 'json'])
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'VERDICT_NO_SIGNATURE')
})

const REFUSED: readonly (readonly [what: string, manifest: unknown, code: string])[] = [
  ['a manifest without images', { kind: 'ConfigMap', metadata: { name: 'c' } }, 'CLI_INPUT'],
  ['an empty file', '', 'CLI_INPUT'],
  ['an image that is a number', { kind: 'Pod', spec: { containers: containers(5) } }, 'CLI_INPUT'],
  ['an image that is nothing', { kind: 'Pod', spec: { containers: containers(null) } }, 'CLI_INPUT'],
  ['a name that is none', { kind: 'Pod', spec: { containers: containers('A B') } }, 'OCI_REFERENCE'],
  ['text that is no YAML', 'a: [', 'POLICY_DOCUMENT'],
  ['a name that stands twice', 'kind: Pod\nkind: Deployment', 'POLICY_DOCUMENT'],
  ['a list', '- a', 'POLICY_DOCUMENT'],
  [
    'an unfolding text',
    `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(8).fill(`*${'abcdefgh'[i]!}`).join(',')}]`)
      .join('\n')}`,
    'POLICY_DOCUMENT',
  ],
]
for (const [what, manifest, code] of REFUSED) {
  test(`refuses ${what}`, async () => {
    const outcome = await run(manifest)
    assert.deepEqual([outcome.code, outcome.stdout, codeOf(outcome)], [1, '', code], outcome.stderr)
  })
}

test('refuses a file that is not there; reads standard input', async () => {
  assert.equal(codeOf(await bench.run(command, ['-d', ...KEY, 'nowhere'])), 'CLI_FILE_MISSING')
  const stdin = JSON.stringify({ kind: 'Pod', spec: { containers: containers(signed) } })
  assert.equal((await bench.run(command, [...KEY, '-'], { stdin })).code, 0)
})
