import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { openSigningBench, type SigningBench } from '#testing/cli/signing-bench'
import { command as generate } from './generate-key-pair.js'
import { command as explain } from './policy-explain.js'
import { command as policyTest } from './policy-test.js'
import { command as sign } from './sign.js'

let bench: SigningBench
let signed: string
let bare: string
before(async () => {
  bench = await openSigningBench()
  await bench.run(generate, [])
  signed = await bench.pushImage('acme/app')
  bare = await bench.pushImage('acme/bare')
  const flags = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
  assert.equal((await bench.run(sign, [...flags, signed])).code, 0)
})

const policy = (subject = 'ann@example.com', more = ''): string => `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: signed}
spec:
  images: [{glob: 'ghcr.io/acme/**'}]
  authorities: [{name: us, keyless: {identities: [{issuer: ${bench.issuer}, subject: ${subject}}]${more}}}]
`

const pod = (image: string): string => `apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: a, image: '${image.replace('localhost:8080', 'ghcr.io')}'}]}
`

async function judged(files: Readonly<Record<string, string>>, ...words: readonly string[]) {
  return await bench.run(
    policyTest,
    ['--mirror', 'ghcr.io=localhost:8080', '--trusted-root', 'root.json', '--policy', 'p.yaml', ...words],
    { files },
  )
}

describe('policy test', () => {
  test('admitted, with the digest that would be pinned', async () => {
    const tag = signed.replace(/@.*/, ':latest')
    const outcome = await judged({ 'p.yaml': policy(), 'pod.yaml': pod(tag) }, '--resource', 'pod.yaml')
    assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout)
    assert.match(outcome.stdout, /Pod\/default\/web +ghcr\.io\/acme\/app:latest +signed +admitted/)
    assert.match(outcome.stdout, /becomes ghcr\.io\/acme\/app:latest@sha256:/)
  })

  test('denied, with who was expected and who signed', async () => {
    const files = { 'p.yaml': policy('bob@example.com'), 'pod.yaml': pod(signed) }
    const outcome = await judged(files, '--resource', 'pod.yaml')
    assert.equal(outcome.code, 1)
    assert.match(outcome.stdout, /denied:\n {2}failed policy: signed: spec\.containers\[0\]\.image/)
    assert.match(outcome.stdout, /expects bob@example\.com/)
    assert.match(outcome.stdout, /signed by ann@example\.com/)
    const json = await judged(files, '--resource', 'pod.yaml', '-o', 'json')
    assert.equal(json.code, 1)
    const [first] = JSON.parse(json.stdout) as { allowed: boolean; errors: string[]; rules: { verdict: string }[] }[]
    assert.equal(first?.allowed, false)
    assert.equal(first.errors.length, 1)
    assert.equal(first.rules[0]?.verdict, 'denied')
  })

  test('images without a resource, several verdicts, one refusal', async () => {
    const local = (image: string): string => image.replace('localhost:8080', 'ghcr.io')
    const outcome = await judged({ 'p.yaml': policy() }, '--image', local(signed), '--image', local(bare))
    assert.equal(outcome.code, 1)
    assert.match(outcome.stdout, /1 admitted, 1 denied/)
    assert.match(outcome.stdout, /no signatures found/)
  })

  test('what no policy is about, and the controller’s settings', async () => {
    assert.equal((await judged({ 'p.yaml': policy() }, '--image', 'quay.io/a/b:1')).code, 1)
    const config = `${policy()}---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: config-policy-controller}\ndata: {no-match-policy: warn}\n`
    const outcome = await judged({ 'p.yaml': config }, '--image', 'quay.io/a/b:1')
    assert.equal(outcome.code, 0)
    assert.match(outcome.stdout, /no matching policies/)
  })

  test('a key in a Secret, and a policy in a ConfigMap, of the same files', async () => {
    const text = `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: p}
spec:
  images: [{glob: '**'}]
  authorities: [{static: {action: pass}}]
  policy: {type: cue, configMapRef: {name: c, key: k}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: c}, data: {k: 'authorityMatches: "authority-0": static: false'}}
`
    const outcome = await judged({ 'p.yaml': text }, '--image', 'ghcr.io/acme/app:latest')
    assert.equal(outcome.code, 1)
    assert.match(outcome.stdout, /failed evaluating cue policy for ClusterImagePolicy/)
  })

  for (const [name, files, words, message] of [
    ['no policy', {}, ['--image', 'a', '--policy', 'gone.yaml'], /gone\.yaml/],
    ['no resource', { 'p.yaml': 'kind: x' }, [], /POLICY|known here|not a policy/i],
    ['a document that is no policy', { 'p.yaml': 'kind: Pod\napiVersion: v1' }, ['--image', 'a'], /not a policy/],
    ['YAML that is none', { 'p.yaml': 'a: "' }, ['--image', 'a'], /p\.yaml, line/],
    ['a mirror that is none', undefined, ['--image', 'a', '--mirror', 'ghcr.io'], /--mirror/],
    ['a trust root that is not there', 'root', ['--image', 'ghcr.io/acme/app:latest'], /trustRootRef gone not found/],
  ] as const) {
    test(`refused: ${name}`, async () => {
      const given =
        files === undefined
          ? { 'p.yaml': policy() }
          : files === 'root'
            ? { 'p.yaml': policy('x', ', trustRootRef: gone') }
            : files
      const outcome = await judged(given, ...words)
      assert.equal(outcome.code, 1)
      assert.match(outcome.stderr + outcome.stdout, message)
    })
  }
})

interface ClusterPolicyText {
  readonly subject?: string
  readonly action?: string
  readonly more?: string
}

const clusterPolicy = ({
  subject = 'ann@example.com',
  action = 'Enforce',
  more = '',
}: ClusterPolicyText = {}): string =>
  `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: signed}
spec:
  validationFailureAction: ${action}
  rules:
  - name: by-us
    match: {any: [{resources: {kinds: [Pod]${more}}}]}
    verifyImages:
    - imageReferences: ['ghcr.io/acme/*']
      attestors: [{entries: [{keyless: {issuer: '${bench.issuer}', subject: '${subject}'}}]}]
`

const cronJob = (image: string): string => `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: jobs}
spec: {schedule: '0 0 * * *', jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: '${image}'}]}}}}}
`

describe('policy test: Kyverno', () => {
  const local = (image: string): string => image.replace('localhost:8080', 'ghcr.io')

  test('admitted, with the digest that would be pinned', async () => {
    const tag = signed.replace(/@.*/, ':latest')
    const outcome = await judged({ 'p.yaml': clusterPolicy(), 'pod.yaml': pod(tag) }, '--resource', 'pod.yaml')
    assert.equal(outcome.code, 0, outcome.stderr + outcome.stdout)
    assert.match(outcome.stdout, /Pod\/default\/web +ghcr\.io\/acme\/app:latest +signed\/by-us +admitted/)
    assert.match(outcome.stdout, /becomes ghcr\.io\/acme\/app:latest@sha256:/)
  })

  test('denied, with who was expected and who signed', async () => {
    const files = { 'p.yaml': clusterPolicy({ subject: 'bob@example.com' }), 'pod.yaml': pod(signed) }
    const outcome = await judged(files, '--resource', 'pod.yaml')
    assert.equal(outcome.code, 1)
    assert.match(outcome.stdout, /subject mismatch: expected bob@example\.com, received ann@example\.com/)
    assert.match(outcome.stdout, /expects bob@example\.com/)
    assert.match(outcome.stdout, /signed by ann@example\.com/)
  })

  test('controllers of pods, too', async () => {
    const files = { 'p.yaml': clusterPolicy(), 'good.yaml': cronJob(local(signed)), 'bad.yaml': cronJob(local(bare)) }
    const outcome = await judged(files, '--resource', 'good.yaml', '--resource', 'bad.yaml')
    assert.equal(outcome.code, 1)
    assert.match(outcome.stdout, /CronJob\/jobs\/nightly .*autogen-cronjob-by-us +admitted/)
    assert.match(outcome.stdout, /CronJob\/jobs\/nightly .*autogen-cronjob-by-us +denied/)
  })

  test('what is only reported, and what no policy is about', async () => {
    const outcome = await judged(
      { 'p.yaml': clusterPolicy({ action: 'Audit' }) },
      '--image',
      local(bare),
      '--image',
      'quay.io/a/b:1',
    )
    assert.equal(outcome.code, 0)
    assert.match(outcome.stdout, /is admitted and reported:\n {2}failed to verify image ghcr\.io\/acme\/bare/)
    assert.match(outcome.stdout, /nothing to verify/)
  })

  test('an exception, a key in a Secret and the labels of a namespace, of the same files', async () => {
    const exception = `---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: spared, namespace: jobs}
spec:
  exceptions: [{policyName: signed, ruleNames: ['*']}]
  match: {any: [{resources: {kinds: [CronJob], names: [nightly]}}]}
`
    const files = { 'p.yaml': clusterPolicy() + exception, 'bad.yaml': cronJob(local(bare)) }
    const spared = await judged(files, '--resource', 'bad.yaml')
    assert.equal(spared.code, 0, spared.stdout)
    assert.match(spared.stdout, /skipped/)

    const selected = clusterPolicy({ more: ', namespaceSelector: {matchLabels: {signed: "yes"}}' })
    const namespace = (value: string): string =>
      `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: jobs, labels: {signed: "${value}"}}\n`
    for (const [text, code] of [
      [selected + namespace('yes'), 1],
      [selected + namespace('no'), 0],
      // Labels that nobody knows select: it is better to refuse.
      [selected, 1],
    ] as const) {
      const outcome = await judged({ 'p.yaml': text, 'bad.yaml': cronJob(local(bare)) }, '--resource', 'bad.yaml')
      assert.equal(outcome.code, code, outcome.stdout)
    }
  })

  test('a field that is none', async () => {
    const outcome = await judged({ 'p.yaml': clusterPolicy().replace('attestors', 'atestors') }, '--image', 'a')
    assert.equal(outcome.code, 1)
    assert.match(outcome.stderr, /p\.yaml/)
    assert.match(outcome.stderr, /spec\.rules\[0\]\.verifyImages\[0\]\.atestors/)
  })
})

test('policy explain says what Kyverno’s rules ask for, generated ones included', async () => {
  const outcome = await bench.run(explain, ['p.yaml'], { files: { 'p.yaml': clusterPolicy() } })
  assert.equal(outcome.code, 0, outcome.stderr)
  for (const said of [
    /ClusterPolicy signed\n/,
    /by-us/,
    /autogen-cronjob-by-us/,
    /ann@example\.com/,
    /otherwise: refused/,
  ])
    assert.match(outcome.stdout, said)
})

test('policy explain takes its files as policy test does, and at least one', async () => {
  const files = { 'p.yaml': policy() }
  const named = await bench.run(explain, ['p.yaml'], { files })
  const flagged = await bench.run(explain, ['--policy', 'p.yaml'], { files })
  assert.equal(flagged.stdout, named.stdout)
  const bare = await bench.run(explain, [], { files })
  assert.match(bare.stderr, /nothing to explain/)
})

test('policy explain names whom an image validating policy expects', async () => {
  const people = [
    { issuer: 'https://issuer.example.com', subject: 'ann@example.com' },
    { issuer: 'https://issuer.example.com', subjectExpression: "'bob@example.com'" },
  ]
  const document = {
    apiVersion: 'policies.kyverno.io/v1',
    kind: 'ImageValidatingPolicy',
    metadata: { name: 'signed' },
    spec: {
      validationActions: ['Deny'],
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      matchImageReferences: [{ glob: 'ghcr.io/*' }],
      attestors: [{ name: 'people', cosign: { keyless: { identities: people } } }],
      validations: [{ expression: 'images.containers.all(i, verifyImageSignatures(i, [attestors.people]) > 0)' }],
    },
  }
  const { stdout, stderr } = await bench.run(explain, ['p.yaml'], { files: { 'p.yaml': JSON.stringify(document) } })
  assert.equal(stderr, '')
  assert.match(stdout, /attestor people: by ann@example\.com by https:\/\/issuer\.example\.com, or by whom 'bob@/)
  assert.match(stdout, /otherwise: refused/)
})

test('policy explain says what was understood', async () => {
  const outcome = await bench.run(explain, ['p.yaml'], { files: { 'p.yaml': policy() } })
  assert.equal(outcome.code, 0, outcome.stderr)
  assert.match(outcome.stdout, /ClusterImagePolicy signed\n/)
  assert.match(outcome.stdout, /us: by ann@example\.com by http/)
  assert.match(outcome.stdout, /transparency log: required/)
})
