/** What whoever writes policies, resources or statements may try against Sigstore's front end: a coded error or a refusal, never a pass. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { NO_IMAGE_NAMES, ODD_IMAGE_NAMES } from '#testing/policy/odd-images'
import { openPolicyBench, type PolicyBench, type TestSigner } from '#testing/policy/bench'
import { documentsOf, judged } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { CompiledPolicy } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { compileClusterImagePolicy } from './compile.js'

const ISSUER = 'https://accounts.example.com'
const TYPE = 'https://example.com/scan/v1'
const IDENTITY = `{issuer: '${ISSUER}', subject: 'ann@example.com'}`
const SIGNED = `authorities: [{keyless: {identities: [${IDENTITY}]}}]`

let bench: PolicyBench
let ann: TestSigner
let unsigned: string

before(async () => {
  bench = await openPolicyBench()
  ann = await bench.person('ann@example.com', ISSUER)
  unsigned = bench.pushImage('ghcr.io/acme/bare:1')
})

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth)
const yaml = (spec: string): string =>
  `apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata: {name: p}\nspec: ${spec}`

async function compile(spec: string): Promise<CompiledPolicy> {
  const [document] = await documentsOf(yaml(spec))
  assert.ok(document)
  const nowhere = (): Promise<never> => Promise.reject(new Error('unreachable'))
  const ports = { remoteText: nowhere, configMapText: nowhere, clock: () => 0 }
  return await compileClusterImagePolicy(document, { ports, failOnEmptyAuthorities: true })
}

/** Denied, without a digest that anything could be replaced by. */
async function refused(spec: string, review: Review): Promise<void> {
  const { allowed, pins } = await judged([await compile(spec)], review, { ports: bench.ports() })
  assert.deepEqual({ allowed, pins }, { allowed: false, pins: [] })
}

describe('documents', () => {
  for (const [name, text] of [
    ['more than a cluster keeps', yaml(`{x: "${'x'.repeat(1.5 * 1024 * 1024)}"}`)],
    ['lists within lists', yaml(nested('[', ']', 20_000))],
    ['a list within lists that nobody closes', yaml('['.repeat(1_000_000))],
    ['objects within objects', yaml(nested('{a: ', '}', 5000))],
    ['dashes behind dashes', `spec:\n${'- '.repeat(50_000)}`],
    ['an object of itself', 'spec: &a {b: *a}'],
    ['more values than a policy has', yaml(`[${'1,'.repeat(250_000)}]`)],
    ['a field twice, the second without images', yaml('{images: [], images: []}')],
    ['a tag of another language', yaml('{images: !!js/function "function () {}"}')],
    ['a field of prototypes', yaml('{__proto__: {images: []}}')],
    ['a quote that nobody closes', yaml('{images: "}')],
    ['a control character', yaml('{images: "\u0000"}')],
    ['two levels that do not fit', 'spec:\n    a: 1\n  b: 2'],
  ] as const) {
    test(`not read: ${name}`, async () => {
      await assert.rejects(documentsOf(text), { code: 'POLICY_DOCUMENT' })
    })
  }

  for (const [name, spec] of [
    ['the same by merging', `{<<: {images: [{glob: '**'}]}, ${SIGNED}}`],
    ['invisible characters in a name', `{"images\\u200b": [], ${SIGNED}}`],
    ['another case', `{Images: [{glob: '**'}], ${SIGNED}}`],
    ['images that are none', `{images: '**', ${SIGNED}}`],
    ['an image that is none', `{images: [null, '**'], ${SIGNED}}`],
    ['more images than anybody names', `{images: [${"{glob: 'a'},".repeat(1001)}], ${SIGNED}}`],
    [
      'more authorities than anybody trusts',
      `{images: [{glob: '**'}], authorities: [${'{static: {action: pass}},'.repeat(101)}]}`,
    ],
    ['no authorities', `{images: [{glob: '**'}], authorities: []}`],
    ['a glob that is too long', `{images: [{glob: '${'**/'.repeat(1000)}'}], ${SIGNED}}`],
    ['a glob that breaks out of its pattern', `{images: [{glob: 'a|.*'}], ${SIGNED}}`],
    ['a glob with another alphabet', `{images: [{glob: 'ghcr.io/аcme/**'}], ${SIGNED}}`],
    ['a glob of two lines', `{images: [{glob: "ghcr.io/**\\n"}], ${SIGNED}}`],
  ] as const) {
    test(`not compiled: ${name}`, async () => {
      await assert.rejects(compile(spec), { code: 'POLICY_FIELD' })
    })
  }
})

describe('patterns that are refused when the policy is loaded', () => {
  for (const pattern of [
    ...['(', 'a)', '[', '[z-a]', '*', 'a**', '\\1(a)', '(?=a)a', '(?<!a)b', '(?P<n>a)(?P=n)', '\\p{Nobody}'],
    ...['a{1001}', '(a{1000}){1000}', '((a{100}){100}){100}', '(?:'.repeat(200), 'a'.repeat(5000)],
  ]) {
    for (const identity of [`{issuerRegExp: '${pattern}', subject: a}`, `{issuer: a, subjectRegExp: '${pattern}'}`])
      test(identity.slice(0, 60), async () => {
        const spec = `{images: [{glob: '**'}], authorities: [{keyless: {identities: [${identity}]}}]}`
        await assert.rejects(compile(spec), { code: 'POLICY_FIELD' })
      })
  }
})

describe('patterns that are slow elsewhere', () => {
  const long = `https://example.com/${'a'.repeat(1500)}`

  for (const pattern of [
    '(a|a)*b',
    '(.*)*z',
    '(([a-z])+.)+[A-Z]([a-z])+',
    '(a?){100}a{100}b',
    '^https://(.+)+/(.+)+z',
  ]) {
    test(`an identity against ${pattern}`, async () => {
      const image = bench.pushImage(`ghcr.io/acme/slow:${String(pattern.length)}`)
      await bench.sign(image, await bench.person(long, ISSUER))
      const identity = `{issuer: '${ISSUER}', subjectRegExp: '${pattern}'}`
      await refused(`{images: [{glob: '**'}], authorities: [{keyless: {identities: [${identity}]}}]}`, podOf(image))
    })
  }

  test('an image against many stars', async () => {
    const globs = `{glob: '${'**a'.repeat(340)}'}, {glob: '${'*a'.repeat(500)}'}, {glob: '**'}`
    await refused(`{images: [${globs}], ${SIGNED}}`, podOf(`ghcr.io/${'a'.repeat(250)}:1`))
  })
})

describe('what a statement may try, by whoever may make it', () => {
  const bomb = '(?:(?:a?){100}){90}b'
  const long = 'a'.repeat(100_000)
  let serial = 0

  for (const [name, policy, predicate] of [
    [
      'a large pattern of its own, in Rego',
      'rego: not regex.match(input.predicate.p, input.predicate.t)',
      { p: bomb, t: long },
    ],
    ['a large pattern of the policy, in Rego', `rego: not regex.match("${bomb}", input.predicate.t)`, { t: long }],
    [
      'many stars, in Rego',
      'rego: not glob.match(input.predicate.p, [], input.predicate.t)',
      { p: '*a'.repeat(200), t: long },
    ],
    ['a pattern that is none, in Rego', 'rego: not regex.match(input.predicate.p, "x")', { p: '(' }],
    ['a large pattern of its own, in CUE', 'cue: predicate: {p: string, t: !~p}', { p: bomb, t: long }],
    ['a large pattern of the policy, in CUE', `cue: predicate: {t: !~"${bomb}"}`, { t: long }],
    ['a pattern that is none, in CUE', 'cue: predicate: {p: string, t: !~p}', { p: '(', t: 'x' }],
  ] as const) {
    test(name, async () => {
      const image = bench.pushImage(`ghcr.io/acme/stated:${String(serial++)}`)
      await bench.attest(image, ann, { type: TYPE, predicate })
      const [type = '', ...rest] = policy.split(': ')
      const body = rest.join(': ')
      const data = type === 'cue' ? body : `package sigstore\nisCompliant { ${body} }`
      const attestation = `{name: a, predicateType: '${TYPE}', policy: {type: ${type}, data: ${JSON.stringify(data)}}}`
      const authority = `{keyless: {identities: [${IDENTITY}]}, attestations: [${attestation}]}`
      await refused(`{images: [{glob: '**'}], authorities: [${authority}]}`, podOf(image))
    })
  }
})

describe('odd names of images', () => {
  const any = `{images: [{glob: '**'}], ${SIGNED}}`
  const digest = `sha256:${'a'.repeat(64)}`
  for (const image of ODD_IMAGE_NAMES) {
    test(JSON.stringify(image.slice(0, 60)), async () => {
      await refused(any, podOf(image))
      await refused(any, podOf(image, unsigned))
    })
  }

  for (const value of NO_IMAGE_NAMES) {
    test(`no text: ${JSON.stringify(value)}`, async () => {
      const containers: JsonObject[] = [{ name: 'a', image: value }]
      await refused(any, reviewOf('Pod', { metadata: { name: 'test' }, spec: { containers } }))
    })
  }

  for (const [glob, images] of [
    [
      'ghcr.io/acme/*',
      [
        ...['GHCR.IO/acme/bare', 'Ghcr.io/acme/bare', 'ghcr.io:443/acme/bare', 'GHCR.io:443/acme/bare'],
        ...['ghcr.io./acme/bare', 'ghcr.io.:443/acme/bare', 'ghcr.io:0443/acme/bare', 'ghcr.io:00443/acme/bare'],
      ],
    ],
    [
      'index.docker.io/acme/*',
      [
        ...['acme/bare', 'docker.io/acme/bare', 'index.docker.io/acme/bare', 'registry-1.docker.io/acme/bare'],
        ...['DOCKER.IO/acme/bare', 'index.docker.io:443/acme/bare', 'Registry-1.Docker.IO:443/acme/bare'],
        ...['registry-1.docker.io./acme/bare'],
      ],
    ],
    [
      'index.docker.io/library/*',
      ['nginx', 'docker.io/nginx', 'docker.io/library/nginx', 'registry-1.docker.io/library/nginx'],
    ],
    [
      '*',
      ['nginx', 'docker.io/library/nginx', 'registry-1.docker.io/library/nginx', 'index.docker.io:443/library/nginx'],
    ],
    ['*/*', ['acme/bare', 'docker.io/acme/bare', 'registry-1.docker.io/acme/bare']],
    ['registry.example.net:5000/*', ['Registry.Example.NET:5000/bare', 'registry.example.net:05000/bare']],
  ] as const) {
    for (const image of images) {
      test(`${glob} is about ${image}`, async () => {
        for (const spelled of [`${image}:1`, `${image}@${digest}`, `${image}:1@${digest}`])
          await refused(`{images: [{glob: '${glob}'}], ${SIGNED}}`, podOf(spelled))
      })
    }
  }

  test('more images than anybody needs', async () => {
    await refused(any, podOf(...new Array<string>(501).fill('ghcr.io/acme/bare:1')))
  })
})
